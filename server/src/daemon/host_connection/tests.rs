//! A release reaches a host whose connection broke.

use std::fs::File;
use std::time::Duration;

use nix::fcntl::{Flock, FlockArg};
use tempfile::TempDir;
use tokio::net::UnixListener;
use tokio::task::JoinHandle;

use super::*;
use crate::config::Config;
use crate::daemon::door::Door;
use crate::daemon::gate::Gate;
use crate::daemon::hub::Hub;
use crate::daemon::jobs::Jobs;
use crate::paths::Paths;
use areyouj_host::wire::CONTRACT;
use areyouj_store::ReaderPool;

/// Far longer than anything here takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// A host whose Claude has ended, played by the test: it lives until it is released.
struct Host {
    _home: TempDir,
    _lock: Flock<File>,
    listener: UnixListener,
    orders: mpsc::UnboundedSender<HostOrder>,
    events: mpsc::Receiver<Event>,
    connection: JoinHandle<()>,
}

/// What the daemon sends, and where it gets its answers.
struct DaemonSocket {
    stream: UnixStream,
    heard: Vec<u8>,
}

impl Host {
    /// A host that the daemon adopts.
    fn start() -> Host {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::from_environment(|name| {
            (name == "AREYOUJ_HOME").then(|| home.path().as_os_str().to_owned())
        })
        .unwrap();
        paths.create().unwrap();
        drop(areyouj_store::open(&paths.database()).unwrap());
        let session = "AAAAAAAA".parse().unwrap();
        fs::create_dir_all(paths.session_dir(&session)).unwrap();
        let lock = File::create(paths.session_dir(&session).join("host.lock")).unwrap();
        let lock = Flock::lock(lock, FlockArg::LockExclusiveNonblock).unwrap();
        let listener = UnixListener::bind(paths.host_socket(&session)).unwrap();
        let (orders, mailbox) = mpsc::unbounded_channel();
        let (inbox, events) = mpsc::channel(8);
        let connection = HostConnection {
            shared: Arc::new(Shared {
                config: Config::load(&home.path().join("no configuration")).unwrap(),
                umask: nix::sys::stat::Mode::S_IRWXO,
                started_at: 0,
                hub: Hub::default(),
                reader: Arc::new(ReaderPool::open(&paths.database()).unwrap()),
                gate: Gate::new(),
                jobs: Jobs::default(),
                door: Door::new(&paths).unwrap(),
                paths,
            }),
            session,
            launch: 1,
            driver: Driver::Stream,
            directory: "/".to_owned(),
            inbox,
            mailbox,
            early: VecDeque::new(),
            stop_by: None,
        };
        let connection = tokio::spawn(connection.adopt(Position::default()));
        Host { _home: home, _lock: lock, listener, orders, events, connection }
    }

    /// Accepts a connection of the daemon, and introduces itself.
    async fn accept(&self) -> DaemonSocket {
        let (stream, _) = timeout(DEADLINE, self.listener.accept()).await.unwrap().unwrap();
        let mut socket = DaemonSocket { stream, heard: Vec::new() };
        socket.wait_for(|frame| matches!(frame, ToHost::Hello { .. })).await;
        let host_pid = std::process::id();
        socket.say(&FromHost::Welcome {
            contract: CONTRACT,
            launch: 1,
            host_pid,
            claude_pid: None,
            end: 0,
            keyed: true,
        });
        socket
    }

    async fn wait_for(&mut self, wanted: impl Fn(&Event) -> bool) {
        while !wanted(&timeout(DEADLINE, self.events.recv()).await.unwrap().unwrap()) {}
    }

    /// Waits until the daemon releases this host by another connection.
    async fn until_released(self) {
        let mut socket = self.accept().await;
        socket.wait_for(|frame| matches!(frame, ToHost::Status)).await;
        socket.say(&FromHost::State { claude_pid: None, exited: true, end: 0, pending_input: 0 });
        socket.wait_for(|frame| matches!(frame, ToHost::Release)).await;
        drop((socket, self.orders));
        timeout(DEADLINE, self.connection).await.unwrap().unwrap();
    }
}

impl DaemonSocket {
    async fn wait_for(&mut self, wanted: impl Fn(&ToHost) -> bool) {
        loop {
            while let Some((frame, consumed)) = ToHost::decode(&self.heard).unwrap() {
                self.heard.drain(..consumed);
                if wanted(&frame) {
                    return;
                }
            }
            timeout(DEADLINE, self.stream.readable()).await.unwrap().unwrap();
            if let Ok(0) = self.stream.try_read_buf(&mut self.heard) {
                panic!("the daemon hung up");
            }
        }
    }

    fn say(&self, frame: &FromHost) {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes);
        assert_eq!(self.stream.try_write(&bytes).unwrap(), bytes.len());
    }
}

#[tokio::test]
async fn a_release_that_comes_after_the_connection_broke_reaches_the_host() {
    let mut host = Host::start();
    let socket = host.accept().await;
    host.wait_for(|event| matches!(event, Event::Synced { .. })).await;
    drop(socket);
    host.wait_for(|event| matches!(event, Event::HostConnectionLost { .. })).await;
    host.orders.send(HostOrder::Release).unwrap();
    host.until_released().await;
}

#[tokio::test]
async fn a_release_that_the_connection_lost_is_repeated() {
    let mut host = Host::start();
    let mut socket = host.accept().await;
    host.wait_for(|event| matches!(event, Event::Synced { .. })).await;
    host.orders.send(HostOrder::Release).unwrap();
    socket.wait_for(|frame| matches!(frame, ToHost::Release)).await;
    drop(socket);
    host.until_released().await;
}

#[tokio::test]
async fn a_connection_that_another_one_replaces_leaves_the_host_alone() {
    let mut host = Host::start();
    let socket = host.accept().await;
    host.wait_for(|event| matches!(event, Event::Synced { .. })).await;
    drop(socket);
    host.wait_for(|event| matches!(event, Event::HostConnectionLost { .. })).await;
    drop(host.orders);
    timeout(DEADLINE, host.connection).await.unwrap().unwrap();
    assert!(timeout(Duration::ZERO, host.listener.accept()).await.is_err());
}
