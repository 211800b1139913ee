//! The crates of the product: every file is a module, which uses the paths that start with `crate::`, `super::` or
//! `self::`. A name that another module imports with `use` counts as a use of the module that defines it.
//!
//! A module and its submodules count as one unit, so uses between them are not a circle. Tests are ignored.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use areyouj_tests::checkout::checkout;

use super::source::{Syntax, code};
use super::{Graph, files, place};

const SYNTAX: Syntax = Syntax {
    line: "//",
    blocks: &[("/*", "*/"), ("r##\"", "\"##"), ("r#\"", "\"#"), ("r\"", "\""), ("'\"", "'"), ("'\\\"", "'")],
    quotes: "\"",
    long_texts: true,
    keep_texts: false,
};

/// The maximum number of `use` declarations to follow in a chain.
const MOST_FOLLOWED: usize = 8;

/// The name of a module, in segments from the root of its crate.
type Name = Vec<String>;

/// A graph for each crate below these directories.
pub(super) fn graphs() -> Result<Vec<Graph>> {
    let mut graphs = Vec::new();
    for directory in ["protocol", "server"] {
        for manifest in files(&checkout().join(directory), "toml")? {
            let sources = manifest.with_file_name("src");
            if manifest.file_name().is_some_and(|name| name == "Cargo.toml") && sources.is_dir() {
                let at = manifest.parent().unwrap_or(&manifest);
                let name = at.strip_prefix(checkout()).unwrap_or(at).display().to_string();
                graphs.push(Crate::read(&sources)?.graph(name));
            }
        }
    }
    Ok(graphs)
}

/// A module: its file and contents.
struct Module {
    file: PathBuf,
    text: String,
    /// The text without comments, strings and tests.
    code: String,
    /// The names imported by `use`, each with its path.
    imported: BTreeMap<String, Vec<String>>,
}

/// All modules of a crate.
struct Crate {
    modules: BTreeMap<Name, Module>,
}

impl Crate {
    fn read(sources: &Path) -> Result<Crate> {
        let mut modules = BTreeMap::new();
        let mut tests = BTreeSet::new();
        for file in files(sources, "rs")? {
            let text =
                fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            let name = name(sources, &file);
            let (code, own_tests) = without_tests(&code(&text, &SYNTAX));
            tests.extend(own_tests.into_iter().map(|test| [name.clone(), vec![test]].concat()));
            let imported = imported(&code);
            modules.insert(name, Module { file, text, code, imported });
        }
        modules.retain(|name, _| !tests.iter().any(|test| name.starts_with(test)));
        Ok(Crate { modules })
    }

    fn graph(&self, name: String) -> Graph {
        let mut graph = Graph::new(name);
        for (from, module) in &self.modules {
            for (at, path) in paths(&module.code) {
                let Some(to) = self.module(from, &path, 0) else { continue };
                if !from.starts_with(&to) && !to.starts_with(from) {
                    graph.add(&from.join("::"), &to.join("::"), place(&module.file, &module.text, at));
                }
            }
        }
        graph
    }

    /// The module that defines this path in the context of a module.
    fn module(&self, from: &Name, path: &[String], followed: usize) -> Option<Name> {
        let mut at = from.clone();
        let mut rest = path.iter().peekable();
        let mut relative = false;
        while let Some(word) = rest.next_if(|word| ["crate", "super", "self"].contains(&word.as_str())) {
            relative = true;
            match word.as_str() {
                "crate" => at.clear(),
                "super" => drop(at.pop()),
                _ => {}
            }
        }
        if !relative && !rest.peek().is_some_and(|word| self.has(&at, word)) {
            // An imported name, or another crate.
            let word = rest.next()?;
            let imported = self.modules.get(&at)?.imported.get(word)?;
            let path: Vec<String> = imported.iter().chain(rest).cloned().collect();
            return (followed < MOST_FOLLOWED).then(|| self.module(&at, &path, followed + 1))?;
        }
        while let Some(word) = rest.next_if(|word| self.has(&at, word)) {
            at.push(word.clone());
        }
        if let Some(imported) = rest.next().and_then(|word| self.modules.get(&at)?.imported.get(word))
            && followed < MOST_FOLLOWED
            && at != *from
        {
            return self.module(&at, imported, followed + 1).or(Some(at));
        }
        Some(at)
    }

    fn has(&self, parent: &Name, child: &str) -> bool {
        self.modules.contains_key(&[parent.as_slice(), &[child.to_owned()]].concat())
    }
}

/// The name of the module in a file.
fn name(sources: &Path, file: &Path) -> Name {
    let path = file.strip_prefix(sources).unwrap_or(file).with_extension("");
    let mut name: Name = path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    // Programs next to the library are separate roots with unique names.
    if name.last().is_some_and(|last| last == "main" || last == "lib") {
        name.pop();
    }
    name
}

/// The code without test items, and the names of test modules.
fn without_tests(code: &str) -> (String, Vec<String>) {
    const MARK: &str = "#[cfg(test)]";
    let mut kept = code.as_bytes().to_vec();
    let mut modules = Vec::new();
    let mut from = 0;
    while let Some(at) = code[from..].find(MARK).map(|at| from + at) {
        let item = &code[at + MARK.len()..];
        let end = item.find([';', '{']).unwrap_or(item.len());
        let is_block = item[end..].starts_with('{');
        if let Some((_, module)) = item[..end].split_once("mod ")
            && !is_block
        {
            modules.push(module.trim().to_owned());
        }
        let length = if is_block { end + block(&item[end..]) } else { end };
        from = at + MARK.len() + length;
        kept[at..from].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
    }
    (String::from_utf8_lossy(&kept).into_owned(), modules)
}

/// The number of bytes of a block in braces.
fn block(code: &str) -> usize {
    let mut depth = 0_u32;
    for (at, byte) in code.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth == 0 {
            return at + 1;
        }
    }
    code.len()
}

/// The names that a module imports.
fn imported(code: &str) -> BTreeMap<String, Vec<String>> {
    let mut imported = BTreeMap::new();
    for (at, word) in code.match_indices("use ") {
        if code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_') {
            continue;
        }
        let tree = code[at + word.len()..].split(';').next().unwrap_or_default();
        for path in expanded(tree) {
            let (path, name) = match path.split_once(" as ") {
                Some((path, name)) => (segments(path), name.trim().to_owned()),
                None => (segments(&path), segments(&path).pop().unwrap_or_default()),
            };
            imported.insert(name, path);
        }
    }
    imported
}

/// Every path in a module that starts in its own crate, with its offset.
fn paths(code: &str) -> Vec<(usize, Vec<String>)> {
    let mut paths = Vec::new();
    for root in ["crate::", "super::", "self::"] {
        for (at, _) in code.match_indices(root) {
            let before = code[..at].trim_end();
            let inside =
                code[..at].ends_with(|last: char| last.is_alphanumeric() || last == '_' || last == ':');
            if inside || before.ends_with("(in") {
                continue;
            }
            let tree: &str = &code[at..at + tree(&code[at..])];
            paths.extend(
                expanded(tree).iter().map(|path| (at, segments(path.split(" as ").next().unwrap_or(path)))),
            );
        }
    }
    paths
}

/// The number of bytes of a path, or of a tree of paths, at the start of the code.
fn tree(code: &str) -> usize {
    let end =
        code.find(|next: char| !(next.is_alphanumeric() || next == '_' || next == ':')).unwrap_or(code.len());
    if code[..end].ends_with("::") && code[end..].starts_with('{') { end + block(&code[end..]) } else { end }
}

/// The single paths of a tree like `a::{b, c::{d, e}}`.
fn expanded(tree: &str) -> Vec<String> {
    let Some((prefix, rest)) = tree.split_once('{') else { return vec![tree.trim().to_owned()] };
    let inner = &rest[..block(&tree[prefix.len()..]).saturating_sub(2).min(rest.len())];
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_u32, 0);
    for (at, byte) in inner.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                parts.push(&inner[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&inner[start..]);
    let parts = parts.into_iter().filter(|part| !part.trim().is_empty());
    parts.flat_map(|part| expanded(part.trim())).map(|path| format!("{}{path}", prefix.trim())).collect()
}

/// The segments of a path. `self` at the end of a tree is the module before it.
fn segments(path: &str) -> Vec<String> {
    let mut segments: Vec<String> =
        path.split("::").map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect();
    if segments.len() > 1 && segments.last().is_some_and(|last| last == "self") {
        segments.pop();
    }
    segments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(modules: &[(&str, &str)]) -> Vec<(String, String)> {
        let directory = tempfile::tempdir().unwrap();
        for (file, text) in modules {
            let path = directory.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let graph = Crate::read(directory.path()).unwrap().graph("test".to_owned());
        let uses = graph
            .uses
            .into_iter()
            .flat_map(|(from, uses)| uses.into_keys().map(move |to| (from.clone(), to)).collect::<Vec<_>>());
        uses.collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect()
    }

    #[test]
    fn uses_of_siblings_are_found_in_trees_and_in_expressions() {
        let uses = of(&[
            ("lib.rs", "mod a; mod b; mod c; mod d;"),
            ("a.rs", "use crate::{b::{self, X}, c::Y as Z};"),
            ("b.rs", "fn f() { super::d::g() }"),
            ("c.rs", "// crate::a::X\nconst T: &str = \"crate::a\";"),
            ("d.rs", "pub(in crate::a) fn g() {}"),
        ]);
        assert_eq!(uses, pairs(&[("a", "b"), ("a", "c"), ("b", "d")]));
    }

    #[test]
    fn what_a_parent_brings_is_used_from_where_it_comes() {
        let uses = of(&[
            ("lib.rs", "mod a;"),
            ("a.rs", "mod b; mod c; pub use b::{X, Y}; use self::c::Z; struct Own;"),
            ("a/b.rs", "use super::{Own, Z};"),
            ("a/c.rs", "use super::X;"),
        ]);
        assert_eq!(uses, pairs(&[("a::b", "a::c"), ("a::c", "a::b")]));
    }

    #[test]
    fn parents_children_and_tests_are_left_out() {
        let uses = of(&[
            ("lib.rs", "mod a; mod b;"),
            (
                "a.rs",
                "mod c; use self::c::X; #[cfg(test)] mod tests; #[cfg(test)] mod more { use crate::b::X; }",
            ),
            ("a/c.rs", "use super::Y; use crate::Z;"),
            ("a/tests.rs", "use crate::b::Q;"),
            ("b.rs", "use crate::a::c::X;"),
        ]);
        assert_eq!(uses, pairs(&[("b", "a::c")]));
    }
}
