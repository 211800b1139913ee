//! The Neovim plugin: its checks, and its tests in the real editor.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use areyouj_tests::checkout::checkout;
use areyouj_tests::neovim::neovim_program;

use crate::extension;
use crate::setup::search_path;
use crate::test::Counts;

/// What checks the plugin, started in its directory with arguments.
const CHECKS: [(&str, &[&str]); 3] = [
    ("../tests/nvim/node_modules/.bin/stylua", &["--check", ".", "../tests/nvim"]),
    ("luacheck", &["--quiet", ".", "../tests/nvim"]),
    ("emmylua_check", &["--warnings-as-errors", "."]),
];

/// Where it is.
pub(crate) fn directory() -> PathBuf {
    checkout().join("extension-nvim")
}

/// Its format, its rules and its types.
pub(crate) fn lint() -> Result<()> {
    let neovim = neovim_program()?;
    let runtime = neovim.ancestors().nth(2).context("a Neovim without a place")?.join("share/nvim/runtime");
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

/// All its tests; whether all passed, and how many.
pub(crate) fn test(programs: &Path) -> Result<(bool, Counts)> {
    let mut command = Command::new(tests().join("run"));
    command.env("AREYOUJ_BIN_DIR", programs).env("NVIM", neovim_program()?).stdin(Stdio::null());
    extension::counted(command)
}

fn tests() -> PathBuf {
    checkout().join("tests/nvim")
}
