//! The host's one loop: waits for events and passes them between Claude, the journal, the daemon, viewers and hooks.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::mem;
use std::os::fd::AsFd;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use nix::sys::signalfd::SignalFd;

use super::connection::Connection;
use super::hooks::Hooks;
use super::log;
use super::newcomers::Newcomers;
use super::process::Process;
use super::recorder::Recorder;
use super::terminal::Terminal;
use super::wire::{CONTRACT, FromHost, MAX_FRAME, MAX_VIEWER_FRAME, REPORTS_STALLS, Size, ToHost};
use areyouj_journal::{Exited, Kind};

/// The graces of a stop without an order: SIGTERM to the host, as at the machine's shutdown.
const CLOSE_GRACE: Duration = Duration::from_secs(5);
const KILL_GRACE: Duration = Duration::from_secs(2);

/// How many bytes of an earlier daemon are still read when another connects: more than a socket holds, so all that a
/// dead one left.
const DRAIN_BYTES: usize = 16 << 20;

/// How long no connection is accepted after a failure to accept one (out of descriptors), instead of trying all the
/// time.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Unread input of Claude's, in bytes, from which on the host reads no further keys. A person types no faster than
/// Claude reads; a paste can be larger, and is passed on piece by piece.
const MAX_UNREAD_INPUT: u64 = 256 << 10;

/// How long after the last output its memory is kept: much longer than between two pieces of a flood, and short
/// enough for an idle session to cost little.
const TRIM_DELAY: Duration = Duration::from_millis(200);

/// How long keys wait after the daemon has written to the terminal: if Claude read the Enter after a paste together
/// with keys, it would take it as a line of text.
const PASTE_QUIET: Duration = Duration::from_millis(100);

/// Output of a terminal, in bytes, after which the daemon is notified that the journal grew.
const TERMINAL_REPORT_BYTES: u64 = 4 << 20;

/// A host at work.
pub(super) struct Host {
    /// Held for as long as the host lives.
    _lock: File,
    socket: PathBuf,
    listener: UnixListener,
    signals: SignalFd,
    recorder: Recorder,
    /// The directory of the journal.
    journal: PathBuf,
    /// Claude, until no process is left.
    process: Option<Process>,
    launch: u32,
    /// Claude's terminal, if it has one instead of pipes.
    terminal: Option<Terminal>,
    hooks: Hooks,
    /// Write and AnswerHook orders that the journal cannot record yet, in order.
    held: VecDeque<ToHost>,
    controller: Option<Connection>,
    newcomers: Newcomers,
    accept_after: Option<Instant>,
    /// When to release memory that output needed.
    trim_at: Option<Instant>,
    /// Until then Claude must read what the daemon wrote to the terminal without keys.
    keys_after: Option<Instant>,
    /// The end is in the journal and on disk.
    exited: bool,
    /// A signal asked the host to exit, as at the machine's shutdown.
    leaving: bool,
    released: bool,
}

/// The result of starting Claude.
pub(super) struct Launched {
    /// `None` if the start failed.
    pub(super) process: Option<Process>,
    /// Claude's terminal, if it gets one instead of pipes.
    pub(super) terminal: Option<Terminal>,
    /// The number of the launch.
    pub(super) launch: u32,
}

/// Something to wait for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Signals,
    Listener,
    Controller,
    Newcomer,
    Viewer,
    Hook,
    Output,
    Input,
}

impl Host {
    pub(super) fn new(
        lock: File,
        (socket, listener): (PathBuf, UnixListener),
        signals: SignalFd,
        recorder: Recorder,
        Launched { process, terminal, launch }: Launched,
        newcomers: Newcomers,
    ) -> Host {
        Host {
            _lock: lock,
            socket,
            listener,
            signals,
            journal: recorder.directory().to_owned(),
            recorder,
            process,
            terminal,
            hooks: Hooks::default(),
            launch,
            held: VecDeque::new(),
            controller: None,
            newcomers,
            accept_after: None,
            trim_at: None,
            keys_after: None,
            exited: false,
            leaving: false,
            released: false,
        }
    }

    /// Serves until it is released.
    pub(super) fn serve(mut self) -> io::Result<()> {
        loop {
            self.advance();
            self.announce();
            if self.released {
                return fs::remove_file(&self.socket);
            }
            let ready = self.wait()?;
            let now = Instant::now();
            if ready.contains(&Source::Signals) {
                self.take_signals(now);
            }
            if self.recorder.retry(now) {
                self.write_held();
            }
            if let Some(process) = &mut self.process {
                if ready.contains(&Source::Output) {
                    self.trim_at = Some(now + TRIM_DELAY);
                    process.read(&mut self.recorder, shown(&mut self.terminal, &self.journal));
                }
                if ready.contains(&Source::Input) {
                    process.flush();
                }
            }
            self.trim(now);
            if ready.contains(&Source::Viewer) || ready.contains(&Source::Input) {
                self.read_viewers();
            }
            if ready.contains(&Source::Hook) {
                self.hooks.read(&mut self.recorder);
            }
            if ready.contains(&Source::Controller) {
                self.read_controller(now);
            }
            if ready.contains(&Source::Newcomer) || self.newcomers.deadline().is_some_and(|at| at <= now) {
                self.read_newcomers(now);
            }
            if ready.contains(&Source::Listener) {
                self.accept(now);
            }
        }
    }

    /// Waits for the next event or deadline, and returns what is ready.
    fn wait(&mut self) -> io::Result<Vec<Source>> {
        let now = Instant::now();
        self.accept_after.take_if(|until| *until <= now);
        self.keys_after.take_if(|until| *until <= now);
        let mut sources = vec![Source::Signals];
        let mut fds = vec![PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
        if self.accept_after.is_none() {
            sources.push(Source::Listener);
            fds.push(PollFd::new(self.listener.as_fd(), PollFlags::POLLIN));
        }
        if let Some(controller) = &self.controller {
            let unsent = if controller.has_unsent() { PollFlags::POLLOUT } else { PollFlags::empty() };
            sources.push(Source::Controller);
            fds.push(PollFd::new(controller.fd(), PollFlags::POLLIN | unsent));
        }
        for newcomer in self.newcomers.connections() {
            sources.push(Source::Newcomer);
            fds.push(PollFd::new(newcomer.fd(), PollFlags::POLLIN));
        }
        if let Some(terminal) = &self.terminal {
            let holds_keys = self.holds_keys();
            let events = if holds_keys { PollFlags::empty() } else { PollFlags::POLLIN };
            // A viewer that is neither read from nor written to is left out: its end would be an event all the time.
            for viewer in terminal.viewers().filter(|viewer| !holds_keys || viewer.has_unsent()) {
                let unsent = if viewer.has_unsent() { PollFlags::POLLOUT } else { PollFlags::empty() };
                sources.push(Source::Viewer);
                fds.push(PollFd::new(viewer.fd(), events | unsent));
            }
        }
        for hook in self.hooks.waiting() {
            let unsent = if hook.has_unsent() { PollFlags::POLLOUT } else { PollFlags::empty() };
            sources.push(Source::Hook);
            fds.push(PollFd::new(hook.fd(), PollFlags::POLLIN | unsent));
        }
        if let Some(process) = &self.process {
            // Back-pressure: while the journal cannot be written, Claude's output stays in its pipes.
            for output in process.outputs().filter(|_| !self.recorder.is_stuck()) {
                sources.push(Source::Output);
                fds.push(PollFd::new(output, PollFlags::POLLIN));
            }
            if let Some(input) = process.input() {
                sources.push(Source::Input);
                fds.push(PollFd::new(input, PollFlags::POLLOUT));
            }
        }
        let deadline = [
            self.recorder.retry_at(),
            self.accept_after,
            self.trim_at,
            self.keys_after,
            self.newcomers.deadline(),
            self.process.as_ref().and_then(|process| process.deadline(now)),
        ];
        let timeout = deadline.into_iter().flatten().min().map_or(PollTimeout::NONE, |at| {
            // Rounded up, so that the deadline has passed once the wait is over.
            let milliseconds = at.saturating_duration_since(now).as_millis() + 1;
            PollTimeout::try_from(milliseconds).unwrap_or(PollTimeout::MAX)
        });
        match poll(&mut fds, timeout) {
            Ok(_) => {}
            Err(Errno::EINTR | Errno::EAGAIN) => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        }
        let ready = sources.into_iter().zip(&fds).filter(|(_, fd)| fd.any().unwrap_or(true));
        Ok(ready.map(|(source, _)| source).collect())
    }

    /// Releases memory, if it is time.
    fn trim(&mut self, now: Instant) {
        if self.trim_at.take_if(|at| *at <= now).is_none() {
            return;
        }
        if let Some(process) = &mut self.process {
            process.trim();
        }
        if let Some(terminal) = &mut self.terminal {
            terminal.trim(&self.journal);
        }
    }

    fn take_signals(&mut self, now: Instant) {
        while let Ok(Some(signal)) = self.signals.read_signal() {
            match Signal::try_from(signal.ssi_signo.cast_signed()) {
                Ok(Signal::SIGCHLD) => {
                    if let Some(process) = &self.process {
                        process.reap();
                    }
                }
                Ok(Signal::SIGTERM | Signal::SIGINT) => {
                    self.leaving = true;
                    if let Some(process) = &mut self.process {
                        process.stop(CLOSE_GRACE, KILL_GRACE, now);
                    }
                }
                _ => {}
            }
        }
    }

    /// Advances Claude's end, and records it once it is complete.
    fn advance(&mut self) {
        let ended = self.process.as_mut().and_then(|process| {
            let mut show = shown(&mut self.terminal, &self.journal);
            process.advance(Instant::now(), &mut self.recorder, &mut show)
        });
        if let Some(how) = ended {
            self.process = None;
            self.terminal = None;
            self.hooks = Hooks::default();
            self.newcomers.end(&mut self.recorder);
            self.recorder.record(Kind::Exited, &Exited { launch: self.launch, how }.encode());
        }
        if self.process.is_none() && !self.exited && !self.recorder.is_stuck() {
            self.recorder.sync();
            self.exited = true;
        }
        // The journal holds everything.
        self.released |= self.exited && self.leaving;
    }

    /// Reports the length of the journal to the daemon, if it subscribed and does not know it. The daemon does not
    /// use a terminal's output, so it gets a report of that from time to time only, to allow its deletion.
    fn announce(&mut self) {
        let end = self.recorder.end();
        let notable = self.recorder.notable_end();
        if let Some(controller) = &mut self.controller {
            controller.flush();
            let due = |known: u64| match self.terminal {
                Some(_) => known < notable || known + TERMINAL_REPORT_BYTES <= end,
                None => known < end,
            };
            if !controller.has_unsent() && controller.announced.is_some_and(due) {
                controller.announced = Some(end);
                controller.send(&FromHost::Appended { end });
            }
            let error = self.recorder.error();
            if controller.contract >= REPORTS_STALLS && controller.reported_error.as_deref() != error {
                controller.reported_error = error.map(str::to_owned);
                controller.send(&FromHost::Stalled(controller.reported_error.clone()));
            }
            if controller.is_over() {
                self.controller = None;
            }
        }
    }

    fn accept(&mut self, now: Instant) {
        match self.listener.accept() {
            Ok((stream, _)) => {
                let recorder = self.process.as_ref().map(|_| &mut self.recorder);
                if let Err(error) = self.newcomers.accept(stream, now, recorder) {
                    log(&error.to_string());
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::ConnectionAborted) => {}
            Err(error) => {
                log(&format!("cannot accept a connection: {error}"));
                self.accept_after = Some(now + ACCEPT_PAUSE);
            }
        }
    }

    fn read_controller(&mut self, now: Instant) {
        if let Some(mut controller) = self.controller.take() {
            controller.receive();
            self.carry_out_all(&mut controller, now);
            self.keep(controller);
        }
    }

    /// Gives newcomers that have introduced themselves their places.
    fn read_newcomers(&mut self, now: Instant) {
        let recorder = self.process.as_ref().map(|_| &mut self.recorder);
        for (mut newcomer, frame) in self.newcomers.read(now, recorder) {
            match frame {
                ToHost::Attach { contract, size, read_only } => {
                    newcomer.contract = contract.min(CONTRACT);
                    newcomer.max_frame = MAX_VIEWER_FRAME;
                    self.admit(newcomer, size, read_only);
                }
                // A hook that comes after Claude's end belongs to no launch.
                ToHost::Hook { waits, bytes } if self.process.is_some() => {
                    // It sends nothing more.
                    newcomer.max_frame = 0;
                    self.hooks.take(newcomer, waits, &bytes, &mut self.recorder);
                }
                ToHost::Hello { contract, .. } => {
                    self.drain_controller(now);
                    self.welcome(&mut newcomer, contract);
                    self.carry_out_all(&mut newcomer, now);
                    self.keep(newcomer);
                }
                _ => {}
            }
        }
    }

    /// Carries out everything that the controller has sent, and drops it: nothing that a dead daemon sent can get
    /// lost, or be overtaken by frames of the next one.
    fn drain_controller(&mut self, now: Instant) {
        let Some(mut controller) = self.controller.take() else { return };
        let mut drained = 0;
        while drained < DRAIN_BYTES && !controller.is_over() {
            let received = controller.receive();
            if received == 0 {
                return;
            }
            drained += received;
            self.carry_out_all(&mut controller, now);
        }
    }

    fn admit(&mut self, mut viewer: Connection, size: Size, read_only: bool) {
        match &mut self.terminal {
            Some(terminal) => {
                let wanted = terminal.admit(viewer, size, read_only, &self.journal);
                self.resize(wanted);
                // Keys that came together with its request would wait for more otherwise.
                self.read_viewers();
            }
            None => viewer.send(&FromHost::Refused("the session has no terminal now".to_owned())),
        }
    }

    /// Passes on keys from viewers.
    fn read_viewers(&mut self) {
        let holds_keys = self.holds_keys();
        let Some(terminal) = &mut self.terminal else { return };
        let (typed, wanted) = terminal.read(holds_keys, &self.journal);
        for keys in typed {
            if let Some(process) = &mut self.process
                && let Err(why) = process.type_in(&keys, &mut self.recorder)
            {
                log(&format!("keys are lost: {why}"));
            }
        }
        self.resize(wanted);
    }

    /// Whether keys must wait: Claude has too much unread input, must read what the daemon wrote first, or the
    /// journal cannot be written.
    fn holds_keys(&self) -> bool {
        let full = self.process.as_ref().is_some_and(|process| process.pending_input() >= MAX_UNREAD_INPUT);
        full || self.keys_after.is_some() || self.recorder.is_stuck()
    }

    /// Changes the terminal's size, if viewers ask for another one.
    fn resize(&mut self, wanted: Option<Size>) {
        let (Some(size), Some(terminal), Some(process)) = (wanted, &mut self.terminal, &self.process) else {
            return;
        };
        self.recorder.record(Kind::Resized, &size.encode());
        process.resize(size);
        terminal.resized(size, &self.journal);
    }

    fn keep(&mut self, controller: Connection) {
        self.controller = Some(controller).filter(|controller| !controller.is_over());
    }

    fn carry_out_all(&mut self, controller: &mut Connection, now: Instant) {
        while let Some(frame) = controller.next_frame() {
            if let Err(reason) = self.handle(frame, controller, now) {
                controller.send(&FromHost::Refused(reason));
            }
        }
    }

    fn handle(&mut self, frame: ToHost, from: &mut Connection, now: Instant) -> Result<(), String> {
        match frame {
            ToHost::Hello { contract, .. } => self.welcome(from, contract),
            ToHost::Subscribe { from: known } => from.announced = Some(known),
            ToHost::Status => from.send(&FromHost::State {
                claude_pid: self.claude_pid(),
                exited: self.exited,
                end: self.recorder.end(),
                pending_input: self.process.as_ref().map_or(0, Process::pending_input),
            }),
            ToHost::Ingested { offset } => self.recorder.ingested(offset),
            ToHost::Release if self.exited => self.released = true,
            ToHost::Release => return Err("Claude has not ended".to_owned()),
            ToHost::Stop { close_grace_ms, kill_grace_ms } => {
                let [close, kill] =
                    [close_grace_ms, kill_grace_ms].map(|ms| Duration::from_millis(ms.into()));
                if let Some(process) = &mut self.process {
                    process.stop(close, kill, now);
                }
            }
            frame @ (ToHost::Write(_) | ToHost::AnswerHook { .. }) => self.carry_out(frame)?,
            // These open a connection of another kind, or are of another contract.
            ToHost::Attach { .. }
            | ToHost::Typed(_)
            | ToHost::Resize(_)
            | ToHost::Hook { .. }
            | ToHost::Unknown(_) => {}
        }
        Ok(())
    }

    /// Delivers an order to Claude or its hook, or keeps it until the journal can be written again.
    fn carry_out(&mut self, frame: ToHost) -> Result<(), String> {
        let done = match &frame {
            ToHost::Write(bytes) => {
                let process = self.process.as_mut().ok_or("Claude has ended")?;
                self.keys_after = self.terminal.as_ref().map(|_| Instant::now() + PASTE_QUIET);
                process.write(bytes, &mut self.recorder)
            }
            ToHost::AnswerHook { hook, bytes } => self.hooks.answer(*hook, bytes, &mut self.recorder),
            _ => Ok(()),
        };
        let Err(why) = done else { return Ok(()) };
        let held: usize = self.held.iter().chain([&frame]).map(size_of_order).sum();
        if !self.recorder.is_stuck() || held > MAX_FRAME {
            return Err(why);
        }
        self.held.push_back(frame);
        Ok(())
    }

    /// Carries out the kept orders, because the journal can be written again.
    fn write_held(&mut self) {
        while !self.recorder.is_stuck()
            && let Some(frame) = self.held.pop_front()
        {
            let waiting = mem::take(&mut self.held);
            let refused = self.carry_out(frame);
            // If it is kept once more, it still comes first.
            self.held.extend(waiting);
            if let (Err(why), Some(controller)) = (refused, &mut self.controller) {
                controller.send(&FromHost::Refused(why));
            }
        }
        if !self.recorder.is_stuck() {
            log("the journal can be written again");
        }
    }

    fn welcome(&mut self, newcomer: &mut Connection, contract: u32) {
        // The kept orders are not in the journal, so the daemon that reads the journal sends them again.
        self.held.clear();
        newcomer.contract = contract.min(CONTRACT);
        newcomer.send(&FromHost::Welcome {
            contract: newcomer.contract,
            launch: self.launch,
            host_pid: std::process::id(),
            claude_pid: self.claude_pid(),
            end: self.recorder.end(),
            keyed: self.newcomers.has_key(),
        });
    }

    fn claude_pid(&self) -> Option<u32> {
        self.process.as_ref().filter(|process| process.is_running()).map(Process::pid)
    }
}

/// Shows recorded output to the terminal's viewers.
fn shown<'a>(terminal: &'a mut Option<Terminal>, journal: &'a Path) -> impl FnMut(&[u8]) + 'a {
    move |bytes| {
        if let Some(terminal) = terminal {
            terminal.show(bytes, journal);
        }
    }
}

/// Bytes of a kept order.
fn size_of_order(order: &ToHost) -> usize {
    match order {
        ToHost::Write(bytes) | ToHost::AnswerHook { bytes, .. } => bytes.len(),
        _ => 0,
    }
}
