//! `areyouj doctor --report`: facts for a bug report that anyone can read. It has no contents and no names: only
//! versions, numbers, statuses and error codes, each of which this program knows. A text of any other origin is left out
//! rather than cleaned.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::Path;

use areyouj_protocol::{DaemonStatus, Driver, ErrorCode, PROTOCOL_VERSION, Session};

use super::{Check, claude};

/// How much of the newest log is counted, in bytes from its end: a few days of a daemon that reports little.
const LOG_BYTES: u64 = 1024 * 1024;

/// The longest version that is printed, in characters.
const VERSION_CHARS: usize = 40;

/// What a report is made of.
pub(super) struct Facts<'a> {
    pub(super) checks: &'a [Check],
    /// What `claude --version` printed.
    pub(super) claude: Option<String>,
    pub(super) daemon: Option<&'a DaemonStatus>,
    pub(super) sessions: &'a [Session],
    /// The newest log file.
    pub(super) log: Option<&'a Path>,
}

/// The report.
pub(super) fn render(facts: &Facts) -> String {
    let mut text = format!(
        "AreYouJ report. It contains no texts, names or paths of yours.\n\n\
         areyouj     {}, protocol {PROTOCOL_VERSION}\n\
         system      Linux {}, {}\n",
        env!("CARGO_PKG_VERSION"),
        kernel(&std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default()),
        std::env::consts::ARCH,
    );
    let claude = facts.claude.as_deref().and_then(claude::number_of);
    let _ = writeln!(text, "claude      {}", claude.unwrap_or_else(|| "unknown version".to_owned()));
    match facts.daemon {
        Some(status) => {
            let _ = writeln!(
                text,
                "daemon      {}, {} clients, {} sessions, {} of at most {} active",
                version(&status.version),
                status.clients,
                status.sessions,
                status.active_sessions,
                status.max_active_sessions,
            );
            for job in status.jobs.iter().filter(|job| job.last_error.is_some()) {
                let _ = writeln!(text, "job         {} failed", plain_word(&job.name));
            }
        }
        None => text.push_str("daemon      not connected\n"),
    }
    text.push_str("\nChecks\n");
    for check in facts.checks {
        let _ =
            writeln!(text, "  {:<15} {}{}", check.name, check.state.as_str(), code_of(check.code.as_deref()));
    }
    text.push_str("\nSessions\n");
    for (number, session) in (1..).zip(facts.sessions) {
        let error = session.error.as_ref().map(|error| error.code.as_str());
        let _ = writeln!(
            text,
            "  session {number}: {}, {}, {} queued{}{}",
            if session.driver == Driver::Terminal { "terminal" } else { "stream" },
            session.status.as_str(),
            session.queued,
            if session.queue_paused.is_some() { ", queue paused" } else { "" },
            code_of(error),
        );
    }
    text.push_str("\nWarnings and errors in the newest log, by their source\n");
    for ((level, source, code), count) in facts.log.map(counts).unwrap_or_default() {
        let _ = writeln!(text, "  {count:>6} {level:<5} {source}{}", code_of(code.as_deref()));
    }
    text
}

/// An error code in parentheses. One that this program does not know could be any text.
fn code_of(code: Option<&str>) -> String {
    code.map_or_else(String::new, |code| {
        format!(" ({})", ErrorCode::parse(code).map_or("unknown error code", ErrorCode::as_str))
    })
}

/// The numbers at the beginning of the kernel's version: what follows can name its builder.
fn kernel(release: &str) -> &str {
    let end = release.find(|one: char| !one.is_ascii_digit() && one != '.').unwrap_or(release.len());
    &release[..end]
}

fn version(text: &str) -> String {
    let allowed = |one: &char| one.is_ascii_digit() || *one == '.';
    text.chars().take_while(allowed).take(VERSION_CHARS).collect()
}

/// A name that this program gave, for example to a job.
fn plain_word(text: &str) -> String {
    text.chars().filter(|one| one.is_ascii_lowercase() || *one == '-').take(VERSION_CHARS).collect()
}

/// The warnings and errors of a log: how many there are by level, module and error code. Everything else of a line is
/// left out.
fn counts(log: &Path) -> BTreeMap<(String, String, Option<String>), u64> {
    let mut counts = BTreeMap::new();
    let Ok(mut file) = File::open(log) else { return counts };
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    let _ = file.seek(SeekFrom::Start(length.saturating_sub(LOG_BYTES)));
    for line in BufReader::new(file).split(b'\n').map_while(Result::ok) {
        if let Some(found) = entry(&String::from_utf8_lossy(&line)) {
            *counts.entry(found).or_default() += 1;
        }
    }
    counts
}

/// Level, module and error code of a line of the log: `TIME LEVEL MODULE: message field=value…`.
fn entry(line: &str) -> Option<(String, String, Option<String>)> {
    let mut words = line.split_whitespace();
    words.next().filter(|time| time.starts_with(|one: char| one.is_ascii_digit()))?;
    let level = words.next().filter(|level| matches!(*level, "WARN" | "ERROR"))?;
    let module = words.next()?.strip_suffix(':')?;
    let own = module.split("::").next().is_some_and(|first| first.starts_with("areyouj"));
    let plain = module.chars().all(|one| one.is_ascii_lowercase() || one == '_' || one == ':');
    let code = words.find_map(|word| word.strip_prefix("code=")).and_then(ErrorCode::parse);
    let module = if own && plain { module } else { "another module" };
    Some((level.to_owned(), module.to_owned(), code.map(|code| code.as_str().to_owned())))
}

#[cfg(test)]
mod tests {
    use areyouj_protocol::{SessionError, Status};

    use super::*;
    use crate::cli::status::tests::session;
    use crate::cli::texts::daemon_status;
    use crate::texts::assert_text;

    const SECRET: &str = "ada-secret";

    #[test]
    fn a_report_has_facts_and_no_text_of_another_origin() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("daemon.log");
        let lines = [
            "2026-01-01T00:00:00Z  WARN areyouj::daemon::launch: problem=ada-secret",
            "2026-01-01T00:00:01Z ERROR areyouj::daemon: the daemon cannot run code=storage_full problem=ada-secret",
            "2026-01-01T00:00:01Z ERROR areyouj::daemon: again code=storage_full",
            "2026-01-01T00:00:02Z ERROR ada-secret: text",
            "2026-01-01T00:00:03Z ERROR areyouj::daemon: text code=ada-secret",
            "2026-01-01T00:00:04Z  INFO areyouj::daemon: ada-secret",
            "ada-secret ERROR areyouj::daemon: continued",
        ];
        std::fs::write(&log, lines.join("\n")).unwrap();
        let mut sessions = vec![session(Status::Idle), session(Status::Error)];
        for session in &mut sessions {
            session.name = Some(SECRET.to_owned());
            session.directory = format!("/home/{SECRET}");
            session.current_task = Some(SECRET.to_owned());
            session.status_reason = Some(SECRET.to_owned());
        }
        sessions[1].error = Some(SessionError {
            code: SECRET.to_owned(),
            message: SECRET.to_owned(),
            hint: SECRET.to_owned(),
            remedy: None,
            log: None,
        });
        let mut status = daemon_status();
        status.version = format!("0.1.0 {SECRET}");
        status.database = SECRET.to_owned();
        let mut failed = Check::problem("configuration", SECRET, SECRET);
        failed.code = Some("config_invalid".to_owned());
        let facts = Facts {
            checks: &[Check::ok("system", SECRET), failed],
            claude: Some(format!("2.1.332 ({SECRET})")),
            daemon: Some(&status),
            sessions: &sessions,
            log: Some(&log),
        };
        let report = render(&facts);
        assert!(!report.contains("ada"), "{report}");
        let system = report.lines().find(|line| line.starts_with("system")).unwrap().to_owned();
        assert_text("doctor-report", &report.replace(&system, "system      Linux 6.1.0, x86_64"));
    }
}
