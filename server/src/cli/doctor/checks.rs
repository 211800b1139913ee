//! The checks.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use areyouj_protocol::{DaemonStatus, Remedy, Session, Status};
use nix::sys::statvfs::statvfs;
use nix::unistd::{AccessFlags, access};

use super::Check;
use crate::cli::remedy;
use crate::client::Failure;
use crate::config::{Config, ConfigError};
use crate::paths::{Paths, host_program};

/// Less free space than this is a problem: soon nothing can be stored.
const DISK_PROBLEM_BYTES: u64 = 100 * 1024 * 1024;

/// Less free space than this is a warning.
const DISK_WARNING_BYTES: u64 = 1024 * 1024 * 1024;

/// The version of the program and of the system.
pub(super) fn system() -> Check {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let kernel = read("/proc/sys/kernel/osrelease");
    let release = read("/etc/os-release");
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")).unwrap_or("Linux");
    let version = env!("CARGO_PKG_VERSION");
    let (name, kernel) = (name.trim_matches('"'), kernel.trim());
    Check::ok("system", format!("areyouj {version}, {name}, kernel {kernel}, {}", std::env::consts::ARCH))
}

/// The configuration file.
pub(super) fn configuration(paths: &Paths, config: Result<Config, ConfigError>) -> Check {
    let path = paths.config_file();
    match config {
        Ok(_) if path.exists() => Check::ok("configuration", path.display().to_string()),
        Ok(_) => Check::ok("configuration", format!("defaults, {} does not exist", path.display())),
        Err(error) => Check::failed("configuration", Failure::from(error)),
    }
}

/// The directories and their permissions.
pub(super) fn directories(paths: &Paths) -> Vec<Check> {
    [("run directory", paths.run_dir()), ("data directory", paths.data_dir()), ("state", paths.state_dir())]
        .map(|(name, path)| directory(name, path, paths.foreign_parent(path)))
        .into()
}

fn directory(name: &'static str, path: &Path, foreign: Option<(PathBuf, u32)>) -> Check {
    let shown = path.display();
    if let Some((parent, owner)) = foreign {
        let parent = parent.display();
        let fix = format!(
            "Run as that user, or set HOME or AREYOUJ_HOME to another directory. If it is yours: chown {parent}"
        );
        return Check::problem(name, format!("{parent} belongs to uid {owner}"), fix);
    }
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(_) => {
            let parent = existing_ancestor(path);
            return if access(&parent, AccessFlags::W_OK | AccessFlags::X_OK).is_ok() {
                Check::ok(name, format!("{shown} (created when needed)"))
            } else {
                let message = format!("{shown} does not exist and cannot be created in {}", parent.display());
                Check::problem(name, message, "Create it, or set AREYOUJ_HOME to a directory of your own.")
            };
        }
    };
    let mode = metadata.permissions().mode() & 0o777;
    if !metadata.is_dir() {
        Check::problem(name, format!("{shown} is not a directory"), "Move it away.")
    } else if access(path, AccessFlags::R_OK | AccessFlags::W_OK | AccessFlags::X_OK).is_err() {
        Check::problem(
            name,
            format!("{shown} is not readable, writable and searchable"),
            format!("chmod 700 {shown}"),
        )
    } else if mode & 0o077 != 0 {
        Check::warning(
            name,
            format!("{shown} is accessible to other users (mode {mode:o})"),
            format!("chmod 700 {shown}"),
        )
    } else {
        Check::ok(name, shown.to_string())
    }
}

fn existing_ancestor(path: &Path) -> PathBuf {
    path.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(Path::new("/")).to_owned()
}

/// The session host.
pub(super) fn host() -> Check {
    host_at(host_program())
}

fn host_at(program: io::Result<PathBuf>) -> Check {
    match program {
        Ok(path) if access(&path, AccessFlags::X_OK).is_ok() && path.is_file() => {
            Check::ok("session host", path.display().to_string())
        }
        Ok(path) => Check::problem(
            "session host",
            format!("{} is not an executable file", path.display()),
            "Install areyouj-host beside areyouj, or set AREYOUJ_HOST to its path.",
        ),
        Err(error) => {
            Check::problem("session host", error.to_string(), "Set AREYOUJ_HOST to the path of areyouj-host.")
        }
    }
}

/// The free disk space for database and journals.
pub(super) fn disk(paths: &Paths) -> Check {
    let free = |path: &Path| {
        let path = existing_ancestor(path);
        let stat = statvfs(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        // The types differ between platforms.
        #[allow(clippy::useless_conversion)]
        let free = u64::from(stat.blocks_available()).saturating_mul(u64::from(stat.fragment_size()));
        Ok::<_, String>((free, path))
    };
    let both = free(paths.data_dir()).and_then(|data| Ok(data.min(free(paths.state_dir())?)));
    match both {
        Err(error) => {
            Check::warning("disk", format!("the free space is unknown: {error}"), "Check it with `df`.")
        }
        Ok((free, path)) => free_space(free, &path),
    }
}

fn free_space(free: u64, path: &Path) -> Check {
    let message = format!("{} MiB free for {}", free / (1024 * 1024), path.display());
    match free {
        0..DISK_PROBLEM_BYTES => {
            Check::problem("disk", message, "Free some space: on a full disk AreYouJ accepts nothing new.")
        }
        DISK_PROBLEM_BYTES..DISK_WARNING_BYTES => Check::warning("disk", message, "Free some space soon."),
        _ => Check::ok("disk", message),
    }
}

/// A daemon that answered.
pub(super) fn daemon(status: &DaemonStatus) -> Check {
    let message = format!(
        "process {}, version {}, sessions: {}, active: {} of at most {}",
        status.pid, status.version, status.sessions, status.active_sessions, status.max_active_sessions
    );
    if status.version == env!("CARGO_PKG_VERSION") {
        Check::ok("daemon", message)
    } else {
        let fix = "Run `areyouj daemon restart` to start the version of this program; sessions keep running.";
        Check::warning("daemon", message, fix)
    }
}

/// No daemon is listening. A process that holds the lock nevertheless is stuck, or still starting.
pub(super) fn no_daemon(paths: &Paths) -> Check {
    let pid = fs::read_to_string(paths.daemon_lock()).ok().and_then(|text| text.trim().parse::<u32>().ok());
    let alive = pid.filter(|pid| {
        let program = fs::read_to_string(format!("/proc/{pid}/comm"));
        program.is_ok_and(|program| program.trim() == "areyouj")
    });
    match alive {
        Some(pid) => Check::problem(
            "daemon",
            format!("the daemon, process {pid}, is not listening on {}", paths.daemon_socket().display()),
            format!("Try again. If it still does not listen, run `kill {pid}`; sessions keep running."),
        ),
        None => Check::ok("daemon", "not running (started when needed)"),
    }
}

/// The live sessions: one line for all, and one for each that failed.
pub(super) fn sessions(sessions: &[Session]) -> Vec<Check> {
    let mut checks = vec![Check::ok("sessions", format!("{} live", sessions.len()))];
    checks.extend(sessions.iter().filter(|session| session.status == Status::Error).map(|session| {
        let (message, fix) = match &session.error {
            Some(error) => (format!("{} ({})", error.message, error.code), remedy::hint_of_session(error)),
            None => ("the session has failed".to_owned(), remedy::hint(&Remedy::restart(&session.id))),
        };
        let code = session.error.as_ref().map(|error| error.code.clone());
        Check { code, ..Check::problem("session", format!("{}: {message}", session.id), fix) }
    }));
    checks.extend(sessions.iter().filter(|session| session.host_unprotected).map(|session| {
        let message =
            format!("{}: its host was started by an earlier version and is not protected", session.id);
        Check::warning("session", message, format!("areyouj restart {}", session.id))
    }));
    checks
}

/// The newest log file.
pub(super) fn newest_log(paths: &Paths) -> Option<PathBuf> {
    let entries = fs::read_dir(paths.log_dir()).into_iter().flatten().flatten();
    let dated = entries.filter_map(|entry| {
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        Some((modified.unwrap_or(SystemTime::UNIX_EPOCH), entry.path())).filter(|(_, path)| path.is_file())
    });
    dated.max().map(|(_, path)| path)
}

/// The log, with its newest file.
pub(super) fn log(paths: &Paths, newest: Option<&Path>) -> Check {
    match newest {
        Some(path) => Check::ok("log", path.display().to_string()),
        None => Check::ok("log", format!("no log file yet in {}", paths.log_dir().display())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{State, claude, render};
    use super::*;
    use crate::cli::screen::Paint;
    use crate::cli::status::tests::session;
    use crate::cli::texts::daemon_status;
    use crate::texts::assert_text;

    #[test]
    fn every_check_is_reported() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().to_str().unwrap();
        let paths = Paths::from_environment(|name| (name == "AREYOUJ_HOME").then(|| root.into())).unwrap();
        let invalid = || ConfigError::Variable { name: "AREYOUJ_MAX_ACTIVE", value: "none".into() };
        let mut checks = vec![
            configuration(&paths, Config::load(&paths.config_file())),
            configuration(&paths, Err(invalid())),
        ];
        checks.extend(directories(&paths));
        checks.push(directory("run directory", Path::new("/proc/none/run"), None));
        checks.push(directory("run directory", Path::new("/proc/self/cmdline"), None));
        let open = home.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
        checks.push(directory("data directory", &open, None));
        let versions = ["2.1.332 (Claude Code)", "1.2.3 (Claude Code)", "99.1.2 (Claude Code)", "hello"];
        checks.extend(versions.map(|version| claude::supported(version, "/c/claude (by PATH)")));
        checks.push(claude::without_version("/c/claude (by PATH)", "no answer in 5 seconds"));
        let program = home.path().join("areyouj-host");
        fs::write(&program, "").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        checks.push(host_at(Ok(program)));
        checks.push(host_at(Ok(home.path().join("none"))));
        checks.push(host_at(Err(io::ErrorKind::NotFound.into())));
        checks.extend([20 << 20, 500 << 20, 5 << 30].map(|free| free_space(free, home.path())));
        checks.push(daemon(&daemon_status()));
        checks.push(no_daemon(&paths));
        checks.extend(sessions(&[session(Status::Idle), session(Status::Error)]));
        checks.push(log(&paths, newest_log(&paths).as_deref()));
        let report = render(&checks, false, Paint(false)).replace(root, "/home/ada/areyouj");
        assert_text("doctor", &(report + &render(&[], true, Paint(false))));
    }

    #[test]
    fn a_directory_accessible_to_others_is_a_warning_and_a_missing_one_is_not() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("run");
        assert_eq!(directory("run", &path, None).state, State::Ok);
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(directory("run", &path, None).state, State::Warning);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(directory("run", &path, None).state, State::Ok);
        assert_eq!(directory("run", Path::new("/proc/self/cmdline"), None).state, State::Problem);
    }

    #[test]
    fn a_session_in_error_is_a_problem_with_its_own_fix() {
        let (mut failed, idle) = (session(Status::Error), session(Status::Idle));
        failed.error = Some(areyouj_protocol::SessionError {
            code: "login_needed".to_owned(),
            message: "Claude is not logged in".to_owned(),
            hint: "Log in.".to_owned(),
            remedy: None,
            log: None,
        });
        let checks = sessions(&[failed, idle]);
        assert_eq!(checks.len(), 2);
        assert_eq!((checks[1].state, checks[1].fix.as_deref()), (State::Problem, Some("Log in.")));
    }
}
