//! The thread that makes changes durable: one wait for the disk for everything that came in during the last one.

use std::thread::{self, JoinHandle};

use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::{Committer, StoreError};
use areyouj_core::orchestrator::Change;

/// The most batches in one transaction. Together they wait for the disk once; beyond this many the transaction itself
/// takes longer than the wait, and the first would be kept from its answer by the last.
const GROUP_LIMIT: usize = 256;

/// What one step of the orchestrator wants kept, and what is to happen then.
struct Batch<T> {
    changes: Vec<Change>,
    then: T,
}

/// The way to the writer's thread. Dropping it ends the thread once everything submitted is done.
pub struct WriterHandle<T> {
    sender: Sender<Batch<T>>,
    thread: JoinHandle<()>,
}

/// Starts the thread that writes. It calls `done` with each batch's `then`, those of one transaction at a time and in
/// the order of submission, once the batches' changes and those of all batches before are on disk.
///
/// When a transaction fails, `done` gets the error for every batch of that transaction and for all that come later:
/// the daemon's memory is ahead of the disk then, and only starting anew from the disk puts that right.
///
/// `capacity` is how many batches wait for the thread before [`WriterHandle::submit`] does.
///
/// # Errors
///
/// The system has no room for another thread.
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
    /// Hands over changes, possibly none, and what is to happen when they are on disk. Returns at once, unless as many
    /// batches as the capacity wait already: then it waits until the disk has caught up. That is meant: nobody should
    /// produce changes faster than they can be kept.
    ///
    /// # Errors
    ///
    /// The thread is gone, which it is only after a panic; gives back `then`.
    pub async fn submit(&self, changes: Vec<Change>, then: T) -> Result<(), T> {
        self.sender.send(Batch { changes, then }).await.map_err(|refused| refused.0.then)
    }

    /// Blocks until everything submitted is done and the database is closed.
    pub fn close(self) {
        drop(self.sender);
        // A panic of the thread has been reported by the thread.
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
    while receiver.blocking_recv_many(&mut group, GROUP_LIMIT) > 0 {
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

    /// Long enough for a slow disk, short enough to notice that something hangs.
    const DEADLINE: Duration = Duration::from_secs(60);

    /// Names the database for the child of the test that kills one.
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
    fn batches_are_done_in_order_and_only_once_others_can_read_them() {
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
            assert!(visible >= seq, "{seq} was called done with {visible} on disk");
        }
    }

    #[test]
    fn batches_that_wait_share_one_transaction_and_those_without_changes_keep_their_place() {
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
            // Every other one has nothing to keep.
            let changes = if seq % 2 == 1 { vec![entry(seq / 2 + 1)] } else { vec![] };
            submit(&writer, changes, seq);
        }
        go.send(()).unwrap();
        writer.close();
        let together: Vec<_> = (1..=20).map(|seq| (seq, 10)).collect();
        assert_eq!(reports.iter().collect::<Vec<_>>(), together);
    }

    #[test]
    fn after_a_failure_nothing_is_called_done_any_more() {
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
    fn dropping_the_handle_finishes_what_was_submitted() {
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
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("the writer did not end"),
        });
        assert_eq!(ended.collect::<Vec<_>>(), vec![Ok(()); 50]);
        assert_eq!(count(&store.reader()), 50);
    }

    /// The child of the next test: writes until it is killed, and prints what it was told is done.
    #[test]
    #[ignore = "a part of another test, which kills it"]
    fn child_that_writes_until_it_is_killed() {
        let Some(path) = std::env::var_os(CHILD).map(PathBuf::from) else { return };
        let (committer, _) = open(&path).unwrap();
        let from = count(&Reader::open(&path).unwrap());
        let writer = spawn_writer(committer, 16, |outcome, group: Vec<u64>| {
            outcome.unwrap();
            for seq in group {
                // The test harness leaves its own line unfinished.
                println!("\ndone {seq}");
            }
        })
        .unwrap();
        // More than the parent ever waits for: ends by itself if the parent is gone.
        for seq in from + 1..from + 100_000 {
            submit(&writer, vec![entry(seq)], seq);
        }
    }

    #[test]
    fn whatever_was_called_done_survives_sigkill_at_any_moment() {
        let mut store = store();
        store.close();
        for _ in 0..5 {
            let mut random = [0; 2];
            getrandom::fill(&mut random).unwrap();
            let patience = usize::from(u16::from_le_bytes(random) % 500);
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
            let before: Vec<_> = lines.by_ref().take(patience + 1).collect();
            assert_eq!(before.len(), patience + 1, "the child ended by itself");
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
