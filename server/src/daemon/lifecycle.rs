//! The daemon's life: start, one run over each opening of the store, outages in between, and the end.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::net::UnixListener as StdUnixListener;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use areyouj_protocol::ErrorCode;
use nix::sys::stat::Mode;
use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};

use super::door::Door;
use super::gate::{GATE_THREADS, Gate};
use super::hub::Hub;
use super::jobs::{Job, Jobs};
use super::launch_files;
use super::shared::Shared;
use super::{Daemon, End, listener, outage};
use crate::client::problem_of_file;
use crate::client::start::{report_failure, report_ready};
use crate::config::{Config, OnInterrupted};
use crate::paths::Paths;
use areyouj_core::driver::digest;
use areyouj_core::orchestrator::{
    DigestOf, Goal, Problem, Recovery, Remedy, SessionId, SessionRow, Settings, Snapshot,
};
use areyouj_store::{Committer, ReaderPool};

/// Days of log files that are kept.
const LOG_FILES: usize = 7;

/// Threads that read the store and the journals. More would only wait for the same disk.
const STORE_THREADS: usize = 4;

/// Between two searches for files of removed sessions. They take little space, and the daemon removes them at its start too.
const LEFTOVERS_PERIOD: Duration = Duration::from_secs(60 * 60);

/// Runs the daemon until a client or a signal stops it. The directories of `paths` must exist, and the process must
/// lead a session of its own. Sessions get the file mode mask `umask`; that of this process must be private. It reports on standard output that it serves, or why it cannot.
pub fn run(paths: &Paths, config: Config, umask: Mode) -> ExitCode {
    match start(paths, config, umask) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            tracing::error!(code = %problem.code, problem = %problem.message, "the daemon cannot run");
            report_failure(&problem.into());
            ExitCode::FAILURE
        }
    }
}

fn start(paths: &Paths, config: Config, umask: Mode) -> Result<(), Problem> {
    let failed = |what: &str, error: &dyn std::fmt::Display| {
        let remedy = Remedy::RunDoctor { first: None };
        Problem::new(ErrorCode::DaemonStartFailed, format!("{what}: {error}."), remedy)
    };
    let of_file = |what: &str, error: &std::io::Error| {
        problem_of_file(error, ErrorCode::DaemonStartFailed, format!("{what}: {error}."))
    };
    let _lock = listener::lock(paths)
        .map_err(|error| of_file("Another daemon runs, or its lock cannot be taken", &error))?;
    let _log = log(paths, &config).map_err(|error| failed("The log cannot be written", &error))?;
    let database = paths.database();
    let opened = areyouj_store::open(&database).map_err(|error| error.problem(&database))?;
    // The log says what remains; the job tries again.
    if let Some(problem) = outage::in_the_way(&paths.daemon_socket()) {
        return Err(problem);
    }
    let socket = listener::listen(paths).map_err(|error| of_file("The socket cannot be opened", &error))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(STORE_THREADS + GATE_THREADS)
        // Kept without a limit: where no thread can be started any more, existing ones continue to work.
        .thread_keep_alive(Duration::MAX)
        .build();
    let runtime = runtime.map_err(|error| failed("The runtime cannot be started", &error))?;
    // The first thread now, while there is room for it.
    drop(runtime.spawn_blocking(|| {}));
    let served = runtime.block_on(serve(paths.clone(), config, umask, socket, opened));
    // Threads that still read the store must not delay the exit.
    runtime.shutdown_background();
    let _ = fs::remove_file(paths.daemon_socket());
    served.map_err(|error| failed("The daemon broke down", &error))
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

async fn serve(
    paths: Paths,
    config: Config,
    umask: Mode,
    socket: StdUnixListener,
    mut opened: (Committer, Snapshot),
) -> anyhow::Result<()> {
    let mut listener = UnixListener::from_std(socket)?;
    let mut signals = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let started_at = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let mut announced = false;
    let (gate, jobs, door) = (Gate::new(), Jobs::default(), Door::new(&paths)?);
    loop {
        let shared = Arc::new(Shared {
            paths: paths.clone(),
            config: config.clone(),
            umask,
            started_at: u64::try_from(started_at)?,
            hub: Hub::default(),
            reader: Arc::new(ReaderPool::open(&paths.database())?),
            gate: gate.clone(),
            jobs: jobs.clone(),
            door: door.clone(),
        });
        let (committer, snapshot) = opened;
        let ended = |row: &&SessionRow| !row.host && row.goal != Goal::Run;
        let ended: Vec<SessionRow> = snapshot.sessions.iter().filter(ended).cloned().collect();
        let leftovers = leftovers_job(&shared);
        if !announced {
            // An earlier daemon that was killed can have left files. A failure is in the log, and the job repeats this.
            let _ = (leftovers.work)();
        }
        let (mut daemon, core) = Daemon::new(shared, settings(&config), snapshot, committer)?;
        daemon.run_job(leftovers);
        if !std::mem::replace(&mut announced, true) {
            tracing::info!(pid = std::process::id(), "the daemon serves");
            report_ready();
        }
        for row in ended {
            daemon.release_leftover_host(row);
        }
        let end = daemon.serve(&mut listener, core.committed, &mut signals).await;
        daemon.stop(core.ended).await;
        match end {
            End::Asked => return Ok(()),
            End::StoreFailed(error) => {
                match outage::wait(&error, &paths.database(), &door, &mut listener, &mut signals).await {
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

/// Removes the files of removed sessions that could not be removed with the session, and launch files.
fn leftovers_job(shared: &Arc<Shared>) -> Job {
    let (paths, reader) = (shared.paths.clone(), Arc::clone(&shared.reader));
    let work = move || {
        launch_files::remove_leftovers(&paths.sessions_dir());
        let removed = reader.read(|reader| reader.removed_sessions());
        remove_leftovers(&paths, &removed.map_err(|error| reader.problem(&error))?)
    };
    Job { name: "remove-leftover-files", period: LEFTOVERS_PERIOD, work: Arc::new(work) }
}

/// Removes the files of these sessions. The error names the first directory that remains.
fn remove_leftovers(paths: &Paths, removed: &[SessionId]) -> Result<(), Problem> {
    let directories = removed.iter().map(|id| paths.session_dir(id));
    let left: Vec<PathBuf> = directories.filter(|directory| !remove_files(directory)).collect();
    match &left[..] {
        [] => Ok(()),
        [first, ..] => Err(Problem::new(
            ErrorCode::Internal,
            format!("Files of removed sessions cannot be removed: {}.", first.display()),
            "Check the permissions of this directory.",
        )),
    }
}

/// Removes a session's files. Returns false if files remain.
pub(super) fn remove_files(directory: &Path) -> bool {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            tracing::warn!(%error, directory = %directory.display(), "files were left behind");
            false
        }
        _ => true,
    }
}

fn settings(config: &Config) -> Settings {
    Settings {
        max_active: config.max_active_sessions,
        max_starting: config.max_starting,
        grants: config.grants(),
        on_interrupted: match config.on_interrupted {
            OnInterrupted::Ask => None,
            OnInterrupted::Continue => Some(Recovery::Continue),
            OnInterrupted::Again => Some(Recovery::Again),
            OnInterrupted::Skip => Some(Recovery::Skip),
        },
        digest: DigestOf(digest::of),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leftover_files_are_removed_and_the_error_names_what_remains() {
        let home = tempfile::tempdir().unwrap();
        let set = |name: &str| (name == "AREYOUJ_HOME").then(|| home.path().as_os_str().to_owned());
        let paths = Paths::from_environment(set).unwrap();
        let [left, stuck, kept, clean] =
            ["AAAAAAAA", "BBBBBBBB", "CCCCCCCC", "DDDDDDDD"].map(|id| id.parse::<SessionId>().unwrap());
        for id in [left, kept] {
            fs::create_dir_all(paths.session_dir(&id).join("journal")).unwrap();
        }
        // A file in the place of the directory, which nothing removes.
        fs::write(paths.session_dir(&stuck), "").unwrap();
        assert_eq!(remove_leftovers(&paths, &[left, clean]).err(), None);
        assert!(!paths.session_dir(&left).exists() && paths.session_dir(&kept).exists());
        let problem = remove_leftovers(&paths, &[clean, stuck]).unwrap_err();
        assert!(problem.message.contains("BBBBBBBB"), "{}", problem.message);
    }
}
