//! Circular dependencies among modules: in each crate of the product, in the VS Code extension and in the Neovim
//! plugin. Modules in a circle cannot be understood, tested or moved separately.

mod lua;
mod rust;
mod source;
mod typescript;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use areyouj_tests::checkout::checkout;

/// A checked language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    /// The crates of the product: every `crate::`, `super::` and `self::`.
    Rust,
    /// The VS Code extension: imports of values and of types.
    TypeScript,
    /// The Neovim plugin: every `require`.
    Lua,
}

impl Language {
    /// All languages.
    pub(crate) const ALL: [Language; 3] = [Language::Rust, Language::TypeScript, Language::Lua];

    fn graphs(self) -> Result<Vec<Graph>> {
        match self {
            Language::Rust => rust::graphs(),
            Language::TypeScript => Ok(vec![typescript::graph()?]),
            Language::Lua => Ok(vec![lua::graph()?]),
        }
    }
}

/// Fails if these languages have a circle, and prints each.
pub(crate) fn check(languages: &[Language]) -> Result<()> {
    let mut found = 0;
    for language in languages {
        for graph in language.graphs()? {
            for circle in graph.circles() {
                println!("{}", graph.describe(&circle));
                found += 1;
            }
        }
    }
    ensure!(found == 0, "circles among modules: {found}");
    Ok(())
}

/// The modules of one program, and which of them use which.
struct Graph {
    /// The name of the program.
    name: String,
    /// For each module, the modules that it uses, each with the location of the first use.
    uses: BTreeMap<String, BTreeMap<String, Place>>,
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    /// Relative to the workspace.
    file: String,
    line: usize,
}

impl Graph {
    fn new(name: impl Into<String>) -> Graph {
        Graph { name: name.into(), uses: BTreeMap::new() }
    }

    fn add(&mut self, from: &str, to: &str, place: Place) {
        if from != to {
            let uses = self.uses.entry(from.to_owned()).or_default();
            uses.entry(to.to_owned()).or_insert(place);
        }
    }

    /// Every maximal set of modules that use each other, directly or indirectly.
    fn circles(&self) -> Vec<BTreeSet<String>> {
        let reached: BTreeMap<&String, BTreeSet<&String>> =
            self.uses.keys().map(|module| (module, self.reached_from(module))).collect();
        let mut circles = BTreeSet::new();
        for (module, reaches) in &reached {
            let back = |other: &&&String| reached.get(**other).is_some_and(|all| all.contains(*module));
            let circle: BTreeSet<String> =
                reaches.iter().filter(back).map(|other| (**other).clone()).collect();
            if !circle.is_empty() {
                circles.insert(circle);
            }
        }
        circles.into_iter().collect()
    }

    fn reached_from(&self, module: &String) -> BTreeSet<&String> {
        let mut reached = BTreeSet::new();
        let mut open: Vec<&String> = vec![module];
        while let Some(next) = open.pop() {
            for used in self.uses.get(next).into_iter().flat_map(BTreeMap::keys) {
                if reached.insert(used) {
                    open.push(used);
                }
            }
        }
        reached
    }

    /// The modules of a circle, and every use inside it.
    fn describe(&self, circle: &BTreeSet<String>) -> String {
        let mut text = format!("{}: a circle of {} modules", self.name, circle.len());
        for from in circle {
            for (to, place) in
                self.uses.get(from).into_iter().flatten().filter(|(to, _)| circle.contains(*to))
            {
                let _ = write!(text, "\n  {from} -> {to}  ({}:{})", place.file, place.line);
            }
        }
        text
    }
}

/// All files below a directory of the workspace whose names end with this, in order.
fn files(directory: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        let entries = fs::read_dir(&directory).with_context(|| format!("no {}", directory.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                files.push(path);
            }
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// Converts a byte offset in a file to a line.
fn place(file: &Path, text: &str, at: usize) -> Place {
    let file = file.strip_prefix(checkout()).unwrap_or(file).display().to_string();
    Place { file, line: 1 + text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(uses: &[(&str, &str)]) -> Graph {
        let mut graph = Graph::new("test");
        for (from, to) in uses {
            graph.add(from, to, Place { file: format!("{from}.rs"), line: 1 });
        }
        graph
    }

    #[test]
    fn modules_that_use_each_other_are_a_circle() {
        let graph = graph(&[("a", "b"), ("b", "c"), ("c", "b"), ("c", "d"), ("e", "a")]);
        let circles = graph.circles();
        assert_eq!(circles, [BTreeSet::from(["b".to_owned(), "c".to_owned()])]);
        let expected = "test: a circle of 2 modules\n  b -> c  (b.rs:1)\n  c -> b  (c.rs:1)";
        assert_eq!(graph.describe(&circles[0]), expected);
    }

    #[test]
    fn a_longer_circle_is_found_once() {
        assert_eq!(graph(&[("a", "b"), ("b", "c"), ("c", "a")]).circles().len(), 1);
    }

    #[test]
    fn layered_modules_have_no_circle() {
        assert!(graph(&[("a", "b"), ("a", "c"), ("b", "c"), ("b", "b")]).circles().is_empty());
    }
}
