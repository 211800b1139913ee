//! Pinned programs, verified by digest and installed once for all checkouts, in the user's cache.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use nix::fcntl::{Flock, FlockArg};

use crate::checkout::checkout;

/// A program and how to install it.
pub struct Installed {
    /// The name and version; also the name of the directory in the cache.
    pub name: String,
    /// The lock file with the digests. It is also the stamp of a complete installation: it is written last, so an
    /// interrupted installation has no stamp.
    pub lock: String,
    /// The path of the program inside the directory.
    pub program: &'static str,
    /// Installs the program into the directory, which can contain the remains of an interrupted installation.
    pub install: Install,
}

/// Installs a program into a directory.
pub type Install = Box<dyn Fn(&Path) -> Result<()>>;

impl Installed {
    /// Returns the path of the program, and installs it first if it is missing. An installed program needs no network.
    ///
    /// # Errors
    /// If the installation fails.
    pub fn find(&self) -> Result<PathBuf> {
        let (directory, program) = (self.directory()?, self.program()?);
        if self.is_installed()? {
            return Ok(program);
        }
        let _installation = Installation::begin()?;
        // Another process may have installed it while this one waited.
        if !self.is_installed()? {
            eprintln!("==> installing {}", self.name);
            fs::create_dir_all(&directory)
                .with_context(|| format!("cannot create {}", directory.display()))?;
            (self.install)(&directory).with_context(|| format!("{} cannot be installed", self.name))?;
            ensure!(program.is_file(), "{} was not installed", program.display());
            fs::write(stamp(&directory), &self.lock)?;
        }
        Ok(program)
    }

    /// Whether it is installed with this lock file.
    ///
    /// # Errors
    /// If there is no cache directory.
    pub fn is_installed(&self) -> Result<bool> {
        let stamped = fs::read_to_string(stamp(&self.directory()?)).is_ok_and(|lock| lock == self.lock);
        Ok(stamped && self.program()?.is_file())
    }

    /// The path of the program after the installation.
    ///
    /// # Errors
    /// If there is no cache directory.
    pub fn program(&self) -> Result<PathBuf> {
        Ok(self.directory()?.join(self.program))
    }

    fn directory(&self) -> Result<PathBuf> {
        Ok(cache_directory()?.join(&self.name))
    }
}

/// Installs the Python packages that a requirements file of the checkout pins, with their digests.
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

/// The lock of this user's only running installation.
pub struct Installation(#[allow(dead_code, reason = "held until drop")] Flock<File>);

impl Installation {
    /// Begins an installation. It prints a message if it must wait for another one.
    ///
    /// # Errors
    /// If the cache cannot be written.
    pub fn begin() -> Result<Installation> {
        let cache = cache_directory()?;
        fs::create_dir_all(&cache).with_context(|| format!("cannot create {}", cache.display()))?;
        let lock = File::create(cache.join("installing"))?;
        let lock = Flock::lock(lock, FlockArg::LockExclusiveNonblock).or_else(|(lock, _)| {
            eprintln!("==> waiting for another installation");
            Flock::lock(lock, FlockArg::LockExclusive).map_err(|(_, errno)| errno)
        })?;
        Ok(Installation(lock))
    }
}

/// The directory for everything that is installed or built once for all checkouts.
///
/// # Errors
/// If neither `XDG_CACHE_HOME` nor `HOME` is set.
pub fn cache_directory() -> Result<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache"));
    Ok(cache.or_else(home).context("neither XDG_CACHE_HOME nor HOME is set")?.join("areyouj"))
}
