//! The Neovim plugin: its checks, and its tests in the real editor.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use areyouj_tests::checkout::checkout;
use areyouj_tests::neovim::neovim_program;

use crate::extension;
use crate::setup::search_path;
use crate::test::Counts;

/// The programs that check the plugin, with their arguments; they run in its directory.
const CHECKS: [(&str, &[&str]); 3] = [
    ("../tests/nvim/node_modules/.bin/stylua", &["--check", ".", "../tests/nvim"]),
    ("luacheck", &["--quiet", ".", "../tests/nvim"]),
    ("emmylua_check", &["--warnings-as-errors", "."]),
];

/// The directory of the plugin.
pub(crate) fn directory() -> PathBuf {
    checkout().join("extension-nvim")
}

/// Checks format, lint rules and types.
pub(crate) fn lint() -> Result<()> {
    let neovim = neovim_program()?;
    let runtime =
        neovim.ancestors().nth(2).context("Neovim has no parent directory")?.join("share/nvim/runtime");
    for (program, arguments) in CHECKS {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(directory()).env("VIMRUNTIME", &runtime);
        let status = command.env("PATH", search_path()?).status();
        let status = status.with_context(|| format!("{program} cannot be started"))?;
        ensure!(status.success(), "`{command:?}` failed");
    }
    let mut rules = Command::new(neovim);
    rules.args(["--clean", "-l"]).arg(tests().join("lint.lua")).env("NVIM_LOG_FILE", "/dev/null");
    ensure!(rules.status()?.success(), "`{rules:?}` failed");
    Ok(())
}

/// Runs all tests; returns whether all passed, and the counts.
pub(crate) fn test(programs: &Path) -> Result<(bool, Counts)> {
    let mut command = Command::new(tests().join("run"));
    command.env("AREYOUJ_BIN_DIR", programs).env("NVIM", neovim_program()?).stdin(Stdio::null());
    extension::counted(command)
}

fn tests() -> PathBuf {
    checkout().join("tests/nvim")
}
