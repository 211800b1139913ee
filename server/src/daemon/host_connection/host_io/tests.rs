//! A file system that hangs does not stop the I/O of a host connection.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;
use crate::daemon::claude::status_poller::StatusPoller;
use crate::daemon::host_connection::following::Beginning;
use areyouj_core::orchestrator::{Driver, Fact, Position};
use areyouj_host::wire::ToHost;
use areyouj_journal::{Kind, Started, Writer};

/// Far longer than anything here takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(30);

/// The host of a terminal session, played by the test.
struct Host {
    stream: UnixStream,
    journal: Writer,
    orders: mpsc::UnboundedSender<HostOrder>,
    events: mpsc::Receiver<Event>,
    io: JoinHandle<End>,
}

impl Host {
    fn start(directory: &Path, record: ReadRecord) -> Host {
        let (stream, daemons) = UnixStream::pair().unwrap();
        let journal = Writer::open(&directory.join("journal"), 0).unwrap();
        let position = Position { next: journal.end(), line_start: journal.end(), line_skip: 0 };
        let mut reading = Reading::new(1, Driver::Terminal, directory.join("journal"), position);
        let (orders, mut mailbox) = mpsc::unbounded_channel();
        let (inbox, events) = mpsc::channel(1);
        let session = "AAAAAAAA".parse().unwrap();
        let following = Following::new(Beginning {
            session,
            launch: 1,
            driver: Driver::Terminal,
            host_pid: 7,
            keyed: true,
            end: journal.end(),
            start: reading.start(),
            state: reading.state(),
            poller: Some(StatusPoller::new(Instant::now())),
            stop_by: None,
        });
        let host = HostProcess { lock: directory.join("host.lock"), pid: None };
        let io = tokio::spawn(async move {
            let io = HostIo {
                session,
                socket: HostSocket::new(daemons),
                host,
                reading: &mut reading,
                mailbox: &mut mailbox,
                inbox,
                gate: Gate::new(),
                record: Some(record),
            };
            io.run(following, VecDeque::new()).await
        });
        Host { stream, journal, orders, events, io }
    }

    async fn event(&mut self) -> Event {
        timeout(DEADLINE, self.events.recv()).await.unwrap().unwrap()
    }

    /// Waits for this frame from the daemon.
    async fn hears(&mut self, frame: &ToHost) {
        let mut wanted = Vec::new();
        frame.encode(&mut wanted);
        let mut heard = Vec::new();
        while !heard.ends_with(&wanted) {
            timeout(DEADLINE, self.stream.readable()).await.unwrap().unwrap();
            let _ = self.stream.try_read_buf(&mut heard);
        }
    }

    fn says(&self, frame: &FromHost) {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes);
        assert_eq!(self.stream.try_write(&bytes).unwrap(), bytes.len());
    }
}

#[tokio::test(start_paused = true)]
async fn a_home_directory_that_hangs_delays_neither_the_journal_nor_orders_nor_the_end() {
    let directory = tempfile::tempdir().unwrap();
    let (release, hanging) = std::sync::mpsc::channel::<()>();
    let (hanging, polls) = (std::sync::Mutex::new(hanging), Arc::new(AtomicUsize::new(0)));
    let read = Arc::new({
        let polls = Arc::clone(&polls);
        move |_: Poll| {
            polls.fetch_add(1, Ordering::SeqCst);
            let _ = hanging.lock().unwrap().recv();
            Polled::default()
        }
    });
    let mut host = Host::start(directory.path(), ReadRecord { home: "/home".to_owned(), read });
    assert!(matches!(host.event().await, Event::Launched { .. }));
    assert!(matches!(host.event().await, Event::Synced { .. }));
    timeout(DEADLINE, async {
        while polls.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();

    // Time for many more polls.
    tokio::time::advance(DEADLINE).await;
    host.journal.append(Kind::Started, &Started { launch: 1, pid: 8 }.encode()).unwrap();
    host.says(&FromHost::Appended { end: host.journal.end() });
    let Event::Facts { facts, .. } = host.event().await else { panic!("no facts") };
    assert!(matches!(&facts[..], [Fact::Started { .. }]), "{facts:?}");
    let _ = host.orders.send(HostOrder::Ingested(5));
    host.hears(&ToHost::Ingested { offset: 5 }).await;
    assert_eq!(polls.load(Ordering::SeqCst), 1, "a poll that hangs is not repeated");

    drop(host.orders);
    assert_eq!(timeout(DEADLINE, host.io).await.unwrap().unwrap(), End::Over);
    drop(release);
}
