//! Programs that tests run and nobody has: pinned, checked by digest, installed once for all checkouts.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use nix::fcntl::{Flock, FlockArg};

use crate::checkout::checkout;

/// A program, and how it is had.
pub(crate) struct Installed<'a> {
    /// The directory's name, with the version in it.
    pub(crate) name: String,
    /// What it is installed by, with its digest. It is the stamp too, written last: an installation that was broken off has
    /// none.
    pub(crate) lock: &'a str,
    /// The program below the directory.
    pub(crate) program: &'a str,
}

impl Installed<'_> {
    /// Where the program is, installed if need be. Without network as soon as it has been installed once.
    pub(crate) fn find(&self, install: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
        let directory = cache_directory()?.join(&self.name);
        let program = directory.join(self.program);
        if self.is_there(&directory) {
            return Ok(program);
        }
        fs::create_dir_all(&directory).with_context(|| format!("cannot make {}", directory.display()))?;
        let lock = File::create(directory.join("lock"))?;
        // Many tests start at once: the first one installs, the others wait for it here.
        let _held = Flock::lock(lock, FlockArg::LockExclusive).map_err(|(_, errno)| errno)?;
        if !self.is_there(&directory) {
            install(&directory)?;
            ensure!(program.is_file(), "{} was not installed", program.display());
            fs::write(directory.join("installed"), self.lock)?;
        }
        Ok(program)
    }

    fn is_there(&self, directory: &Path) -> bool {
        fs::read_to_string(directory.join("installed")).is_ok_and(|installed| installed == self.lock)
            && directory.join(self.program).is_file()
    }
}

/// Installs packages of Python into a directory, with the digests of a requirements file below the checkout.
pub(crate) fn pip_install(requirements: &str, directory: &Path) -> Result<()> {
    let output = Command::new("python3")
        .args(["-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes"])
        .args(["--disable-pip-version-check", "--upgrade", "--target"])
        .arg(directory)
        .arg("-r")
        .arg(checkout().join(requirements))
        .output()
        .with_context(|| {
            format!("python3 cannot be started; it is needed once, to install {requirements}")
        })?;
    if !output.status.success() {
        bail!("pip could not install {requirements}:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// Where what is installed or built for all checkouts is kept.
pub(crate) fn cache_directory() -> Result<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache"));
    Ok(cache.or_else(home).context("neither XDG_CACHE_HOME nor HOME is set")?.join("areyouj"))
}
