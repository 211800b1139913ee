//! The configuration file, `config.toml` in the configuration directory. Every line may be left out:
//!
//! ```toml
//! # The Claude executable. AREYOUJ_CLAUDE goes before it, PATH comes after it.
//! claude = "/opt/claude/bin/claude"
//! # How many sessions may have a Claude process. AREYOUJ_MAX_ACTIVE goes before it.
//! max_active_sessions = 10
//! # How many Claudes may be starting at the same time; one more than there are cores if left out.
//! max_starting = 2
//! # What becomes of a message that a crash cut off: "ask" a person, "continue", run it "again", or "skip" it.
//! on_interrupted = "ask"
//! # Whose size a terminal session has that several look at: the "smallest" of all, or that of the "latest" who did something.
//! terminal_size = "smallest"
//! # What goes into the daemon's log, as for tracing's EnvFilter.
//! log = "info"
//! ```

use std::ffi::OsString;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::{fs, io};

use areyouj_protocol::ErrorCode;
use nix::unistd::AccessFlags;
use serde::Deserialize;

/// Sessions with a Claude process at a time, unless configured: each takes a few hundred megabytes.
const DEFAULT_MAX_ACTIVE: u32 = 10;

/// A configuration file is a few lines; anything larger is some other file.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// The configuration, complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The Claude executable, if the file names one.
    pub claude: Option<PathBuf>,
    /// How many sessions may have a Claude process, at least 1.
    pub max_active_sessions: u32,
    /// How many Claudes may be starting at the same time, at least 1.
    pub max_starting: u32,
    /// What becomes of a message that a crash cut off.
    pub on_interrupted: OnInterrupted,
    /// Whose size a terminal has that several look at.
    pub terminal_size: TerminalSize,
    /// What goes into the daemon's log, as for tracing's `EnvFilter`.
    pub log: String,
}

/// What becomes of a message that a crash cut off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnInterrupted {
    /// The queue pauses and a person decides.
    #[default]
    Ask,
    /// Claude is asked to go on.
    Continue,
    /// The message runs once more.
    Again,
    /// It is left, the queue goes on.
    Skip,
}

/// Whose size a terminal has that several look at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TerminalSize {
    /// The smallest of all, so that everybody sees everything.
    #[default]
    Smallest,
    /// That of the one who typed or came last.
    Latest,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    claude: Option<PathBuf>,
    max_active_sessions: Option<NonZeroU32>,
    max_starting: Option<NonZeroU32>,
    on_interrupted: OnInterrupted,
    terminal_size: TerminalSize,
    log: Option<String>,
}

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file exists and cannot be read.
    #[error("cannot read {}: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file says something that makes no sense.
    #[error("{}, line {line}: {message}", .path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        message: String,
    },
    /// An environment variable says something that makes no sense.
    #[error("{name} is {value:?}, which is not a whole number from 1")]
    Variable {
        /// The variable.
        name: &'static str,
        /// Its value.
        value: OsString,
    },
}

impl ConfigError {
    /// The stable code.
    pub fn code(&self) -> ErrorCode {
        ErrorCode::ConfigInvalid
    }

    /// What to do, one sentence.
    pub fn hint(&self) -> String {
        match self {
            ConfigError::Unreadable { path, .. } => {
                format!("Make {} a readable file, or remove it.", path.display())
            }
            ConfigError::Invalid { path, line, .. } => {
                format!("Correct line {line} of {}, or remove it.", path.display())
            }
            ConfigError::Variable { name, .. } => format!("Correct {name}, or unset it."),
        }
    }
}

impl Config {
    /// Reads the file, which need not exist, and `AREYOUJ_MAX_ACTIVE` of this process.
    pub fn load(path: &Path) -> Result<Config, ConfigError> {
        let unreadable = |source| ConfigError::Unreadable { path: path.to_owned(), source };
        let text = match fs::metadata(path) {
            Ok(metadata) if metadata.len() > MAX_FILE_BYTES => {
                return Err(unreadable(too_large()));
            }
            Ok(_) => fs::read_to_string(path).map_err(unreadable)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(unreadable(error)),
        };
        Config::parse(path, &text, std::env::var_os("AREYOUJ_MAX_ACTIVE"))
    }

    fn parse(path: &Path, text: &str, max_active: Option<OsString>) -> Result<Config, ConfigError> {
        let invalid = |offset: usize, message: String| ConfigError::Invalid {
            path: path.to_owned(),
            line: text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1,
            message,
        };
        let file: File = toml::from_str(text).map_err(|error| {
            invalid(error.span().map_or(0, |span| span.start), error.message().trim().to_owned())
        })?;
        let log = file.log.unwrap_or_else(|| "info".to_owned());
        if let Err(error) = tracing_subscriber::EnvFilter::try_new(&log) {
            return Err(invalid(offset_of(text, "log"), format!("the log filter is not valid: {error}")));
        }
        if let Some(claude) = file.claude.as_ref().filter(|claude| !claude.is_absolute()) {
            let message =
                format!("claude has to be an absolute path, not {:?}", claude.display().to_string());
            return Err(invalid(offset_of(text, "claude"), message));
        }
        let max_active_sessions = match max_active.filter(|value| !value.is_empty()) {
            None => file.max_active_sessions.map_or(DEFAULT_MAX_ACTIVE, NonZeroU32::get),
            Some(value) => {
                let number = value.to_str().and_then(|text| text.parse::<NonZeroU32>().ok());
                number.ok_or(ConfigError::Variable { name: "AREYOUJ_MAX_ACTIVE", value })?.get()
            }
        };
        Ok(Config {
            claude: file.claude,
            max_active_sessions,
            max_starting: file.max_starting.map_or_else(default_max_starting, NonZeroU32::get),
            on_interrupted: file.on_interrupted,
            terminal_size: file.terminal_size,
            log,
        })
    }
}

fn too_large() -> io::Error {
    io::Error::other("it is too large for a configuration file")
}

/// Where a key begins in a file that is known to hold it.
fn offset_of(text: &str, key: &str) -> usize {
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let rest = line.trim_start().strip_prefix(key);
        if rest.is_some_and(|rest| rest.trim_start().starts_with('=')) {
            return offset;
        }
        offset += line.len();
    }
    0
}

/// One more than there are cores: a start waits for the disk now and then, and no core is to stand idle meanwhile.
fn default_max_starting() -> u32 {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    u32::try_from(cores).unwrap_or(u32::MAX).saturating_add(1)
}

/// Why there is no Claude to run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaudeMissing {
    /// It is not in any directory of PATH.
    #[error("no claude in any directory of PATH")]
    NotInPath,
    /// What was named does not exist.
    #[error("{} (named by {by}) does not exist", .path.display())]
    NotFound {
        /// What was named.
        path: PathBuf,
        /// By what.
        by: &'static str,
    },
    /// What was named may not be executed.
    #[error("{} (named by {by}) is no file that may be executed", .path.display())]
    NotExecutable {
        /// What was named.
        path: PathBuf,
        /// By what.
        by: &'static str,
    },
}

impl ClaudeMissing {
    /// The stable code.
    pub fn code(&self) -> ErrorCode {
        match self {
            ClaudeMissing::NotInPath | ClaudeMissing::NotFound { .. } => ErrorCode::ClaudeNotFound,
            ClaudeMissing::NotExecutable { .. } => ErrorCode::ClaudeNotExecutable,
        }
    }

    /// What to do, one sentence.
    pub fn hint(&self) -> &'static str {
        match self {
            ClaudeMissing::NotInPath => {
                "Install Claude Code, or name its executable in AREYOUJ_CLAUDE or as `claude` in config.toml."
            }
            ClaudeMissing::NotFound { .. } => "Correct that name, or unset it to have PATH searched.",
            ClaudeMissing::NotExecutable { .. } => "Name the executable itself, and make it executable.",
        }
    }
}

/// The Claude executable: what `AREYOUJ_CLAUDE` of this environment names, else what the configuration names, else
/// the first `claude` in PATH. Also says which of them it was.
pub fn find_claude(
    get: impl Fn(&str) -> Option<OsString>,
    configured: Option<&Path>,
) -> Result<(PathBuf, &'static str), ClaudeMissing> {
    let variable = get("AREYOUJ_CLAUDE").filter(|value| !value.is_empty()).map(PathBuf::from);
    let named = variable
        .map(|path| (path, "AREYOUJ_CLAUDE"))
        .or_else(|| configured.map(|path| (path.to_owned(), "config.toml")));
    match named {
        Some((path, by)) if !path.exists() => Err(ClaudeMissing::NotFound { path, by }),
        Some((path, by)) if !path.is_file() || !executable(&path) => {
            Err(ClaudeMissing::NotExecutable { path, by })
        }
        Some(found) => Ok(found),
        None => std::env::split_paths(&get("PATH").unwrap_or_default())
            .filter(|directory| directory.is_absolute())
            .map(|directory| directory.join("claude"))
            .find(|path| path.is_file() && executable(path))
            .map(|path| (path, "PATH"))
            .ok_or(ClaudeMissing::NotInPath),
    }
}

fn executable(path: &Path) -> bool {
    nix::unistd::access(path, AccessFlags::X_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::texts::assert_problems;

    fn parse(text: &str) -> Result<Config, ConfigError> {
        Config::parse(Path::new("/c/config.toml"), text, None)
    }

    #[test]
    fn every_problem_of_the_configuration_is_printed() {
        let errors = [
            "max_actve_sessions = 3",
            "max_active_sessions = 0",
            "on_interrupted = \"perhaps\"",
            "log = \"a=b=c\"",
            "claude = \"bin/claude\"",
            "this is not TOML",
        ]
        .map(|text| parse(text).unwrap_err());
        let unreadable = |source| ConfigError::Unreadable { path: "/c/config.toml".into(), source };
        let errors = errors.into_iter().chain([
            unreadable(io::ErrorKind::PermissionDenied.into()),
            unreadable(too_large()),
            ConfigError::Variable { name: "AREYOUJ_MAX_ACTIVE", value: "none".into() },
        ]);
        assert_problems("problems-config", errors);
        let path = || PathBuf::from("/c/claude");
        let missing = [
            ClaudeMissing::NotInPath,
            ClaudeMissing::NotFound { path: path(), by: "AREYOUJ_CLAUDE" },
            ClaudeMissing::NotExecutable { path: path(), by: "config.toml" },
        ];
        assert_problems("problems-claude", missing);
    }

    #[test]
    fn a_missing_file_means_the_defaults() {
        let config = Config::load(Path::new("/nonexistent/config.toml")).unwrap();
        assert_eq!(config.claude, None);
        assert!(config.max_active_sessions >= 1 && config.max_starting >= 1);
        assert_eq!(config.on_interrupted, OnInterrupted::Ask);
        assert_eq!(config.log, "info");
        assert_eq!(parse("").unwrap().max_active_sessions, DEFAULT_MAX_ACTIVE);
    }

    #[test]
    fn the_documented_example_is_accepted() {
        let example: String = include_str!("config.rs")
            .lines()
            .skip_while(|line| *line != "//! ```toml")
            .skip(1)
            .take_while(|line| *line != "//! ```")
            .map(|line| format!("{}\n", line.trim_start_matches("//! ")))
            .collect();
        let config = parse(&example).unwrap();
        assert_eq!(config.claude.as_deref(), Some(Path::new("/opt/claude/bin/claude")));
        assert_eq!((config.max_active_sessions, config.max_starting), (10, 2));
    }

    #[test]
    fn an_unknown_key_is_an_error_that_names_the_line() {
        let error = parse("log = \"info\"\n\nmax_actve_sessions = 3\n").unwrap_err();
        assert_eq!(error.code(), ErrorCode::ConfigInvalid);
        assert!(error.to_string().starts_with("/c/config.toml, line 3: "), "{error}");
        assert!(error.to_string().contains("max_actve_sessions"), "{error}");
    }

    #[test]
    fn values_that_make_no_sense_are_errors_that_name_the_line() {
        for (text, line) in [
            ("max_active_sessions = 0", 1),
            ("\non_interrupted = \"perhaps\"", 2),
            ("log = 3", 1),
            ("# here\n\nlog = \"a=b=c\"", 3),
            ("claude = \"bin/claude\"", 1),
            ("log = \"info\"\nthis is not TOML", 2),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.to_string().contains(&format!("line {line}:")), "{text:?}: {error}");
            assert!(error.hint().contains("/c/config.toml"));
        }
    }

    #[test]
    fn the_environment_goes_before_the_file() {
        let parse = |value: &str| {
            Config::parse(Path::new("c"), "max_active_sessions = 3", Some(OsString::from(value)))
        };
        assert_eq!(parse("25").unwrap().max_active_sessions, 25);
        assert_eq!(parse("").unwrap().max_active_sessions, 3);
        assert!(matches!(parse("none"), Err(ConfigError::Variable { .. })));
        assert!(matches!(parse("0"), Err(ConfigError::Variable { .. })));
    }

    #[test]
    fn a_configuration_file_that_cannot_be_read_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        assert!(matches!(Config::load(directory.path()), Err(ConfigError::Unreadable { .. })));
    }

    #[test]
    fn claude_is_looked_for_in_the_environment_then_the_configuration_then_path() {
        let directory = tempfile::tempdir().unwrap();
        let program = |name: &str, mode: u32| {
            let path = directory.path().join(name);
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            path
        };
        let (in_path, other, plain) =
            (program("claude", 0o755), program("other", 0o755), program("plain", 0o644));
        let get = |claude: Option<PathBuf>| {
            let path = OsString::from(directory.path());
            move |name: &str| match name {
                "AREYOUJ_CLAUDE" => claude.clone().map(OsString::from),
                "PATH" => Some(path.clone()),
                _ => None,
            }
        };
        assert_eq!(find_claude(get(None), None), Ok((in_path.clone(), "PATH")));
        assert_eq!(find_claude(get(None), Some(&other)), Ok((other.clone(), "config.toml")));
        assert_eq!(find_claude(get(Some(in_path.clone())), Some(&other)), Ok((in_path, "AREYOUJ_CLAUDE")));
        let gone = directory.path().join("gone");
        assert_eq!(find_claude(get(Some(gone)), None).unwrap_err().code(), ErrorCode::ClaudeNotFound);
        assert_eq!(find_claude(|_| None, None).unwrap_err(), ClaudeMissing::NotInPath);
        // Root may execute what anybody may execute; a file that nobody may execute stays one.
        assert_eq!(find_claude(get(Some(plain)), None).unwrap_err().code(), ErrorCode::ClaudeNotExecutable);
    }
}
