//! The text of a session's status, title, directory, context and cost.

use areyouj_protocol::{AttentionKind, Driver, Session, Status};

use super::screen::Colour;
use areyouj_core::text::plain;

/// The status with its icon, so that colour is never the only sign.
pub(crate) fn word(status: Status) -> String {
    let icon = match status {
        Status::Starting => '\u{25cc}',
        Status::Active => '\u{25cf}',
        Status::Waiting => '?',
        Status::Idle => '\u{25cb}',
        Status::Error => '\u{2717}',
        Status::Terminated => '\u{25a0}',
    };
    format!("{icon} {}", status.as_str())
}

/// The session's status and its reason, in a sentence.
pub(crate) fn sentence(session: &Session) -> String {
    let reason = session.status_reason.as_deref().map(|reason| format!(" ({})", plain::line(reason)));
    format!("{} is {}{}", plain::line(&session.id), session.status.as_str(), reason.unwrap_or_default())
}

/// The colour of a status.
pub(crate) fn colour(status: Status) -> Colour {
    match status {
        Status::Starting => Colour::Magenta,
        Status::Active => Colour::Green,
        Status::Waiting => Colour::Yellow,
        Status::Idle => Colour::Cyan,
        Status::Error => Colour::Red,
        Status::Terminated => Colour::Dim,
    }
}

/// A path with `~` for the home directory.
pub(crate) fn directory(path: &str, home: Option<&str>) -> String {
    let home = home.map(|home| home.trim_end_matches('/')).filter(|home| !home.is_empty());
    let below = home.and_then(|home| path.strip_prefix(home));
    match below {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => plain::path(&format!("~{rest}")),
        _ => plain::path(path),
    }
}

/// The session's name, if it has one, and its directory.
pub(crate) fn title(session: &Session, home: Option<&str>) -> String {
    let directory = directory(&session.directory, home);
    match &session.name {
        Some(name) => format!("{} \u{b7} {directory}", plain::line(name)),
        None => directory,
    }
}

/// The used share of the context window, in per cent.
pub(crate) fn context(session: &Session) -> Option<String> {
    let (used, max) = (session.context_used?, session.context_max.filter(|max| *max > 0)?);
    Some(format!("{}%", u128::from(used) * 100 / u128::from(max)))
}

/// The cost of a session; `None` if it is unknown, because Claude does not report it in a terminal.
pub(crate) fn cost(session: &Session) -> Option<String> {
    let known = session.driver == Driver::Stream || session.cost_usd > 0.0;
    known.then(|| dollars(session.cost_usd))
}

/// US dollars.
pub(crate) fn dollars(dollars: f64) -> String {
    if dollars > 0.0 && dollars < 0.01 { "<$0.01".to_owned() } else { format!("${dollars:.2}") }
}

/// The command to run next for what needs a person.
pub(crate) fn next_command(session: &Session) -> Option<String> {
    let attention = session.attention.as_ref()?;
    let id = &session.id;
    Some(match (attention.kind, &attention.message_id) {
        (AttentionKind::Permission | AttentionKind::Question | AttentionKind::Plan, _) => {
            format!("areyouj permissions {id}")
        }
        (AttentionKind::Terminal, _) => format!("areyouj attach {id}"),
        (AttentionKind::Interrupted | AttentionKind::Failed, Some(message)) => {
            format!("areyouj queue continue|again|skip {}", short_message_id(message))
        }
        (AttentionKind::Interrupted | AttentionKind::Failed, None) => format!("areyouj queue {id} --all"),
        (AttentionKind::Error, _) => format!("areyouj restart {id}"),
    })
}

/// The prefix of a message id that people type.
pub(crate) fn short_message_id(id: &str) -> String {
    /// Digits of a UUID, enough to distinguish millions of messages.
    const DIGITS: usize = 8;
    plain::line(id).chars().take(DIGITS).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use areyouj_protocol::{Attention, StatusSource};

    use super::*;

    pub(crate) fn session(status: Status) -> Session {
        Session {
            id: "K7M2Q9XD".to_owned(),
            directory: "/home/ada/work/engine".to_owned(),
            name: None,
            driver: Driver::Stream,
            status,
            status_since: 0,
            status_source: StatusSource::Control,
            status_reason: None,
            error: None,
            attention: None,
            current_task: None,
            created_at: 0,
            last_activity: 0,
            pid: None,
            host_pid: None,
            claude_session_id: "0b5c".to_owned(),
            model: None,
            permission_mode: None,
            cost_usd: 0.0,
            context_used: None,
            context_max: None,
            queued: 0,
            queue_paused: None,
            unread: 0,
            startup_ms: None,
            refusals: None,
            host_unprotected: false,
        }
    }

    #[test]
    fn only_the_home_directory_is_shown_as_a_tilde() {
        assert_eq!(directory("/home/ada", Some("/home/ada/")), "~");
        assert_eq!(directory("/home/ada/work", Some("/home/ada")), "~/work");
        assert_eq!(directory("/home/adam", Some("/home/ada")), "/home/adam");
        assert_eq!(directory("/srv", Some("/")), "/srv");
        assert_eq!(directory("/srv/\u{1b}[31mx", None), "/srv/\u{241b}[31mx");
    }

    #[test]
    fn a_sentence_includes_the_reason() {
        let mut session = session(Status::Idle);
        assert_eq!(sentence(&session), "K7M2Q9XD is idle");
        session.status_reason = Some("queue paused: a\nperson".to_owned());
        assert_eq!(sentence(&session), "K7M2Q9XD is idle (queue paused: a person)");
    }

    #[test]
    fn context_and_cost_are_short() {
        let mut session = session(Status::Idle);
        assert_eq!(context(&session), None);
        (session.context_used, session.context_max) = (Some(50_000), Some(200_000));
        assert_eq!(context(&session).as_deref(), Some("25%"));
        session.context_max = Some(0);
        assert_eq!(context(&session), None);
        assert_eq!([dollars(0.0), dollars(0.004), dollars(1.256)], ["$0.00", "<$0.01", "$1.26"]);
        assert_eq!(cost(&session).as_deref(), Some("$0.00"));
        session.driver = Driver::Terminal;
        assert_eq!(cost(&session), None);
        session.cost_usd = 2.0;
        assert_eq!(cost(&session).as_deref(), Some("$2.00"));
    }

    #[test]
    fn attention_comes_with_the_command_to_run() {
        let mut session = session(Status::Idle);
        assert_eq!(next_command(&session), None);
        session.attention = Some(Attention {
            kind: AttentionKind::Interrupted,
            permission_id: None,
            message_id: Some("3f2a9c1b-0000-4000-8000-000000000000".to_owned()),
            title: "a message was interrupted".to_owned(),
            open: 0,
        });
        assert_eq!(next_command(&session).as_deref(), Some("areyouj queue continue|again|skip 3f2a9c1b"));
    }
}
