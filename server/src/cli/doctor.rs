//! `areyouj doctor`: checks the installation, suggests fixes, and with `--report` prints what a bug report needs. It
//! starts no daemon and changes nothing.

mod checks;
mod claude;
mod report;

use std::fmt::Write as _;

use areyouj_protocol::{DaemonStatus, Empty, PROTOCOL_VERSION, Session, SessionListParams, request};
use serde::Serialize;
use serde_json::{Value, json};

use super::screen::{Colour, Paint};
use super::{CommandError, Context, daemon, plain, remedy};
use crate::client::Failure;
use crate::config::Config;
use crate::paths::Paths;

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// It works.
    Ok,
    /// It works, but not for long or not well.
    Warning,
    /// It does not work.
    Problem,
}

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::Warning => "warning",
            State::Problem => "problem",
        }
    }
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Check {
    /// The name of the checked part.
    name: &'static str,
    /// The result.
    state: State,
    /// What the check found.
    message: String,
    /// The error code, if the check failed with an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// What to do about a warning or a problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

impl Check {
    fn ok(name: &'static str, message: impl Into<String>) -> Check {
        Check { name, state: State::Ok, message: message.into(), code: None, fix: None }
    }

    fn warning(name: &'static str, message: impl Into<String>, fix: impl Into<String>) -> Check {
        Check { name, state: State::Warning, message: message.into(), code: None, fix: Some(fix.into()) }
    }

    fn problem(name: &'static str, message: impl Into<String>, fix: impl Into<String>) -> Check {
        Check { name, state: State::Problem, message: message.into(), code: None, fix: Some(fix.into()) }
    }

    fn failed(name: &'static str, failure: Failure) -> Check {
        Check {
            name,
            state: State::Problem,
            message: failure.message,
            code: Some(failure.code),
            fix: failure.remedy.as_ref().and_then(remedy::fix),
        }
    }
}

/// Runs all checks and prints their results, or with `for_others` a report without contents and names. Exit code 1 if
/// there is a problem.
pub(super) fn run(context: &Context, for_others: bool) -> Result<(), CommandError> {
    let paths = &context.paths;
    let config = Config::load(&paths.config_file());
    let claude = config.as_ref().ok().and_then(|config| config.claude.clone());
    let mut all = vec![checks::system(), checks::configuration(paths, config)];
    all.extend(checks::directories(paths));
    let (claude, claude_version) = claude::check(claude.as_deref());
    all.push(claude);
    all.push(checks::host());
    all.push(checks::disk(paths));
    let (status, sessions) = match inspect_daemon(paths) {
        Ok(Some((status, sessions))) => {
            all.push(checks::daemon(&status));
            all.extend(checks::sessions(&sessions));
            (Some(status), sessions)
        }
        Ok(None) => {
            all.push(checks::no_daemon(paths));
            (None, Vec::new())
        }
        Err(failure) => {
            all.push(Check::failed("daemon", failure));
            (None, Vec::new())
        }
    };
    let log = checks::newest_log(paths);
    all.push(checks::log(paths, log.as_deref()));
    let healthy = all.iter().all(|check| check.state != State::Problem);
    if for_others {
        let facts = report::Facts {
            checks: &all,
            claude: claude_version,
            daemon: status.as_ref(),
            sessions: &sessions,
            log: log.as_deref(),
        };
        let report = report::render(&facts);
        return context.screen.show(&json!({"report": report}), || report.clone());
    }
    let report = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "protocolVersion": PROTOCOL_VERSION,
        "healthy": healthy,
        "paths": paths_json(paths),
        "daemon": status.as_ref().map_or_else(|| json!({"running": false}), daemon::status_json),
        "sessions": sessions.iter().map(session_json).collect::<Vec<_>>(),
        "checks": all,
    });
    context.screen.show(&report, || render(&all, healthy, context.screen.out))?;
    if healthy { Ok(()) } else { Err(CommandError::Reported) }
}

/// What a session is and how it is, without any text of people or Claude.
fn session_json(session: &Session) -> Value {
    json!({
        "id": session.id,
        "driver": session.driver,
        "status": session.status,
        "statusSince": session.status_since,
        "createdAt": session.created_at,
        "pid": session.pid,
        "hostPid": session.host_pid,
        "queued": session.queued,
        "queuePaused": session.queue_paused,
        "errorCode": session.error.as_ref().map(|error| &error.code),
        "startupMs": session.startup_ms,
    })
}

fn inspect_daemon(paths: &Paths) -> Result<Option<(DaemonStatus, Vec<Session>)>, Failure> {
    let Some(mut client) = daemon::running(paths)? else { return Ok(None) };
    let status = client.call::<request::DaemonStatus>(&Empty {})?;
    let sessions = client.call::<request::SessionList>(&SessionListParams { all: false })?.sessions;
    Ok(Some((status, sessions)))
}

fn paths_json(paths: &Paths) -> Value {
    json!({
        "run": paths.run_dir(),
        "socket": paths.daemon_socket(),
        "database": paths.database(),
        "state": paths.state_dir(),
        "log": paths.log_dir(),
        "config": paths.config_file(),
    })
}

fn render(checks: &[Check], healthy: bool, paint: Paint) -> String {
    let mut text = String::new();
    for check in checks {
        let colour = match check.state {
            State::Ok => Colour::Green,
            State::Warning => Colour::Yellow,
            State::Problem => Colour::Red,
        };
        let mark = check.state.as_str();
        let mark = paint.paint(colour, &format!("{mark:<8}"));
        let name = paint.paint(Colour::Bold, &format!("{:<14}", check.name));
        let _ = writeln!(text, "{mark} {name} {}", plain::line(&check.message));
        if let Some(fix) = &check.fix {
            let _ = writeln!(text, "{:24}{}", "", paint.paint(Colour::Cyan, &plain::line(fix)));
        }
    }
    text + if healthy { "No problems found.\n" } else { "Problems found.\n" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_shows_the_fix_below_each_problem() {
        let checks =
            [Check::ok("version", "0.1.0"), Check::problem("claude", "not \u{1b}[1mfound", "Install it.")];
        assert_eq!(
            render(&checks, false, Paint(false)),
            "ok       version        0.1.0\n\
             problem  claude         not found\n\
             \u{20}                       Install it.\n\
             Problems found.\n"
        );
    }
}
