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
use super::process::Process;
use super::recorder::Recorder;
use super::terminal::Terminal;
use super::wire::{CONTRACT, FromHost, MAX_FRAME, Size, TELLS_STALLS, ToHost};
use areyouj_journal::{Exited, Kind};

/// The graces of a stop that nobody gave: SIGTERM to the host, as at the machine's shutdown.
const CLOSE_GRACE: Duration = Duration::from_secs(5);
const KILL_GRACE: Duration = Duration::from_secs(2);

/// Connections that have not said yet what they are: a daemon, viewers, and hooks of tools that run at the same time. Beyond these
/// the oldest goes.
const MAX_NEWCOMERS: usize = 64;

/// How much of what an earlier daemon sent is still heard when another comes: more than a socket holds, so all that
/// a dead one left.
const LAST_WORDS: usize = 16 << 20;

/// How long no connection is accepted after one could not be (out of descriptors), instead of trying all the time.
const DEAF: Duration = Duration::from_secs(1);

/// How much may wait for Claude to take it before nobody may type more. A person types no faster than Claude reads; what is
/// pasted may be larger, and comes piece by piece.
const MAX_TYPED: u64 = 256 << 10;

/// How long after its last output memory is kept for more: much longer than between two pieces of a flood, and nothing to
/// somebody who waits for a session to cost little.
const REST: Duration = Duration::from_millis(200);

/// How long nobody's keys are heard after the daemon has written to the terminal: read together with them, the Enter after a
/// paste is a line of text to Claude.
const ALONE: Duration = Duration::from_millis(100);

/// How much a terminal may show before the daemon is told that the journal grew.
const QUIET_BYTES: u64 = 4 << 20;

/// A host at work.
pub(super) struct Host {
    /// Held for as long as the host lives.
    _lock: File,
    socket: PathBuf,
    listener: UnixListener,
    signals: SignalFd,
    recorder: Recorder,
    /// Where the journal's files are.
    journal: PathBuf,
    /// Claude, until nothing of it is left.
    process: Option<Process>,
    launch: u32,
    /// Claude's terminal, if it has one instead of pipes.
    terminal: Option<Terminal>,
    hooks: Hooks,
    /// What the daemon wants done and the journal does not take yet, in order: Write and AnswerHook frames.
    held: VecDeque<ToHost>,
    controller: Option<Connection>,
    newcomers: Vec<Connection>,
    deaf_until: Option<Instant>,
    /// When memory is given back that output needed.
    rest_at: Option<Instant>,
    /// What the daemon wrote to the terminal is to be read alone until then.
    alone_until: Option<Instant>,
    /// The end is in the journal and on disk.
    exited: bool,
    /// It was asked to go by a signal, as at the machine's shutdown.
    leaving: bool,
    released: bool,
}

/// Claude as it was started.
pub(super) struct Launched {
    /// None if it could not be.
    pub(super) process: Option<Process>,
    /// Its terminal, if it is to have one instead of pipes.
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
        socket: PathBuf,
        listener: UnixListener,
        signals: SignalFd,
        recorder: Recorder,
        Launched { process, terminal, launch }: Launched,
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
            newcomers: Vec::new(),
            deaf_until: None,
            rest_at: None,
            alone_until: None,
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
                    self.rest_at = Some(now + REST);
                    process.read(&mut self.recorder, shown(&mut self.terminal, &self.journal));
                }
                if ready.contains(&Source::Input) {
                    process.flush();
                }
            }
            self.rest(now);
            if ready.contains(&Source::Viewer) || ready.contains(&Source::Input) {
                self.hear_viewers();
            }
            if ready.contains(&Source::Hook) {
                self.hooks.hear(&mut self.recorder);
            }
            if ready.contains(&Source::Controller) {
                self.hear_controller(now);
            }
            if ready.contains(&Source::Newcomer) {
                self.hear_newcomers(now);
            }
            if ready.contains(&Source::Listener) {
                self.accept(now);
            }
        }
    }

    /// Waits for the next event or deadline and says what is ready.
    fn wait(&mut self) -> io::Result<Vec<Source>> {
        let now = Instant::now();
        self.deaf_until.take_if(|until| *until <= now);
        self.alone_until.take_if(|until| *until <= now);
        let mut sources = vec![Source::Signals];
        let mut fds = vec![PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
        if self.deaf_until.is_none() {
            sources.push(Source::Listener);
            fds.push(PollFd::new(self.listener.as_fd(), PollFlags::POLLIN));
        }
        if let Some(controller) = &self.controller {
            let unsent = if controller.has_unsent() { PollFlags::POLLOUT } else { PollFlags::empty() };
            sources.push(Source::Controller);
            fds.push(PollFd::new(controller.fd(), PollFlags::POLLIN | unsent));
        }
        for newcomer in &self.newcomers {
            sources.push(Source::Newcomer);
            fds.push(PollFd::new(newcomer.fd(), PollFlags::POLLIN));
        }
        if let Some(terminal) = &self.terminal {
            let deaf = self.hears_no_keys();
            let heard = if deaf { PollFlags::empty() } else { PollFlags::POLLIN };
            // Of one that is not heard and gets nothing its end is no event, or it would be one all the time.
            for viewer in terminal.viewers().filter(|viewer| !deaf || viewer.has_unsent()) {
                let unsent = if viewer.has_unsent() { PollFlags::POLLOUT } else { PollFlags::empty() };
                sources.push(Source::Viewer);
                fds.push(PollFd::new(viewer.fd(), heard | unsent));
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
            self.deaf_until,
            self.rest_at,
            self.alone_until,
            self.process.as_ref().and_then(|process| process.deadline(now)),
        ];
        let timeout = deadline.into_iter().flatten().min().map_or(PollTimeout::NONE, |at| {
            // Rounded up, so that it has come once the wait is over.
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

    /// Gives memory back, if it is time.
    fn rest(&mut self, now: Instant) {
        if self.rest_at.take_if(|at| *at <= now).is_none() {
            return;
        }
        if let Some(process) = &mut self.process {
            process.rest();
        }
        if let Some(terminal) = &mut self.terminal {
            terminal.rest(&self.journal);
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

    /// Moves Claude's end on, and makes it known once it has come.
    fn advance(&mut self) {
        let ended = self.process.as_mut().and_then(|process| {
            let mut show = shown(&mut self.terminal, &self.journal);
            process.advance(Instant::now(), &mut self.recorder, &mut show)
        });
        if let Some(how) = ended {
            self.process = None;
            self.terminal = None;
            self.hooks = Hooks::default();
            self.recorder.record(Kind::Exited, &Exited { launch: self.launch, how }.encode());
        }
        if self.process.is_none() && !self.exited && !self.recorder.is_stuck() {
            self.recorder.sync();
            self.exited = true;
        }
        // The journal says all there is to say.
        self.released |= self.exited && self.leaving;
    }

    /// Tells the daemon how far the journal goes, if it asked and does not know. What a terminal shows is nothing to it:
    /// it is told of that from time to time only, so that it allows its deletion.
    fn announce(&mut self) {
        let end = self.recorder.end();
        let telling = self.recorder.telling_end();
        if let Some(controller) = &mut self.controller {
            controller.flush();
            let due = |known: u64| match self.terminal {
                Some(_) => known < telling || known + QUIET_BYTES <= end,
                None => known < end,
            };
            if !controller.has_unsent() && controller.announced.is_some_and(due) {
                controller.announced = Some(end);
                controller.send(&FromHost::Appended { end });
            }
            let trouble = self.recorder.trouble();
            if controller.contract >= TELLS_STALLS && controller.told_trouble.as_deref() != trouble {
                controller.told_trouble = trouble.map(str::to_owned);
                controller.send(&FromHost::Stalled(controller.told_trouble.clone()));
            }
            if controller.is_over() {
                self.controller = None;
            }
        }
    }

    fn accept(&mut self, now: Instant) {
        match self.listener.accept() {
            Ok((stream, _)) => match Connection::accept(stream) {
                Ok(connection) => {
                    if self.newcomers.len() == MAX_NEWCOMERS {
                        self.newcomers.remove(0);
                    }
                    self.newcomers.push(connection);
                }
                Err(error) => log(&error.to_string()),
            },
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::ConnectionAborted) => {}
            Err(error) => {
                log(&format!("cannot accept a connection: {error}"));
                self.deaf_until = Some(now + DEAF);
            }
        }
    }

    fn hear_controller(&mut self, now: Instant) {
        if let Some(mut controller) = self.controller.take() {
            controller.receive();
            self.obey(&mut controller, now);
            self.keep(controller);
        }
    }

    /// Lets the first newcomer that says Hello take over; one that says anything else first is no daemon.
    fn hear_newcomers(&mut self, now: Instant) {
        for mut newcomer in mem::take(&mut self.newcomers) {
            newcomer.receive();
            match newcomer.next_frame() {
                Some(ToHost::Attach { contract, size, read_only }) => {
                    newcomer.contract = contract.min(CONTRACT);
                    self.admit(newcomer, size, read_only);
                }
                // What comes after the end belongs to no launch.
                Some(ToHost::Hook { waits, bytes }) if self.process.is_some() => {
                    self.hooks.take(newcomer, waits, &bytes, &mut self.recorder);
                }
                Some(ToHost::Hello { contract }) => {
                    self.hear_out_controller(now);
                    self.welcome(&mut newcomer, contract);
                    self.obey(&mut newcomer, now);
                    self.keep(newcomer);
                }
                None if !newcomer.is_over() => self.newcomers.push(newcomer),
                _ => {}
            }
        }
    }

    /// Does everything that the controller has sent, and lets go of it: nothing that a dead daemon had sent may get
    /// lost, or be overtaken by what the next one sends.
    fn hear_out_controller(&mut self, now: Instant) {
        let Some(mut controller) = self.controller.take() else { return };
        let mut heard = 0;
        while heard < LAST_WORDS && !controller.is_over() {
            let received = controller.receive();
            if received == 0 {
                return;
            }
            heard += received;
            self.obey(&mut controller, now);
        }
    }

    fn admit(&mut self, mut viewer: Connection, size: Size, read_only: bool) {
        match &mut self.terminal {
            Some(terminal) => {
                let wanted = terminal.admit(viewer, size, read_only, &self.journal);
                self.resize(wanted);
                // What it typed meanwhile came with its request, and would wait for more.
                self.hear_viewers();
            }
            None => viewer.send(&FromHost::Refused("the session has no terminal now".to_owned())),
        }
    }

    /// Passes on what viewers typed.
    fn hear_viewers(&mut self) {
        let deaf = self.hears_no_keys();
        let Some(terminal) = &mut self.terminal else { return };
        let (typed, wanted) = terminal.hear(deaf, &self.journal);
        for keys in typed {
            if let Some(process) = &mut self.process
                && let Err(why) = process.type_in(&keys, &mut self.recorder)
            {
                log(&format!("what was typed is lost: {why}"));
            }
        }
        self.resize(wanted);
    }

    /// Claude has yet to take so much that nobody may type more, or what the daemon wrote, or keys could not be recorded.
    fn hears_no_keys(&self) -> bool {
        let full = self.process.as_ref().is_some_and(|process| process.pending_input() >= MAX_TYPED);
        full || self.alone_until.is_some() || self.recorder.is_stuck()
    }

    /// Gives the terminal this size, if one is wanted.
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

    fn obey(&mut self, controller: &mut Connection, now: Instant) {
        while let Some(frame) = controller.next_frame() {
            if let Err(reason) = self.handle(frame, controller, now) {
                controller.send(&FromHost::Refused(reason));
            }
        }
    }

    fn handle(&mut self, frame: ToHost, from: &mut Connection, now: Instant) -> Result<(), String> {
        match frame {
            ToHost::Hello { contract } => self.welcome(from, contract),
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
            // These open a connection of another kind, or are of a later contract.
            ToHost::Attach { .. }
            | ToHost::Typed(_)
            | ToHost::Resize(_)
            | ToHost::Hook { .. }
            | ToHost::Unknown(_) => {}
        }
        Ok(())
    }

    /// Passes on what Claude or its hook is to be told, or keeps it until the journal can be written again.
    fn carry_out(&mut self, frame: ToHost) -> Result<(), String> {
        let done = match &frame {
            ToHost::Write(bytes) => {
                let process = self.process.as_mut().ok_or("Claude has ended")?;
                self.alone_until = self.terminal.as_ref().map(|_| Instant::now() + ALONE);
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

    /// The journal can be written again.
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
        // It is not in the journal, so whoever reads that will send it again.
        self.held.clear();
        newcomer.contract = contract.min(CONTRACT);
        newcomer.send(&FromHost::Welcome {
            contract: newcomer.contract,
            launch: self.launch,
            host_pid: std::process::id(),
            claude_pid: self.claude_pid(),
            end: self.recorder.end(),
        });
    }

    fn claude_pid(&self) -> Option<u32> {
        self.process.as_ref().filter(|process| process.is_running()).map(Process::pid)
    }
}

/// What shows the terminal's viewers what was recorded.
fn shown<'a>(terminal: &'a mut Option<Terminal>, journal: &'a Path) -> impl FnMut(&[u8]) + 'a {
    move |bytes| {
        if let Some(terminal) = terminal {
            terminal.show(bytes, journal);
        }
    }
}

/// Bytes of an order that is kept.
fn size_of_order(order: &ToHost) -> usize {
    match order {
        ToHost::Write(bytes) | ToHost::AnswerHook { bytes, .. } => bytes.len(),
        _ => 0,
    }
}
