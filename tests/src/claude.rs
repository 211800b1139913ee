//! The Claude CLI that tests run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::installed::Installed;

/// What is installed. The lock file holds the digest that npm checks the download against.
const PACKAGE: &str = include_str!("../package.json");
const PACKAGE_LOCK: &str = include_str!("../package-lock.json");

/// The native program inside the package; it needs no Node to run.
const PROGRAM: &str = "node_modules/@anthropic-ai/claude-code-linux-x64/claude";

/// Where the program is, installed if need be. Without network as soon as it has been installed once.
///
/// # Errors
/// When npm is missing or cannot install the package.
pub fn claude_program() -> Result<PathBuf> {
    let name = format!("claude-code-{}", version()?);
    Installed { name, lock: PACKAGE_LOCK, program: PROGRAM }.find(install)
}

/// The pinned version.
///
/// # Errors
/// When package.json does not pin one.
pub fn version() -> Result<String> {
    let package: serde_json::Value = serde_json::from_str(PACKAGE).context("package.json is not JSON")?;
    let version = &package["dependencies"]["@anthropic-ai/claude-code-linux-x64"];
    Ok(version.as_str().context("package.json pins no Claude CLI")?.to_owned())
}

fn install(directory: &Path) -> Result<()> {
    fs::write(directory.join("package.json"), PACKAGE)?;
    fs::write(directory.join("package-lock.json"), PACKAGE_LOCK)?;
    let output = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(directory)
        .output()
        .context("npm cannot be started; it is needed once, to install the Claude CLI")?;
    if !output.status.success() {
        bail!("npm could not install the Claude CLI:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}
