//! The minimum: a pseudo-terminal, a program, and a loop that reads.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use anyhow::Result;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::libc;
use nix::pty::{Winsize, openpty};
use nix::unistd::setsid;

use super::viewer::{Transport, Viewer};
use super::{SIZE, Terminal, program, watch};
use crate::processes::Owned;

/// A program in a terminal whose output is read directly.
pub(crate) struct Raw {
    _child: Owned,
    keys: File,
    viewer: Viewer,
}

impl Raw {
    /// Starts the program; returns when it is ready.
    pub(crate) fn start() -> Result<Raw> {
        let mut raw = Raw::of(&mut Command::new(program()?))?;
        watch(raw.viewers(), b"ready")?;
        Ok(raw)
    }

    /// Starts this command in a terminal.
    pub(crate) fn of(command: &mut Command) -> Result<Raw> {
        let size = Winsize { ws_row: SIZE.1, ws_col: SIZE.0, ws_xpixel: 0, ws_ypixel: 0 };
        let pty = openpty(&size, None)?;
        fcntl(&pty.master, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
        let side = |fd: &OwnedFd| -> io::Result<Stdio> { Ok(fd.try_clone()?.into()) };
        command.stdin(side(&pty.slave)?).stdout(side(&pty.slave)?).stderr(Stdio::from(pty.slave));
        own_terminal(command);
        let child = Owned(command.spawn()?);
        // The parent must close its copies, so that the end of the output is detected.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Raw {
            _child: child,
            keys: pty.master.try_clone()?.into(),
            viewer: Viewer::new(pty.master, Transport::None)?,
        })
    }
}

impl Terminal for Raw {
    fn viewers(&mut self) -> &mut [Viewer] {
        std::slice::from_mut(&mut self.viewer)
    }

    fn type_text(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.keys.write_all(bytes)?)
    }
}

/// Makes the program a session leader, and its standard input the controlling terminal.
#[expect(unsafe_code, reason = "there is no other way to run code between fork and exec")]
fn own_terminal(command: &mut Command) {
    let own = || {
        setsid()?;
        // SAFETY: the call takes no pointer; descriptor 0 is already the terminal.
        Errno::result(unsafe { libc::ioctl(io::stdin().as_raw_fd(), libc::TIOCSCTTY, 0) })?;
        Ok(())
    };
    // SAFETY: the closure makes two system calls, allocates nothing and takes no lock.
    unsafe {
        command.pre_exec(own);
    }
}
