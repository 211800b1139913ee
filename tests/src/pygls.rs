//! The language client that tests drive `areyouj lsp` with, besides Neovim.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::installed::{Installed, pip_install};

/// What pins it, with the digests that pip verifies the downloads against.
const REQUIREMENTS: &str = include_str!("../pygls/requirements.txt");

/// The pinned pygls.
///
/// # Errors
/// When requirements.txt does not pin one.
pub fn pygls() -> Result<Installed> {
    let pinned = REQUIREMENTS.split_once("pygls==").context("requirements.txt pins no pygls")?.1;
    let name = format!("pygls-{}", pinned.split_whitespace().next().unwrap_or_default());
    let install =
        Box::new(|directory: &std::path::Path| pip_install("tests/pygls/requirements.txt", directory));
    Ok(Installed { name, lock: REQUIREMENTS.to_owned(), program: "pygls/client.py", install })
}

/// The directory for Python's path, with pygls in it, which is installed first if it is missing.
///
/// # Errors
/// When pip is missing or cannot install the packages.
pub fn pygls_directory() -> Result<PathBuf> {
    let program = pygls()?.find()?;
    program.ancestors().nth(2).map(PathBuf::from).context("the program is below no directory")
}
