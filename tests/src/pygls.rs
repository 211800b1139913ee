//! The language client of pygls, the second client (after Neovim) with which tests drive `areyouj lsp`.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::installed::{Installed, pip_install};

/// The pinned versions, with the digests with which pip verifies the downloads.
const REQUIREMENTS: &str = include_str!("../pygls/requirements.txt");

/// A module of the package; the package directory is two levels above it.
const PROGRAM: &str = "pygls/client.py";

/// The pinned pygls.
///
/// # Errors
/// If requirements.txt does not pin a version.
pub fn pygls() -> Result<Installed> {
    let pinned = REQUIREMENTS.split_once("pygls==").context("requirements.txt pins no pygls")?.1;
    let name = format!("pygls-{}", pinned.split_whitespace().next().unwrap_or_default());
    let install = pip_install("tests/pygls/requirements.txt");
    Ok(Installed { name, lock: REQUIREMENTS.to_owned(), program: PROGRAM, install })
}

/// The directory to put on Python's path. The pinned pygls is installed first if it is missing.
///
/// # Errors
/// If pip is missing or cannot install the packages.
pub fn pygls_directory() -> Result<PathBuf> {
    let program = pygls()?.find()?;
    program.ancestors().nth(2).map(PathBuf::from).context("the module has no parent directory")
}
