//! The daemon: one per user. It owns the state, serves clients, and follows the session hosts.
//!
//! It may be killed at any moment: what was acknowledged is on disk, sessions live in their hosts, and the next
//! daemon goes on from the store and the journals.

mod checks;
mod commands;
mod connection;
mod core;
mod directories;
pub(crate) mod framing;
mod hub;
mod journal_fact;
mod launch;
mod link;
mod outage;
mod outbox;
mod queues;
mod records;
mod watch;
mod wire;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixListener as StdUnixListener;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use areyouj_protocol::{DaemonStatus, ErrorCode, PROTOCOL_VERSION};
use nix::fcntl::{Flock, FlockArg};
use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use uuid::Uuid;

use crate::client::Failure;
use crate::client::start::{report_failure, report_ready};
use crate::config::{Config, OnInterrupted};
use crate::paths::Paths;
use areyouj_core::orchestrator::{
    ClientId, Driver, Effect, Event, Goal, LaunchOrder, Notice, Outcome, Problem, Recovery, SessionId,
    SessionRow, Settings, Snapshot,
};
use areyouj_store::{Reader, StoreError};
use connection::Connection;
use core::Committed;
use hub::Hub;
use link::{Link, ToLink};
use queues::Queues;

/// Days of log files that are kept.
const LOG_FILES: usize = 7;

/// How long answers may take to leave when the daemon ends.
const FAREWELL: Duration = Duration::from_secs(1);

/// How long the lock may be held by those who only look.
const LOCK_PATIENCE: Duration = Duration::from_millis(200);

/// Between two tries to take the lock.
const LOCK_LOOK: Duration = Duration::from_millis(10);

/// Threads that read the store, files and `/proc`. More would only wait for the same disk.
const MAX_BLOCKING: usize = 4;

/// How long no connection is accepted after one could not be (out of descriptors), instead of trying all the time.
const DEAF: Duration = Duration::from_secs(1);

/// What the parts of the daemon have in common.
struct Shared {
    paths: Paths,
    config: Config,
    started_at: u64,
    hub: Hub,
    reader: Arc<Mutex<Reader>>,
}

impl Shared {
    fn status(&self) -> DaemonStatus {
        DaemonStatus {
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            protocol_version: PROTOCOL_VERSION,
            started_at: self.started_at,
            clients: self.hub.count(),
            sessions: 0,
            active_sessions: 0,
            max_active_sessions: 0,
            database: self.paths.database().display().to_string(),
            log_directory: self.paths.log_dir().display().to_string(),
        }
    }

    /// Claude's id of the session's conversation, and the process id of the session's own Claude.
    fn conversation(&self, session: SessionId) -> Result<Option<(Uuid, Option<u32>)>, Problem> {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let row = reader.session(session).map_err(|error| storage_problem(&error))?;
        Ok(row.map(|row| (row.claude_session, row.claude_pid)))
    }

    fn environment(&self, session: SessionId) -> Result<BTreeMap<String, String>, Problem> {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        reader.environment(session).map(Option::unwrap_or_default).map_err(|error| storage_problem(&error))
    }
}

/// A failure of the store, for a client.
fn storage_problem(error: &StoreError) -> Problem {
    error.problem(Path::new("the database"))
}

/// How serving came to its end.
enum End {
    /// It was asked for.
    Asked,
    /// The store failed: the state in memory is ahead of the disk.
    StoreFailed(StoreError),
}

/// Runs the daemon until it is asked to end. The directories of `paths` exist, and the process leads a session of its
/// own. Whoever started it is told on standard output that it serves, or what is wrong.
pub fn run(paths: &Paths, config: Config) -> ExitCode {
    match start(paths, config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            tracing::error!(code = %problem.code, problem = %problem.message, "the daemon cannot run");
            let Problem { code, message, hint, log } = problem;
            report_failure(&Failure { code, message, hint: Some(hint), log, retryable: false });
            ExitCode::FAILURE
        }
    }
}

fn start(paths: &Paths, config: Config) -> Result<(), Problem> {
    let failed = |what: &str, error: &dyn std::fmt::Display| Problem {
        code: "daemon_start_failed".to_owned(),
        message: format!("{what}: {error}."),
        hint: "Look for what is wrong with: areyouj doctor".to_owned(),
        log: None,
    };
    let of_file = |what: &str, error: &std::io::Error| {
        let failure = Failure::of_file(error, ErrorCode::DaemonStartFailed, format!("{what}: {error}."));
        let Failure { code, message, hint, log, .. } = failure;
        Problem { code, message, hint: hint.unwrap_or_default(), log }
    };
    let _lock =
        lock(paths).map_err(|error| of_file("Another daemon runs, or its lock cannot be taken", &error))?;
    let _log = log(paths, &config).map_err(|error| failed("The log cannot be written", &error))?;
    let database = paths.database();
    let opened = areyouj_store::open(&database).map_err(|error| error.problem(&database))?;
    remove_leftovers(paths, &opened.1);
    if let Some(problem) = outage::in_the_way(&paths.daemon_socket()) {
        return Err(problem);
    }
    let socket = listen(paths).map_err(|error| of_file("The socket cannot be opened", &error))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(MAX_BLOCKING)
        // Kept for ever: where no thread can be started any more, those that there are go on.
        .thread_keep_alive(Duration::MAX)
        .build();
    let runtime = runtime.map_err(|error| failed("The runtime cannot be started", &error))?;
    // The first one now, while there is room for it.
    drop(runtime.spawn_blocking(|| {}));
    let served = runtime.block_on(serve(paths.clone(), config, socket, opened));
    // Threads that still read the store must not hold up the end.
    runtime.shutdown_background();
    let _ = fs::remove_file(paths.daemon_socket());
    served.map_err(|error| failed("The daemon broke down", &error))
}

/// One daemon per home: it holds this lock as long as it lives.
fn lock(paths: &Paths) -> std::io::Result<Flock<File>> {
    let file = OpenOptions::new()
        .create(true)
        .read(true)
        .write(true)
        .truncate(false)
        .mode(0o600)
        .open(paths.daemon_lock())?;
    let mut lock = take(file)?;
    lock.set_len(0)?;
    write!(lock, "{}", std::process::id())?;
    Ok(lock)
}

/// Clients that look whether a daemon lives hold the lock for a moment.
fn take(mut file: File) -> std::io::Result<Flock<File>> {
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => return Ok(lock),
            Err((_, error)) if Instant::now() > deadline => return Err(error.into()),
            Err((returned, _)) => file = returned,
        }
        std::thread::park_timeout(LOCK_LOOK);
    }
}

fn log(paths: &Paths, config: &Config) -> anyhow::Result<tracing_appender::non_blocking::WorkerGuard> {
    let file = tracing_appender::rolling::Builder::new()
        .rotation(tracing_appender::rolling::Rotation::DAILY)
        .filename_prefix("daemon")
        .filename_suffix("log")
        .max_log_files(LOG_FILES)
        .build(paths.log_dir())?;
    let (writer, guard) = tracing_appender::non_blocking(file);
    let filter = tracing_subscriber::EnvFilter::try_new(&config.log)?;
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_ansi(false).init();
    Ok(guard)
}

/// Opens the socket. A stale one is removed: we hold the lock, so nobody serves it.
fn listen(paths: &Paths) -> std::io::Result<StdUnixListener> {
    let path = paths.daemon_socket();
    match fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = StdUnixListener::bind(&path)?;
    fs::set_permissions(&path, Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

async fn serve(
    paths: Paths,
    config: Config,
    socket: StdUnixListener,
    mut opened: (areyouj_store::Committer, Snapshot),
) -> anyhow::Result<()> {
    let mut listener = UnixListener::from_std(socket)?;
    let mut signals = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let started_at = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let mut announced = false;
    loop {
        let shared = Arc::new(Shared {
            paths: paths.clone(),
            config: config.clone(),
            started_at: u64::try_from(started_at)?,
            hub: Hub::default(),
            reader: Arc::new(Mutex::new(Reader::open(&paths.database())?)),
        });
        let (committer, snapshot) = opened;
        let ended = |row: &&SessionRow| !row.host && row.goal != Goal::Run;
        let ended: Vec<SessionRow> = snapshot.sessions.iter().filter(ended).cloned().collect();
        let (inbox, events) = mpsc::channel(core::INBOX);
        let core = core::spawn(settings(&config), snapshot, committer, events)?;
        if !std::mem::replace(&mut announced, true) {
            tracing::info!(pid = std::process::id(), "the daemon serves");
            report_ready();
        }
        let mut daemon = Daemon {
            shared,
            inbox,
            links: HashMap::new(),
            queues: Queues::default(),
            tasks: JoinSet::new(),
            clients: 0,
        };
        for row in ended {
            let link = daemon.link(row.id, row.launch, row.driver, row.directory);
            daemon.links.remove(&row.id);
            daemon.tasks.spawn(link.see_off());
        }
        let end = daemon.serve(&mut listener, core.committed, &mut signals).await;
        daemon.farewell(core.ended).await;
        match end {
            End::Asked => return Ok(()),
            End::StoreFailed(error) => {
                match outage::wait(&error, &paths.database(), &mut listener, &mut signals).await {
                    Some(reopened) => {
                        tracing::info!("the store is back; the state was read anew");
                        opened = reopened;
                    }
                    None => return Ok(()),
                }
            }
        }
    }
}

/// Whether a client is of our own user; anybody else is turned away.
fn is_ours(stream: &UnixStream) -> bool {
    let ours = nix::unistd::geteuid().as_raw();
    match stream.peer_cred() {
        Ok(peer) if peer.uid() == ours => return true,
        Ok(peer) => tracing::warn!(uid = peer.uid(), "a stranger was turned away"),
        Err(error) => tracing::warn!(%error, "a client without credentials was turned away"),
    }
    false
}

/// Removes what a daemon left of removed sessions because it was killed before it came to their files.
fn remove_leftovers(paths: &Paths, snapshot: &Snapshot) {
    let kept: HashSet<SessionId> = snapshot.sessions.iter().map(|row| row.id).collect();
    for removed in snapshot.used_ids.iter().filter(|id| !kept.contains(id)) {
        remove_files(&paths.session_dir(removed));
    }
}

fn remove_files(directory: &Path) {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            tracing::warn!(%error, directory = %directory.display(), "files were left behind");
        }
        _ => {}
    }
}

fn settings(config: &Config) -> Settings {
    Settings {
        max_active: config.max_active_sessions,
        max_starting: config.max_starting,
        on_interrupted: match config.on_interrupted {
            OnInterrupted::Ask => None,
            OnInterrupted::Continue => Some(Recovery::Continue),
            OnInterrupted::Again => Some(Recovery::Again),
            OnInterrupted::Skip => Some(Recovery::Skip),
        },
    }
}

/// One run of the daemon over one opening of the store.
struct Daemon {
    shared: Arc<Shared>,
    inbox: mpsc::Sender<Event>,
    links: HashMap<SessionId, (u32, mpsc::UnboundedSender<ToLink>)>,
    queues: Queues,
    tasks: JoinSet<()>,
    clients: ClientId,
}

impl Daemon {
    async fn serve(
        &mut self,
        listener: &mut UnixListener,
        mut committed: mpsc::Receiver<Committed>,
        (terminate, interrupt): &mut (Signal, Signal),
    ) -> End {
        let mut deaf_until: Option<tokio::time::Instant> = None;
        loop {
            tokio::select! {
                step = committed.recv() => match step {
                    Some((Ok(()), steps)) => {
                        for effect in steps.into_iter().flatten() {
                            if matches!(effect, Effect::Exit) {
                                return End::Asked;
                            }
                            self.carry_out(effect).await;
                        }
                    }
                    Some((Err(error), steps)) => {
                        tracing::error!(%error, "the store failed");
                        self.refuse(&error, steps);
                        while let Ok((_, steps)) = committed.try_recv() {
                            self.refuse(&error, steps);
                        }
                        // Those that have not come to their turn are told too: on a full disk they never might.
                        self.shared.hub.refuse_pending(&error.problem(&self.shared.paths.database()));
                        return End::StoreFailed(error);
                    }
                    // The writer is gone, which it is only after a panic.
                    None => return End::StoreFailed(StoreError::Failed("its thread is gone".to_owned())),
                },
                () = tokio::time::sleep_until(deaf_until.unwrap_or_else(tokio::time::Instant::now)), if deaf_until.is_some() => {
                    deaf_until = None;
                }
                connection = listener.accept(), if deaf_until.is_none() => match connection {
                    Ok((stream, _)) => self.welcome(stream),
                    Err(error) => {
                        // Out of descriptors: those who wait are served when some are free again. Everybody else is
                        // served meanwhile.
                        tracing::error!(%error, "no connection can be accepted");
                        deaf_until = Some(tokio::time::Instant::now() + DEAF);
                    }
                },
                _ = terminate.recv() => return End::Asked,
                _ = interrupt.recv() => return End::Asked,
                Some(_) = self.tasks.join_next() => {}
            }
        }
    }

    fn welcome(&mut self, stream: UnixStream) {
        if !is_ours(&stream) {
            return;
        }
        self.clients += 1;
        let connection = Arc::new(Connection::new(self.clients));
        self.shared.hub.add(self.clients, Arc::clone(&connection));
        self.tasks.spawn(connection.serve(stream, Arc::clone(&self.shared), self.inbox.clone()));
    }

    async fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Reply { client, reply, result } => {
                self.shared.hub.reply(client, reply, result, &self.shared.reader);
            }
            Effect::Publish(Notice::QueueChanged(session)) => {
                if self.shared.hub.is_heard()
                    && let Some(asking) = self.queues.changed(session, &self.inbox)
                {
                    self.tasks.spawn(asking);
                }
            }
            Effect::Publish(notice) => self.shared.hub.publish(notice),
            Effect::Launch(order) => self.launch(order),
            Effect::Adopt { session, launch, driver, directory, position } => {
                let link = self.link(session, launch, driver, directory);
                self.tasks.spawn(link.adopt(position));
            }
            Effect::Inspect { session, look, claude_session, messages } => {
                let (shared, inbox) = (Arc::clone(&self.shared), self.inbox.clone());
                self.tasks.spawn(async move {
                    let (conversation, seen) =
                        launch::inspect(shared, session, claude_session, messages).await;
                    let _ = inbox.send(Event::Inspected { session, look, conversation, seen }).await;
                });
            }
            Effect::Send { session, launch, input } => {
                self.order(session, Some(launch), ToLink::Tell(Box::new(input)));
            }
            Effect::Stop { session, launch } => self.order(session, Some(launch), ToLink::Stop),
            Effect::Ingested { session, offset } => self.order(session, None, ToLink::Ingested(offset)),
            Effect::Release { session, launch } => {
                self.order(session, Some(launch), ToLink::Release);
                self.links.remove(&session);
            }
            Effect::RemoveFiles { session } => {
                self.queues.forget(session);
                // Waited for: whoever asked is told that they are gone.
                let directory = self.shared.paths.session_dir(&session);
                let _ = tokio::task::spawn_blocking(move || remove_files(&directory)).await;
            }
            Effect::Persist(_) | Effect::Exit => {}
        }
    }

    fn link(&mut self, session: SessionId, launch: u32, driver: Driver, directory: String) -> Link {
        let (sender, mailbox) = mpsc::unbounded_channel();
        self.links.insert(session, (launch, sender));
        Link {
            shared: Arc::clone(&self.shared),
            session,
            launch,
            driver,
            directory,
            inbox: self.inbox.clone(),
            mailbox,
            early: VecDeque::new(),
            stop_by: None,
        }
    }

    fn launch(&mut self, order: LaunchOrder) {
        let link = self.link(order.session, order.launch, order.driver, order.directory.clone());
        self.tasks.spawn(link.launch(order));
    }

    fn order(&self, session: SessionId, launch: Option<u32>, order: ToLink) {
        if let Some((current, mailbox)) = self.links.get(&session)
            && launch.is_none_or(|launch| launch == *current)
        {
            // A link that is gone has said so, and what follows from that is on its way.
            let _ = mailbox.send(order);
        }
    }

    /// What could not be stored did not happen: whoever asked for it is told so.
    fn refuse(&self, error: &StoreError, steps: Vec<Vec<Effect>>) {
        let problem = error.problem(&self.shared.paths.database());
        for effect in steps.into_iter().flatten() {
            if let Effect::Reply { client, reply, .. } = effect {
                let refused: Result<Outcome, Problem> = Err(problem.clone());
                self.shared.hub.reply(client, reply, refused, &self.shared.reader);
            }
        }
    }

    /// Lets answers leave, then ends everything and lets the database be closed. Sessions go on in their hosts.
    async fn farewell(mut self, core: JoinHandle<()>) {
        self.links.clear();
        self.shared.hub.close();
        let _ =
            tokio::time::timeout(FAREWELL, async { while self.tasks.join_next().await.is_some() {} }).await;
        self.tasks.shutdown().await;
        drop(self.inbox);
        // A disk that hangs must not keep the daemon from ending.
        let _ = tokio::time::timeout(FAREWELL, core).await;
    }
}
