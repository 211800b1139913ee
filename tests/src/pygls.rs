//! The language client of pygls, which tests drive `areyouj lsp` with besides Neovim.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::installed::{Installed, pip_install};

/// What pins it, with the digests that pip verifies the downloads against.
const REQUIREMENTS: &str = include_str!("../pygls/requirements.txt");

/// A module of the package; the packages are two directories above it.
const PROGRAM: &str = "pygls/client.py";

/// The pinned pygls.
///
/// # Errors
/// When requirements.txt does not pin one.
pub fn pygls() -> Result<Installed> {
    let pinned = REQUIREMENTS.split_once("pygls==").context("requirements.txt pins no pygls")?.1;
    let name = format!("pygls-{}", pinned.split_whitespace().next().unwrap_or_default());
    let install = pip_install("tests/pygls/requirements.txt");
    Ok(Installed { name, lock: REQUIREMENTS.to_owned(), program: PROGRAM, install })
}

/// The directory to put on Python's path. The pinned pygls is installed first if it is missing.
///
/// # Errors
/// When pip is missing or cannot install the packages.
pub fn pygls_directory() -> Result<PathBuf> {
    let program = pygls()?.find()?;
    program.ancestors().nth(2).map(PathBuf::from).context("the module is in no directory")
}
