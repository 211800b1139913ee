//! The terminal that the command runs in. It is in raw mode while a screen is shown, and restored afterwards.

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

/// How long Ctrl-\ waits for the next key, before it is sent to Claude.
const PREFIX_TIMEOUT: Duration = Duration::from_secs(1);

/// Bytes of keys that are read at a time. A large paste takes several reads.
const READ_BYTES: usize = 64 << 10;

/// The assumed size of a terminal that does not report its size.
const DEFAULT_SIZE: Size = Size { columns: 80, rows: 24 };

/// Puts the titles of the window and its icon on the terminal's stack, and takes them from there.
const SAVE_TITLE: &[u8] = b"\x1b[22;0t";
const RESTORE_TITLE: &[u8] = b"\x1b[23;0t";

/// How long after a query its answer can arrive, at least from terminals of people far away.
const ANSWER_TIME: Duration = Duration::from_secs(2);

/// How long the last answers are waited for when the view ends.
const LAST_ANSWERS_TIME: Duration = Duration::from_millis(500);

/// A query that every terminal answers, and the answer. Terminals answer in order, so it comes after all others.
const LAST_QUERY: &[u8] = b"\x1b[5n";
const LAST_ANSWER: &[u8] = b"\x1b[0n";

/// The terminal, in raw mode until it is dropped.
pub(super) struct OuterTerminal {
    before: Termios,
    mask: SigSet,
    input: File,
    output: File,
    pub(super) signals: SignalFd,
    pub(super) keys: Keys,
    prefix_at: Option<Instant>,
    /// When the session last asked the terminal something.
    asked_at: Option<Instant>,
}

/// What a received signal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SignalKind {
    /// The size of the terminal changed.
    Resized,
    /// The view must end.
    End,
}

impl OuterTerminal {
    /// Takes over standard input and output. Fails if they are not a terminal.
    pub(super) fn acquire() -> io::Result<OuterTerminal> {
        let input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        let output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        tcgetattr(&output)?;
        let before = tcgetattr(&input)?;
        let mut handled = SigSet::empty();
        for signal in [Signal::SIGWINCH, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT] {
            handled.add(signal);
        }
        let mask = SigSet::thread_get_mask()?;
        handled.thread_block()?;
        let signals = SignalFd::with_flags(&handled, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        let mut raw = before.clone();
        cfmakeraw(&mut raw);
        tcsetattr(&input, SetArg::TCSADRAIN, &raw)?;
        let keys = Keys::default();
        let mut outer =
            OuterTerminal { before, mask, input, output, signals, keys, prefix_at: None, asked_at: None };
        outer.write(SAVE_TITLE)?;
        Ok(outer)
    }

    /// The size of the terminal.
    pub(super) fn size(&self) -> Size {
        terminal_size::terminal_size_of(&self.output)
            .map_or(DEFAULT_SIZE, |(width, height)| Size { columns: width.0, rows: height.0 })
    }

    pub(super) fn input(&self) -> BorrowedFd<'_> {
        self.input.as_fd()
    }

    /// Writes all of these bytes. It blocks while the terminal does not read, so nothing is queued here.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.output.write_all(bytes)
    }

    /// Shows one dim line at the bottom, over the current content.
    pub(super) fn note(&mut self, text: &str) -> io::Result<()> {
        let Size { columns, rows } = self.size();
        let text: String = text.chars().take(usize::from(columns.saturating_sub(1))).collect();
        self.write(format!("\x1b7\x1b[r\x1b[{rows};1H\x1b[0;2m{text}\x1b[0m\x1b[K\x1b8").as_bytes())
    }

    /// Reads keys: those for Claude, and whether the person detaches. `None` at the end of input.
    pub(super) fn read(&mut self) -> io::Result<Option<super::keys::Pressed>> {
        let mut keys = vec![0; READ_BYTES];
        match self.input.read(&mut keys) {
            Ok(0) => Ok(None),
            Ok(read) => {
                let pressed = self.keys.press(&keys[..read]);
                // Reports of the terminal do not prolong it.
                let until = self.prefix_at.unwrap_or_else(|| Instant::now() + PREFIX_TIMEOUT);
                self.prefix_at = self.keys.is_waiting().then_some(until);
                Ok(Some(pressed))
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Some(Default::default())),
            Err(error) => Err(error),
        }
    }

    /// The terminal was asked something just now, so it types an answer.
    pub(super) fn expect_answers(&mut self) {
        self.asked_at = Some(Instant::now());
    }

    /// Discards the answers to what the session asked, because the program that reads the terminal next, often a shell,
    /// would take them for typed keys.
    fn discard_answers(&mut self) {
        if self.asked_at.is_none_or(|at| at.elapsed() > ANSWER_TIME) || self.write(LAST_QUERY).is_err() {
            return;
        }
        let until = Instant::now() + LAST_ANSWERS_TIME;
        let mut answers = Vec::new();
        let mut piece = [0; 1_024];
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            let mut fds = [PollFd::new(self.input.as_fd(), PollFlags::POLLIN)];
            let timeout = PollTimeout::try_from(left.as_millis() + 1).unwrap_or(PollTimeout::MAX);
            match poll(&mut fds, timeout) {
                Ok(0) | Err(nix::errno::Errno::EINTR) => continue,
                Ok(_) => {}
                Err(_) => return,
            }
            match self.input.read(&mut piece) {
                Ok(0) | Err(_) => return,
                Ok(read) => answers.extend_from_slice(&piece[..read]),
            }
            if answers.windows(LAST_ANSWER.len()).any(|part| part == LAST_ANSWER) {
                return;
            }
            answers.drain(..answers.len().saturating_sub(LAST_ANSWER.len()));
        }
    }

    /// When a pending Ctrl-\ times out.
    pub(super) fn prefix_at(&self) -> Option<Instant> {
        self.prefix_at
    }

    /// The pending Ctrl-\, if it has timed out.
    pub(super) fn late_prefix(&mut self) -> Vec<u8> {
        if self.prefix_at.take_if(|at| *at <= Instant::now()).is_none() {
            return Vec::new();
        }
        self.keys.take_prefix()
    }

    /// The meaning of the signals that have arrived. The end takes precedence.
    pub(super) fn pending_signal(&mut self) -> Option<SignalKind> {
        let mut pending = None;
        while let Ok(Some(signal)) = self.signals.read_signal() {
            let kind = match Signal::try_from(signal.ssi_signo.cast_signed()) {
                Ok(Signal::SIGWINCH) => SignalKind::Resized,
                _ => SignalKind::End,
            };
            pending = pending.filter(|pending| *pending == SignalKind::End).or(Some(kind));
        }
        pending
    }

    /// Waits until then. Returns true if the person detaches or the terminal closes before. Other keys are discarded.
    pub(super) fn wait_for_detach(&mut self, until: Instant) -> io::Result<bool> {
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
            if signals && self.pending_signal() == Some(SignalKind::End) {
                return Ok(true);
            }
            if input && self.read()?.is_none_or(|pressed| pressed.detach) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Drop for OuterTerminal {
    fn drop(&mut self) {
        // There is no other place to report that this fails.
        let _ = self.output.write_all(Screen::farewell());
        let _ = self.output.write_all(RESTORE_TITLE);
        self.discard_answers();
        let _ = self.output.write_all(b"\r\n");
        let _ = tcsetattr(&self.input, SetArg::TCSADRAIN, &self.before);
        let _ = self.mask.thread_set_mask();
    }
}
