//! The thread that makes changes durable. One transaction commits everything that arrived during the previous one.

use std::thread::{self, JoinHandle};

use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::{Committer, StoreError};
use areyouj_core::orchestrator::Change;

/// The maximum number of batches in one transaction, which waits for the disk once. With more batches, writing takes
/// longer than that wait, and the last batch would delay the response to the first.
const GROUP_MAX_BATCHES: usize = 256;

/// The changes of one step of the orchestrator, and the value to return once they are durable.
struct Batch<T> {
    changes: Vec<Change>,
    then: T,
}

/// A handle to the writer thread. When it is dropped, the thread finishes all submitted batches and exits.
pub struct WriterHandle<T> {
    sender: Sender<Batch<T>>,
    thread: JoinHandle<()>,
}

/// Starts the writer thread. It calls `done` once per transaction with the `then` values of its batches, in the order
/// of submission, when their changes and those of all earlier batches are on disk.
///
/// If a transaction fails, `done` receives the error for every batch of that transaction and for all later batches: the
/// daemon's memory is then ahead of the disk, and the daemon must restart from the disk.
///
/// `capacity` is the number of batches that can wait for the thread before [`WriterHandle::submit`] blocks.
///
/// # Errors
///
/// The system cannot create another thread.
pub fn spawn_writer<T: Send + 'static>(
    committer: Committer,
    capacity: usize,
    done: impl FnMut(Result<(), StoreError>, Vec<T>) + Send + 'static,
) -> Result<WriterHandle<T>, StoreError> {
    let (sender, receiver) = channel(capacity);
    let thread = thread::Builder::new()
        .name("areyouj-store".to_owned())
        .spawn(move || run(committer, receiver, done))?;
    Ok(WriterHandle { sender, thread })
}

impl<T> WriterHandle<T> {
    /// Submits changes, possibly none, and the value for `done` when they are on disk. It returns immediately, unless
    /// the number of waiting batches has reached the capacity: then it waits for the disk. This back-pressure is
    /// intended: changes must not arrive faster than they can be stored.
    ///
    /// # Errors
    ///
    /// Returns `then` if the thread has exited, which happens only after a panic.
    pub async fn submit(&self, changes: Vec<Change>, then: T) -> Result<(), T> {
        self.sender.send(Batch { changes, then }).await.map_err(|error| error.0.then)
    }

    /// Blocks until all submitted batches are done and the database is closed.
    pub fn close(self) {
        drop(self.sender);
        // The thread has already reported its panic.
        let _ = self.thread.join();
    }
}

fn run<T>(
    mut committer: Committer,
    mut receiver: Receiver<Batch<T>>,
    mut done: impl FnMut(Result<(), StoreError>, Vec<T>),
) {
    let mut outcome = Ok(());
    let mut group = Vec::new();
    while receiver.blocking_recv_many(&mut group, GROUP_MAX_BATCHES) > 0 {
        let changes = group.iter().flat_map(|batch| &batch.changes);
        if outcome.is_ok() && changes.clone().next().is_some() {
            outcome = committer.commit_all(changes);
        }
        done(outcome.clone(), group.drain(..).map(|batch| batch.then).collect());
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::path::PathBuf;
    use std::process::{Command, Stdio};
    use std::sync::mpsc::{self, channel};
    use std::time::Duration;

    use super::*;
    use crate::samples::{Store, entry_change, session, session_id};
    use crate::{Reader, open};

    /// Long enough for a slow disk, short enough to detect a hang.
    const DEADLINE: Duration = Duration::from_secs(60);

    /// The variable with the path of the database, for the child process of the test that kills it.
    const CHILD: &str = "AREYOUJ_TEST_STORE_CHILD";

    fn count(reader: &Reader) -> u64 {
        reader.totals().unwrap().2
    }

    /// A store with one session, ready for entries.
    fn store() -> Store {
        let mut store = Store::new();
        store.commit(&[Change::Session(Box::new(session(session_id("AAAAAAAA"))))]);
        store
    }

    fn entry(seq: u64) -> Change {
        entry_change(session_id("AAAAAAAA"), seq)
    }

    fn submit<T: std::fmt::Debug>(writer: &WriterHandle<T>, changes: Vec<Change>, then: T) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(writer.submit(changes, then)).unwrap();
    }

    #[test]
    fn batches_are_reported_in_order_and_only_when_they_are_readable() {
        let mut store = store();
        let reader = store.reader();
        let (report, reports) = channel();
        let writer = spawn_writer(store.take_committer(), 8, move |outcome, group: Vec<u64>| {
            let visible = count(&reader);
            group.into_iter().for_each(|seq| report.send((outcome.clone(), seq, visible)).unwrap());
        })
        .unwrap();
        for seq in 1..=500 {
            submit(&writer, vec![entry(seq)], seq);
        }
        writer.close();
        let reports: Vec<_> = reports.iter().collect();
        assert_eq!(reports.len(), 500);
        for (expected, (outcome, seq, visible)) in (1..).zip(reports) {
            assert_eq!((outcome, seq), (Ok(()), expected));
            assert!(visible >= seq, "{seq} was reported with {visible} on disk");
        }
    }

    #[test]
    fn waiting_batches_share_one_transaction_and_empty_batches_keep_their_order() {
        let mut store = store();
        let reader = store.reader();
        let (report, reports) = channel();
        let (go, gate) = channel::<()>();
        let writer = spawn_writer(store.take_committer(), 64, move |_, group: Vec<u64>| {
            let visible = count(&reader);
            for seq in &group {
                report.send((*seq, visible)).unwrap();
            }
            if group == [0] {
                gate.recv_timeout(DEADLINE).unwrap();
            }
        })
        .unwrap();
        submit(&writer, vec![], 0);
        assert_eq!(reports.recv_timeout(DEADLINE), Ok((0, 0)));
        for seq in 1..=20 {
            // Every other batch is empty.
            let changes = if seq % 2 == 1 { vec![entry(seq / 2 + 1)] } else { vec![] };
            submit(&writer, changes, seq);
        }
        go.send(()).unwrap();
        writer.close();
        let together: Vec<_> = (1..=20).map(|seq| (seq, 10)).collect();
        assert_eq!(reports.iter().collect::<Vec<_>>(), together);
    }

    #[test]
    fn after_an_error_no_batch_is_reported_as_done() {
        let mut store = store();
        let (report, reports) = channel();
        let (go, gate) = channel::<()>();
        let writer = spawn_writer(
            store.take_committer(),
            64,
            move |outcome: Result<(), StoreError>, group: Vec<u64>| {
                for seq in &group {
                    report.send((outcome.is_ok(), *seq)).unwrap();
                }
                if group == [1] {
                    gate.recv_timeout(DEADLINE).unwrap();
                }
            },
        )
        .unwrap();
        submit(&writer, vec![entry(1)], 1);
        assert_eq!(reports.recv_timeout(DEADLINE), Ok((true, 1)));
        submit(&writer, vec![entry(2)], 2);
        submit(&writer, vec![entry_change(session_id("BBBBBBBB"), 1)], 3);
        go.send(()).unwrap();
        for seq in [2, 3] {
            assert_eq!(reports.recv_timeout(DEADLINE), Ok((false, seq)));
        }
        submit(&writer, vec![entry(3)], 4);
        submit(&writer, vec![], 5);
        writer.close();
        assert_eq!(reports.iter().collect::<Vec<_>>(), [(false, 4), (false, 5)]);
        assert_eq!(count(&store.reader()), 1);
    }

    #[test]
    fn dropping_the_handle_finishes_all_submitted_batches() {
        let mut store = store();
        let (report, reports) = channel();
        let writer = spawn_writer(store.take_committer(), 64, move |outcome, group: Vec<()>| {
            group.into_iter().for_each(|()| report.send(outcome.clone()).unwrap());
        })
        .unwrap();
        for seq in 1..=50 {
            submit(&writer, vec![entry(seq)], ());
        }
        drop(writer);
        let ended = std::iter::from_fn(|| match reports.recv_timeout(DEADLINE) {
            Ok(outcome) => Some(outcome),
            Err(mpsc::RecvTimeoutError::Disconnected) => None,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("the writer did not exit"),
        });
        assert_eq!(ended.collect::<Vec<_>>(), vec![Ok(()); 50]);
        assert_eq!(count(&store.reader()), 50);
    }

    /// The child process of the next test: writes until it is killed, and prints the batches that were reported as
    /// done.
    #[test]
    #[ignore = "the child process of another test, which kills it"]
    fn child_that_writes_until_it_is_killed() {
        let Some(path) = std::env::var_os(CHILD).map(PathBuf::from) else { return };
        let (committer, _) = open(&path).unwrap();
        let from = count(&Reader::open(&path).unwrap());
        let writer = spawn_writer(committer, 16, |outcome, group: Vec<u64>| {
            outcome.unwrap();
            for seq in group {
                // The test harness has printed an incomplete line.
                println!("\ndone {seq}");
            }
        })
        .unwrap();
        // More than the parent waits for, so that the child exits even if the parent has exited.
        for seq in from + 1..from + 100_000 {
            submit(&writer, vec![entry(seq)], seq);
        }
    }

    #[test]
    fn batches_reported_as_done_survive_sigkill_at_any_moment() {
        let mut store = store();
        store.close();
        for _ in 0..5 {
            let mut random = [0; 2];
            getrandom::fill(&mut random).unwrap();
            let batches_before_kill = usize::from(u16::from_le_bytes(random) % 500);
            let mut child = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "writer::tests::child_that_writes_until_it_is_killed"])
                .args(["--ignored", "--nocapture"])
                .env(CHILD, store.path())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let mut lines = BufReader::new(child.stdout.take().unwrap())
                .lines()
                .map(Result::unwrap)
                .filter_map(|line| line.strip_prefix("done ")?.parse::<u64>().ok());
            let before: Vec<_> = lines.by_ref().take(batches_before_kill + 1).collect();
            assert_eq!(before.len(), batches_before_kill + 1, "the child exited early");
            child.kill().unwrap();
            let done: Vec<_> = before.into_iter().chain(lines).collect();
            child.wait().unwrap();

            store.reopen();
            let reader = store.reader();
            let (kept, _) =
                reader.entries(session_id("AAAAAAAA"), None, None, usize::MAX, usize::MAX).unwrap();
            let kept: Vec<_> = kept.iter().map(|entry| entry.seq).collect();
            assert_eq!(kept, (1..=kept.len() as u64).collect::<Vec<_>>(), "no gaps");
            assert!(done.iter().all(|seq| kept.contains(seq)), "{done:?}");
            assert_eq!(reader.integrity_check(), Ok(()));
            store.close();
        }
    }
}
