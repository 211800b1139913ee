//! The daemon's end of one session host: reads its journal into facts, hands it what is to be written.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use nix::fcntl::{Flock, FlockArg};
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use super::launch::{self, NoHost};
use super::{Shared, journal_fact};
use crate::driver::ingest::Ingest;
use crate::host::journal::{JournalError, Reader};
use crate::host::tree;
use crate::host::wire::{CONTRACT, FromHost, ToHost};
use crate::orchestrator::{Event, Fact, LaunchOrder, Position, SessionId};

/// Orders that may wait for a link; it always takes them, also while the orchestrator is busy.
pub(super) const MAILBOX: usize = 64;

/// Journal bytes that are read before the facts in them are passed on.
const READ_BYTES: u64 = 256 << 10;

/// A host answers within milliseconds; one that is stopped or swapped out, later.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// A host that was let go is gone within milliseconds; one that is still there after this was not let go.
const FAREWELL: Duration = Duration::from_secs(1);

/// Between two looks whether a host that holds its lock listens yet.
const LOOK: Duration = Duration::from_millis(20);

/// How long Claude has after its input was closed, then after SIGTERM, before everything is killed.
const CLOSE_GRACE_MS: u32 = 5_000;
const KILL_GRACE_MS: u32 = 2_000;

/// What a link is to do.
pub(super) enum ToLink {
    /// Write these bytes to Claude.
    Write(Vec<u8>),
    /// End Claude.
    Stop,
    /// What comes before this offset of the journal is kept elsewhere.
    Ingested(u64),
    /// The end of Claude is on disk: let the host go.
    Release,
}

/// One session's link.
pub(super) struct Link {
    pub(super) shared: Arc<Shared>,
    pub(super) session: SessionId,
    pub(super) launch: u32,
    pub(super) inbox: mpsc::Sender<Event>,
    pub(super) mailbox: mpsc::Receiver<ToLink>,
}

/// How a link reads: no further than the end of its launch, because what follows is for the next link.
struct Reading {
    launch: u32,
    ingest: Ingest,
    journal: PathBuf,
    reader: Option<Reader>,
    ended: bool,
}

impl Link {
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
        peer.send(&ToHost::Stop { close_grace_ms: 0, kill_grace_ms: 0 });
        loop {
            peer.send(&ToHost::Status);
            match timeout(HANDSHAKE, peer.next()).await {
                Ok(Ok(FromHost::State { exited: true, .. })) => peer.send(&ToHost::Release),
                Ok(Ok(_)) => {}
                Ok(Err(_)) | Err(_) => return,
            }
            sleep(LOOK).await;
        }
    }

    /// Finds the host of an earlier launch and follows it to its end.
    pub(super) async fn adopt(mut self, position: Position) {
        self.follow(position).await;
    }

    async fn follow(&mut self, position: Position) {
        let mut reading = Reading {
            launch: self.launch,
            ingest: Ingest::new(position),
            journal: self.shared.paths.session_dir(&self.session).join("journal"),
            reader: None,
            ended: false,
        };
        let released = match self.connect().await {
            Some((peer, welcome)) => self.converse(peer, welcome, &mut reading).await,
            None => false,
        };
        if !released {
            self.host_lost(&mut reading).await;
        }
    }

    /// Connects to the host; none if there is none.
    async fn connect(&self) -> Option<(Peer, Welcome)> {
        let socket = self.shared.paths.host_socket(&self.session);
        let deadline = Instant::now() + HANDSHAKE;
        loop {
            if let Ok(stream) = UnixStream::connect(&socket).await {
                match timeout(HANDSHAKE, hello(stream)).await {
                    Ok(Ok(connected)) => return Some(connected),
                    Ok(Err(error)) => tracing::warn!(session = %self.session, %error, "the host hung up"),
                    Err(_) => tracing::warn!(session = %self.session, "the host does not answer"),
                }
            }
            if self.host_is_gone() {
                return None;
            }
            if Instant::now() > deadline {
                tracing::warn!(session = %self.session, "the host lives and does not listen; trying on");
                sleep(HANDSHAKE).await;
            }
            sleep(LOOK).await;
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

    /// Follows a connected host; true when it was released and is gone.
    async fn converse(&mut self, mut peer: Peer, welcome: Welcome, reading: &mut Reading) -> bool {
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
        loop {
            if next.is_none() && taken < end {
                let (facts, progress) = reading.take_in(&mut peer, Some(end));
                // Nothing readable: what was announced will be there with the next announcement, or never.
                taken = progress.unwrap_or(end);
                next = Some(Event::Facts { session, facts, position: reading.ingest.position() });
            } else if next.is_none() && !synced {
                synced = true;
                next = Some(Event::Synced { session, launch });
            }
            next = next.or_else(|| stall.take());
            tokio::select! {
                permit = self.inbox.reserve(), if next.is_some() => match (permit, next.take()) {
                    (Ok(permit), Some(event)) => permit.send(event),
                    _ => return true,
                },
                order = self.mailbox.recv(), if open => match order {
                    Some(ToLink::Write(bytes)) => peer.send(&ToHost::Write(bytes)),
                    Some(ToLink::Stop) => peer.send(&ToHost::Stop {
                        close_grace_ms: CLOSE_GRACE_MS,
                        kill_grace_ms: KILL_GRACE_MS,
                    }),
                    Some(ToLink::Ingested(offset)) => peer.send(&ToHost::Ingested { offset }),
                    Some(ToLink::Release) => {
                        released = true;
                        peer.send(&ToHost::Release);
                    }
                    // Nothing more is ordered: a host that was let go is seen off, any other goes on without us.
                    None if released => open = false,
                    None => return true,
                },
                frame = peer.next() => match frame {
                    Ok(FromHost::Appended { end: appended }) => end = end.max(appended),
                    Ok(FromHost::Stalled(why)) => {
                        tracing::warn!(%session, ?why, "whether the host's journal can be written changed");
                        stall = Some(Event::HostStalled { session, launch, why });
                    }
                    Ok(FromHost::Refused(why)) => {
                        tracing::warn!(%session, why, "the host refused an order");
                    }
                    Ok(_) => {}
                    Err(error) => {
                        if !released {
                            tracing::warn!(%session, %error, "the host is gone");
                        }
                        if let Some(event) = next.take() {
                            let _ = self.inbox.send(event).await;
                        }
                        return released;
                    }
                },
            }
        }
    }

    /// The host is gone without having been let go: kills what it left, takes in the rest of its journal, says so.
    async fn host_lost(&mut self, reading: &mut Reading) {
        while !self.host_is_gone() {
            sleep(LOOK).await;
        }
        let _ = fs::remove_file(self.shared.paths.host_socket(&self.session));
        let mark = launch::mark(self.session);
        let _ = tokio::task::spawn_blocking(move || tree::kill_marked(&mark)).await;
        let (session, launch) = (self.session, self.launch);
        loop {
            let (facts, progress) = reading.take_in(&mut Peer::nobody(), None);
            let position = reading.ingest.position();
            if !facts.is_empty() && self.inbox.send(Event::Facts { session, facts, position }).await.is_err()
            {
                return;
            }
            if progress.is_none() {
                break;
            }
        }
        let _ = self.inbox.send(Event::HostLost { session, launch }).await;
    }
}

impl Reading {
    /// Reads on in the journal, up to where a living host says that it goes; returns the facts, and the offset after
    /// the last record, or none if there was no record to read.
    fn take_in(&mut self, peer: &mut Peer, end: Option<u64>) -> (Vec<Fact>, Option<u64>) {
        let mut facts = Vec::new();
        let mut progress = None;
        let open = match self.reader.take() {
            Some(open) => Ok(open),
            None => Reader::open(&self.journal, self.ingest.start()),
        };
        let open = match open {
            Ok(open) => self.reader.insert(open),
            Err(error) => {
                tracing::warn!(%error, journal = %self.journal.display(), "the journal cannot be opened");
                return (facts, None);
            }
        };
        let mut read = 0;
        while read < READ_BYTES && !self.ended {
            let next = match end {
                Some(end) => open.next_below(end),
                None => open.next(),
            };
            match next {
                Ok(Some(record)) => {
                    read += record.next - record.offset;
                    progress = Some(record.next);
                    let record = journal_fact::record(&record);
                    self.ended = journal_fact::ends(&record, self.launch);
                    self.ingest.take(&record, &mut facts);
                }
                Ok(None) => break,
                Err(JournalError::Gap { resume_at }) => {
                    facts.push(Fact::Garbage(format!(
                        "a part of the journal is missing before byte {resume_at}"
                    )));
                    self.ingest =
                        Ingest::new(Position { next: resume_at, line_start: resume_at, line_skip: 0 });
                    progress = Some(resume_at);
                }
                Err(JournalError::Corrupt { offset }) => {
                    facts.push(Fact::Garbage(format!("the journal is damaged at byte {offset}")));
                    match open.skip_corrupt() {
                        Ok(Some(next)) => {
                            self.ingest = Ingest::new(Position { next, line_start: next, line_skip: 0 });
                            progress = Some(next);
                        }
                        // The rest of what this host records cannot be read: the next one cuts the damage off.
                        _ => {
                            peer.send(&ToHost::Stop { close_grace_ms: 0, kill_grace_ms: 0 });
                            self.ended = true;
                        }
                    }
                }
                Err(JournalError::Io(error)) => {
                    tracing::warn!(%error, journal = %self.journal.display(), "the journal cannot be read");
                    break;
                }
            }
        }
        (facts, progress)
    }
}

/// What a host said of itself.
struct Welcome {
    host_pid: u32,
    end: u64,
}

/// A connection to a host, with what is still to be sent and what has come in part.
struct Peer {
    stream: Option<UnixStream>,
    outgoing: Vec<u8>,
    incoming: Vec<u8>,
}

async fn hello(stream: UnixStream) -> io::Result<(Peer, Welcome)> {
    let mut peer = Peer { stream: Some(stream), outgoing: Vec::new(), incoming: Vec::new() };
    peer.send(&ToHost::Hello { contract: CONTRACT });
    loop {
        if let FromHost::Welcome { host_pid, end, .. } = peer.next().await? {
            return Ok((peer, Welcome { host_pid, end }));
        }
    }
}

impl Peer {
    /// Takes orders for a host that is gone.
    fn nobody() -> Peer {
        Peer { stream: None, outgoing: Vec::new(), incoming: Vec::new() }
    }

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
            let Some(stream) = &self.stream else { return std::future::pending().await };
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
