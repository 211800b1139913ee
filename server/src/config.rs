//! The configuration file, `config.toml` in the configuration directory. Every key is optional:
//!
//! ```toml
//! # The Claude executable. AREYOUJ_CLAUDE overrides it; without both, PATH is searched.
//! claude = "/opt/claude/bin/claude"
//! # The maximum number of sessions with a Claude process. AREYOUJ_MAX_ACTIVE overrides it.
//! max_active_sessions = 10
//! # The maximum number of Claudes that start at the same time. Default: the number of cores plus one.
//! max_starting = 2
//! # What to do with a message that a crash interrupted: "ask", "continue", send it "again", or "skip" it.
//! on_interrupted = "ask"
//! # The size of a terminal with several viewers: that of the "smallest", or of the "latest" active one.
//! terminal_size = "smallest"
//! # Whether programs in a terminal session can write to the clipboard of the terminal that shows it.
//! terminal_clipboard = false
//! # What processes inside sessions can do beyond reading their own session: "read" all sessions, "send" messages to
//! # them, "create" sessions. Default: none of it.
//! from_sessions = []
//! # The filter of the daemon's log, in the syntax of tracing's EnvFilter.
//! log = "info"
//! # The variables of its creator's environment that a new session gets; `*` means any characters.
//! environment_allow = ["*"]
//! # Those that it does not get. A list replaces the default, which is this one.
//! environment_deny = ["BW_SESSION", "OP_SESSION_*", "SSHPASS"]
//! ```

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};

use areyouj_core::orchestrator::Grants;
use areyouj_protocol::{ErrorCode, Remedy};
use nix::unistd::AccessFlags;
use serde::Deserialize;

use crate::environment::{EnvironmentPolicy, is_pattern};
use crate::ownership::{self, Untrusted};

/// The default for [`Config::max_active_sessions`]. Each Claude takes a few hundred megabytes of memory.
const DEFAULT_MAX_ACTIVE: u32 = 10;

/// The largest configuration file, in bytes. A larger file is not a configuration.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// The configuration with its defaults applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The Claude executable, if the file names one.
    pub claude: Option<PathBuf>,
    /// The maximum number of sessions with a Claude process, at least 1.
    pub max_active_sessions: u32,
    /// The maximum number of Claudes that start at the same time, at least 1.
    pub max_starting: u32,
    /// What to do with a message that a crash interrupted.
    pub on_interrupted: OnInterrupted,
    /// The size of a terminal with several viewers.
    pub terminal_size: TerminalSize,
    /// Whether programs in a terminal session can write to the clipboard.
    pub terminal_clipboard: bool,
    /// What processes inside sessions can do beyond reading their own session.
    pub from_sessions: Vec<Grant>,
    /// The filter of the daemon's log, in the syntax of tracing's `EnvFilter`.
    pub log: String,
    /// The variables that a new session gets.
    pub environment: EnvironmentPolicy,
}

/// What a person can allow to processes inside sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grant {
    /// List and read all sessions.
    Read,
    /// Queue messages in all sessions.
    Send,
    /// Create sessions, in no wider permission mode and with the same environment as their own.
    Create,
}

/// What to do with a message that a crash interrupted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnInterrupted {
    /// Pause the queue until a person decides.
    #[default]
    Ask,
    /// Ask Claude to continue.
    Continue,
    /// Send the message again.
    Again,
    /// Skip the message and resume the queue.
    Skip,
}

/// The size of a terminal with several viewers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TerminalSize {
    /// The size of the smallest viewer, so that every viewer sees the whole screen.
    #[default]
    Smallest,
    /// The size of the viewer that typed or attached last.
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
    terminal_clipboard: bool,
    from_sessions: Vec<Grant>,
    log: Option<String>,
    environment_allow: Option<Vec<String>>,
    environment_deny: Option<Vec<String>>,
}

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file exists but cannot be read.
    #[error("cannot read {}: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// Another user can change the file, and with it the program that runs as Claude.
    #[error("the configuration file {} is not used: {why}", .path.display())]
    Untrusted {
        /// The file.
        path: PathBuf,
        /// Who can change it.
        why: Untrusted,
    },
    /// The file has an unknown key or an invalid value.
    #[error("{}, line {line}: {message}", .path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The error in that line.
        message: String,
    },
    /// An environment variable has an invalid value.
    #[error("{name} is {value:?}, which is not a whole number of at least 1")]
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
        match self {
            ConfigError::Untrusted { .. } => ErrorCode::ConfigUntrusted,
            ConfigError::Unreadable { .. } | ConfigError::Invalid { .. } | ConfigError::Variable { .. } => {
                ErrorCode::ConfigInvalid
            }
        }
    }

    /// What to do.
    pub fn remedy(&self) -> Remedy {
        match self {
            ConfigError::Unreadable { path, .. } => {
                format!("Make {} readable, or remove it.", path.display())
            }
            ConfigError::Untrusted { why, .. } => why.hint(),
            ConfigError::Invalid { path, line, .. } => {
                format!("Correct or remove line {line} of {}.", path.display())
            }
            ConfigError::Variable { name, .. } => {
                format!("Set {name} to a whole number of at least 1, or unset it.")
            }
        }
        .into()
    }
}

impl Config {
    /// What processes inside sessions can do beyond reading their own session.
    pub fn grants(&self) -> Grants {
        let has = |grant| self.from_sessions.contains(&grant);
        Grants { read: has(Grant::Read), send: has(Grant::Send), create: has(Grant::Create) }
    }

    /// Reads the file, which does not have to exist, and the variables `AREYOUJ_MAX_ACTIVE` and `HOME` of this process.
    /// A file that another user can change is refused.
    pub fn load(path: &Path) -> Result<Config, ConfigError> {
        let text = read(path, std::env::var_os("HOME").map(PathBuf::from).as_deref())?;
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
            return Err(invalid(offset_of(text, "log"), format!("log is not a valid filter: {error}")));
        }
        if let Some(claude) = file.claude.as_ref().filter(|claude| !claude.is_absolute()) {
            let message = format!("claude must be an absolute path, not {:?}", claude.display().to_string());
            return Err(invalid(offset_of(text, "claude"), message));
        }
        let lists =
            [("environment_allow", &file.environment_allow), ("environment_deny", &file.environment_deny)];
        for (key, list) in lists {
            if let Some(wrong) = list.iter().flatten().find(|pattern| !is_pattern(pattern)) {
                let message = format!("{key} has {wrong:?}, which is not a name of a variable");
                return Err(invalid(offset_of(text, key), message));
            }
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
            terminal_clipboard: file.terminal_clipboard,
            from_sessions: file.from_sessions,
            log,
            environment: EnvironmentPolicy::new(file.environment_allow, file.environment_deny),
        })
    }
}

/// The text of the file, empty if there is none. The checks are on the opened file: it cannot be replaced in between.
fn read(path: &Path, home: Option<&Path>) -> Result<String, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { path: path.to_owned(), source };
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => return Err(unreadable(error)),
    };
    ownership::check(path, &file, home)
        .map_err(unreadable)?
        .map_err(|why| ConfigError::Untrusted { path: path.to_owned(), why })?;
    let mut text = String::new();
    file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > MAX_FILE_BYTES { Err(unreadable(too_large())) } else { Ok(text) }
}

fn too_large() -> io::Error {
    io::Error::other("the file is too large for a configuration")
}

/// The offset in bytes of the line with this key; 0 if there is none.
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

/// The number of cores plus one: a start sometimes waits for the disk, and no core should be idle then.
fn default_max_starting() -> u32 {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    u32::try_from(cores).unwrap_or(u32::MAX).saturating_add(1)
}

/// Why the Claude executable was not found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaudeMissing {
    /// No directory in PATH has an executable `claude`.
    #[error("claude is not in any directory of PATH")]
    NotInPath,
    /// The configured file does not exist.
    #[error("{} (set by {by}) does not exist", .path.display())]
    NotFound {
        /// The configured path.
        path: PathBuf,
        /// The variable or the file that sets it.
        by: &'static str,
    },
    /// The configured path is not an executable file.
    #[error("{} (set by {by}) is not an executable file", .path.display())]
    NotExecutable {
        /// The configured path.
        path: PathBuf,
        /// The variable or the file that sets it.
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

    /// What to do.
    pub fn remedy(&self) -> Remedy {
        Remedy::doctor_after(match self {
            ClaudeMissing::NotInPath => {
                "Install Claude Code, or set AREYOUJ_CLAUDE or `claude` in config.toml to the path of its executable."
            }
            ClaudeMissing::NotFound { .. } => {
                "Correct the path, or remove the setting to search PATH instead."
            }
            ClaudeMissing::NotExecutable { .. } => {
                "Set it to the Claude executable, and check that you have permission to execute it."
            }
        })
    }
}

/// Finds the Claude executable: the path in `AREYOUJ_CLAUDE`, else the configured path, else the first `claude` in PATH.
/// Also returns which of the three it was.
pub fn find_claude(
    get: impl Fn(&str) -> Option<OsString>,
    configured: Option<&Path>,
) -> Result<(PathBuf, &'static str), ClaudeMissing> {
    let variable = get("AREYOUJ_CLAUDE").filter(|value| !value.is_empty()).map(PathBuf::from);
    let setting = variable
        .map(|path| (path, "AREYOUJ_CLAUDE"))
        .or_else(|| configured.map(|path| (path.to_owned(), "config.toml")));
    match setting {
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
            "from_sessions = [\"terminate\"]",
            "claude = \"bin/claude\"",
            "this is not TOML",
            "environment_deny = [\"A=B\"]",
        ]
        .map(|text| parse(text).unwrap_err());
        let unreadable = |source| ConfigError::Unreadable { path: "/c/config.toml".into(), source };
        let errors = errors.into_iter().chain([
            unreadable(io::ErrorKind::PermissionDenied.into()),
            unreadable(too_large()),
            ConfigError::Variable { name: "AREYOUJ_MAX_ACTIVE", value: "none".into() },
            ConfigError::Untrusted {
                path: "/c/config.toml".into(),
                why: Untrusted::Foreign { path: "/c/config.toml".into(), owner: 1000 },
            },
            ConfigError::Untrusted {
                path: "/c/config.toml".into(),
                why: Untrusted::Writable { path: "/c".into(), mode: 0o775 },
            },
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
    fn a_missing_file_gives_the_defaults() {
        let config = Config::load(Path::new("/nonexistent/config.toml")).unwrap();
        assert_eq!(config.claude, None);
        assert!(config.max_active_sessions >= 1 && config.max_starting >= 1);
        assert_eq!(config.on_interrupted, OnInterrupted::Ask);
        assert_eq!(config.grants(), Grants::default());
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
        assert_eq!(config.environment, EnvironmentPolicy::new(None, None), "the example has the defaults");
    }

    #[test]
    fn an_unknown_key_is_an_error_that_names_the_line() {
        let error = parse("log = \"info\"\n\nmax_actve_sessions = 3\n").unwrap_err();
        assert_eq!(error.code(), ErrorCode::ConfigInvalid);
        assert!(error.to_string().starts_with("/c/config.toml, line 3: "), "{error}");
        assert!(error.to_string().contains("max_actve_sessions"), "{error}");
    }

    #[test]
    fn invalid_values_are_errors_that_name_the_line() {
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
            assert!(error.remedy().hint().contains("/c/config.toml"));
        }
    }

    #[test]
    fn the_environment_overrides_the_file() {
        let parse = |value: &str| {
            Config::parse(Path::new("c"), "max_active_sessions = 3", Some(OsString::from(value)))
        };
        assert_eq!(parse("25").unwrap().max_active_sessions, 25);
        assert_eq!(parse("").unwrap().max_active_sessions, 3);
        assert!(matches!(parse("none"), Err(ConfigError::Variable { .. })));
        assert!(matches!(parse("0"), Err(ConfigError::Variable { .. })));
    }

    #[test]
    fn an_unreadable_configuration_file_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        assert!(matches!(Config::load(directory.path()), Err(ConfigError::Unreadable { .. })));
    }

    #[test]
    fn a_configuration_file_that_others_can_write_to_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.toml");
        fs::write(&path, "max_active_sessions = 3").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        let error = Config::load(&path).unwrap_err();
        assert_eq!(error.code(), ErrorCode::ConfigUntrusted);
        assert!(error.remedy().hint().contains("chmod go-w"), "{}", error.remedy().hint());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(Config::load(&path).unwrap().max_active_sessions, 3);
    }

    #[test]
    fn claude_is_searched_in_the_environment_then_the_configuration_then_path() {
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
        // Root can execute a file that has any execute bit; this one has none.
        assert_eq!(find_claude(get(Some(plain)), None).unwrap_err().code(), ErrorCode::ClaudeNotExecutable);
    }
}
