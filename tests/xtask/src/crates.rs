//! Checks the allowed dependencies of each crate of the product, with cargo's dependency tree.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};

use crate::cargo;

/// Crates with a fixed dependency tree: a new name in it must be added here, where a reviewer sees it. Crates that run
/// only at build time do not count.
const WHOLE_TREES: [(&str, &[&str]); 4] = [
    ("areyouj-protocol", &["areyouj-protocol", "serde", "serde_core"]),
    // No I/O: no runtime, no system calls, no database, no source of randomness or time.
    (
        "areyouj-core",
        &[
            "areyouj-core",
            "areyouj-protocol",
            "equivalent",
            "foldhash",
            "hashbrown",
            // The digest of a displayed permission request; it has no dependencies.
            "hmac-sha256",
            "indexmap",
            "itoa",
            "memchr",
            "serde",
            "serde_core",
            "serde_json",
            "thiserror",
            "tinyvec",
            // Unicode's tables of combining marks, scripts and look-alikes: pure tables.
            "unicode-normalization",
            "unicode-script",
            "unicode-security",
            "uuid",
            "zmij",
        ],
    ),
    ("areyouj-journal", &["areyouj-journal", "cfg-if", "crc32fast", "thiserror"]),
    // One host runs per session, so it stays small: no runtime, no JSON, no log.
    (
        "areyouj-host",
        &[
            "areyouj-host",
            "areyouj-journal",
            "arrayvec",
            "bitflags",
            "cfg-if",
            "crc32fast",
            "libc",
            "memchr",
            "memoffset",
            "nix",
            "thiserror",
            "unicode-width",
            "vte",
        ],
    ),
];

/// Crates that only one crate of the product is allowed to use.
const SOLE_USERS: [(&str, &str); 1] = [("rusqlite", "areyouj-store")];

/// The crates of the product's programs.
const PRODUCT: [&str; 6] =
    ["areyouj", "areyouj-core", "areyouj-host", "areyouj-journal", "areyouj-protocol", "areyouj-store"];

/// Compares each crate's dependencies with the allowed ones.
pub(crate) fn check() -> Result<()> {
    for (package, allowed) in WHOLE_TREES {
        let found = dependencies(package, None)?;
        let allowed: BTreeSet<String> = allowed.iter().map(ToString::to_string).collect();
        let (new, gone): (Vec<_>, Vec<_>) =
            (found.difference(&allowed).collect(), allowed.difference(&found).collect());
        ensure!(
            new.is_empty() && gone.is_empty(),
            "the dependencies of {package} changed (new: {new:?}, gone: {gone:?}); if that is intended, change tests/xtask/src/crates.rs"
        );
    }
    for (dependency, sole) in SOLE_USERS {
        for package in PRODUCT.into_iter().filter(|package| *package != sole) {
            let direct = dependencies(package, Some(1))?;
            ensure!(
                !direct.contains(dependency),
                "{package} depends on {dependency}, which only {sole} is allowed to use"
            );
        }
    }
    Ok(())
}

/// The names of a package and of the crates that it needs at run time; down to `depth` levels, or all.
fn dependencies(package: &str, depth: Option<u32>) -> Result<BTreeSet<String>> {
    let mut command =
        cargo::command(&["tree", "--package", package, "--edges", "no-build,no-dev,no-proc-macro"])?;
    command.args(["--prefix", "none", "--format", "{p}", "--offline", "--locked"]);
    if let Some(depth) = depth {
        command.args(["--depth", &depth.to_string()]);
    }
    let output = command.output()?;
    ensure!(output.status.success(), "cargo tree failed: {}", String::from_utf8_lossy(&output.stderr));
    let listing = String::from_utf8(output.stdout)?;
    Ok(listing.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect())
}
