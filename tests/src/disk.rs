//! A small disk for one test, which can be filled. Only root can mount it.
//!
//! It is mounted in a separate mount namespace of the calling thread, which all processes that the thread starts later
//! inherit. So the mount disappears with them, even if the test is killed.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, ensure};
use nix::sched::{CloneFlags, unshare};

/// The size of a disk.
const MEGABYTES: u64 = 64;

/// The kind of disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// In memory.
    Tmpfs,
    /// In a file, with the most common file system.
    Ext4,
}

/// A mounted disk. It is unmounted on drop.
pub struct Disk {
    place: PathBuf,
    mounted: AtomicBool,
}

impl Disk {
    /// Mounts an empty disk on this directory. `image` is the path of the file for an ext4 file system.
    ///
    /// # Errors
    /// If the caller is not allowed to mount.
    pub fn mount(kind: Kind, place: &Path, image: &Path) -> Result<Disk> {
        unshare(CloneFlags::CLONE_NEWNS).context("cannot create a mount namespace")?;
        run(Command::new("mount").args(["--make-rprivate", "/"]))?;
        let place = place.to_owned();
        match kind {
            Kind::Tmpfs => {
                let size = format!("size={MEGABYTES}m,mode=0700");
                run(Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&place))?;
            }
            Kind::Ext4 => {
                File::create(image)?.set_len(MEGABYTES << 20)?;
                // The block size of larger disks, and no blocks reserved for root, because root fills the disk.
                run(Command::new("mkfs.ext4").args(["-q", "-F", "-b", "4096", "-m", "0"]).arg(image))?;
                run(Command::new("mount").args(["-o", "loop"]).arg(image).arg(&place))?;
            }
        }
        Ok(Disk { place, mounted: AtomicBool::new(true) })
    }

    /// Mounts the disk read-only over itself: processes keep writing to files that they have open, but nothing more can
    /// be opened for writing. Dropping the result makes the disk writable again.
    ///
    /// # Errors
    /// If it cannot be mounted.
    pub fn read_only(&self) -> Result<Disk> {
        run(Command::new("mount").arg("--bind").arg(&self.place).arg(&self.place))?;
        let disk = Disk { place: self.place.clone(), mounted: AtomicBool::new(true) };
        run(Command::new("mount").args(["-o", "remount,ro,bind"]).arg(&self.place))?;
        Ok(disk)
    }

    /// Writes until the disk is completely full. Can be called again when space was freed.
    ///
    /// # Errors
    /// If it fails for any other reason.
    pub fn fill(&self) -> Result<()> {
        let mut filler = OpenOptions::new().append(true).create(true).open(self.filler())?;
        let mut size = 1 << 20;
        let chunk = vec![b'.'; size];
        while size > 0 {
            match filler.write(&chunk[..size]) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => size /= 2,
                Err(error) => return Err(error).context("the disk cannot be filled"),
            }
        }
        Ok(())
    }

    /// Frees the space again.
    ///
    /// # Errors
    /// If the disk was not filled.
    pub fn free_space(&self) -> Result<()> {
        fs::remove_file(self.filler()).context("the space cannot be freed")
    }

    /// Unmounts the disk; processes keep the files that they have open.
    ///
    /// # Errors
    /// If it cannot be unmounted. It is not an error if it is no longer mounted.
    pub fn unmount(&self) -> Result<()> {
        if self.mounted.swap(false, Ordering::SeqCst) {
            run(Command::new("umount").arg("--lazy").arg(&self.place))?;
        }
        Ok(())
    }

    fn filler(&self) -> PathBuf {
        self.place.join("filler")
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
