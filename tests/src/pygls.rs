//! The language client that tests drive `areyouj lsp` with, besides Neovim.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::installed::{Installed, pip_install};

/// What is installed, with the digests that pip checks the downloads against.
const REQUIREMENTS: &str = include_str!("../pygls/requirements.txt");

/// The directory to put on Python's path, installed if need be. Without network as soon as it has been installed once.
///
/// # Errors
/// When pip is missing or cannot install the packages.
pub fn pygls_directory() -> Result<PathBuf> {
    let pinned = REQUIREMENTS.split_once("pygls==").context("requirements.txt pins no pygls")?.1;
    let version = pinned.split_whitespace().next().unwrap_or_default();
    let installed =
        Installed { name: format!("pygls-{version}"), lock: REQUIREMENTS, program: "pygls/client.py" };
    let program = installed.find(|directory| pip_install("tests/pygls/requirements.txt", directory))?;
    program.ancestors().nth(2).map(PathBuf::from).context("the program is below no directory")
}
