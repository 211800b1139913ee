//! The rules of ARCHITECTURE.md that can be read off the sources.

#![expect(clippy::unwrap_used, reason = "all of this is tests, which the lint sees in test functions only")]

use std::fs;
use std::path::{Path, PathBuf};

use areyouj_protocol::ErrorCode;

/// A file has one purpose; beyond this it has two.
const LINES: usize = 620;

fn root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap();
    Path::new(&package).join("..").canonicalize().unwrap()
}

/// All Rust files below a directory, with their paths from the root.
fn sources(below: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut directories = vec![root().join(below)];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                // A build of the fuzz targets generates sources there.
                directories.extend((!path.ends_with("target")).then_some(path));
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(!found.is_empty(), "nothing below {below}");
    found
}

/// The code of a file, without comments and without the tests at its end.
fn code(text: &str) -> String {
    let product = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    product.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn files_are_short_and_lie_beside_their_folders() {
    for below in ["protocol", "server", "tests"] {
        for (name, text) in sources(below) {
            assert!(!name.ends_with("/mod.rs"), "{name}");
            assert!(text.lines().count() <= LINES, "{name} has {} lines", text.lines().count());
            assert!(text.starts_with("//!"), "{name} does not say what it is for");
        }
    }
}

#[test]
fn every_documented_error_code_is_used() {
    let product: String = sources("server").iter().map(|(_, text)| code(text)).collect();
    for code in ErrorCode::ALL {
        let name = format!("ErrorCode::{code:?}");
        let is_used = product
            .match_indices(&name)
            .any(|(at, _)| !product[at + name.len()..].starts_with(|next: char| next.is_alphanumeric()));
        assert!(is_used, "no code uses {name}");
    }
}
