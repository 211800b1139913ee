//! The gate for work on file systems that might not respond: directories of projects and Claude's files can lie on a
//! network mount whose server is gone. Such work runs on threads of its own.
//!
//! Work that hangs keeps its thread, so each kind of work has threads of its own, and each place at most one thread of
//! each kind. A dead mount thus delays only the sessions and requests that need it, however often they try.
//!
//! [`Gate::run`] bounds the time of its caller. [`Gate::run_to_end`] (starts of hosts, periodic jobs) and [`Gate::poll`]
//! do not: they wait for their work as long as it takes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{AcquireError, Mutex as AsyncMutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use areyouj_core::orchestrator::{ErrorCode, Problem};

use super::refusals::internal;

/// What work is for. Work of one kind takes no threads from another kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// Listing and checking directories for clients.
    Browse,
    /// Checks before a session is created or its driver is switched.
    Request,
    /// Checks before a start.
    Start,
    /// Reads of Claude's record of a conversation.
    Inspect,
    /// Polls of Claude's record of its process.
    Poll,
    /// Finding out whether a process that connected is inside a session.
    Peer,
    /// Work on AreYouJ's own files.
    Own,
}

const KINDS: usize = Kind::Own as usize + 1;

/// Places at which work of one kind can hang at the same time: more than sessions can be active by default.
const KIND_THREADS: usize = 32;

/// Threads that can hang in the kernel at the same time. The store and everything else have threads of their own. A thread
/// starts when there is work for it.
pub(super) const GATE_THREADS: usize = KINDS * KIND_THREADS;

/// How long a caller waits for a thread, and then for the work. A disk that has to spin up takes up to ten seconds.
const PATIENCE: Duration = Duration::from_secs(15);

/// The gate. Clones share its threads.
#[derive(Clone)]
pub(super) struct Gate(Arc<Threads>);

struct Threads {
    /// By kind.
    free: [Arc<Semaphore>; KINDS],
    /// The places where work is under way or waits.
    turns: Mutex<HashMap<(Kind, String), Turn>>,
}

/// Locked while work of one kind runs at one place.
type Turn = Arc<AsyncMutex<()>>;

/// The right to a thread, until the work ends.
type Permits = (OwnedMutexGuard<()>, Result<OwnedSemaphorePermit, AcquireError>);

impl Gate {
    pub(super) fn new() -> Gate {
        let free = std::array::from_fn(|_| Arc::new(Semaphore::new(KIND_THREADS)));
        Gate(Arc::new(Threads { free, turns: Mutex::default() }))
    }

    /// Runs the work when no other work of this kind runs at this place. A place is whatever hangs as a whole: a
    /// directory, Claude's home, or both.
    ///
    /// # Errors
    /// Those of the work; `directory_not_accessible` if the file system does not respond in time. Work that has begun
    /// still ends at some time, so it must change nothing that matters by then.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        kind: Kind,
        place: String,
        work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let working = self.start(kind, place, work).await?;
        timeout(PATIENCE, working).await.map_err(|_| not_responding())?
    }

    /// Runs work that changes something: once it has begun, the caller waits for it as long as it takes.
    ///
    /// # Errors
    /// Those of the work; `directory_not_accessible` if no thread is free in time. The work then does not begin.
    pub(super) async fn run_to_end<T: Send + 'static>(
        &self,
        kind: Kind,
        place: String,
        work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        self.start(kind, place, work).await?.await
    }

    /// Polls Claude's files in this home, and waits for it as long as it takes. `None`: the poll panicked.
    pub(super) async fn poll<T: Send + 'static>(
        &self,
        home: String,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let permits = self.permits(Kind::Poll, home).await;
        spawn(permits, work).await.ok()
    }

    /// Waits for a thread and begins the work; the returned future ends with it.
    async fn start<T: Send + 'static>(
        &self,
        kind: Kind,
        place: String,
        work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<impl Future<Output = Result<T, Problem>>, Problem> {
        let permits = timeout(PATIENCE, self.permits(kind, place)).await.map_err(|_| not_responding())?;
        let working = spawn(permits, work);
        Ok(async { working.await.unwrap_or_else(|panic| Err(internal(&panic.to_string()))) })
    }

    /// Waits until no other work of this kind runs at this place, then for a thread.
    async fn permits(&self, kind: Kind, place: String) -> Permits {
        let turn = self.turn(kind, place).lock_owned().await;
        let thread = Arc::clone(&self.0.free[kind as usize]).acquire_owned().await;
        (turn, thread)
    }

    fn turn(&self, kind: Kind, place: String) -> Turn {
        let mut turns = self.0.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        Arc::clone(turns.entry((kind, place)).or_default())
    }
}

fn spawn<T: Send + 'static>(permits: Permits, work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    tokio::task::spawn_blocking(move || {
        let _permits = permits;
        work()
    })
}

fn not_responding() -> Problem {
    Problem::new(
        ErrorCode::DirectoryNotAccessible,
        "The file system does not respond.",
        "Check the mount that the directory is on, then try again.",
    )
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tokio::task::yield_now;
    use tokio::time::advance;

    use super::*;

    /// Work that hangs until the returned sender is dropped.
    fn hanging() -> (mpsc::Sender<()>, impl FnOnce() -> Result<bool, Problem> + Send) {
        let (release, hanging) = mpsc::channel();
        (release, move || Ok(hanging.recv().is_ok()))
    }

    fn place(name: &str) -> String {
        name.to_owned()
    }

    /// Begins work that hangs at a place.
    async fn hang(gate: &Gate, kind: Kind, name: &str) -> (mpsc::Sender<()>, Attempt) {
        let (release, work) = hanging();
        let (gate, place) = (gate.clone(), place(name));
        let attempt = tokio::spawn(async move { gate.run(kind, place, work).await });
        yield_now().await;
        (release, attempt)
    }

    type Attempt = JoinHandle<Result<bool, Problem>>;

    async fn assert_given_up(attempt: Attempt) {
        advance(PATIENCE).await;
        assert_eq!(attempt.await.unwrap().unwrap_err().code, ErrorCode::DirectoryNotAccessible);
    }

    #[tokio::test(start_paused = true)]
    async fn hanging_work_is_given_up_and_delays_no_other_place_or_kind() {
        let gate = Gate::new();
        let (_release, hung) = hang(&gate, Kind::Start, "dead").await;
        assert_eq!(gate.run(Kind::Start, place("healthy"), || Ok(7)).await.unwrap(), 7);
        assert_eq!(gate.run(Kind::Inspect, place("dead"), || Ok(7)).await.unwrap(), 7);
        assert_given_up(hung).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_dead_place_keeps_one_thread_however_often_it_is_tried() {
        let gate = Gate::new();
        let (release, hung) = hang(&gate, Kind::Inspect, "dead").await;
        assert_given_up(hung).await;
        for _ in 0..10 {
            let (_, attempt) = hang(&gate, Kind::Inspect, "dead").await;
            assert_given_up(attempt).await;
        }
        assert_eq!(gate.0.free[Kind::Inspect as usize].available_permits(), KIND_THREADS - 1);

        drop(release);
        assert_eq!(gate.run(Kind::Inspect, place("dead"), || Ok(7)).await.unwrap(), 7, "it responds again");
    }

    #[tokio::test(start_paused = true)]
    async fn a_kind_whose_threads_all_hang_refuses_in_time_and_leaves_the_others_theirs() {
        let gate = Gate::new();
        let mut hung = Vec::new();
        for dead in 0..KIND_THREADS {
            hung.push(hang(&gate, Kind::Browse, &format!("dead {dead}")).await);
        }
        let (_, refused) = hang(&gate, Kind::Browse, "healthy").await;
        assert_given_up(refused).await;
        assert_eq!(gate.run(Kind::Request, place("healthy"), || Ok(7)).await.unwrap(), 7);
    }

    #[tokio::test(start_paused = true)]
    async fn a_healthy_home_is_polled_while_the_polls_of_many_sessions_wait_for_another() {
        let gate = Gate::new();
        let (release, work) = hanging();
        let dead = gate.clone();
        tokio::spawn(async move { dead.poll(place("dead"), work).await });
        yield_now().await;
        let waiting: Vec<_> = (0..2 * KIND_THREADS)
            .map(|session| {
                let gate = gate.clone();
                tokio::spawn(async move { gate.poll(place("dead"), move || session).await })
            })
            .collect();
        yield_now().await;
        assert_eq!(gate.poll(place("healthy"), || 7).await, Some(7));
        drop(release);
        for (session, poll) in waiting.into_iter().enumerate() {
            assert_eq!(poll.await.unwrap(), Some(session), "it responds again");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn places_without_work_are_forgotten() {
        let gate = Gate::new();
        for healthy in 0..100 {
            gate.run(Kind::Browse, healthy.to_string(), || Ok(())).await.unwrap();
        }
        assert!(gate.0.turns.lock().unwrap().len() <= 2);
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_changes_something_is_waited_for() {
        let gate = Gate::new();
        let (release, work) = hanging();
        let working = tokio::spawn({
            let gate = gate.clone();
            async move { gate.run_to_end(Kind::Own, place("session"), work).await }
        });
        yield_now().await;
        advance(10 * PATIENCE).await;
        assert!(!working.is_finished());
        drop(release);
        assert!(!working.await.unwrap().unwrap());
    }
}
