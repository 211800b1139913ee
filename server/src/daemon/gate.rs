//! The gate for all work on file systems that might not respond: directories of projects and Claude's files can lie on a
//! network mount whose server is gone. Such work runs on threads of its own, in bounded number, and its caller waits for
//! a bounded time, so a dead mount delays only the sessions that live on it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

use areyouj_core::orchestrator::{ErrorCode, Problem};

use super::refusals::internal;

/// Threads that can hang in the kernel at the same time. The store and everything else have threads of their own.
pub(super) const GATE_THREADS: usize = 8;

/// Threads of the gate that polls can occupy: polls that hang leave room for everything else.
const POLL_THREADS: usize = 4;

/// How long a caller waits for a thread, and then for the work. A disk that has to spin up takes up to ten seconds.
const PATIENCE: Duration = Duration::from_secs(15);

/// The gate. Clones share its threads.
#[derive(Clone)]
pub(super) struct Gate {
    threads: Arc<Semaphore>,
    polls: Arc<Semaphore>,
}

impl Gate {
    pub(super) fn new() -> Gate {
        Gate {
            threads: Arc::new(Semaphore::new(GATE_THREADS)),
            polls: Arc::new(Semaphore::new(POLL_THREADS)),
        }
    }

    /// Runs the work on a thread of the gate.
    ///
    /// # Errors
    /// Those of the work; `directory_not_accessible` if the file system does not respond in time. The work then still
    /// ends at some time, so it must change nothing that matters by then.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let working = self.start(work).await?;
        timeout(PATIENCE, working).await.map_err(|_| not_responding())?
    }

    /// Runs work that changes something: once it has begun, the caller waits for it as long as it takes.
    ///
    /// # Errors
    /// Those of the work; `directory_not_accessible` if no thread is free in time. The work then does not begin.
    pub(super) async fn run_to_end<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        self.start(work).await?.await
    }

    /// Waits for a thread and begins the work; the returned future ends with it.
    async fn start<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<impl Future<Output = Result<T, Problem>>, Problem> {
        let Ok(thread) = timeout(PATIENCE, Arc::clone(&self.threads).acquire_owned()).await else {
            return Err(not_responding());
        };
        let working = tokio::task::spawn_blocking(move || {
            let _thread = thread;
            work()
        });
        Ok(async { working.await.unwrap_or_else(|panic| Err(internal(&panic.to_string()))) })
    }

    /// Runs a poll now or not at all, and waits for it as long as it takes. `None`: no thread is free, or the poll
    /// panicked.
    ///
    /// The caller begins no second poll before the first one ended, so that a dead mount occupies one thread of each
    /// caller at most.
    pub(super) async fn poll<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let poll = Arc::clone(&self.polls).try_acquire_owned().ok()?;
        let thread = Arc::clone(&self.threads).try_acquire_owned().ok()?;
        let working = tokio::task::spawn_blocking(move || {
            let _permits = (poll, thread);
            work()
        });
        working.await.ok()
    }
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

    use super::*;

    /// Work that hangs until the returned sender is dropped.
    fn hanging() -> (mpsc::Sender<()>, impl FnOnce() -> Result<bool, Problem> + Send) {
        let (release, hanging) = mpsc::channel();
        (release, move || Ok(hanging.recv().is_ok()))
    }

    #[tokio::test(start_paused = true)]
    async fn hanging_work_is_given_up_and_delays_no_other() {
        let gate = Gate::new();
        let (_release, work) = hanging();
        let hung = tokio::spawn({
            let gate = gate.clone();
            async move { gate.run(work).await }
        });
        tokio::task::yield_now().await;
        assert_eq!(gate.run(|| Ok(7)).await.unwrap(), 7);
        tokio::time::advance(PATIENCE).await;
        assert_eq!(hung.await.unwrap().unwrap_err().code, ErrorCode::DirectoryNotAccessible);
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_gate_refuses_in_time() {
        let gate = Gate::new();
        let mut releases = Vec::new();
        for _ in 0..GATE_THREADS {
            let (release, work) = hanging();
            releases.push(release);
            let gate = gate.clone();
            tokio::spawn(async move { gate.run(work).await });
        }
        tokio::task::yield_now().await;
        let refused = tokio::spawn(async move { gate.run(|| Ok(())).await });
        tokio::task::yield_now().await;
        tokio::time::advance(PATIENCE).await;
        assert_eq!(refused.await.unwrap().unwrap_err().code, ErrorCode::DirectoryNotAccessible);
    }

    #[tokio::test(start_paused = true)]
    async fn polls_that_hang_leave_room_for_other_work() {
        let gate = Gate::new();
        let mut releases = Vec::new();
        for _ in 0..GATE_THREADS {
            let (release, work) = hanging();
            releases.push(release);
            let gate = gate.clone();
            tokio::spawn(async move { gate.poll(work).await });
        }
        tokio::task::yield_now().await;
        assert_eq!(gate.poll(|| 7).await, None, "all threads for polls hang");
        assert_eq!(gate.run(|| Ok(7)).await.unwrap(), 7);
        drop(releases);
        while gate.poll(|| 7).await.is_none() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_changes_something_is_waited_for() {
        let gate = Gate::new();
        let (release, work) = hanging();
        let working = tokio::spawn({
            let gate = gate.clone();
            async move { gate.run_to_end(work).await }
        });
        tokio::task::yield_now().await;
        tokio::time::advance(10 * PATIENCE).await;
        assert!(!working.is_finished());
        drop(release);
        assert!(!working.await.unwrap().unwrap());
    }
}
