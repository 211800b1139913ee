//! `areyouj audit` reads the audit trail, and `areyouj note` writes to a session's transcript.

use areyouj_protocol::{
    AuditActor, AuditEntry, AuditListParams, ErrorCode, SessionNoteParams, Timestamp, request,
};
use serde_json::json;

use super::screen::{Colour, Screen};
use super::table::{self, Cell, Column, Shorten};
use super::{CommandError, Context, fresh_id, plain, text_argument, time};
use crate::client::Failure;

/// Entries that are printed if no time is given: a screen or two.
const NEWEST: usize = 100;

/// Entries of one request.
const PAGE: u32 = 1_000;

const COLUMNS: &[Column] = &[
    Column { title: "AGE", right: true, shorten: Shorten::Never, drop_order: 0 },
    Column { title: "WHO", right: false, shorten: Shorten::Never, drop_order: 0 },
    Column { title: "OPERATION", right: false, shorten: Shorten::Never, drop_order: 0 },
    Column { title: "SESSION", right: false, shorten: Shorten::Never, drop_order: 0 },
    Column { title: "OUTCOME", right: false, shorten: Shorten::Never, drop_order: 0 },
    Column { title: "TIMES", right: true, shorten: Shorten::Never, drop_order: 2 },
    Column { title: "PROGRAM", right: false, shorten: Shorten::Middle(16), drop_order: 3 },
    Column { title: "DETAIL", right: false, shorten: Shorten::End(16), drop_order: 4 },
];

/// Prints the audit trail, newest first.
pub(super) fn list(context: &Context, id: Option<&str>, since: Option<u64>) -> Result<(), CommandError> {
    let now = time::now();
    let mut client = context.connect()?;
    let since = since.map(|seconds| now.saturating_sub(seconds.saturating_mul(1_000)));
    let limit = if since.is_some() { usize::MAX } else { NEWEST };
    let mut entries: Vec<AuditEntry> = Vec::new();
    loop {
        let page = client.call::<request::AuditList>(&AuditListParams {
            session_id: id.map(str::to_owned),
            since,
            before: entries.last().map(|entry| entry.number),
            limit: Some(PAGE.min(u32::try_from(limit - entries.len()).unwrap_or(PAGE))),
        })?;
        let more = page.more && !page.entries.is_empty();
        entries.extend(page.entries);
        if !more || entries.len() >= limit {
            break;
        }
    }
    let screen = &context.screen;
    screen.show(&entries, || match entries.as_slice() {
        [] => "The audit trail has no such entries.".to_owned(),
        entries => render(entries, now, screen),
    })
}

fn render(entries: &[AuditEntry], now: Timestamp, screen: &Screen) -> String {
    let rows: Vec<Vec<Cell>> = entries.iter().map(|entry| row(entry, now)).collect();
    table::render(COLUMNS, &rows, screen.width, screen.out)
}

fn row(entry: &AuditEntry, now: Timestamp) -> Vec<Cell> {
    let or_dash = |text: Option<&str>| text.map_or_else(|| "-".to_owned(), plain::line);
    let outcome = plain::line(&entry.outcome);
    let program = entry.program.as_deref().filter(|program| !program.is_empty());
    let terminal = entry.terminal.as_deref().map(|terminal| format!(" on {terminal}")).unwrap_or_default();
    let process = match (program, entry.pid) {
        (Some(program), Some(pid)) => format!("{program} ({pid}){terminal}"),
        (None, Some(pid)) => format!("({pid}){terminal}"),
        (_, None) => "-".to_owned(),
    };
    vec![
        Cell::from(time::age(now, entry.last)),
        Cell::from(who(entry)),
        Cell::from(plain::line(&entry.operation)),
        Cell::from(or_dash(entry.session_id.as_deref())),
        if entry.outcome == "ok" { Cell::from(outcome) } else { Cell::coloured(Colour::Red, outcome) },
        Cell::from(entry.count.to_string()),
        Cell::from(plain::path(&process)),
        Cell::from(or_dash(entry.detail.as_deref())),
    ]
}

/// Who acted: what the kernel says, then the name that the client gave itself.
fn who(entry: &AuditEntry) -> String {
    let client = plain::line(&entry.client);
    match (entry.actor, &entry.actor_session_id) {
        (AuditActor::Person, _) => format!("you ({client})"),
        (AuditActor::Session, Some(id)) => format!("inside {} ({client})", plain::line(id)),
        (AuditActor::Session, None) => format!("inside a session ({client})"),
        (AuditActor::Daemon, _) => "daemon".to_owned(),
        (AuditActor::Unknown, _) => format!("unknown ({client})"),
    }
}

/// Adds a note to the transcript of a session.
pub(super) fn note(context: &Context, id: Option<String>, text: &str) -> Result<(), CommandError> {
    let params = SessionNoteParams { request_id: fresh_id(), session_id: id, text: text_argument(text)? };
    // The command line has no workspace folders, so only a process inside a session can leave the session out.
    let noted = context.connect()?.call::<request::SessionNote>(&params);
    noted.map_err(|failure| {
        if params.session_id.is_none() && failure.code == ErrorCode::SessionNotFound.as_str() {
            return no_session_named();
        }
        failure
    })?;
    context.screen.show(&json!({"noted": true}), || "The note is in the transcript.".to_owned())
}

pub(super) fn no_session_named() -> Failure {
    Failure::new(
        ErrorCode::SessionNotFound,
        "a command outside all sessions must name the session of the note",
        "Run `areyouj note --session ID TEXT`.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> AuditEntry {
        AuditEntry {
            number: 1,
            at: 0,
            last: 0,
            count: 1,
            actor: AuditActor::Person,
            actor_session_id: None,
            pid: Some(4711),
            program: Some("/usr/bin/areyouj".to_owned()),
            terminal: Some("pts/3".to_owned()),
            client: "areyouj-cli".to_owned(),
            operation: "permission/answer".to_owned(),
            session_id: Some("K7M2Q9XD".to_owned()),
            detail: Some("K7M2Q9XD-1: always Bash(npm test:*)".to_owned()),
            outcome: "ok".to_owned(),
        }
    }

    #[test]
    fn the_trail_is_a_table_that_says_who_acted() {
        let refused = AuditEntry {
            count: 270_900,
            actor: AuditActor::Session,
            actor_session_id: Some("K7M2Q9XD".to_owned()),
            program: Some("/tmp/\u{1b}[2Jevil".to_owned()),
            terminal: None,
            client: "Visual Studio Code\u{202e}".to_owned(),
            operation: "daemon/stop".to_owned(),
            session_id: None,
            detail: None,
            outcome: "inside_session".to_owned(),
            ..entry()
        };
        let unknown = AuditEntry {
            actor: AuditActor::Unknown,
            actor_session_id: None,
            pid: None,
            program: None,
            ..entry()
        };
        let rendered = render(&[entry(), refused, unknown], 120_000, &Screen::bare(None));
        crate::texts::assert_text("audit", &rendered);
    }
}
