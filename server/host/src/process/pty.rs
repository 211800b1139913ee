//! The pseudo-terminal of a session: three system calls, and the two that make it a child's own.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::libc;
use nix::pty::{Winsize, openpty};
use nix::unistd::setsid;

use super::super::wire::Size;

/// The host's side of a terminal.
pub(super) struct Pty {
    master: OwnedFd,
}

impl Pty {
    /// Opens a terminal of this size for the command, which leads a session whose terminal it is. The terminal's end
    /// can be seen only after the command is dropped.
    pub(super) fn open_for(command: &mut Command, size: Size) -> io::Result<Pty> {
        let opened = openpty(&winsize(size), None)?;
        for side in [&opened.master, &opened.slave] {
            fcntl(side, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
        }
        command
            .stdin(Stdio::from(opened.slave.try_clone()?))
            .stdout(Stdio::from(opened.slave.try_clone()?))
            .stderr(Stdio::from(opened.slave));
        own_terminal(command);
        Ok(Pty { master: opened.master })
    }

    /// Duplicates the descriptor.
    pub(super) fn duplicate(&self) -> io::Result<OwnedFd> {
        self.master.try_clone()
    }

    /// Changes its size. The programs in it get SIGWINCH.
    #[expect(unsafe_code, reason = "nix has no safe call that sets a terminal's size")]
    pub(super) fn resize(&self, size: Size) -> io::Result<()> {
        let size = winsize(size);
        // SAFETY: the descriptor is open for as long as `self` lives, and the pointer is to a whole `Winsize`, which
        // the kernel only reads.
        let result = unsafe { libc::ioctl(self.master.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) };
        Errno::result(result)?;
        Ok(())
    }
}

fn winsize(size: Size) -> Winsize {
    Winsize { ws_row: size.rows, ws_col: size.columns, ws_xpixel: 0, ws_ypixel: 0 }
}

/// Makes the program lead a session, and its standard input that session's terminal.
#[expect(unsafe_code, reason = "there is no other way to run code between fork and exec")]
fn own_terminal(command: &mut Command) {
    let own = || {
        setsid()?;
        // SAFETY: the call takes no pointer; descriptor 0 is the terminal by now.
        Errno::result(unsafe { libc::ioctl(0, libc::TIOCSCTTY, 0) })?;
        Ok(())
    };
    // SAFETY: the closure makes two system calls, allocates nothing and takes no lock.
    unsafe {
        command.pre_exec(own);
    }
}
