//! The notices of third parties: which software of others is in the programs and in the VS Code extension, with its
//! licences. The file is in the directory of the server, in the package of the extension and in `areyouj licenses`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use areyouj_tests::checkout::checkout;
use serde_json::Value;

use crate::cargo;
use crate::setup::{self, Modules, Need};

/// The file, relative to the workspace.
const FILE: &str = "server/THIRD-PARTY-NOTICES.txt";

/// The programs that users get.
const PROGRAMS: [&str; 2] = ["areyouj", "areyouj-host"];

/// The notices are those of this platform, so that they are the same wherever they are generated.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

/// The beginnings of the names of files with licences and notices, in capitals.
const LICENCE_FILES: [&str; 7] =
    ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE", "THIRDPARTYNOTICE"];

/// What no registry lists.
const BUILT_IN: &str = "\
The Rust standard library: MIT OR Apache-2.0. Copyright (c) The Rust Project Contributors.
SQLite, in the crate libsqlite3-sys: in the public domain.
";

const INTRODUCTION: &str = "\
Third-party software in AreYouJ

The programs areyouj and areyouj-host contain the crates, and the VS Code extension contains the npm modules, that are
listed below, each with its licence. `cargo xtask notices` generates this file.

";

/// A part of AreYouJ that others wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    /// `crate NAME VERSION (LICENCE)`, or the same of a module.
    name: String,
    /// The texts of its licences and notices.
    texts: Vec<String>,
}

/// Writes the notices, or with `check` fails if they are not up to date.
pub(crate) fn write(check: bool) -> Result<()> {
    setup::install_missing(&[Need::Modules(Modules::Extension)])?;
    let text = rendered(&[crates()?, modules()?].concat());
    let file = checkout().join(FILE);
    if check {
        let found = fs::read_to_string(&file).unwrap_or_default();
        ensure!(found == text, "{FILE} is not up to date: run `cargo xtask notices`");
        return Ok(());
    }
    fs::write(&file, text).with_context(|| format!("{} cannot be written", file.display()))
}

/// The parts, those with the same texts together.
fn rendered(parts: &[Part]) -> String {
    let mut by_texts: BTreeMap<&[String], BTreeSet<&str>> = BTreeMap::new();
    for part in parts {
        by_texts.entry(&part.texts).or_default().insert(&part.name);
    }
    let mut groups: Vec<_> = by_texts.into_iter().map(|(texts, names)| (names, texts)).collect();
    groups.sort_unstable();
    let mut text = format!("{INTRODUCTION}{BUILT_IN}");
    for (names, texts) in groups {
        let _ = write!(text, "\n{}\n", "=".repeat(80));
        for name in names {
            let _ = writeln!(text, "{name}");
        }
        for licence in texts {
            let _ = write!(text, "\n{licence}\n");
        }
    }
    text
}

/// The crates in the programs, without those that only run at build time.
fn crates() -> Result<Vec<Part>> {
    let arguments = ["metadata", "--format-version", "1", "--locked", "--filter-platform", PLATFORM];
    let output = cargo::command(&arguments)?.output().context("cargo cannot be started")?;
    ensure!(output.status.success(), "`cargo metadata` failed: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let by_id = |list: &'static str, of: &'static str| -> BTreeMap<String, &Value> {
        let values = if of.is_empty() { &metadata[list] } else { &metadata[of][list] };
        values.as_array().into_iter().flatten().map(|value| (string(value, "id"), value)).collect()
    };
    let (packages, nodes) = (by_id("packages", ""), by_id("nodes", "resolve"));
    let own = |package: &Value| package["source"].is_null();
    let programs = packages.iter().filter(|(_, package)| {
        own(package) && PROGRAMS.contains(&package["name"].as_str().unwrap_or_default())
    });
    let mut waiting: Vec<String> = programs.map(|(id, _)| id.clone()).collect();
    ensure!(waiting.len() == PROGRAMS.len(), "the workspace has no {PROGRAMS:?}");
    let (mut seen, mut parts) = (BTreeSet::new(), Vec::new());
    while let Some(id) = waiting.pop() {
        let (Some(package), Some(node)) = (packages.get(&id), nodes.get(&id)) else { continue };
        if !seen.insert(id) || runs_at_build_time(package) {
            continue;
        }
        let dependencies = node["deps"].as_array().into_iter().flatten();
        let linked = dependencies.filter(|dependency| {
            dependency["dep_kinds"].as_array().into_iter().flatten().any(|kind| kind["kind"].is_null())
        });
        waiting.extend(linked.map(|dependency| string(dependency, "pkg")));
        if !own(package) {
            let manifest = PathBuf::from(string(package, "manifest_path"));
            let directory = manifest.parent().context("a manifest without a directory")?;
            parts.push(part("crate", package, directory)?);
        }
    }
    Ok(parts)
}

/// Whether nothing of the crate is in a program: it makes code at build time.
fn runs_at_build_time(package: &Value) -> bool {
    let targets = package["targets"].as_array().into_iter().flatten();
    targets
        .flat_map(|target| target["kind"].as_array().into_iter().flatten())
        .any(|kind| kind == "proc-macro")
}

/// The npm modules in the bundles of the extension.
fn modules() -> Result<Vec<Part>> {
    let directory = checkout().join("extension-vscode");
    let mut bundle = Command::new("node");
    bundle.args(["esbuild.mjs", "--modules"]).current_dir(&directory);
    let output = bundle.output().context("node cannot be started")?;
    ensure!(output.status.success(), "the extension cannot be bundled: run `cargo xtask lint`");
    let listed = String::from_utf8(output.stdout)?;
    listed
        .lines()
        .map(|module| {
            let module = directory.join(module);
            let package: Value = serde_json::from_slice(&fs::read(module.join("package.json"))?)?;
            part("module", &package, &module)
        })
        .collect()
}

/// A crate or a module, with the licences in its directory.
fn part(kind: &str, package: &Value, directory: &Path) -> Result<Part> {
    let licence = string(package, "license");
    let name = format!("{kind} {} {} ({licence})", string(package, "name"), string(package, "version"));
    let mut files: Vec<String> = fs::read_dir(directory)?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|file| LICENCE_FILES.iter().any(|start| file.to_uppercase().starts_with(start)))
        .collect();
    files.sort_unstable();
    let mut texts = Vec::new();
    for file in chosen(files, &licence) {
        let path = directory.join(file);
        if path.is_file() {
            let text = fs::read_to_string(&path).with_context(|| format!("{} is no text", path.display()))?;
            texts.push(text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim().to_owned());
        }
    }
    if texts.is_empty() {
        bail!("{name} has no file with its licence in {}", directory.display());
    }
    Ok(Part { name, texts })
}

/// The files that apply: where the user can choose, those of the MIT licence, and every file that is no licence.
fn chosen(files: Vec<String>, licence: &str) -> Vec<String> {
    let can_choose = (licence.contains(" OR ") || licence.contains('/')) && licence.contains("MIT");
    let is_mit = |file: &String| file.to_uppercase().contains("MIT");
    if !can_choose || !files.iter().any(is_mit) {
        return files;
    }
    let is_notice =
        |file: &String| ["NOTICE", "THIRDPARTY"].iter().any(|word| file.to_uppercase().contains(word));
    files.into_iter().filter(|file| is_mit(file) || is_notice(file)).collect()
}

fn string(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mit_licence_is_chosen_where_there_is_a_choice() {
        let files = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let both = files(&["LICENSE-APACHE", "LICENSE-MIT", "NOTICE"]);
        assert_eq!(chosen(both.clone(), "MIT OR Apache-2.0"), files(&["LICENSE-MIT", "NOTICE"]));
        assert_eq!(chosen(both.clone(), "MIT/Apache-2.0"), files(&["LICENSE-MIT", "NOTICE"]));
        assert_eq!(chosen(both.clone(), "MIT AND Apache-2.0"), both);
        assert_eq!(chosen(files(&["LICENSE"]), "MIT OR Apache-2.0"), files(&["LICENSE"]));
    }

    #[test]
    fn parts_with_the_same_texts_are_listed_together() {
        let part = |name: &str, text: &str| Part { name: name.to_owned(), texts: vec![text.to_owned()] };
        let text = rendered(&[part("b", "MIT"), part("c", "Zlib"), part("a", "MIT")]);
        let line = "=".repeat(80);
        assert!(text.ends_with(&format!("\n{line}\na\nb\n\nMIT\n\n{line}\nc\n\nZlib\n")), "{text}");
    }
}
