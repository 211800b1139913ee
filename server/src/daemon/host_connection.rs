//! The daemon's connection to one session host: reports what its journal holds, and delivers orders to it.
//!
//! This file finds, starts and gives up hosts. [`following`] decides what to do with a connected one, [`host_io`] does
//! it.

mod following;
mod host_io;
mod host_socket;
mod process;
mod reading;
mod survivors;

use std::collections::VecDeque;
use std::fs;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use super::claude::files::home_of;
use super::claude::status_poller::{ProcessRecord, StatusPoller};
use super::launch::{self, NoHost, Refusal};
use super::launch_files;
use super::shared::Shared;
use areyouj_core::orchestrator::{Driver, Event, LaunchOrder, Position, SessionId};
use areyouj_host::key::Key;
use areyouj_host::peer::{self, Standing, Vantage};
use areyouj_host::wire::{FromHost, ToHost};
pub(super) use following::HostOrder;
use following::{Beginning, End, Following, Progress, READ_RETRY, STOP_PATIENCE, stop};
use host_io::{HostIo, ReadRecord};
use host_socket::{HostSocket, Welcome, hello};
use process::HostProcess;
use reading::Reading;

/// How long a host can take to answer: usually milliseconds. A host that is stopped or swapped out is asked again.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a host can take to exit, or to listen, before the daemon acts.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// A host exits within milliseconds of its release; one that lives longer was not released.
const EXIT_TIMEOUT: Duration = Duration::from_secs(1);

/// Between two checks whether a host that holds its lock listens yet.
const CHECK_INTERVAL: Duration = Duration::from_millis(20);

/// Attempts to read the journal of a lost host before the unread rest is given up.
const LAST_READ_ATTEMPTS: u32 = 50;

/// The connection to the host of one launch.
pub(super) struct HostConnection {
    pub(super) shared: Arc<Shared>,
    pub(super) session: SessionId,
    pub(super) launch: u32,
    pub(super) driver: Driver,
    /// Claude's working directory.
    pub(super) directory: String,
    pub(super) inbox: mpsc::Sender<Event>,
    /// Has no bound of its own, but the core bounds what it holds: one turn's message, at most `MAX_STEERS` more, the
    /// answers to open requests, an interrupt and a stop.
    pub(super) mailbox: mpsc::UnboundedReceiver<HostOrder>,
    /// Orders that came before there was a connection.
    pub(super) early: VecDeque<HostOrder>,
    /// When a stop order must have had its effect.
    pub(super) stop_by: Option<Instant>,
}

impl HostConnection {
    /// Starts a host and follows it to its end.
    pub(super) async fn launch(mut self, order: LaunchOrder) {
        // The host of the previous launch was just released, and alone writes the journal until it exits.
        let begin = Instant::now();
        while !self.host_is_gone() && begin.elapsed() < HANDSHAKE_TIMEOUT {
            if begin.elapsed() > EXIT_TIMEOUT {
                self.evict(None).await;
            }
            sleep(CHECK_INTERVAL).await;
        }
        let (session, launch) = (self.session, self.launch);
        let refused = match launch::start(&self.shared, &order).await {
            Ok(()) => return self.follow(order.position).await,
            Err(Refusal::NoHost(NoHost { problem, permanent })) => {
                tracing::warn!(%session, launch, problem = %problem.message, "no host");
                Event::LaunchFailed { session, launch, problem, permanent }
            }
            Err(Refusal::Untrusted(would_run)) => Event::Untrusted { session, launch, would_run },
        };
        let _ = self.inbox.send(refused).await;
    }

    /// Ends the host of an earlier launch or, with a process id, this host alone. Its release was lost, or its daemon was
    /// killed between starting the host and the host's taking its lock, so the next daemon found no host.
    async fn evict(&self, pid: Option<i32>) {
        let keys = self.shared.host_keys(self.session).unwrap_or_default();
        // A key that is not the host's is refused, and a person sees that: the likeliest first.
        let earlier = keys.iter().filter(|(launch, _)| *launch < self.launch || pid.is_some());
        let keys: Vec<Option<Key>> = if keys.is_empty() {
            vec![None]
        } else {
            earlier.chain(&keys).map(|(_, key)| Some(key.clone())).collect()
        };
        let mut listening = None;
        for key in keys {
            let Ok(stream) = UnixStream::connect(self.shared.paths.host_socket(&self.session)).await else {
                return;
            };
            listening = stream.peer_cred().ok().and_then(|host| host.pid());
            if pid.is_some() && listening != pid || key.is_some() && !is_host(&stream) {
                return;
            }
            match timeout(HANDSHAKE_TIMEOUT, hello(stream, key)).await {
                Ok(Ok((socket, _))) => return self.end_host(socket).await,
                Ok(Err(error)) if error.kind() == ErrorKind::PermissionDenied => {}
                Ok(Err(_)) | Err(_) => return,
            }
        }
        self.host(listening).kill();
    }

    /// Ends a connected host.
    async fn end_host(&self, mut socket: HostSocket) {
        tracing::warn!(session = %self.session, "the daemon ends a host that was not released");
        socket.send(&stop(true));
        let until = Instant::now() + HANDSHAKE_TIMEOUT;
        while Instant::now() < until {
            socket.send(&ToHost::Status);
            match timeout(HANDSHAKE_TIMEOUT, socket.next()).await {
                Ok(Ok(FromHost::State { exited: true, .. })) => socket.send(&ToHost::Release),
                Ok(Ok(_)) => {}
                Ok(Err(_)) | Err(_) => return,
            }
            sleep(CHECK_INTERVAL).await;
        }
    }

    /// Ends the host of a session that has ended, in case a daemon was killed before it released the host.
    pub(super) async fn release_leftover(self) {
        if self.shared.paths.host_socket(&self.session).exists() && !self.host_is_gone() {
            self.evict(None).await;
        }
    }

    /// Finds the host of an earlier launch and follows it to its end.
    pub(super) async fn adopt(mut self, position: Position) {
        self.follow(position).await;
    }

    async fn follow(&mut self, position: Position) {
        let journal = self.shared.paths.session_dir(&self.session).join("journal");
        let mut reading = Reading::new(self.launch, self.driver, journal, position);
        let (end, pid) = match self.connect().await {
            Ok((socket, welcome)) => {
                // A host of an earlier version left the file when it had read it.
                launch_files::remove(&self.shared.paths.session_dir(&self.session));
                let pid = i32::try_from(welcome.host_pid).ok();
                (self.follow_connected(socket, &welcome, &mut reading).await, pid)
            }
            Err(end) => (end, None),
        };
        match end {
            End::Over => {}
            End::Released => {
                self.ensure_exit(pid).await;
                survivors::end(self.session, &self.inbox).await;
            }
            End::Broken if !self.host_is_gone() => {
                // The host lives: the core orders another connection, which starts without half-done work.
                sleep(READ_RETRY).await;
                let (session, launch) = (self.session, self.launch);
                let _ = self.inbox.send(Event::HostConnectionLost { session, launch }).await;
                self.await_late_release(pid).await;
            }
            End::Broken | End::Gone => self.host_lost(&mut reading).await,
        }
    }

    /// The core can have learned from the last report that Claude ended, and then orders no other connection. Its release
    /// comes here, where no host hears it. The mailbox closes after that, and when another connection replaces this one.
    async fn await_late_release(&mut self, pid: Option<i32>) {
        while let Some(order) = self.mailbox.recv().await {
            if matches!(order, HostOrder::Release) {
                self.evict(pid).await;
            }
        }
    }

    /// Waits for the exit of a released host. Its release can have been lost with the connection.
    async fn ensure_exit(&self, pid: Option<i32>) {
        let begin = Instant::now();
        while !self.host_is_gone() {
            if begin.elapsed() > EXIT_TIMEOUT {
                self.evict(pid).await;
                return;
            }
            sleep(CHECK_INTERVAL).await;
        }
    }

    /// Connects to the host.
    async fn connect(&mut self) -> Result<(HostSocket, Welcome), End> {
        let socket = self.shared.paths.host_socket(&self.session);
        let deadline = Instant::now() + HANDSHAKE_TIMEOUT;
        let mut host = self.host(None);
        let mut disobeys = false;
        loop {
            if !disobeys && let Ok(stream) = UnixStream::connect(&socket).await {
                host.pid = stream.peer_cred().ok().and_then(|host| host.pid()).or(host.pid);
                match timeout(ANSWER_TIMEOUT, self.introduce(stream)).await {
                    Ok(Ok(connected)) => return Ok(connected),
                    Ok(Err(error)) if error.kind() == ErrorKind::PermissionDenied => {
                        disobeys = true;
                        tracing::error!(session = %self.session, %error, "the host does not obey");
                        let (session, launch) = (self.session, self.launch);
                        let _ = self.inbox.send(Event::HostDisobeys { session, launch }).await;
                    }
                    Ok(Err(error)) => tracing::warn!(session = %self.session, %error, "the host hung up"),
                    Err(_) => tracing::warn!(session = %self.session, "the host does not answer"),
                }
            }
            if host.is_gone() {
                return Err(End::Gone);
            }
            self.take_early_orders()?;
            // Only a signal ends a host that does not obey.
            let now = Instant::now();
            if self.stop_by.take_if(|stop_by| disobeys || *stop_by <= now).is_some() {
                host.kill();
            }
            // Longer and longer, for a host that is stopped.
            let waited = deadline.elapsed().min(HANDSHAKE_TIMEOUT / 10);
            sleep(CHECK_INTERVAL.max(waited)).await;
        }
    }

    /// Introduces the daemon to what listens on the host's socket, with the key of the launch. A host that an earlier
    /// version started has no key.
    async fn introduce(&self, stream: UnixStream) -> io::Result<(HostSocket, Welcome)> {
        let keys =
            self.shared.host_keys(self.session).map_err(|problem| io::Error::other(problem.message))?;
        let key = keys.into_iter().find_map(|(launch, key)| (launch == self.launch).then_some(key));
        if key.is_some() && !is_host(&stream) {
            return Err(io::Error::other("a process inside a session listens in the host's place"));
        }
        hello(stream, key).await
    }

    /// Keeps the orders that have come for the connection.
    fn take_early_orders(&mut self) -> Result<(), End> {
        loop {
            match self.mailbox.try_recv() {
                Ok(order) => {
                    if matches!(order, HostOrder::Stop { .. }) {
                        self.stop_by.get_or_insert_with(|| Instant::now() + STOP_PATIENCE);
                    }
                    self.early.push_back(order);
                }
                Err(mpsc::error::TryRecvError::Empty) => return Ok(()),
                Err(mpsc::error::TryRecvError::Disconnected) => return Err(End::Over),
            }
        }
    }

    fn host(&self, pid: Option<i32>) -> HostProcess {
        HostProcess { lock: self.shared.paths.session_dir(&self.session).join("host.lock"), pid }
    }

    fn host_is_gone(&self) -> bool {
        self.host(None).is_gone()
    }

    /// Follows a connected host to the end.
    async fn follow_connected(
        &mut self,
        socket: HostSocket,
        welcome: &Welcome,
        reading: &mut Reading,
    ) -> End {
        let record = self.process_record(welcome);
        let following = Following::new(Beginning {
            session: self.session,
            launch: self.launch,
            driver: self.driver,
            host_pid: welcome.host_pid,
            keyed: welcome.keyed,
            end: welcome.end,
            start: reading.start(),
            state: reading.state(),
            poller: record.is_some().then(|| StatusPoller::new(Instant::now())),
            stop_by: self.stop_by,
        });
        let io = HostIo {
            session: self.session,
            socket,
            host: self.host(i32::try_from(welcome.host_pid).ok()),
            reading,
            mailbox: &mut self.mailbox,
            inbox: self.inbox.clone(),
            gate: self.shared.gate.clone(),
            record,
        };
        io.run(following, std::mem::take(&mut self.early)).await
    }

    /// Reads what a terminal's Claude records about its process. A stream reports everything itself.
    fn process_record(&self, welcome: &Welcome) -> Option<ReadRecord> {
        let pid = welcome.claude_pid.filter(|_| self.driver == Driver::Terminal)?;
        let environment = self.shared.environment(self.session).unwrap_or_default();
        let home = home_of(&environment, &self.directory);
        let record = ProcessRecord { environment, directory: self.directory.clone(), pid };
        Some(ReadRecord { home, read: Arc::new(move |poll| record.read(poll)) })
    }

    /// The host is gone and was not released: kills what it left, ingests the rest of its journal, and reports the loss.
    async fn host_lost(&mut self, reading: &mut Reading) {
        while !self.host_is_gone() {
            sleep(CHECK_INTERVAL).await;
        }
        // A host records Claude's end when no process is left; processes with the mark can then be of the next launch.
        if !reading.has_end() {
            let _ = fs::remove_file(self.shared.paths.host_socket(&self.session));
            survivors::end_lost(self.session, &self.inbox).await;
        }
        let (session, launch) = (self.session, self.launch);
        let mut attempts = 0;
        loop {
            let chunk = reading.read(None);
            let (facts, position) = (chunk.facts, chunk.state.position);
            if !facts.is_empty() && self.inbox.send(Event::Facts { session, facts, position }).await.is_err()
            {
                return;
            }
            match chunk.progress {
                Progress::To(_) => {}
                Progress::Failed if attempts < LAST_READ_ATTEMPTS => {
                    attempts += 1;
                    sleep(READ_RETRY).await;
                }
                Progress::Failed | Progress::End => break,
            }
        }
        let _ = self.inbox.send(Event::HostLost { session, launch }).await;
    }
}

/// Whether this can be a host. A process inside a session can put a socket of its own in the place of a host's, and must
/// not get the key.
fn is_host(stream: &UnixStream) -> bool {
    let standing = || Vantage::own()?.standing(&peer::of(stream)?);
    matches!(standing(), Ok(Standing::Outside))
}

#[cfg(test)]
mod tests;
