//! A separate disk for a trial: an ext4 file system in a file, which can be filled and can lose power.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::unistd::geteuid;
use rustix::ioctl::{Setter, ioctl, opcode};
use tempfile::TempDir;

/// How long the file system can stay busy after its last process was killed.
const UNMOUNT_TIMEOUT: Duration = Duration::from_secs(10);

/// `FS_IOC_SHUTDOWN`: after this call, nothing is written to the disk.
const SHUTDOWN: u32 = opcode::read::<u32>(b'X', 125);

/// A power failure: everything that is not yet written is lost, including the file system's own log.
const DISCARD_LOG: u32 = 2;

/// A mounted file system. It is unmounted and deleted on drop.
pub(super) struct Disk {
    /// Contains the image and the mount point.
    directory: TempDir,
}

impl Disk {
    /// Creates and mounts a disk of this size. The inner error is the reason why this machine or this user cannot.
    pub(super) fn new(megabytes: u64) -> Result<Result<Disk, String>> {
        if !geteuid().is_root() {
            return Ok(Err("only root can mount a disk".to_owned()));
        }
        let disk = Disk { directory: tempfile::Builder::new().prefix("areyouj-disk-").tempdir()? };
        File::create(disk.image())?.set_len(megabytes << 20)?;
        std::fs::create_dir(disk.root())?;
        // No space reserved for root: a full disk must be full for every user.
        let made = run("mkfs.ext4", &["-q", "-m", "0", "-F", &disk.image().to_string_lossy()])
            .and_then(|()| disk.mount());
        Ok(match made {
            Ok(()) => Ok(disk),
            Err(error) => Err(format!("a disk cannot be created on this machine: {error:#}")),
        })
    }

    /// The mount point.
    pub(super) fn root(&self) -> PathBuf {
        self.directory.path().join("disk")
    }

    /// The path of an AreYouJ home on the disk.
    pub(super) fn home(&self) -> PathBuf {
        self.root().join("home")
    }

    /// Cuts the power: data that is not synced is lost, and every later operation fails.
    #[expect(unsafe_code, reason = "no safe call shuts a file system down")]
    pub(super) fn cut_power(&self) -> Result<()> {
        let root = File::open(self.root())?;
        // SAFETY: the opcode takes a pointer to a u32 that it reads.
        unsafe { ioctl(&root, Setter::<SHUTDOWN, u32>::new(DISCARD_LOG)) }?;
        Ok(())
    }

    /// Mounts the disk again, as after a reboot. Nothing must be using it.
    pub(super) fn remount(&self) -> Result<()> {
        self.unmount()?;
        self.mount()
    }

    fn image(&self) -> PathBuf {
        self.directory.path().join("image")
    }

    fn mount(&self) -> Result<()> {
        run("mount", &["-o", "loop", &self.image().to_string_lossy(), &self.root().to_string_lossy()])
    }

    fn unmount(&self) -> Result<()> {
        let deadline = Instant::now() + UNMOUNT_TIMEOUT;
        loop {
            match run("umount", &[&self.root().to_string_lossy()]) {
                Ok(()) => return Ok(()),
                Err(error) if Instant::now() > deadline => return Err(error),
                // A killed process can still close its files shortly after it has exited for observers.
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
    // The directories of administration programs, which a user's PATH can lack.
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
