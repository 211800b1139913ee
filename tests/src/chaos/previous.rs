//! The programs with the previous host contract, built from this repository's history.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use nix::fcntl::{Flock, FlockArg};

use crate::checkout::checkout;
use crate::installed::cache_directory;

/// The line that raised the contract, in the commit after it.
const CONTRACT_LINE: &str = "pub const CONTRACT: u32 = 3;";

/// The file with that line.
const CONTRACT_FILE: &str = "server/src/host/wire.rs";

/// The paths from which the programs are built.
const SOURCES: &[&str] = &["Cargo.toml", "Cargo.lock", "server", "protocol", "tests"];

/// The directory of the previous programs, which are built first if necessary. The inner error is the reason why they
/// cannot be built.
pub(super) fn programs() -> Result<Result<PathBuf, String>> {
    let Some(commit) = commit() else {
        return Ok(Err(
            "the repository lacks the history from which the previous version is built".to_owned()
        ));
    };
    let directory = cache_directory()?.join(format!("previous-{commit}"));
    let built = directory.join("target/debug");
    let stamp = directory.join("built");
    fs::create_dir_all(&directory)?;
    let lock = File::create(directory.join("lock"))?;
    let _lock = Flock::lock(lock, FlockArg::LockExclusive).map_err(|(_, errno)| errno)?;
    if !stamp.exists() {
        let sources = directory.join("sources");
        fs::create_dir_all(&sources)?;
        unpack(&commit, &sources)?;
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["build", "--quiet", "--locked", "-p", "areyouj", "--bins"]).current_dir(&sources);
        let status = cargo.env("CARGO_TARGET_DIR", directory.join("target")).status()?;
        ensure!(status.success(), "the previous version could not be built in {}", sources.display());
        fs::write(&stamp, &commit)?;
    }
    Ok(Ok(built))
}

/// The last commit before the contract was raised.
fn commit() -> Option<String> {
    let raised =
        git(&["log", "--format=%H", "--reverse", &format!("-S{CONTRACT_LINE}"), "--", CONTRACT_FILE])?;
    let raised = raised.lines().next()?.to_owned();
    Some(git(&["rev-parse", "--verify", &format!("{raised}^")])?.trim().to_owned())
}

fn unpack(commit: &str, sources: &Path) -> Result<()> {
    let mut archive = Command::new("git")
        .args(["archive", commit, "--"])
        .args(SOURCES)
        .current_dir(checkout())
        .stdout(Stdio::piped())
        .spawn()?;
    let stdout = archive.stdout.take().context("git archive has no output")?;
    let unpacked = Command::new("tar").arg("-x").current_dir(sources).stdin(stdout).status()?;
    ensure!(archive.wait()?.success() && unpacked.success(), "the previous version could not be unpacked");
    Ok(())
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).current_dir(checkout()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.trim().is_empty()).then_some(text)
}
