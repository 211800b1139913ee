//! The paths of sockets, database, journals, logs and configuration.
//!
//! With `AREYOUJ_HOME` set everything is below it (`run/`, `data/`, `state/`, `config/`). Otherwise everything is in
//! `areyouj` below the XDG directories. Sockets are below the state directory, or in `XDG_RUNTIME_DIR` if their paths
//! would be too long there.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use areyouj_protocol::{ErrorCode, PROTOCOL_VERSION};

use areyouj_core::orchestrator::SessionId;

/// The path of a socket must be shorter than this, in bytes. Linux allows 107; other systems allow fewer, and a home
/// directory should keep working when it is moved to one of them.
const SOCKET_PATH_LIMIT: usize = 100;

/// A name as long as that of every host's socket.
const ANY_HOST_SOCKET: &str = "XXXXXXXX.sock";

/// Permissions of directories: only for the owner, because messages, environments and answers are private.
const PRIVATE: u32 = 0o700;

/// The permission bits of everyone but the owner.
const OTHERS: u32 = 0o077;

/// The paths of everything that AreYouJ stores. All are absolute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    run: PathBuf,
    data: PathBuf,
    state: PathBuf,
    config: PathBuf,
    home: Option<PathBuf>,
}

/// Why the paths cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PathsError {
    /// Neither `AREYOUJ_HOME` nor `HOME` names a directory.
    #[error("neither AREYOUJ_HOME nor HOME names a directory")]
    NoHome,
    /// The path of a socket would be too long.
    #[error("the path {} is too long for a socket ({} bytes; it must have fewer than {SOCKET_PATH_LIMIT})",
        .socket.display(), .socket.as_os_str().len())]
    TooLong {
        /// The socket.
        socket: PathBuf,
    },
    /// A directory belongs to another user.
    #[error("{} belongs to another user (uid {owner})", .directory.display())]
    ForeignDirectory {
        /// The directory.
        directory: PathBuf,
        /// The user id of the owner.
        owner: u32,
    },
    /// There is something other than a directory at the path.
    #[error("{} is not a directory", .path.display())]
    NotADirectory {
        /// The path.
        path: PathBuf,
    },
    /// A directory could not be created, or its permissions could not be set.
    #[error("cannot create the directory {}: {source}", .directory.display())]
    Create {
        /// The directory.
        directory: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

impl PathsError {
    /// The stable code.
    pub fn code(&self) -> ErrorCode {
        match self {
            PathsError::TooLong { .. } => ErrorCode::HomePathTooLong,
            PathsError::NotADirectory { .. } => ErrorCode::NotADirectory,
            PathsError::Create { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorCode::StorageFull,
                io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => ErrorCode::NotADirectory,
                _ => ErrorCode::DirectoryNotAccessible,
            },
            PathsError::NoHome | PathsError::ForeignDirectory { .. } => ErrorCode::DirectoryNotAccessible,
        }
    }

    /// What to do, one sentence.
    pub fn hint(&self) -> &'static str {
        match self {
            PathsError::NoHome => "Set AREYOUJ_HOME to a directory of your own.",
            PathsError::TooLong { .. } => {
                "Set AREYOUJ_HOME or XDG_RUNTIME_DIR to a directory with a shorter path."
            }
            PathsError::ForeignDirectory { .. } => {
                "Run the command as that user, or set AREYOUJ_HOME to a directory of your own."
            }
            PathsError::NotADirectory { .. } => {
                "Move that file away, or set AREYOUJ_HOME to another directory."
            }
            PathsError::Create { .. } => {
                "Check that you can write there and that the disk has free space, or set AREYOUJ_HOME to another directory."
            }
        }
    }
}

impl Paths {
    /// The paths for these environment variables. Accesses no file.
    pub fn from_environment(get: impl Fn(&str) -> Option<OsString>) -> Result<Paths, PathsError> {
        let variable = |name: &str| get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let paths = match variable("AREYOUJ_HOME") {
            Some(home) => {
                let home = std::path::absolute(&home)
                    .map_err(|source| PathsError::Create { directory: home, source })?;
                Paths {
                    run: home.join("run"),
                    data: home.join("data"),
                    state: home.join("state"),
                    config: home.join("config"),
                    home: Some(home),
                }
            }
            None => {
                // The XDG specification says to ignore relative paths.
                let xdg = |name: &str, fallback: &str| {
                    variable(name)
                        .filter(|path| path.is_absolute())
                        .or_else(|| {
                            variable("HOME").filter(|home| home.is_absolute()).map(|home| home.join(fallback))
                        })
                        .map(|path| path.join("areyouj"))
                        .ok_or(PathsError::NoHome)
                };
                let state = xdg("XDG_STATE_HOME", ".local/state")?;
                // Sockets are beside the state, because sessions outlive logins: the runtime directory is emptied at the
                // last logout, and a process without `XDG_RUNTIME_DIR` would not find sockets there.
                let runtime = variable("XDG_RUNTIME_DIR").filter(|path| path.is_absolute());
                let beside = state.join("run");
                let run = match runtime {
                    Some(runtime) if !sockets_fit(&beside) => runtime.join("areyouj"),
                    _ => beside,
                };
                Paths {
                    run,
                    data: xdg("XDG_DATA_HOME", ".local/share")?,
                    config: xdg("XDG_CONFIG_HOME", ".config")?,
                    state,
                    home: None,
                }
            }
        };
        for socket in [paths.daemon_socket(), paths.run.join(ANY_HOST_SOCKET)] {
            if !fits(&socket) {
                return Err(PathsError::TooLong { socket });
            }
        }
        Ok(paths)
    }

    /// Creates missing directories, accessible only to the owner. A directory of another user is refused, because that user
    /// could put another socket there. The configuration directory is not created.
    pub fn create(&self) -> Result<(), PathsError> {
        for directory in [&self.data, &self.state.join("sessions"), &self.log_dir(), &self.run] {
            DirBuilder::new()
                .recursive(true)
                .mode(PRIVATE)
                .create(directory)
                .map_err(|source| PathsError::Create { directory: directory.clone(), source })?;
        }
        for directory in [&self.data, &self.state, &self.run] {
            make_private(directory)?;
        }
        Ok(())
    }

    /// `AREYOUJ_HOME` as an absolute path, if it is set. A process started from here must get it.
    pub fn home(&self) -> Option<&Path> {
        self.home.as_deref()
    }

    /// The directory of sockets and lock files.
    pub fn run_dir(&self) -> &Path {
        &self.run
    }

    /// The daemon's socket. Its name carries the version of the protocol.
    pub fn daemon_socket(&self) -> PathBuf {
        self.run.join(daemon_socket_name())
    }

    /// The file that a running daemon locks. It contains the daemon's process id as text.
    pub fn daemon_lock(&self) -> PathBuf {
        self.locks().join("daemon.lock")
    }

    /// The file that a client locks while it starts or stops a daemon.
    pub fn start_lock(&self) -> PathBuf {
        self.locks().join("start.lock")
    }

    /// The directory of lock files. Processes with the same database have the same locks, even if their environments differ.
    fn locks(&self) -> &Path {
        if self.home.is_some() { &self.run } else { &self.data }
    }

    /// The socket of a session's host.
    pub fn host_socket(&self, session: &SessionId) -> PathBuf {
        self.run.join(format!("{session}.sock"))
    }

    /// The directory of the database.
    pub fn data_dir(&self) -> &Path {
        &self.data
    }

    /// The database.
    pub fn database(&self) -> PathBuf {
        self.data.join("areyouj.db")
    }

    /// The directory of sessions' files and logs.
    pub fn state_dir(&self) -> &Path {
        &self.state
    }

    /// The directories of all sessions.
    pub fn sessions_dir(&self) -> PathBuf {
        self.state.join("sessions")
    }

    /// A session's files: journal, launch file, lock and log of its host.
    pub fn session_dir(&self, session: &SessionId) -> PathBuf {
        self.sessions_dir().join(session.as_str())
    }

    /// The daemon's log files.
    pub fn log_dir(&self) -> PathBuf {
        self.state.join("log")
    }

    /// The standard error of the daemon: panics, and errors before its log is open.
    pub fn daemon_stderr(&self) -> PathBuf {
        self.log_dir().join("daemon-stderr.log")
    }

    /// The configuration file, which does not have to exist.
    pub fn config_file(&self) -> PathBuf {
        self.config.join("config.toml")
    }
}

/// The executable of the session host: the path in `AREYOUJ_HOST`, or `areyouj-host` beside this program.
pub fn host_program() -> io::Result<PathBuf> {
    match std::env::var_os("AREYOUJ_HOST").filter(|value| !value.is_empty()) {
        Some(program) => std::path::absolute(program),
        None => Ok(std::env::current_exe()?.with_file_name("areyouj-host")),
    }
}

/// The path of `areyouj`, for starting it later, also after it was replaced by another version.
pub fn own_program() -> io::Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name("areyouj"))
}

fn fits(socket: &Path) -> bool {
    socket.as_os_str().as_bytes().len() < SOCKET_PATH_LIMIT
}

fn sockets_fit(run: &Path) -> bool {
    fits(&run.join(daemon_socket_name())) && fits(&run.join(ANY_HOST_SOCKET))
}

fn daemon_socket_name() -> String {
    format!("daemon-v{PROTOCOL_VERSION}.sock")
}

fn make_private(directory: &Path) -> Result<(), PathsError> {
    let failed = |source| PathsError::Create { directory: directory.to_owned(), source };
    // The link itself is checked too: another user's link must not redirect to a directory of this user.
    let metadata = fs::symlink_metadata(directory).map_err(failed)?;
    if metadata.is_symlink() {
        let target = fs::metadata(directory).map_err(failed)?;
        return check_owner(directory, metadata.uid()).and_then(|()| check_owner(directory, target.uid()));
    }
    if !metadata.is_dir() {
        return Err(PathsError::NotADirectory { path: directory.to_owned() });
    }
    check_owner(directory, metadata.uid())?;
    if metadata.permissions().mode() & OTHERS != 0 {
        fs::set_permissions(directory, Permissions::from_mode(PRIVATE)).map_err(failed)?;
    }
    Ok(())
}

fn check_owner(directory: &Path, owner: u32) -> Result<(), PathsError> {
    if owner == nix::unistd::geteuid().as_raw() {
        Ok(())
    } else {
        Err(PathsError::ForeignDirectory { directory: directory.to_owned(), owner })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(variables: &[(&str, &str)]) -> Result<Paths, PathsError> {
        Paths::from_environment(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
        })
    }

    fn session() -> SessionId {
        "K7M2Q9XD".parse().unwrap()
    }

    #[test]
    fn every_problem_of_a_place_is_printed() {
        let directory = || PathBuf::from("/home/ada/areyouj/run");
        let create = |kind: io::ErrorKind| PathsError::Create { directory: directory(), source: kind.into() };
        crate::texts::assert_problems(
            "problems-paths",
            [
                PathsError::NoHome,
                PathsError::TooLong { socket: format!("/{}", "x".repeat(SOCKET_PATH_LIMIT)).into() },
                PathsError::ForeignDirectory { directory: directory(), owner: 1000 },
                PathsError::NotADirectory { path: directory() },
                create(io::ErrorKind::StorageFull),
                create(io::ErrorKind::PermissionDenied),
            ],
        );
    }

    #[test]
    fn everything_is_below_areyouj_home_when_it_is_set() {
        let paths =
            paths(&[("AREYOUJ_HOME", "/h"), ("HOME", "/u"), ("XDG_RUNTIME_DIR", "/run/user/1")]).unwrap();
        assert_eq!(paths.daemon_socket(), Path::new("/h/run/daemon-v1.sock"));
        assert_eq!(paths.host_socket(&session()), Path::new("/h/run/K7M2Q9XD.sock"));
        assert_eq!(paths.daemon_lock(), Path::new("/h/run/daemon.lock"));
        assert_eq!(paths.start_lock(), Path::new("/h/run/start.lock"));
        assert_eq!(paths.database(), Path::new("/h/data/areyouj.db"));
        assert_eq!(paths.session_dir(&session()), Path::new("/h/state/sessions/K7M2Q9XD"));
        assert_eq!(paths.log_dir(), Path::new("/h/state/log"));
        assert_eq!(paths.config_file(), Path::new("/h/config/config.toml"));
    }

    #[test]
    fn the_xdg_directories_are_used_otherwise() {
        let paths = paths(&[
            ("HOME", "/u"),
            ("XDG_RUNTIME_DIR", "/run/user/1"),
            ("XDG_DATA_HOME", "/d"),
            ("XDG_STATE_HOME", "/s"),
            ("XDG_CONFIG_HOME", "/c"),
        ])
        .unwrap();
        assert_eq!(paths.run_dir(), Path::new("/s/areyouj/run"));
        assert_eq!(paths.daemon_lock(), Path::new("/d/areyouj/daemon.lock"));
        assert_eq!(paths.database(), Path::new("/d/areyouj/areyouj.db"));
        assert_eq!(paths.log_dir(), Path::new("/s/areyouj/log"));
        assert_eq!(paths.config_file(), Path::new("/c/areyouj/config.toml"));
    }

    #[test]
    fn sockets_are_in_the_runtime_directory_if_other_paths_would_be_too_long() {
        let home = format!("/{}", "x".repeat(SOCKET_PATH_LIMIT));
        let paths = paths(&[("HOME", &home), ("XDG_RUNTIME_DIR", "/run/user/1")]).unwrap();
        assert_eq!(paths.run_dir(), Path::new("/run/user/1/areyouj"));
        assert_eq!(paths.start_lock().parent(), paths.database().parent());
    }

    #[test]
    fn sockets_are_below_the_state_directory_without_a_runtime_directory() {
        let paths = paths(&[("HOME", "/u"), ("XDG_STATE_HOME", "relative/is/ignored")]).unwrap();
        assert_eq!(paths.run_dir(), Path::new("/u/.local/state/areyouj/run"));
        assert_eq!(paths.data_dir(), Path::new("/u/.local/share/areyouj"));
    }

    #[test]
    fn a_relative_home_is_made_absolute() {
        let paths = paths(&[("AREYOUJ_HOME", "some/where")]).unwrap();
        assert!(paths.run_dir().is_absolute());
        assert!(paths.run_dir().ends_with("some/where/run"));
    }

    #[test]
    fn a_home_directory_is_required() {
        assert!(matches!(paths(&[("AREYOUJ_HOME", "")]), Err(PathsError::NoHome)));
    }

    #[test]
    fn a_home_whose_socket_paths_would_be_too_long_is_refused() {
        let longest = SOCKET_PATH_LIMIT - 1 - "/run/daemon-v1.sock".len();
        let fits = format!("/{}", "x".repeat(longest - 1));
        assert!(paths(&[("AREYOUJ_HOME", &fits)]).is_ok());
        let error = paths(&[("AREYOUJ_HOME", &format!("{fits}x"))]).unwrap_err();
        assert_eq!(error.code(), ErrorCode::HomePathTooLong);
    }

    #[test]
    fn directories_are_accessible_only_to_the_owner() {
        let home = tempfile::tempdir().unwrap();
        let run = home.path().join("run");
        fs::create_dir(&run).unwrap();
        fs::set_permissions(&run, Permissions::from_mode(0o755)).unwrap();
        let paths = paths(&[("AREYOUJ_HOME", home.path().to_str().unwrap())]).unwrap();
        paths.create().unwrap();
        paths.create().unwrap();
        for directory in [paths.run_dir(), paths.data_dir(), paths.state_dir(), &paths.log_dir()] {
            assert_eq!(
                fs::metadata(directory).unwrap().permissions().mode() & 0o777,
                PRIVATE,
                "{directory:?}"
            );
        }
    }

    #[test]
    fn a_directory_of_another_user_is_refused() {
        // Only root can change the owner of a directory; other users get a directory that root owns.
        let home = tempfile::tempdir().unwrap();
        let foreign = if nix::unistd::geteuid().is_root() {
            let directory = home.path().join("foreign");
            fs::create_dir(&directory).unwrap();
            std::os::unix::fs::chown(&directory, Some(12_345), None).unwrap();
            directory
        } else {
            PathBuf::from("/usr")
        };
        assert!(matches!(make_private(&foreign), Err(PathsError::ForeignDirectory { .. })));
    }

    #[test]
    fn a_file_instead_of_a_directory_is_refused() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("run"), "").unwrap();
        let paths = paths(&[("AREYOUJ_HOME", home.path().to_str().unwrap())]).unwrap();
        assert!(paths.create().is_err());
    }
}
