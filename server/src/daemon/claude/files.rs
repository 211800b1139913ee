//! Claude's files in its configuration directory: read, never written.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::unistd::{User, geteuid};
use serde_json::Value;
use uuid::Uuid;

use super::trust::Place;
use areyouj_core::orchestrator::{
    ConversationState, ErrorCode, MessageId, Problem, ProcessStatus, SessionId,
};
use areyouj_core::text::plain::short_line;

/// Maximum bytes to read of a file: Claude's own settings grow to a few hundred kilobytes.
const MAX_FILE: u64 = 16 << 20;

/// Characters to show of a path or a text of Claude's.
const SHOWN_CHARS: usize = 200;

/// The places of Claude's files.
#[derive(Clone, Debug)]
pub(in crate::daemon) struct ClaudeFiles {
    /// Its directory, and its settings file; `None` without a home.
    places: Option<(PathBuf, PathBuf)>,
    /// How Claude's settings identify the API key of the environment; `None` without one.
    api_key: Option<String>,
    /// What the environment says about trust.
    trust: Trust,
}

/// What counts as trust in a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trust {
    /// Claude's record.
    Recorded,
    /// Every directory is trusted.
    Everywhere,
    /// No record counts.
    Nowhere,
}

/// Another Claude that has a conversation open.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::daemon) struct Open {
    pub(in crate::daemon) pid: i32,
    pub(in crate::daemon) directory: String,
}

impl Open {
    /// Why this session cannot have it.
    pub(in crate::daemon) fn problem(&self, session: SessionId) -> Problem {
        let Open { pid, directory } = self;
        Problem::new(
            ErrorCode::ConversationOpen,
            format!("Claude with process id {pid} in {directory} has the conversation of {session} open."),
            "End that Claude first, so that two do not write to one conversation.",
        )
    }
}

/// Names the home of a Claude with this environment in this directory for the gate, without I/O.
pub(in crate::daemon) fn home_of(environment: &BTreeMap<String, String>, directory: &str) -> String {
    let set = |name| environment.get(name).filter(|value| !value.is_empty());
    let home = set("CLAUDE_CONFIG_DIR").or_else(|| set("HOME"));
    home.map_or_else(String::new, |home| Path::new(directory).join(home).to_string_lossy().into_owned())
}

/// Names a directory and the home of a Claude that works there, for work that needs both.
pub(in crate::daemon) fn directory_and_home(
    environment: &BTreeMap<String, String>,
    directory: &str,
) -> String {
    format!("{directory}\0{}", home_of(environment, directory))
}

impl ClaudeFiles {
    /// The files of a Claude with this environment in this directory, which relative paths start from.
    pub(in crate::daemon) fn of(environment: &BTreeMap<String, String>, directory: &str) -> ClaudeFiles {
        let set = |name: &str| environment.get(name).filter(|value| !value.is_empty());
        let of_user = || Some(User::from_uid(geteuid()).ok()??.dir);
        let home = set("HOME").map(|home| Path::new(directory).join(home)).or_else(of_user);
        let config = environment.get("CLAUDE_CONFIG_DIR").map(|config| Path::new(directory).join(config));
        let places = match config {
            // For an empty value, Claude uses its working directory, but its home for the settings file.
            Some(config) => {
                let named = set("CLAUDE_CONFIG_DIR").map(|_| config.clone());
                named.or(home).map(|settings| (config, settings.join(".claude.json")))
            }
            None => home.map(|home| (home.join(".claude"), home.join(".claude.json"))),
        };
        let is_on = |name| set(name).is_some_and(|value| is_on(value));
        let trust = if is_on("CLAUDE_CODE_SANDBOXED") {
            Trust::Everywhere
        } else if is_on("CLAUDE_CODE_IGNORE_PERSISTED_TRUST") {
            Trust::Nowhere
        } else {
            Trust::Recorded
        };
        ClaudeFiles { places, api_key: set("ANTHROPIC_API_KEY").map(|key| remembered(key)), trust }
    }

    /// Claude's directory.
    pub(in crate::daemon) fn directory(&self) -> Option<&Path> {
        self.places.as_ref().map(|(config, _)| config.as_path())
    }

    /// Whether Claude calls one of these directories trusted.
    pub(in crate::daemon) fn trusts(&self, directories: &[PathBuf]) -> bool {
        match self.trust {
            Trust::Everywhere => true,
            Trust::Nowhere => false,
            Trust::Recorded => {
                let settings = self.places.as_ref().and_then(|(_, settings)| read(settings));
                settings.is_some_and(|settings| records_trust(&settings, directories))
            }
        }
    }

    /// Where Claude keeps its records of conversations, for people.
    pub(in crate::daemon) fn place(&self) -> String {
        match &self.places {
            Some((config, _)) => short_line(&config.join("projects").to_string_lossy(), SHOWN_CHARS),
            None => "any place: this user has no home directory".to_owned(),
        }
    }

    /// What Claude's own record has of the conversation, and which of these messages are in it.
    pub(in crate::daemon) fn conversation(
        &self,
        claude_session: Uuid,
        messages: &[MessageId],
    ) -> io::Result<(ConversationState, Vec<MessageId>)> {
        let Some(record) = self.conversation_file(claude_session)? else {
            return Ok((ConversationState::Nothing, Vec::new()));
        };
        let file = File::open(&record)?;
        let mut conversation = ConversationState::Silent;
        let mut seen = Vec::new();
        for line in BufReader::new(file).split(b'\n') {
            let line = line?;
            let line = String::from_utf8_lossy(&line);
            if !line.contains("\"type\":\"user\"") {
                continue;
            }
            conversation = ConversationState::Begun;
            seen.extend(messages.iter().filter(|id| line.contains(&id.to_string())));
            if messages.is_empty() {
                break;
            }
        }
        Ok((conversation, seen))
    }

    fn conversation_file(&self, claude_session: Uuid) -> io::Result<Option<PathBuf>> {
        let Some((config, _)) = &self.places else { return Ok(None) };
        let name = format!("{claude_session}.jsonl");
        // Claude derives the folder's name from the directory by a rule of its own; the name of the file is enough.
        let folders = match fs::read_dir(config.join("projects")) {
            Ok(folders) => folders,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        for folder in folders {
            let record = folder?.path().join(&name);
            match fs::metadata(&record) {
                Ok(metadata) if metadata.is_file() => return Ok(Some(record)),
                Err(error)
                    if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
                {
                    return Err(error);
                }
                _ => {}
            }
        }
        Ok(None)
    }

    /// The status that the Claude with this process id has recorded, and its time in milliseconds since the epoch;
    /// `None` without a record.
    pub(in crate::daemon) fn status(&self, pid: u32) -> Option<(ProcessStatus, u64)> {
        let (config, _) = self.places.as_ref()?;
        let record = read(&config.join("sessions").join(format!("{pid}.json")))?;
        let since = record.get("statusUpdatedAt").and_then(Value::as_u64).unwrap_or(u64::MAX);
        Some((status_in(&record)?, since))
    }

    /// What Claude asks in this directory before it begins; `None` if no question is known.
    pub(in crate::daemon) fn asks_first(&self, directory: &str) -> Option<String> {
        let (_, settings) = self.places.as_ref()?;
        let settings = read(settings).unwrap_or_default();
        if !yes(&settings, "hasCompletedOnboarding") {
            return Some("Claude wants to be set up (login, theme) in its terminal".to_owned());
        }
        let place = Place::of(directory).map(|place| place.trusted_by);
        if !self.trusts(&place.unwrap_or_default()) {
            return Some("Claude asks in its terminal whether to trust this directory".to_owned());
        }
        let answers = settings.get("customApiKeyResponses");
        let settled = |key: &String| {
            ["approved", "rejected"].iter().any(|answer| {
                let keys = answers.and_then(|answers| answers.get(answer)?.as_array());
                keys.is_some_and(|keys| keys.iter().any(|known| known == key))
            })
        };
        let asks = self.api_key.as_ref().is_some_and(|key| !settled(key));
        asks.then(|| "Claude asks in its terminal whether to use the API key of the environment".to_owned())
    }

    /// Another Claude, not the one with this process id, that has the conversation open.
    pub(in crate::daemon) fn open_elsewhere(&self, claude_session: Uuid, own: Option<u32>) -> Option<Open> {
        let (config, _) = self.places.as_ref()?;
        let conversation = claude_session.to_string();
        for entry in fs::read_dir(config.join("sessions")).ok()?.flatten() {
            let path = entry.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let Some(record) = read(&path) else { continue };
            let pid = record.get("pid").and_then(Value::as_i64).and_then(|pid| i32::try_from(pid).ok());
            let Some(pid) = pid.filter(|pid| u32::try_from(*pid).ok() != own) else { continue };
            if text(&record, "sessionId") == conversation && is_alive(pid, text(&record, "procStart")) {
                return Some(Open { pid, directory: short_line(text(&record, "cwd"), SHOWN_CHARS) });
            }
        }
        None
    }
}

fn yes(value: &Value, name: &str) -> bool {
    value.get(name).and_then(Value::as_bool) == Some(true)
}

/// Whether Claude takes the value of a variable for "yes".
fn is_on(value: &str) -> bool {
    ["1", "true", "yes", "on"].iter().any(|on| value.trim().eq_ignore_ascii_case(on))
}

/// Whether Claude's settings call one of these directories trusted.
fn records_trust(settings: &Value, directories: &[PathBuf]) -> bool {
    let projects = settings.get("projects");
    directories.iter().any(|directory| {
        let project = directory.to_str().and_then(|directory| projects?.get(directory));
        project.is_some_and(|project| yes(project, "hasTrustDialogAccepted"))
    })
}

/// What Claude remembers of an API key: its end.
fn remembered(key: &str) -> String {
    /// So many characters of it.
    const CHARACTERS: usize = 20;
    key.chars().skip(key.chars().count().saturating_sub(CHARACTERS)).collect()
}

/// The status in a record.
fn status_in(record: &Value) -> Option<ProcessStatus> {
    match text(record, "status") {
        "idle" => Some(ProcessStatus::Idle),
        "busy" => Some(ProcessStatus::Busy),
        "waiting" => {
            let what = short_line(text(record, "waitingFor"), SHOWN_CHARS);
            let what = if what.is_empty() { "something that wants an answer".to_owned() } else { what };
            Some(ProcessStatus::Waiting(format!("Claude shows in its terminal: {what}")))
        }
        _ => None,
    }
}

/// Whether this process lives and started then: its number can have been reused.
fn is_alive(pid: i32, started: &str) -> bool {
    fs::read(format!("/proc/{pid}/stat")).is_ok_and(|stat| lives(&stat, started))
}

/// Whether this `/proc/PID/stat` is of a process that lives and started then. A process that is exiting, which takes
/// a while with much memory, does nothing any more.
fn lives(stat: &[u8], started: &str) -> bool {
    /// Places of fields after the program's name, which can hold any bytes.
    const STATE: usize = 0;
    const FLAGS: usize = 6;
    const START: usize = 19;
    const PF_EXITING: u64 = 4;
    let after = stat.iter().rposition(|byte| *byte == b')').map_or(0, |at| at + 1);
    let stat = String::from_utf8_lossy(&stat[after..]);
    let field = |number: usize| stat.split_ascii_whitespace().nth(number).unwrap_or_default();
    let exiting = field(FLAGS).parse().is_ok_and(|flags: u64| flags & PF_EXITING != 0);
    !exiting && !matches!(field(STATE), "Z" | "X") && (started.is_empty() || field(START) == started)
}

fn read(path: &Path) -> Option<Value> {
    serde_json::from_slice(&read_bounded(path, MAX_FILE).ok()?).ok()
}

/// Reads a regular file of at most this many bytes.
///
/// # Errors
/// It cannot be read, is larger, or is not a regular file.
pub(in crate::daemon) fn read_bounded(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    // A FIFO or device of this name must not block.
    let file = OpenOptions::new().read(true).custom_flags(nix::libc::O_NONBLOCK).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::other(format!("it has more than {} KiB", most >> 10)));
    }
    Ok(bytes)
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn records(home: &Path) -> ClaudeFiles {
        let config = ("CLAUDE_CONFIG_DIR".to_owned(), home.to_str().unwrap().to_owned());
        ClaudeFiles::of(&BTreeMap::from([config]), "/work")
    }

    #[test]
    fn each_home_has_a_name_of_its_own() {
        let home = |variables: &[(&str, &str)]| {
            let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            home_of(&variables.collect(), "/work")
        };
        assert_eq!(home(&[("HOME", "/home/me")]), "/home/me");
        assert_eq!(home(&[("HOME", "/home/me"), ("CLAUDE_CONFIG_DIR", "/mnt/claude")]), "/mnt/claude");
        assert_eq!(home(&[("HOME", "/home/me"), ("CLAUDE_CONFIG_DIR", "")]), "/home/me");
        assert_eq!(home(&[("CLAUDE_CONFIG_DIR", "own")]), "/work/own");
        assert_eq!(home(&[]), "");
    }

    #[test]
    fn claudes_own_record_shows_what_had_begun() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("projects/-some-where");
        fs::create_dir_all(&folder).unwrap();
        let records = records(home.path());
        let conversation = Uuid::from_u128(1);
        let (begun, waiting) = (Uuid::from_u128(2), Uuid::from_u128(3));
        let record = folder.join(format!("{conversation}.jsonl"));
        assert_eq!(
            records.conversation(conversation, &[begun]).unwrap(),
            (ConversationState::Nothing, vec![])
        );
        fs::write(&record, "{\"type\":\"mode\"}\n").unwrap();
        assert_eq!(records.conversation(conversation, &[begun]).unwrap().0, ConversationState::Silent);
        fs::write(&record, format!("{{\"type\":\"user\",\"uuid\":\"{begun}\"}}\nnot json\n")).unwrap();
        assert_eq!(
            records.conversation(conversation, &[begun, waiting]).unwrap(),
            (ConversationState::Begun, vec![begun])
        );
    }

    #[test]
    fn records_are_where_claude_resolves_its_variables_to() {
        let place = |variables: &[(&str, &str)]| {
            let environment = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            ClaudeFiles::of(&environment.collect(), "/work").place()
        };
        assert_eq!(place(&[("HOME", "/u")]), "/u/.claude/projects");
        assert_eq!(place(&[("HOME", "/u"), ("CLAUDE_CONFIG_DIR", "/c")]), "/c/projects");
        assert_eq!(place(&[("HOME", "/u"), ("CLAUDE_CONFIG_DIR", "~/c")]), "/work/~/c/projects");
        assert_eq!(place(&[("HOME", "/u"), ("CLAUDE_CONFIG_DIR", "")]), "/work/projects");
        assert!(place(&[]).ends_with("/.claude/projects"), "the home is the user's");
    }

    #[test]
    fn what_claude_asks_first_is_known_beforehand() {
        let home = tempfile::tempdir().unwrap();
        let work = home.path().canonicalize().unwrap();
        let [a, b, below] =
            ["a", "b", "b/deep/down"].map(|name| work.join(name).to_str().unwrap().to_owned());
        [&a, &below].iter().for_each(|directory| fs::create_dir_all(directory).unwrap());
        let records = records(home.path());
        let settings = |value: Value| fs::write(home.path().join(".claude.json"), value.to_string()).unwrap();
        assert!(records.asks_first(&a).unwrap().contains("set up"));
        settings(json!({"hasCompletedOnboarding": true, "projects": {b: {"hasTrustDialogAccepted": true}}}));
        assert!(records.asks_first(&a).unwrap().contains("trust"));
        assert_eq!(records.asks_first(&below), None);
        settings(
            json!({"hasCompletedOnboarding": true, "projects": {&a: {"hasTrustDialogAccepted": false}}}),
        );
        assert!(records.asks_first(&a).unwrap().contains("trust"));
    }

    #[test]
    fn the_environment_can_overrule_claudes_record_of_trust() {
        let home = tempfile::tempdir().unwrap();
        let settings = json!({"projects": {"/a": {"hasTrustDialogAccepted": true}}});
        fs::write(home.path().join(".claude.json"), settings.to_string()).unwrap();
        let trusts = |name: &str, value: &str, directory: &str| {
            let variables = [("CLAUDE_CONFIG_DIR", home.path().to_str().unwrap()), (name, value)];
            let environment = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
            ClaudeFiles::of(&environment, "/work").trusts(&[PathBuf::from(directory)])
        };
        assert!(trusts("OTHER", "1", "/a") && !trusts("OTHER", "1", "/b"));
        assert!(trusts("CLAUDE_CODE_SANDBOXED", "1", "/b"));
        assert!(!trusts("CLAUDE_CODE_SANDBOXED", "0", "/b"));
        assert!(!trusts("CLAUDE_CODE_IGNORE_PERSISTED_TRUST", "true", "/a"));
        assert!(trusts("CLAUDE_CODE_IGNORE_PERSISTED_TRUST", "0", "/a"));
    }

    #[test]
    fn an_api_key_that_nobody_has_decided_about_is_asked_about() {
        let home = tempfile::tempdir().unwrap();
        let asks = |responses: Value| {
            let trusted = json!({"/": {"hasTrustDialogAccepted": true}});
            let settings = json!({"hasCompletedOnboarding": true, "projects": trusted, "customApiKeyResponses": responses});
            fs::write(home.path().join(".claude.json"), settings.to_string()).unwrap();
            let variables = [
                ("CLAUDE_CONFIG_DIR", home.path().to_str().unwrap()),
                ("ANTHROPIC_API_KEY", "sk-0123456789abcdefghij"),
            ];
            let environment = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
            ClaudeFiles::of(&environment, "/").asks_first("/")
        };
        assert!(asks(Value::Null).unwrap().contains("API key"));
        assert!(asks(json!({"approved": ["another"], "rejected": []})).unwrap().contains("API key"));
        assert_eq!(asks(json!({"approved": ["0123456789abcdefghij"]})), None);
        assert_eq!(asks(json!({"rejected": ["0123456789abcdefghij"]})), None);
    }

    #[test]
    fn a_claude_that_lives_has_its_conversation_open_and_one_that_died_does_not() {
        let home = tempfile::tempdir().unwrap();
        let records = records(home.path());
        let sessions = home.path().join("sessions");
        fs::create_dir_all(&sessions).unwrap();
        let (own, conversation) = (std::process::id(), Uuid::from_u128(7));
        let kept = |start: &str| {
            let record = json!({"pid": own, "sessionId": conversation, "cwd": "/else\u{1b}[2Jwhere", "procStart": start});
            fs::write(sessions.join(format!("{own}.json")), record.to_string()).unwrap();
        };
        fs::write(sessions.join("9.json"), "{").unwrap();
        kept("");
        let open = records.open_elsewhere(conversation, None).unwrap();
        assert_eq!((open.pid, open.directory.as_str()), (own.cast_signed(), "/elsewhere"));
        assert_eq!(records.open_elsewhere(conversation, Some(own)), None);
        assert_eq!(records.open_elsewhere(Uuid::from_u128(8), None), None);
        // Another process has the number now.
        kept("1");
        assert_eq!(records.open_elsewhere(conversation, None), None);
    }

    #[test]
    fn a_process_that_is_exiting_lives_no_more() {
        let stat = |state: &str, flags: u32| {
            format!("7 (a) Z (b)) {state} 1 7 7 0 -1 {flags} 1 2 3 4 5 6 7 8 20 0 1 0 4711 9")
        };
        assert!(lives(stat("S", 0x0040_0000).as_bytes(), "4711"));
        assert!(!lives(stat("S", 0x0040_0000).as_bytes(), "4712"));
        assert!(!lives(stat("D", 0x0040_0004).as_bytes(), "4711"));
        assert!(!lives(stat("Z", 0x0040_0000).as_bytes(), ""));
    }

    #[test]
    fn a_status_is_one_of_claudes_own_words() {
        let home = tempfile::tempdir().unwrap();
        let records = records(home.path());
        fs::create_dir_all(home.path().join("sessions")).unwrap();
        let seen = |record: &str| {
            fs::write(home.path().join("sessions/7.json"), record).unwrap();
            records.status(7).map(|(seen, _)| seen)
        };
        assert_eq!(seen(r#"{"status":"idle"}"#), Some(ProcessStatus::Idle));
        assert_eq!(seen(r#"{"status":"busy"}"#), Some(ProcessStatus::Busy));
        let dialog = seen(r#"{"status":"waiting","waitingFor":"dialog open"}"#);
        assert_eq!(
            dialog,
            Some(ProcessStatus::Waiting("Claude shows in its terminal: dialog open".to_owned()))
        );
        assert_eq!((seen(r#"{"status":"dancing"}"#), seen("")), (None, None));
    }
}
