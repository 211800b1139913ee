//! The programs of the previous host contract, built from this repository's own history.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use nix::fcntl::{Flock, FlockArg};

use crate::checkout::checkout;
use crate::installed::cache_directory;

/// What the commit after it brought: the line that raised the contract.
const RAISED: &str = "pub const CONTRACT: u32 = 3;";

/// Where that line is.
const WIRE: &str = "server/src/host/wire.rs";

/// What the programs are built of.
const SOURCES: &[&str] = &["Cargo.toml", "Cargo.lock", "server", "protocol", "tests"];

/// The directory of the previous programs, built if need be; or why they cannot be.
pub(super) fn programs() -> Result<Result<PathBuf, String>> {
    let Some(commit) = commit() else {
        return Ok(Err("the history that the previous version is built from is not here".to_owned()));
    };
    let place = cache_directory()?.join(format!("previous-{commit}"));
    let built = place.join("target/debug");
    let stamp = place.join("built");
    fs::create_dir_all(&place)?;
    let lock = File::create(place.join("lock"))?;
    let _held = Flock::lock(lock, FlockArg::LockExclusive).map_err(|(_, errno)| errno)?;
    if !stamp.exists() {
        let sources = place.join("sources");
        fs::create_dir_all(&sources)?;
        unpack(&commit, &sources)?;
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["build", "--quiet", "--locked", "-p", "areyouj", "--bins"]).current_dir(&sources);
        let status = cargo.env("CARGO_TARGET_DIR", place.join("target")).status()?;
        ensure!(status.success(), "the previous version could not be built in {}", sources.display());
        fs::write(&stamp, &commit)?;
    }
    Ok(Ok(built))
}

/// The last commit before the contract was raised.
fn commit() -> Option<String> {
    let raised = git(&["log", "--format=%H", "--reverse", &format!("-S{RAISED}"), "--", WIRE])?;
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
