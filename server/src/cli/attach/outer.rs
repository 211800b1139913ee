//! The terminal that the command is called in: taken for as long as something is shown, and given back as it was.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::termios::{SetArg, Termios, cfmakeraw, tcgetattr, tcsetattr};

use super::keys::Keys;
use areyouj_host::screen::Screen;
use areyouj_host::wire::Size;

/// How long Ctrl-\ waits for the key that follows.
const PREFIX_PATIENCE: Duration = Duration::from_secs(1);

/// Keys that are read at a time: a large paste comes in pieces.
const KEYS: usize = 64 << 10;

/// What a terminal is taken to be that does not tell its size.
const UNKNOWN: Size = Size { columns: 80, rows: 24 };

/// The terminal.
pub(super) struct Outer {
    before: Termios,
    mask: SigSet,
    input: File,
    output: File,
    pub(super) signals: SignalFd,
    pub(super) keys: Keys,
    prefix_at: Option<Instant>,
}

/// What a signal means here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Called {
    /// The terminal has another size.
    Resized,
    /// To end.
    End,
}

impl Outer {
    /// Takes standard input and output, if they are a terminal.
    pub(super) fn take() -> io::Result<Outer> {
        let input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        let output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        tcgetattr(&output)?;
        let before = tcgetattr(&input)?;
        let mut taken = SigSet::empty();
        for signal in [Signal::SIGWINCH, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT] {
            taken.add(signal);
        }
        let mask = SigSet::thread_get_mask()?;
        taken.thread_block()?;
        let signals = SignalFd::with_flags(&taken, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        let mut raw = before.clone();
        cfmakeraw(&mut raw);
        tcsetattr(&input, SetArg::TCSADRAIN, &raw)?;
        Ok(Outer { before, mask, input, output, signals, keys: Keys::default(), prefix_at: None })
    }

    /// Its size.
    pub(super) fn size(&self) -> Size {
        terminal_size::terminal_size_of(&self.output)
            .map_or(UNKNOWN, |(width, height)| Size { columns: width.0, rows: height.0 })
    }

    pub(super) fn input(&self) -> BorrowedFd<'_> {
        self.input.as_fd()
    }

    /// Writes all of this. Who does not read it keeps us waiting, and nothing piles up here.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.output.write_all(bytes)
    }

    /// One dim line at the bottom, over whatever stands there.
    pub(super) fn note(&mut self, text: &str) -> io::Result<()> {
        let Size { columns, rows } = self.size();
        let text: String = text.chars().take(usize::from(columns.saturating_sub(1))).collect();
        self.write(format!("\x1b7\x1b[r\x1b[{rows};1H\x1b[0;2m{text}\x1b[0m\x1b[K\x1b8").as_bytes())
    }

    /// Reads keys: those for Claude, and whether the person leaves. None at the end of input.
    pub(super) fn read(&mut self) -> io::Result<Option<super::keys::Pressed>> {
        let mut keys = vec![0; KEYS];
        match self.input.read(&mut keys) {
            Ok(0) => Ok(None),
            Ok(read) => {
                let pressed = self.keys.press(&keys[..read]);
                self.prefix_at = self.keys.is_waiting().then(|| Instant::now() + PREFIX_PATIENCE);
                Ok(Some(pressed))
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Some(Default::default())),
            Err(error) => Err(error),
        }
    }

    /// When Ctrl-\ has waited long enough.
    pub(super) fn prefix_at(&self) -> Option<Instant> {
        self.prefix_at
    }

    /// The Ctrl-\ that has waited long enough, if there is one.
    pub(super) fn late_prefix(&mut self) -> Vec<u8> {
        if self.prefix_at.take_if(|at| *at <= Instant::now()).is_none() {
            return Vec::new();
        }
        self.keys.give_up()
    }

    /// What signals came; that to end comes before the others.
    pub(super) fn called(&mut self) -> Option<Called> {
        let mut called = None;
        while let Ok(Some(signal)) = self.signals.read_signal() {
            let meant = match Signal::try_from(signal.ssi_signo.cast_signed()) {
                Ok(Signal::SIGWINCH) => Called::Resized,
                _ => Called::End,
            };
            called = called.filter(|called| *called == Called::End).or(Some(meant));
        }
        called
    }

    /// Waits until then; true if the person leaves, or is made to, before. Other keys are nobody's.
    pub(super) fn waits_for_detach(&mut self, until: Instant) -> io::Result<bool> {
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            let mut fds = [
                PollFd::new(self.input.as_fd(), PollFlags::POLLIN),
                PollFd::new(self.signals.as_fd(), PollFlags::POLLIN),
            ];
            let timeout = PollTimeout::try_from(left.as_millis() + 1).unwrap_or(PollTimeout::MAX);
            match poll(&mut fds, timeout) {
                Ok(0) | Err(nix::errno::Errno::EINTR) => continue,
                Ok(_) => {}
                Err(error) => return Err(error.into()),
            }
            let [input, signals] = fds.map(|fd| fd.any().unwrap_or(true));
            if signals && self.called() == Some(Called::End) {
                return Ok(true);
            }
            if input && self.read()?.is_none_or(|pressed| pressed.leaves) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Drop for Outer {
    fn drop(&mut self) {
        // Nobody is left to tell if this cannot be done.
        let _ = self.output.write_all(Screen::farewell());
        let _ = self.output.write_all(b"\r\n");
        let _ = tcsetattr(&self.input, SetArg::TCSADRAIN, &self.before);
        let _ = self.mask.thread_set_mask();
    }
}
