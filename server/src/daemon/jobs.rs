//! Periodic work of the daemon: named jobs, each with its own period. Two runs of one job never overlap.
//!
//! A job runs on a thread of the gate, which begins no second run before the first one has ended. A job that hangs thus
//! delays nothing but itself. `areyouj daemon status` shows when each
//! job ran last and runs next, and why its last run failed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::{Instant, sleep_until};

use super::gate::{Gate, Kind};
use areyouj_core::orchestrator::Problem;
use areyouj_protocol as wire;

/// A job and its work.
pub(super) struct Job {
    pub(super) name: &'static str,
    pub(super) period: Duration,
    pub(super) work: Arc<dyn Fn() -> Result<(), Problem> + Send + Sync>,
}

/// The runs of all jobs. They outlast an outage of the store, after which the jobs start anew. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Jobs(Arc<Mutex<Vec<Runs>>>);

struct Runs {
    name: &'static str,
    period: Duration,
    /// When the last run began, in milliseconds since the epoch.
    last_run: Option<u64>,
    next_run: Instant,
    last_error: Option<String>,
}

impl Jobs {
    /// Runs the job after each of its periods, until the task is aborted.
    pub(super) async fn run(self, job: Job, gate: Gate) {
        loop {
            sleep_until(self.runs(&job, |runs| runs.next_run)).await;
            self.runs(&job, |runs| {
                runs.last_run = Some(now_ms());
                runs.next_run = Instant::now() + runs.period;
            });
            let work = Arc::clone(&job.work);
            let result = gate.run_to_end(Kind::Own, job.name.to_owned(), move || work());
            let error = result.await.err().map(|problem| format!("{} {}", problem.message, problem.hint()));
            if let Some(error) = &error {
                tracing::warn!(job = job.name, error, "a periodic job failed");
            }
            self.runs(&job, |runs| runs.last_error = error);
        }
    }

    /// The jobs for a client.
    pub(super) fn status(&self) -> Vec<wire::Job> {
        let (now, now_ms) = (Instant::now(), now_ms());
        let at = |at: Instant| now_ms + milliseconds(at - now) - milliseconds(now - at);
        let jobs = self.lock();
        jobs.iter()
            .map(|runs| wire::Job {
                name: runs.name.to_owned(),
                period_seconds: runs.period.as_secs(),
                last_run: runs.last_run,
                next_run: at(runs.next_run),
                last_error: runs.last_error.clone(),
            })
            .collect()
    }

    /// Reads or changes the runs of the job. A new job runs after its first period.
    fn runs<T>(&self, job: &Job, change: impl FnOnce(&mut Runs) -> T) -> T {
        let mut jobs = self.lock();
        let place = jobs.iter().position(|runs| runs.name == job.name).unwrap_or_else(|| {
            jobs.push(Runs {
                name: job.name,
                period: job.period,
                last_run: None,
                next_run: Instant::now() + job.period,
                last_error: None,
            });
            jobs.len() - 1
        });
        change(&mut jobs[place])
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Runs>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Now, in milliseconds since the epoch.
fn now_ms() -> u64 {
    milliseconds(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::mpsc;

    use tokio::sync::mpsc as channel;
    use tokio::task::JoinHandle;
    use tokio::time::advance;

    use super::*;
    use areyouj_core::orchestrator::ErrorCode;

    const PERIOD: Duration = Duration::from_secs(60);

    /// A job that reports each run and then takes its result from the returned sender.
    fn job() -> (Job, channel::UnboundedReceiver<()>, mpsc::Sender<Result<(), Problem>>) {
        let (report, runs) = channel::unbounded_channel();
        let (results, next) = mpsc::channel();
        let next = Mutex::new(next);
        let work = Arc::new(move || {
            let _ = report.send(());
            next.lock().unwrap().recv().unwrap()
        });
        (Job { name: "tidy", period: PERIOD, work }, runs, results)
    }

    fn start(jobs: &Jobs, gate: &Gate, job: Job) -> JoinHandle<()> {
        tokio::spawn(jobs.clone().run(job, gate.clone()))
    }

    async fn until(jobs: &Jobs, holds: impl Fn(&wire::Job) -> bool) {
        while !jobs.status().first().is_some_and(&holds) {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_runs_after_each_period_and_shows_its_last_error() {
        let jobs = Jobs::default();
        let (job, mut runs, results) = job();
        let task = start(&jobs, &Gate::new(), job);
        until(&jobs, |job| job.last_run.is_none() && job.next_run > now_ms() + 50_000).await;
        assert!(runs.try_recv().is_err(), "not before its first period");

        results
            .send(Err(Problem::new(ErrorCode::Internal, "The disk is full.", "Free some space.")))
            .unwrap();
        advance(PERIOD).await;
        runs.recv().await.unwrap();
        until(&jobs, |job| job.last_error.as_deref() == Some("The disk is full. Free some space.")).await;
        let status = jobs.status().remove(0);
        assert_eq!((&status.name[..], status.period_seconds), ("tidy", 60));
        assert!(status.last_run.is_some() && status.next_run > now_ms());

        results.send(Ok(())).unwrap();
        advance(PERIOD).await;
        runs.recv().await.unwrap();
        until(&jobs, |job| job.last_error.is_none()).await;
        task.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_runs_again_after_a_panic() {
        let jobs = Jobs::default();
        let runs = AtomicU32::new(0);
        let work = Arc::new(move || match runs.fetch_add(1, Ordering::Relaxed) {
            0 => panic!("a defect"),
            _ => Ok(()),
        });
        let task = start(&jobs, &Gate::new(), Job { name: "tidy", period: PERIOD, work });
        until(&jobs, |job| job.last_run.is_none()).await;
        advance(PERIOD).await;
        until(&jobs, |job| job.last_error.is_some()).await;
        advance(PERIOD).await;
        until(&jobs, |job| job.last_error.is_none()).await;
        task.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_that_hangs_is_not_overlapped_not_even_after_an_outage() {
        let (jobs, gate) = (Jobs::default(), Gate::new());
        let (first, mut runs, results) = job();
        let work = Arc::clone(&first.work);
        let task = start(&jobs, &gate, first);
        tokio::task::yield_now().await;
        advance(PERIOD).await;
        runs.recv().await.unwrap();
        advance(10 * PERIOD).await;
        tokio::task::yield_now().await;
        assert!(runs.try_recv().is_err());

        task.abort();
        let task = start(&jobs, &gate, Job { name: "tidy", period: PERIOD, work });
        while jobs.status()[0].last_error.is_none() {
            advance(Duration::from_secs(1)).await;
        }
        let error = jobs.status().remove(0).last_error.unwrap();
        assert!(error.starts_with("The file system does not respond."), "{error}");
        assert!(runs.try_recv().is_err());

        results.send(Ok(())).unwrap();
        results.send(Ok(())).unwrap();
        advance(PERIOD).await;
        runs.recv().await.unwrap();
        until(&jobs, |job| job.last_error.is_none()).await;
        task.abort();
    }
}
