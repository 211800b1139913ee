//! Commands about sessions: `new`, `ls`, `show`, `interrupt`, `restart`, `switch-driver`, `terminate`, `rename`, `rm`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, io};

use areyouj_protocol::{
    Driver, ErrorCode, NewMessage, Session, SessionActionParams, SessionCreateParams, SessionListParams,
    SessionParams, SessionRenameParams, SessionSwitchParams, Status, Timestamp, request,
};
use serde_json::json;

use super::arguments::{DriverArgument, New};
use super::screen::{Colour, Paint, Screen};
use super::table::{self, Cell, Column, Shorten};
use super::{CommandError, Context, fresh_id, plain, remedy, status, text_argument, time, trust, wait};
use crate::client::Failure;

/// What a person must know about a host without a key.
const UNPROTECTED: &str = "started by an earlier version; restart the session to protect its host";

const COLUMNS: &[Column] = &[
    Column { title: "ID", right: false, shorten: Shorten::Never, drop_order: 0 },
    Column { title: "STATUS", right: false, shorten: Shorten::Never, drop_order: 0 },
    Column { title: "NAME/DIRECTORY", right: false, shorten: Shorten::Middle(20), drop_order: 0 },
    Column { title: "TASK", right: false, shorten: Shorten::End(16), drop_order: 1 },
    Column { title: "MODEL", right: false, shorten: Shorten::End(10), drop_order: 6 },
    Column { title: "CONTEXT", right: true, shorten: Shorten::Never, drop_order: 4 },
    Column { title: "COST", right: true, shorten: Shorten::Never, drop_order: 5 },
    Column { title: "QUEUED", right: true, shorten: Shorten::Never, drop_order: 3 },
    Column { title: "AGE", right: true, shorten: Shorten::Never, drop_order: 2 },
];

/// Starts a session.
pub(super) fn new(context: &Context, arguments: New) -> Result<(), CommandError> {
    let mut messages = Vec::new();
    for message in &arguments.messages {
        messages.push(NewMessage { id: fresh_id(), text: text_argument(message)? });
    }
    let params = SessionCreateParams {
        request_id: fresh_id(),
        directory: absolute_directory(&arguments.directory)?,
        environment: environment(),
        name: arguments.name,
        driver: wire_driver(arguments.driver),
        model: arguments.model,
        permission_mode: arguments.permission_mode,
        messages,
        trust: arguments.trust,
    };
    let screen = &context.screen;
    let mut client = context.connect()?;
    let created = client.call::<request::SessionCreate>(&params)?;
    if let Some(warning) = &created.warning {
        screen.warn(warning);
    }
    let session = trust::ask(context, &mut client, created.session)?;
    if !arguments.wait {
        return screen.show(&session, || session.id.clone());
    }
    // The id comes first, so that a person who interrupts the wait with Ctrl-C has it.
    if !screen.json {
        screen.text(&session.id)?;
    }
    let session = wait::until_settled(&mut client, screen, session)?;
    if let Some((attention, command)) = session.attention.as_ref().zip(status::next_command(&session)) {
        screen.warn(&format!("the session needs you: {} (run `{command}`)", attention.title));
    }
    if screen.json { screen.value(&session) } else { Ok(()) }
}

/// The canonical absolute path of the directory, as text.
fn absolute_directory(directory: &Path) -> Result<String, Failure> {
    let path = fs::canonicalize(directory).map_err(|error| unusable_directory(directory, &error))?;
    path.into_os_string().into_string().map_err(|path| not_utf8(Path::new(&path)))
}

pub(super) fn unusable_directory(directory: &Path, error: &io::Error) -> Failure {
    let (code, what, hint) = match error.kind() {
        io::ErrorKind::NotFound => {
            (ErrorCode::DirectoryMissing, "does not exist", "Create it, or choose another directory.")
        }
        io::ErrorKind::NotADirectory => {
            (ErrorCode::NotADirectory, "goes through a file that is not a directory", "Choose a directory.")
        }
        _ => (
            ErrorCode::DirectoryNotAccessible,
            "cannot be entered",
            "Check the permissions of the directory and of its parent directories.",
        ),
    };
    Failure::new(code, format!("{} {what}", directory.display()), hint)
}

pub(super) fn not_utf8(path: &Path) -> Failure {
    Failure::new(
        ErrorCode::DirectoryNotUtf8,
        format!("the path {} is not valid UTF-8", path.display()),
        "Rename the directory so that its path is valid UTF-8.",
    )
}

/// The environment of this process, which the session gets. Variables that are not UTF-8 are left out: JSON cannot hold
/// them.
fn environment() -> BTreeMap<String, String> {
    env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Lists sessions.
pub(super) fn list(context: &Context, all: bool) -> Result<(), CommandError> {
    let list = context.connect()?.call::<request::SessionList>(&SessionListParams { all })?;
    let screen = &context.screen;
    screen.show(&list.sessions, || {
        if list.sessions.is_empty() {
            let more = if all { "" } else { " (`areyouj ls --all` includes terminated ones)" };
            return format!("No sessions{more}. Create one with `areyouj new`.");
        }
        render_list(&list.sessions, time::now(), home().as_deref(), screen)
    })
}

fn home() -> Option<String> {
    env::var("HOME").ok()
}

pub(super) fn render_list(
    sessions: &[Session],
    now: Timestamp,
    home: Option<&str>,
    screen: &Screen,
) -> String {
    let rows: Vec<Vec<Cell>> = sessions.iter().map(|session| row(session, now, home)).collect();
    table::render(COLUMNS, &rows, screen.width, screen.out)
}

fn row(session: &Session, now: Timestamp, home: Option<&str>) -> Vec<Cell> {
    let or_dim = |text: Option<String>, placeholder: &str| match text {
        Some(text) => Cell::from(plain::line(&text)),
        None => Cell::coloured(Colour::Dim, placeholder),
    };
    let queued = match (session.queued, &session.queue_paused) {
        (queued, Some(_)) if session.status != Status::Terminated => {
            Cell::coloured(Colour::Yellow, format!("{queued} paused"))
        }
        (queued, _) => Cell::from(queued.to_string()),
    };
    vec![
        Cell::coloured(Colour::Bold, plain::line(&session.id)),
        state(session),
        Cell::from(status::title(session, home)),
        or_dim(session.current_task.clone(), "No active task"),
        or_dim(session.model.clone(), "-"),
        or_dim(status::context(session), "-"),
        or_dim(status::cost(session), "-"),
        queued,
        Cell::from(time::age(now, session.created_at)),
    ]
}

/// The status, with a mark if AreYouJ refused something to processes inside the session that no person has seen.
fn state(session: &Session) -> Cell {
    let word = status::word(session.status);
    match &session.refusals {
        Some(refusals) if refusals.unread => Cell::coloured(Colour::Red, format!("{word} ! refused")),
        _ => Cell::coloured(status::colour(session.status), word),
    }
}

/// Shows one session.
pub(super) fn show(context: &Context, id: String) -> Result<(), CommandError> {
    let session = context.connect()?.call::<request::SessionGet>(&SessionParams { session_id: Some(id) })?;
    context.screen.show(&session, || describe(&session, time::now(), home().as_deref(), context.screen.out))
}

pub(super) fn describe(session: &Session, now: Timestamp, home: Option<&str>, paint: Paint) -> String {
    let mut text = format!(
        "{}  {}\n",
        paint.paint(Colour::Bold, &plain::line(&session.id)),
        paint.paint(status::colour(session.status), &status::word(session.status))
    );
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "  {} {value}", paint.paint(Colour::Dim, &format!("{name:<12}")));
    };
    if let Some(name) = &session.name {
        line("name", &plain::line(name));
    }
    // The path is sanitized already. It keeps every blank, so that it can be copied.
    line("directory", &status::directory(&session.directory, home));
    let mut field = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            line(name, &plain::line(&value));
        }
    };
    let since = time::ago(now, session.status_since);
    field(
        "status",
        Some(match &session.status_reason {
            Some(reason) => format!("{}, {since}: {reason}", session.status.as_str()),
            None => format!("{}, {since}", session.status.as_str()),
        }),
    );
    if let Some(error) = &session.error {
        field("error", Some(format!("{} ({})", error.message, error.code)));
        field("", Some(remedy::hint_of_session(error)));
        for line in error.log.iter().flat_map(|log| log.lines()) {
            field("", Some(format!("| {line}")));
        }
    }
    if let Some(attention) = &session.attention {
        field("needs you", Some(attention.title.clone()));
        field("", status::next_command(session));
    }
    if let Some(refusals) = &session.refusals {
        let last = time::ago(now, refusals.last);
        field("refused", Some(format!("{} requests from inside, the last one {last}", refusals.count)));
        field("", Some(refusals.title.clone()));
        field("", Some(format!("areyouj audit {}", session.id)));
    }
    field("task", Some(session.current_task.clone().unwrap_or_else(|| "No active task".to_owned())));
    field(
        "queue",
        Some(match &session.queue_paused {
            Some(reason) if session.attention.is_none() && session.status != Status::Terminated => {
                let next = format!("areyouj queue resume {}", session.id);
                format!("{} queued, paused: {reason}; resume with: {next}", session.queued)
            }
            Some(reason) => format!("{} queued, paused: {reason}", session.queued),
            None => format!("{} queued", session.queued),
        }),
    );
    field("model", session.model.clone());
    field("permissions", session.permission_mode.clone());
    let driver = match session.driver {
        Driver::Stream => "stream",
        Driver::Terminal => "terminal",
    };
    field("driver", Some(driver.to_owned()));
    if let Some((used, share)) = session.context_used.zip(status::context(session)) {
        let max = session.context_max.unwrap_or_default();
        field("context", Some(format!("{share}, {used} of {max} tokens")));
    }
    field("cost", status::cost(session));
    field("unread", Some(session.unread.to_string()).filter(|_| session.unread > 0));
    field("created", Some(time::ago(now, session.created_at)));
    field("active", Some(time::ago(now, session.last_activity)));
    field("started in", session.startup_ms.map(time::duration));
    if let Some((claude, host)) = session.pid.zip(session.host_pid) {
        field("processes", Some(format!("claude {claude}, host {host}")));
    }
    field("host", Some(UNPROTECTED.to_owned()).filter(|_| session.host_unprotected));
    field("conversation", Some(session.claude_session_id.clone()));
    text
}

fn action(id: String) -> SessionActionParams {
    SessionActionParams { request_id: fresh_id(), session_id: Some(id) }
}

fn print(screen: &Screen, session: &Session) -> Result<(), CommandError> {
    screen.show(session, || status::sentence(session))
}

/// Interrupts the running turn and waits for its end.
pub(super) fn interrupt(context: &Context, id: String) -> Result<(), CommandError> {
    let mut client = context.connect()?;
    let session = client.call::<request::SessionInterrupt>(&action(id))?;
    print(&context.screen, &wait::until_interrupted(&mut client, &context.screen, session)?)
}

/// Restarts Claude and waits until it is ready.
pub(super) fn restart(context: &Context, id: String) -> Result<(), CommandError> {
    let mut client = context.connect()?;
    let session = client.call::<request::SessionRestart>(&action(id))?;
    print(&context.screen, &wait::until_restarted(&mut client, &context.screen, session)?)
}

/// Switches a conversation to another driver and waits until it is ready.
pub(super) fn switch(
    context: &Context,
    id: String,
    driver: DriverArgument,
    interrupt: bool,
) -> Result<(), CommandError> {
    let mut client = context.connect()?;
    // With a whole id the daemon first checks whether another Claude has the conversation open.
    let id = client.call::<request::SessionGet>(&SessionParams { session_id: Some(id) })?.id;
    let params = SessionSwitchParams {
        request_id: fresh_id(),
        session_id: Some(id),
        driver: wire_driver(driver),
        interrupt,
    };
    let session = client.call::<request::SessionSwitch>(&params)?;
    print(&context.screen, &wait::until_switched(&mut client, &context.screen, session, params.driver)?)
}

fn wire_driver(driver: DriverArgument) -> Driver {
    match driver {
        DriverArgument::Stream => Driver::Stream,
        DriverArgument::Terminal => Driver::Terminal,
    }
}

/// Terminates a session and waits for its end.
pub(super) fn terminate(context: &Context, id: String) -> Result<(), CommandError> {
    let mut client = context.connect()?;
    let session = client.call::<request::SessionTerminate>(&action(id))?;
    print(&context.screen, &wait::until_terminated(&mut client, &context.screen, session)?)
}

/// Names a session.
pub(super) fn rename(context: &Context, id: String, name: String) -> Result<(), CommandError> {
    let params = SessionRenameParams { request_id: fresh_id(), session_id: Some(id), name };
    let session = context.connect()?.call::<request::SessionRename>(&params)?;
    context.screen.show(&session, || match &session.name {
        Some(name) => format!("{} is now named {}", session.id, plain::line(name)),
        None => format!("{} no longer has a name", session.id),
    })
}

/// Deletes a terminated session.
pub(super) fn remove(context: &Context, id: String) -> Result<(), CommandError> {
    let mut client = context.connect()?;
    let session = client.call::<request::SessionGet>(&SessionParams { session_id: Some(id) })?;
    client.call::<request::SessionDelete>(&action(session.id.clone()))?;
    context.screen.show(&json!({"id": session.id, "deleted": true}), || format!("{} was deleted", session.id))
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;

    use areyouj_protocol::SessionError;
    use unicode_width::UnicodeWidthStr;

    use super::super::status::tests::session;
    use super::*;

    const HOUR: Timestamp = 3_600_000;

    fn sessions() -> Vec<Session> {
        let mut first = session(Status::Active);
        first.name = Some("\u{65e5}\u{672c}\u{1b}[31m engine".to_owned());
        first.current_task = Some("rewrite\nthe parser".to_owned());
        first.model = Some("claude-sonnet".to_owned());
        (first.context_used, first.context_max, first.cost_usd) = (Some(20_000), Some(200_000), 1.5);
        let mut second = session(Status::Idle);
        second.id = "ABCDEFGH".to_owned();
        (second.queued, second.queue_paused) = (2, Some("a person paused it".to_owned()));
        vec![first, second]
    }

    #[test]
    fn the_list_is_an_aligned_table() {
        let list = render_list(&sessions(), 2 * HOUR, Some("/home/ada"), &Screen::bare(None));
        assert_eq!(
            list.replace("\u{65e5}\u{672c}", "WIDE"),
            "ID        STATUS    NAME/DIRECTORY               TASK                MODEL          CONTEXT   COST    QUEUED  AGE\n\
             K7M2Q9XD  \u{25cf} active  WIDE engine \u{b7} ~/work/engine  rewrite the parser  claude-sonnet      10%  $1.50         0   2h\n\
             ABCDEFGH  \u{25cb} idle    ~/work/engine                No active task      -                    -  $0.00  2 paused   2h\n"
        );
    }

    #[test]
    fn the_list_fits_narrow_terminals() {
        for width in [44, 60, 80, 100] {
            let list = render_list(&sessions(), 2 * HOUR, Some("/home/ada"), &Screen::bare(Some(width)));
            assert!(list.lines().all(|line| line.width() <= width), "{width}:\n{list}");
            assert!(list.contains("K7M2Q9XD") && list.contains("active"), "{width}:\n{list}");
        }
    }

    #[test]
    fn a_session_in_error_is_shown_with_its_hint_and_log() {
        let mut session = session(Status::Error);
        session.error = Some(SessionError {
            code: "login_needed".to_owned(),
            message: "Claude is not logged in".to_owned(),
            hint: "Log in.".to_owned(),
            remedy: None,
            log: Some("first\nlast".to_owned()),
        });
        let block = describe(&session, HOUR, Some("/home/ada"), Paint(false));
        assert!(block.starts_with("K7M2Q9XD  \u{2717} error\n"), "{block}");
        for line in
            ["Claude is not logged in (login_needed)", "Log in.", "| first", "| last", "~/work/engine"]
        {
            assert!(block.contains(line), "{line}:\n{block}");
        }
    }

    #[test]
    fn a_directory_is_sent_as_its_canonical_path() {
        let home = tempfile::tempdir().unwrap();
        let real = fs::canonicalize(home.path()).unwrap().join("real");
        fs::create_dir(&real).unwrap();
        std::os::unix::fs::symlink(&real, home.path().join("link")).unwrap();
        assert_eq!(absolute_directory(&home.path().join("link/../link")).unwrap(), real.to_str().unwrap());
        let missing = absolute_directory(&home.path().join("missing")).unwrap_err();
        assert_eq!(missing.code, "directory_missing");
        let odd = home.path().join(std::ffi::OsStr::from_bytes(b"\xff"));
        fs::create_dir(&odd).unwrap();
        assert_eq!(absolute_directory(&odd).unwrap_err().code, "directory_not_utf8");
        fs::write(home.path().join("file"), "").unwrap();
        assert_eq!(absolute_directory(&home.path().join("file/x")).unwrap_err().code, "not_a_directory");
    }
}
