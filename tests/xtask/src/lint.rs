//! Everything that is checked without running the product.

use anyhow::{Result, ensure};

use crate::cargo;

/// All checks; the first that fails ends it.
pub(crate) fn run() -> Result<()> {
    cargo::run(&["fmt", "--all", "--check"])?;
    cargo::run(&[
        "clippy",
        "--quiet",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--",
        "-D",
        "warnings",
    ])?;
    ensure!(cargo::has("deny"), "cargo-deny is not installed: cargo install --locked cargo-deny");
    cargo::run(&["deny", "--log-level", "error", "check", "bans", "licenses", "sources"])?;
    advisories()?;
    cargo::codegen(true)
}

/// Advisories need a database from the network. Where there is none, that is said; it is no failure of this project.
fn advisories() -> Result<()> {
    let fetched = cargo::command(&["deny", "--log-level", "off", "fetch", "db"]).output()?;
    if fetched.status.success() {
        return cargo::run(&["deny", "--log-level", "error", "check", "--disable-fetch", "advisories"]);
    }
    eprintln!("==> SKIPPED: advisories were NOT checked, because their database cannot be fetched from here");
    Ok(())
}
