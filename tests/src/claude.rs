//! The Claude CLI that tests run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::installed::Installed;

/// The pinned version. The lock file contains the digest with which npm verifies the download.
const PACKAGE: &str = include_str!("../package.json");
const PACKAGE_LOCK: &str = include_str!("../package-lock.json");

/// The native program inside the package; it needs no Node to run.
const PROGRAM: &str = "node_modules/@anthropic-ai/claude-code-linux-x64/claude";

/// The pinned Claude CLI.
///
/// # Errors
/// If package.json does not pin a version.
pub fn claude() -> Result<Installed> {
    let name = format!("claude-code-{}", version()?);
    Ok(Installed { name, lock: PACKAGE_LOCK.to_owned(), program: PROGRAM, install: Box::new(install) })
}

/// The path of the pinned Claude CLI, which is installed first if it is missing.
///
/// # Errors
/// If npm is missing or cannot install the package.
pub fn claude_program() -> Result<PathBuf> {
    claude()?.find()
}

/// The pinned version.
///
/// # Errors
/// If package.json does not pin a version.
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
        .context("npm cannot be started")?;
    if !output.status.success() {
        bail!("npm: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}
