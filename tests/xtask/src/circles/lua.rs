//! The Neovim plugin: every module and the modules that it requires, on load or later.

use std::fs;

use anyhow::{Context, Result};
use areyouj_tests::checkout::checkout;

use super::source::{Syntax, code};
use super::{Graph, files, place};

const SYNTAX: Syntax =
    Syntax { line: "--", blocks: &[("--[[", "]]")], quotes: "\"'", long_texts: false, keep_texts: true };

pub(super) fn graph() -> Result<Graph> {
    let root = checkout().join("extension-nvim/lua");
    let mut graph = Graph::new("extension-nvim");
    for file in files(&root, "lua")? {
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let path = file.strip_prefix(&root).unwrap_or(&file).with_extension("");
        let from = path.display().to_string().replace('/', ".");
        let from = from.strip_suffix(".init").unwrap_or(&from);
        for (at, required) in required(&code(&text, &SYNTAX)) {
            let path = root.join(required.replace('.', "/"));
            if path.with_extension("lua").is_file() || path.join("init.lua").is_file() {
                graph.add(from, required, place(&file, &text, at));
            }
        }
    }
    Ok(graph)
}

/// The names of required modules, with their offsets.
fn required(code: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (at, word) in code.match_indices("require") {
        let rest = code[at + word.len()..].trim_start_matches(['(', ',', ' ']);
        if let Some(quote) = rest.chars().next().filter(|quote| "\"'".contains(*quote))
            && let Some((name, _)) = rest[1..].split_once(quote)
        {
            found.push((at, name));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_require_is_found() {
        let code = r#"local a = require("a.b") require 'c' pcall(require, "d") require(name)"#;
        assert_eq!(required(code).into_iter().map(|(_, name)| name).collect::<Vec<_>>(), ["a.b", "c", "d"]);
    }
}
