//! The VS Code extension: every file and the files that it imports, values and types alike.

use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};
use areyouj_tests::checkout::checkout;

use super::source::{Syntax, code};
use super::{Graph, files, place};

/// Templates count as code: an import is never in one.
const SYNTAX: Syntax =
    Syntax { line: "//", blocks: &[("/*", "*/")], quotes: "\"'", long_texts: false, keep_texts: true };

/// The text before the name of an imported file.
const IMPORTS: [&str; 3] = ["from ", "import ", "import("];

pub(super) fn graph() -> Result<Graph> {
    let root = checkout().join("extension-vscode");
    let mut graph = Graph::new("extension-vscode");
    for directory in ["src", "webview"] {
        for file in files(&root.join(directory), "ts")? {
            let text =
                fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            let from = name(&root, &file);
            for (at, imported) in imports(&code(&text, &SYNTAX)) {
                if let Some(imported) = resolve(&file, imported) {
                    graph.add(&from, &name(&root, &imported), place(&file, &text, at));
                }
            }
        }
    }
    Ok(graph)
}

fn name(root: &Path, file: &Path) -> String {
    file.strip_prefix(root).unwrap_or(file).with_extension("").display().to_string()
}

/// The imported relative paths, with their offsets.
fn imports(code: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for import in IMPORTS {
        for (at, _) in code.match_indices(import) {
            let rest = &code[at + import.len()..];
            if let Some(quote) = rest.chars().next().filter(|quote| "\"'".contains(*quote))
                && let Some((path, _)) = rest[1..].split_once(quote)
                && path.starts_with('.')
            {
                found.push((at, path));
            }
        }
    }
    found
}

/// The imported file, if it belongs to the extension.
fn resolve(from: &Path, imported: &str) -> Option<PathBuf> {
    let mut path = from.parent()?.to_owned();
    for component in Path::new(imported).components() {
        match component {
            Component::ParentDir => drop(path.pop()),
            Component::Normal(name) => path.push(name),
            _ => {}
        }
    }
    let name = path.file_name()?.to_str()?.to_owned();
    let candidates = [path.with_file_name(format!("{name}.ts")), path.join("index.ts"), path];
    candidates.into_iter().find(|candidate| candidate.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_import_is_found() {
        let code = r#"import { a } from "./a"; import type { B } from "../b"; import "./c"; export * from './d';
            const e = await import("./e"); import x from "lit";"#;
        let mut found: Vec<&str> = imports(code).into_iter().map(|(_, path)| path).collect();
        found.sort_unstable();
        assert_eq!(found, ["../b", "./a", "./c", "./d", "./e"]);
    }
}
