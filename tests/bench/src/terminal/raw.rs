//! The least there can be: a pseudo-terminal, a program, and a loop that reads.

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

use super::viewer::{Form, Viewer};
use super::{SIZE, Terminal, program, watch};
use crate::processes::Owned;

/// A program at a terminal that we read ourselves.
pub(crate) struct Raw {
    _child: Owned,
    keys: File,
    viewer: Viewer,
}

impl Raw {
    /// Starts the program; returns when it has said a word.
    pub(crate) fn start() -> Result<Raw> {
        let mut raw = Raw::of(&mut Command::new(program()?))?;
        watch(raw.viewers(), b"ready")?;
        Ok(raw)
    }

    /// Starts this command at a terminal.
    pub(crate) fn of(command: &mut Command) -> Result<Raw> {
        let size = Winsize { ws_row: SIZE.1, ws_col: SIZE.0, ws_xpixel: 0, ws_ypixel: 0 };
        let pty = openpty(&size, None)?;
        fcntl(&pty.master, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
        let side = |fd: &OwnedFd| -> io::Result<Stdio> { Ok(fd.try_clone()?.into()) };
        command.stdin(side(&pty.slave)?).stdout(side(&pty.slave)?).stderr(Stdio::from(pty.slave));
        own_terminal(command);
        let child = Owned(command.spawn()?);
        // Else its end would never be seen.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Raw {
            _child: child,
            keys: pty.master.try_clone()?.into(),
            viewer: Viewer::new(pty.master, Form::Plain)?,
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

/// Makes the program lead a session, and its standard input that session's terminal.
#[expect(unsafe_code, reason = "there is no other way to run code between fork and exec")]
fn own_terminal(command: &mut Command) {
    let own = || {
        setsid()?;
        // SAFETY: the call takes no pointer; descriptor 0 is the terminal by now.
        Errno::result(unsafe { libc::ioctl(io::stdin().as_raw_fd(), libc::TIOCSCTTY, 0) })?;
        Ok(())
    };
    // SAFETY: the closure makes two system calls, allocates nothing and takes no lock.
    unsafe {
        command.pre_exec(own);
    }
}
