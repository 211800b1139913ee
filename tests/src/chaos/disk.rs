//! A disk of its own for a trial: an ext4 file system in a file, which can be full and can lose its power.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::unistd::geteuid;
use rustix::ioctl::{Setter, ioctl, opcode};
use tempfile::TempDir;

/// How long something may keep the file system busy after its last process was killed.
const BUSY: Duration = Duration::from_secs(10);

/// `FS_IOC_SHUTDOWN`: from now on nothing reaches the disk any more.
const SHUTDOWN: u32 = opcode::read::<u32>(b'X', 125);

/// What has not been written by then is lost, the file system's own log included: a power cut.
const WITHOUT_FLUSHING_THE_LOG: u32 = 2;

/// A mounted file system. It is gone when this is dropped.
pub(super) struct Disk {
    /// Holds the image and the place where it is mounted.
    place: TempDir,
}

impl Disk {
    /// Makes and mounts one of so many megabytes; none, and why, if this machine or this user cannot.
    pub(super) fn new(megabytes: u64) -> Result<Result<Disk, String>> {
        if !geteuid().is_root() {
            return Ok(Err("only root may mount a disk".to_owned()));
        }
        let disk = Disk { place: tempfile::Builder::new().prefix("areyouj-disk-").tempdir()? };
        File::create(disk.image())?.set_len(megabytes << 20)?;
        std::fs::create_dir(disk.root())?;
        // No room for root alone: a full disk is full for everybody.
        let made = run("mkfs.ext4", &["-q", "-m", "0", "-F", &disk.image().to_string_lossy()])
            .and_then(|()| disk.mount());
        Ok(match made {
            Ok(()) => Ok(disk),
            Err(error) => Err(format!("a disk cannot be made here: {error:#}")),
        })
    }

    /// Where it is mounted.
    pub(super) fn root(&self) -> PathBuf {
        self.place.path().join("disk")
    }

    /// A home for AreYouJ on it.
    pub(super) fn home(&self) -> PathBuf {
        self.root().join("home")
    }

    /// Cuts the power: what was not forced to the disk is lost, and everything fails from now on.
    #[expect(unsafe_code, reason = "no safe call shuts a file system down")]
    pub(super) fn cut_power(&self) -> Result<()> {
        let root = File::open(self.root())?;
        // SAFETY: the opcode takes a pointer to a u32 that it reads.
        unsafe { ioctl(&root, Setter::<SHUTDOWN, u32>::new(WITHOUT_FLUSHING_THE_LOG)) }?;
        Ok(())
    }

    /// Mounts it anew, as after a reboot. Nothing may use it.
    pub(super) fn remount(&self) -> Result<()> {
        self.unmount()?;
        self.mount()
    }

    fn image(&self) -> PathBuf {
        self.place.path().join("image")
    }

    fn mount(&self) -> Result<()> {
        run("mount", &["-o", "loop", &self.image().to_string_lossy(), &self.root().to_string_lossy()])
    }

    fn unmount(&self) -> Result<()> {
        let deadline = Instant::now() + BUSY;
        loop {
            match run("umount", &[&self.root().to_string_lossy()]) {
                Ok(()) => return Ok(()),
                Err(error) if Instant::now() > deadline => return Err(error),
                // Killed processes close their files a moment after they are gone for others.
                Err(_) => std::thread::park_timeout(Duration::from_millis(20)),
            }
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if is_mounted(&self.root())
            && let Err(error) = self.unmount()
        {
            eprintln!("{error:#}");
        }
    }
}

fn is_mounted(root: &Path) -> bool {
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
    let root = root.to_string_lossy();
    mounts.lines().any(|line| line.split(' ').nth(1) == Some(&*root))
}

fn run(program: &str, arguments: &[&str]) -> Result<()> {
    // Where administrators' programs are, though an unadorned PATH may not say so.
    let output = Command::new(program)
        .args(arguments)
        .env("PATH", "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin")
        .output()
        .with_context(|| format!("{program} cannot be run"))?;
    if !output.status.success() {
        bail!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
