//! Pinned programs that few people have: verified by digest and installed once for all checkouts, in the user's cache.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use nix::fcntl::{Flock, FlockArg};

use crate::checkout::checkout;

/// A program and how to install it.
pub struct Installed {
    /// Its name and version; also the name of its directory in the cache.
    pub name: String,
    /// What pins it, with digests. This is also the stamp of a finished installation: it is written last, so an
    /// interrupted installation has none.
    pub lock: String,
    /// The path of the program inside the directory.
    pub program: &'static str,
    /// Installs it into the directory, which may hold the remains of an interrupted installation.
    pub install: Install,
}

/// Installs a program into a directory.
pub type Install = Box<dyn Fn(&Path) -> Result<()>>;

impl Installed {
    /// Returns the program and installs it first if it is missing. An installed program needs no network.
    ///
    /// # Errors
    /// When the installation fails.
    pub fn find(&self) -> Result<PathBuf> {
        let (directory, program) = (self.directory()?, self.program()?);
        if self.is_there()? {
            return Ok(program);
        }
        let _installation = Installation::begin()?;
        // Another process may have installed it while this one waited.
        if !self.is_there()? {
            eprintln!("==> installing {}", self.name);
            fs::create_dir_all(&directory).with_context(|| format!("cannot make {}", directory.display()))?;
            (self.install)(&directory).with_context(|| format!("{} cannot be installed", self.name))?;
            ensure!(program.is_file(), "{} was not installed", program.display());
            fs::write(stamp(&directory), &self.lock)?;
        }
        Ok(program)
    }

    /// Whether it is installed, by this lock.
    ///
    /// # Errors
    /// When there is no place for a cache.
    pub fn is_there(&self) -> Result<bool> {
        let stamped = fs::read_to_string(stamp(&self.directory()?)).is_ok_and(|lock| lock == self.lock);
        Ok(stamped && self.program()?.is_file())
    }

    /// Where the program is once it is installed.
    ///
    /// # Errors
    /// When there is no place for a cache.
    pub fn program(&self) -> Result<PathBuf> {
        Ok(self.directory()?.join(self.program))
    }

    fn directory(&self) -> Result<PathBuf> {
        Ok(cache_directory()?.join(&self.name))
    }
}

/// Installs the packages of Python that a requirements file of the checkout pins, with their digests.
pub(crate) fn pip_install(requirements: &'static str) -> Install {
    Box::new(move |directory| {
        let output = Command::new("python3")
            .args(["-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"])
            .args(["--require-hashes", "--disable-pip-version-check", "--upgrade", "--target"])
            .arg(directory)
            .arg("-r")
            .arg(checkout().join(requirements))
            .output()
            .context("python3 cannot be started")?;
        if !output.status.success() {
            bail!("pip: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    })
}

fn stamp(directory: &Path) -> PathBuf {
    directory.join("installed")
}

/// The one installation of this user that is under way.
pub struct Installation(#[allow(dead_code, reason = "held until it is dropped")] Flock<File>);

impl Installation {
    /// Begins an installation. It waits for another one to end, and says so.
    ///
    /// # Errors
    /// When the cache cannot be written.
    pub fn begin() -> Result<Installation> {
        let cache = cache_directory()?;
        fs::create_dir_all(&cache).with_context(|| format!("cannot make {}", cache.display()))?;
        let lock = File::create(cache.join("installing"))?;
        let lock = Flock::lock(lock, FlockArg::LockExclusiveNonblock).or_else(|(lock, _)| {
            eprintln!("==> waiting for another installation to end");
            Flock::lock(lock, FlockArg::LockExclusive).map_err(|(_, errno)| errno)
        })?;
        Ok(Installation(lock))
    }
}

/// Where everything is kept that is installed or built once for all checkouts.
///
/// # Errors
/// When neither `XDG_CACHE_HOME` nor `HOME` is set.
pub fn cache_directory() -> Result<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache"));
    Ok(cache.or_else(home).context("neither XDG_CACHE_HOME nor HOME is set")?.join("areyouj"))
}
