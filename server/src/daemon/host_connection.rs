//! The daemon's end of one session host: reads its journal into facts, hands it what is to be written.

mod reading;

use std::collections::VecDeque;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;
use std::time::Duration;

use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::claude::files::ClaudeFiles;
use super::claude::status_poller::{LastTurn, StatusPoller};
use super::launch::{self, NoHost};
use super::shared::Shared;
use areyouj_core::driver::ingest::Ingest;
use areyouj_core::driver::{stream, terminal};
use areyouj_core::orchestrator::{Driver, Event, Fact, Input, LaunchOrder, Position, Problem, SessionId};
use areyouj_host::tree;
use areyouj_host::wire::{CONTRACT, FromHost, ToHost};
use reading::{Progress, Reading};

/// A host answers within milliseconds; one that is stopped or swapped out is asked again.
const ANSWER: Duration = Duration::from_secs(2);

/// How long a host may take to go, or to listen, before something is done about it.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// A host that was let go is gone within milliseconds; one that is still there after this was not let go.
const FAREWELL: Duration = Duration::from_secs(1);

/// Between two looks whether a host that holds its lock listens yet.
const LOOK: Duration = Duration::from_millis(20);

/// How long Claude has after its input was closed, then after SIGTERM, before everything is killed.
const CLOSE_GRACE_MS: u32 = 5_000;
const KILL_GRACE_MS: u32 = 2_000;

/// A host that was told to stop and has neither done so by then nor said that its journal holds it up is stopped
/// itself, or broken: it is killed, and what it had with it. The graces, the host's own patience with what cannot be
/// killed, and some for a machine that swaps.
const STOP_PATIENCE: Duration = Duration::from_secs(20);

/// Between two tries to read a journal that could not be read, for example because there are no descriptors left.
const READ_AGAIN: Duration = Duration::from_millis(200);

/// How often that is tried for a host that is gone, before what it left is given up.
const READ_TRIES: u32 = 50;

/// What a link is to do.
pub(super) enum HostOrder {
    /// Tell Claude this.
    Tell(Box<Input>),
    /// End Claude.
    Stop {
        /// Without waiting for it.
        at_once: bool,
    },
    /// What comes before this offset of the journal is kept elsewhere.
    Ingested(u64),
    /// The end of Claude is on disk: let the host go.
    Release,
}

/// One session's link.
pub(super) struct HostConnection {
    pub(super) shared: Arc<Shared>,
    pub(super) session: SessionId,
    pub(super) launch: u32,
    pub(super) driver: Driver,
    /// Claude's working directory.
    pub(super) directory: String,
    pub(super) inbox: mpsc::Sender<Event>,
    /// Not bounded by itself: at any time there are one turn's message, at most `MAX_STEERS` more, the answers to
    /// open prompts, an interrupt and a stop for a link that does not take them.
    pub(super) mailbox: mpsc::UnboundedReceiver<HostOrder>,
    /// Orders that came before there was a connection.
    pub(super) early: VecDeque<HostOrder>,
    /// When a stop that was ordered must have had its effect.
    pub(super) stop_by: Option<Instant>,
}

/// How following a host came to its end.
enum End {
    /// It was let go and is gone, or is followed by nobody any more.
    Over,
    /// The connection broke.
    Broken,
    /// There is no host.
    Gone,
}

impl HostConnection {
    /// Starts a host and follows it to its end.
    pub(super) async fn launch(mut self, order: LaunchOrder) {
        // The host of the launch before was let go a moment ago, and is the journal's only writer until it is gone.
        let asked = Instant::now();
        while !self.host_is_gone() && asked.elapsed() < HANDSHAKE {
            if asked.elapsed() > FAREWELL {
                self.evict().await;
            }
            sleep(LOOK).await;
        }
        if let Err(NoHost { problem, permanent }) = launch::start(&self.shared, &order).await {
            tracing::warn!(session = %self.session, launch = self.launch, problem = %problem.message, "no host");
            let (session, launch) = (self.session, self.launch);
            let _ = self.inbox.send(Event::LaunchFailed { session, launch, problem, permanent }).await;
            return;
        }
        self.follow(order.position).await;
    }

    /// Ends a host that nobody follows: a daemon was killed in the moment between starting it and its taking the lock,
    /// and the next one took it for gone.
    async fn evict(&self) {
        let Ok(stream) = UnixStream::connect(self.shared.paths.host_socket(&self.session)).await else {
            return;
        };
        let Ok(Ok((mut peer, _))) = timeout(HANDSHAKE, hello(stream)).await else { return };
        tracing::warn!(session = %self.session, "a host that nobody followed is ended");
        peer.send(&stop(true));
        let until = Instant::now() + HANDSHAKE;
        while Instant::now() < until {
            peer.send(&ToHost::Status);
            match timeout(HANDSHAKE, peer.next()).await {
                Ok(Ok(FromHost::State { exited: true, .. })) => peer.send(&ToHost::Release),
                Ok(Ok(_)) => {}
                Ok(Err(_)) | Err(_) => return,
            }
            sleep(LOOK).await;
        }
    }

    /// Ends the host of a session that has come to its end, if a daemon was killed before it let it go.
    pub(super) async fn release_leftover(self) {
        if self.shared.paths.host_socket(&self.session).exists() && !self.host_is_gone() {
            self.evict().await;
        }
    }

    /// Finds the host of an earlier launch and follows it to its end.
    pub(super) async fn adopt(mut self, position: Position) {
        self.follow(position).await;
    }

    async fn follow(&mut self, position: Position) {
        let mut reading = Reading {
            launch: self.launch,
            ingest: Ingest::new(self.driver, position),
            journal: self.shared.paths.session_dir(&self.session).join("journal"),
            reader: None,
            ended: false,
            wedged: false,
            turn: LastTurn::Unknown,
            recalled: self.driver == Driver::Terminal,
        };
        reading.recall(position.next);
        let end = match self.connect().await {
            Ok((peer, welcome)) => self.converse(peer, welcome, &mut reading).await,
            Err(end) => end,
        };
        match end {
            End::Over => {}
            End::Broken if !self.host_is_gone() => {
                // Whatever broke it, the host lives: it is looked for anew, by a link with nothing half done.
                sleep(READ_AGAIN).await;
                let (session, launch) = (self.session, self.launch);
                let _ = self.inbox.send(Event::LinkLost { session, launch }).await;
            }
            End::Broken | End::Gone => self.host_lost(&mut reading).await,
        }
    }

    /// Connects to the host.
    async fn connect(&mut self) -> Result<(Peer, Welcome), End> {
        let socket = self.shared.paths.host_socket(&self.session);
        let deadline = Instant::now() + HANDSHAKE;
        let mut host = None;
        loop {
            if let Ok(stream) = UnixStream::connect(&socket).await {
                host = stream.peer_cred().ok().and_then(|peer| peer.pid()).or(host);
                match timeout(ANSWER, hello(stream)).await {
                    Ok(Ok(connected)) => return Ok(connected),
                    Ok(Err(error)) => tracing::warn!(session = %self.session, %error, "the host hung up"),
                    Err(_) => tracing::warn!(session = %self.session, "the host does not answer"),
                }
            }
            if self.host_is_gone() {
                return Err(End::Gone);
            }
            loop {
                match self.mailbox.try_recv() {
                    Ok(order) => {
                        self.note_stop(&order);
                        self.early.push_back(order);
                    }
                    Err(mpsc::error::TryRecvError::Empty) => break,
                    Err(mpsc::error::TryRecvError::Disconnected) => return Err(End::Over),
                }
            }
            if self.stop_by.is_some_and(|stop_by| stop_by <= Instant::now()) {
                self.kill_host(host);
            }
            // Longer and longer, for one that is stopped.
            let waited = deadline.elapsed().min(HANDSHAKE / 10);
            sleep(LOOK.max(waited)).await;
        }
    }

    fn note_stop(&mut self, order: &HostOrder) {
        if matches!(order, HostOrder::Stop { .. }) && self.stop_by.is_none() {
            self.stop_by = Some(Instant::now() + STOP_PATIENCE);
        }
    }

    /// Ends a host that does not act. What it leaves is cleaned up as after any host that is lost.
    fn kill_host(&mut self, host: Option<i32>) {
        self.stop_by = None;
        if let Some(pid) = host.filter(|_| !self.host_is_gone()) {
            tracing::warn!(session = %self.session, pid, "the host does not stop and is killed");
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }

    /// A host holds its lock as long as it lives.
    fn host_is_gone(&self) -> bool {
        let lock = self.shared.paths.session_dir(&self.session).join("host.lock");
        let file = match OpenOptions::new().read(true).write(true).mode(0o600).open(lock) {
            Ok(file) => file,
            Err(error) => return error.kind() == io::ErrorKind::NotFound,
        };
        Flock::lock(file, FlockArg::LockExclusiveNonblock).is_ok()
    }

    /// Follows a connected host to the end.
    async fn converse(&mut self, mut peer: Peer, welcome: Welcome, reading: &mut Reading) -> End {
        let (session, launch) = (self.session, self.launch);
        peer.send(&ToHost::Subscribe { from: reading.ingest.start() });
        let mut end = welcome.end;
        let mut taken = reading.ingest.start();
        let mut synced = false;
        let mut released = false;
        let mut open = true;
        // What is to be told next. Never waited for alone: orders are taken also while the orchestrator is busy.
        let mut next = Some(Event::Launched { session, launch, host_pid: welcome.host_pid });
        let mut stall: Option<Event> = None;
        let mut refusal: Option<Event> = None;
        let mut stalled = false;
        let mut look_again: Option<Instant> = None;
        let inbox = self.inbox.clone();
        for order in std::mem::take(&mut self.early) {
            released |= self.carry_out(&mut peer, order);
        }
        let mut watch = self.watch(&welcome);
        loop {
            if next.is_none() && taken < end && look_again.is_none() {
                let (facts, progress) = reading.take_in(Some(end));
                taken = match progress {
                    Progress::To(next) => next,
                    // What was announced will be there with the next announcement, or never.
                    Progress::End => end,
                    Progress::Failed => taken,
                };
                if matches!(progress, Progress::Failed) || reading.wedged {
                    look_again = Some(Instant::now() + READ_AGAIN);
                }
                watch.heard(&facts);
                next = Some(Event::Facts { session, facts, position: reading.ingest.position() });
            } else if next.is_none() && !synced && look_again.is_none() {
                // What was typed before this daemon began is no news, and still stands there.
                let typed = std::mem::take(&mut reading.recalled).then(|| reading.ingest.typed());
                next = Some(match typed.filter(|typed| *typed > 0) {
                    Some(typed) => {
                        let position = reading.ingest.position();
                        Event::Facts { session, facts: vec![Fact::Typed(typed)], position }
                    }
                    None => {
                        synced = true;
                        Event::Synced { session, launch }
                    }
                });
            }
            next = next.or_else(|| stall.take()).or_else(|| refusal.take());
            tokio::select! {
                permit = inbox.reserve(), if next.is_some() => match (permit, next.take()) {
                    (Ok(permit), Some(event)) => permit.send(event),
                    _ => return End::Over,
                },
                order = self.mailbox.recv(), if open => match order {
                    Some(order) => {
                        self.note_stop(&order);
                        released |= self.carry_out(&mut peer, order);
                        watch.wake();
                    }
                    // Nothing more is ordered: a host that was let go is seen off, any other goes on without us.
                    None if released => open = false,
                    None => return End::Over,
                },
                () = sleep_until(look_again.unwrap_or_else(Instant::now)), if look_again.is_some() => {
                    look_again = None;
                    if reading.wedged {
                        // Claude's end cannot be read, so it is asked for.
                        peer.send(&ToHost::Status);
                        look_again = Some(Instant::now() + READ_AGAIN);
                    }
                }
                () = sleep_until(watch.due().unwrap_or_else(Instant::now)), if watch.due().is_some() && next.is_none() => {
                    // What the journal holds came before what Claude says of itself now.
                    if let Some(seen) = watch.look(taken >= end && synced, reading.turn) {
                        let position = reading.ingest.position();
                        next = Some(Event::Facts { session, facts: vec![Fact::ProcessStatus(seen)], position });
                    }
                }
                () = sleep_until(self.stop_by.unwrap_or_else(Instant::now)), if self.stop_by.is_some() && !stalled => {
                    let host = i32::try_from(welcome.host_pid).ok();
                    self.kill_host(host);
                }
                frame = peer.next() => match frame {
                    Ok(FromHost::Appended { end: appended }) => end = end.max(appended),
                    Ok(FromHost::Stalled(why)) => {
                        tracing::warn!(%session, ?why, "whether the host's journal can be written changed");
                        stalled = why.is_some();
                        stall = Some(Event::HostStalled { session, launch, why });
                    }
                    Ok(FromHost::Refused(why)) => {
                        tracing::warn!(%session, why, "the host refused an order");
                        refusal = Some(Event::OrderRefused { session, launch });
                    }
                    Ok(FromHost::State { exited: true, .. }) if reading.wedged => peer.send(&ToHost::Release),
                    Ok(_) => {}
                    Err(error) => {
                        if !released {
                            tracing::warn!(%session, %error, "the host is gone");
                        }
                        if let Some(event) = next.take() {
                            let _ = self.inbox.send(event).await;
                        }
                        return if released { End::Over } else { End::Broken };
                    }
                },
            }
        }
    }

    /// Passes an order on; true if that lets the host go.
    fn carry_out(&self, peer: &mut Peer, order: HostOrder) -> bool {
        let frame = match order {
            HostOrder::Tell(input) => match told(self.driver, &input) {
                Ok(frame) => frame,
                Err(problem) => {
                    tracing::error!(session = %self.session, problem = %problem.message, "nothing was sent");
                    None
                }
            },
            HostOrder::Stop { at_once } => Some(stop(at_once)),
            HostOrder::Ingested(offset) => Some(ToHost::Ingested { offset }),
            HostOrder::Release => Some(ToHost::Release),
        };
        let release = frame == Some(ToHost::Release);
        if let Some(frame) = frame {
            peer.send(&frame);
        }
        release
    }

    /// What watches Claude's own record of its process; nothing does for a stream, which tells everything itself.
    fn watch(&self, welcome: &Welcome) -> StatusPoller {
        match (self.driver, welcome.claude_pid) {
            (Driver::Terminal, Some(pid)) => {
                let environment = self.shared.environment(self.session).unwrap_or_default();
                let files = ClaudeFiles::of(&environment, &self.directory);
                StatusPoller::of(files, pid, self.directory.clone())
            }
            _ => StatusPoller::none(),
        }
    }

    /// The host is gone without having been let go: kills what it left, takes in the rest of its journal, says so.
    async fn host_lost(&mut self, reading: &mut Reading) {
        while !self.host_is_gone() {
            sleep(LOOK).await;
        }
        // A host records Claude's end when nothing of it is left; what carries the mark by now may be the next launch.
        if !reading.ended || reading.wedged {
            let _ = fs::remove_file(self.shared.paths.host_socket(&self.session));
            let mark = launch::mark(self.session);
            let _ = tokio::task::spawn_blocking(move || tree::kill_marked(&mark)).await;
        }
        let (session, launch) = (self.session, self.launch);
        let mut tries = 0;
        loop {
            let (facts, progress) = reading.take_in(None);
            let position = reading.ingest.position();
            if !facts.is_empty() && self.inbox.send(Event::Facts { session, facts, position }).await.is_err()
            {
                return;
            }
            match progress {
                Progress::To(_) => {}
                Progress::Failed if tries < READ_TRIES => {
                    tries += 1;
                    sleep(READ_AGAIN).await;
                }
                Progress::Failed | Progress::End => break,
            }
        }
        let _ = self.inbox.send(Event::HostLost { session, launch }).await;
    }
}

/// Ends Claude: at once, or with time to end by itself.
fn stop(at_once: bool) -> ToHost {
    let [close_grace_ms, kill_grace_ms] = if at_once { [0, 0] } else { [CLOSE_GRACE_MS, KILL_GRACE_MS] };
    ToHost::Stop { close_grace_ms, kill_grace_ms }
}

/// What is to be said to Claude, as an order for its host; none if its driver has no such thing.
fn told(driver: Driver, input: &Input) -> Result<Option<ToHost>, Problem> {
    Ok(match driver {
        Driver::Stream => Some(ToHost::Write(stream::encode(input)?)),
        Driver::Terminal => terminal::encode(input)?.map(|order| match order {
            terminal::Order::Write(bytes) => ToHost::Write(bytes),
            terminal::Order::AnswerHook { hook, bytes } => ToHost::AnswerHook { hook, bytes },
        }),
    })
}

/// What a host said of itself.
struct Welcome {
    host_pid: u32,
    claude_pid: Option<u32>,
    end: u64,
}

/// A connection to a host, with what is still to be sent and what has come in part.
struct Peer {
    stream: UnixStream,
    outgoing: Vec<u8>,
    incoming: Vec<u8>,
}

async fn hello(stream: UnixStream) -> io::Result<(Peer, Welcome)> {
    let mut peer = Peer { stream, outgoing: Vec::new(), incoming: Vec::new() };
    peer.send(&ToHost::Hello { contract: CONTRACT });
    loop {
        if let FromHost::Welcome { host_pid, claude_pid, end, .. } = peer.next().await? {
            return Ok((peer, Welcome { host_pid, claude_pid, end }));
        }
    }
}

impl Peer {
    /// Puts a frame behind those that wait; [`Peer::next`] sends them.
    fn send(&mut self, frame: &ToHost) {
        frame.encode(&mut self.outgoing);
    }

    /// Sends what waits, and returns the next frame that comes. Nothing is lost if this is given up half-way.
    async fn next(&mut self) -> io::Result<FromHost> {
        loop {
            let decoded = FromHost::decode(&self.incoming).map_err(io::Error::other)?;
            if let Some((frame, consumed)) = decoded {
                self.incoming.drain(..consumed);
                return Ok(frame);
            }
            let stream = &self.stream;
            tokio::select! {
                ready = stream.writable(), if !self.outgoing.is_empty() => {
                    ready?;
                    match stream.try_write(&self.outgoing) {
                        Ok(written) => drop(self.outgoing.drain(..written)),
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                        Err(error) => return Err(error),
                    }
                }
                ready = stream.readable() => {
                    ready?;
                    let mut buffer = [0; 4_096];
                    match stream.try_read(&mut buffer) {
                        Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                        Ok(read) => self.incoming.extend_from_slice(&buffer[..read]),
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                        Err(error) => return Err(error),
                    }
                }
            }
        }
    }
}
