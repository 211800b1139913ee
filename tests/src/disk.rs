//! A small disk for one test, which can be filled up. Only root can mount one.
//!
//! It is mounted in a mount namespace of the calling thread's own, which everything that the thread starts from then on
//! is in too. So nothing of it is left when they have ended, even if the test was killed.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, ensure};
use nix::sched::{CloneFlags, unshare};

/// How large a disk is.
const MEGABYTES: u64 = 64;

/// What kind of disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// In memory.
    Tmpfs,
    /// In a file, with the file system that most people have.
    Ext4,
}

/// A mounted disk. It is unmounted when this is dropped.
pub struct Disk {
    place: PathBuf,
    mounted: AtomicBool,
}

impl Disk {
    /// Mounts an empty disk on that directory. `image` is where an ext4 file system is kept.
    ///
    /// # Errors
    /// When the caller may not mount.
    pub fn mount(kind: Kind, place: &Path, image: &Path) -> Result<Disk> {
        unshare(CloneFlags::CLONE_NEWNS).context("no mount namespace of one's own")?;
        run(Command::new("mount").args(["--make-rprivate", "/"]))?;
        let place = place.to_owned();
        match kind {
            Kind::Tmpfs => {
                let size = format!("size={MEGABYTES}m,mode=0700");
                run(Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&place))?;
            }
            Kind::Ext4 => {
                File::create(image)?.set_len(MEGABYTES << 20)?;
                // Blocks of the size that larger disks have, and none set aside for root, who is the one to fill it up.
                run(Command::new("mkfs.ext4").args(["-q", "-F", "-b", "4096", "-m", "0"]).arg(image))?;
                run(Command::new("mount").args(["-o", "loop"]).arg(image).arg(&place))?;
            }
        }
        Ok(Disk { place, mounted: AtomicBool::new(true) })
    }

    /// Mounts the disk over itself, read-only: what has files on it open goes on writing them, and nothing more can be
    /// opened for writing. Dropping what is returned makes it writable again.
    ///
    /// # Errors
    /// When it cannot be mounted.
    pub fn read_only(&self) -> Result<Disk> {
        run(Command::new("mount").arg("--bind").arg(&self.place).arg(&self.place))?;
        let disk = Disk { place: self.place.clone(), mounted: AtomicBool::new(true) };
        run(Command::new("mount").args(["-o", "remount,ro,bind"]).arg(&self.place))?;
        Ok(disk)
    }

    /// Writes until not one more byte fits. Can be done again, after something has become free.
    ///
    /// # Errors
    /// When it fails for another reason than that.
    pub fn fill(&self) -> Result<()> {
        let mut ballast = OpenOptions::new().append(true).create(true).open(self.ballast())?;
        let mut size = 1 << 20;
        let piece = vec![b'.'; size];
        while size > 0 {
            match ballast.write(&piece[..size]) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => size /= 2,
                Err(error) => return Err(error).context("the disk cannot be filled up"),
            }
        }
        Ok(())
    }

    /// Makes room again.
    ///
    /// # Errors
    /// When it was not filled up.
    pub fn make_room(&self) -> Result<()> {
        fs::remove_file(self.ballast()).context("no room can be made")
    }

    /// Unmounts it; whoever has something open there keeps that.
    ///
    /// # Errors
    /// When it cannot be unmounted. That it is not mounted any more is no error.
    pub fn unmount(&self) -> Result<()> {
        if self.mounted.swap(false, Ordering::SeqCst) {
            run(Command::new("umount").arg("--lazy").arg(&self.place))?;
        }
        Ok(())
    }

    fn ballast(&self) -> PathBuf {
        self.place.join("ballast")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Err(error) = self.unmount() {
            eprintln!("{error:?}");
        }
    }
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
