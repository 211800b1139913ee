//! Waiting for a status of a session, by the notifications of the daemon: `areyouj wait`, and the commands that wait for
//! their own effect.

use std::time::{Duration, Instant};

use areyouj_protocol::{
    Driver, ErrorCode, Notification as _, Remedy, Session, SessionListUpdate, SessionParams,
    SessionTerminated, Status, notification, request,
};

use super::arguments::Goal;
use super::screen::Screen;
use super::spinner::Spinner;
use super::{CommandError, Context, status};
use crate::client::{Client, Failure, Notification, Pushed};

/// Whether a session has reached the state that a command waits for.
#[derive(Debug, PartialEq)]
enum Verdict {
    /// The state is reached.
    Reached,
    /// The state can still be reached.
    Pending,
    /// The state cannot be reached any more, for this reason.
    Failed(Failure),
}

/// Waits for the status, then prints the session.
pub(super) fn run(
    context: &Context,
    id: String,
    goal: Goal,
    timeout: Option<Duration>,
) -> Result<(), CommandError> {
    // A timeout that is too long for the clock never expires.
    let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let mut client = context.connect()?;
    let session = client.call::<request::SessionGet>(&SessionParams { session_id: Some(id) })?;
    let session = until(&mut client, &context.screen, session, |session| judge(session, goal), deadline)?;
    context.screen.show(&session, || status::sentence(&session))
}

/// Waits until the messages of a new session are done or Claude needs an answer.
pub(super) fn until_settled(
    client: &mut Client,
    screen: &Screen,
    session: Session,
) -> Result<Session, CommandError> {
    let settled = |session: &Session| match session.status {
        Status::Waiting => Verdict::Reached,
        _ => judge(session, Goal::Idle),
    };
    until(client, screen, session, settled, None)
}

/// How long the end of a session can take. The daemon kills Claude and its host after seven seconds.
const TERMINATE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the end of a turn can take. The daemon reports after 15 seconds that Claude does not answer.
const INTERRUPT_TIMEOUT: Duration = Duration::from_secs(20);

/// How long a command waits for a restart. A start takes a second; the daemon retries a failed one for longer than this.
const RESTART_WAIT: Duration = Duration::from_secs(10);

/// Waits until a session has ended with every process that it started.
pub(super) fn until_terminated(
    client: &mut Client,
    screen: &Screen,
    session: Session,
) -> Result<Session, CommandError> {
    let deadline = Instant::now().checked_add(TERMINATE_TIMEOUT);
    until(client, screen, session, |session| judge(session, Goal::Terminated), deadline)
}

/// Waits until the interrupted turn has ended.
pub(super) fn until_interrupted(
    client: &mut Client,
    screen: &Screen,
    session: Session,
) -> Result<Session, CommandError> {
    let deadline = Instant::now().checked_add(INTERRUPT_TIMEOUT);
    until(client, screen, session, turn_has_ended, deadline)
}

/// Waits until a restarted session is ready, or returns it as it is after [`RESTART_WAIT`]: the daemon keeps retrying.
pub(super) fn until_restarted(
    client: &mut Client,
    screen: &Screen,
    session: Session,
) -> Result<Session, CommandError> {
    let deadline = Instant::now().checked_add(RESTART_WAIT);
    watch(client, screen, session, has_started, deadline).map(|(session, _)| session)
}

/// Waits, without a limit, until the session runs with this driver. The running turn ends first.
pub(super) fn until_switched(
    client: &mut Client,
    screen: &Screen,
    session: Session,
    driver: Driver,
) -> Result<Session, CommandError> {
    let switched = |session: &Session| match session.status {
        Status::Error | Status::Terminated => judge(session, Goal::Idle),
        _ if session.driver != driver => Verdict::Pending,
        _ => has_started(session),
    };
    until(client, screen, session, switched, None)
}

fn turn_has_ended(session: &Session) -> Verdict {
    match session.status {
        Status::Active | Status::Waiting => Verdict::Pending,
        _ => Verdict::Reached,
    }
}

fn has_started(session: &Session) -> Verdict {
    match session.status {
        Status::Active | Status::Waiting | Status::Idle => Verdict::Reached,
        _ => judge(session, Goal::Idle),
    }
}

fn until(
    client: &mut Client,
    screen: &Screen,
    session: Session,
    judge: impl Fn(&Session) -> Verdict,
    deadline: Option<Instant>,
) -> Result<Session, CommandError> {
    match watch(client, screen, session, judge, deadline)? {
        (session, true) => Ok(session),
        (session, false) => Err(timed_out(&session).into()),
    }
}

/// The session at the end, and whether it reached the state before the deadline.
fn watch(
    client: &mut Client,
    screen: &Screen,
    mut session: Session,
    judge: impl Fn(&Session) -> Verdict,
    deadline: Option<Instant>,
) -> Result<(Session, bool), CommandError> {
    let mut spinner = Spinner::new(screen);
    loop {
        match judge(&session) {
            Verdict::Reached => return Ok((session, true)),
            Verdict::Failed(failure) => return Err(failure.into()),
            Verdict::Pending => {}
        }
        session = match next_change(client, &session, &mut spinner, deadline)? {
            Some(changed) => changed,
            None => return Ok((session, false)),
        };
    }
}

/// The session after its next change; `None` if the deadline passes first.
fn next_change(
    client: &mut Client,
    session: &Session,
    spinner: &mut Spinner<'_>,
    deadline: Option<Instant>,
) -> Result<Option<Session>, Failure> {
    loop {
        let frame = spinner.interval().map(|interval| Instant::now() + interval);
        let until = deadline.into_iter().chain(frame).min();
        match client.next_notification(until)? {
            Pushed::Notification(pushed) => match change_of(&pushed, &session.id) {
                Change::None => {}
                Change::Session(session) => return Ok(Some(*session)),
                Change::Unknown => return fetch(client, &session.id).map(Some),
            },
            Pushed::Resync => return fetch(client, &session.id).map(Some),
            Pushed::Nothing if deadline.is_some_and(|deadline| Instant::now() >= deadline) => {
                return Ok(None);
            }
            Pushed::Nothing => spinner.turn(&summary(session)),
        }
    }
}

enum Change {
    /// The notification does not concern the session.
    None,
    /// The session after the change.
    Session(Box<Session>),
    /// The session changed; the notification does not say how.
    Unknown,
}

fn change_of(pushed: &Notification, id: &str) -> Change {
    match pushed.method.as_str() {
        notification::SessionListUpdate::METHOD => {
            match serde_json::from_value::<SessionListUpdate>(pushed.params.clone()) {
                Ok(update) if update.session_id == id => {
                    update.session.map_or(Change::Unknown, |session| Change::Session(Box::new(session)))
                }
                _ => Change::None,
            }
        }
        notification::SessionTerminated::METHOD => {
            match serde_json::from_value::<SessionTerminated>(pushed.params.clone()) {
                Ok(terminated) if terminated.session_id == id => Change::Unknown,
                _ => Change::None,
            }
        }
        notification::Resync::METHOD => Change::Unknown,
        _ => Change::None,
    }
}

fn fetch(client: &mut Client, id: &str) -> Result<Session, Failure> {
    client.call::<request::SessionGet>(&SessionParams { session_id: Some(id.to_owned()) })
}

fn judge(session: &Session, goal: Goal) -> Verdict {
    let reached = match goal {
        // A paused queue does not resume without a person, so there is nothing to wait for.
        Goal::Idle => {
            session.status == Status::Idle && (session.queued == 0 || session.queue_paused.is_some())
        }
        Goal::Waiting => session.status == Status::Waiting,
        Goal::Active => session.status == Status::Active,
        Goal::Error => session.status == Status::Error,
        Goal::Terminated => session.status == Status::Terminated,
    };
    match session.status {
        _ if reached => Verdict::Reached,
        // A session in `error` can still be terminated.
        Status::Error if goal != Goal::Terminated => Verdict::Failed(error_of(session)),
        Status::Terminated => Verdict::Failed(terminated(session)),
        _ => Verdict::Pending,
    }
}

pub(super) fn terminated(session: &Session) -> Failure {
    Failure::new(
        ErrorCode::SessionTerminated,
        format!("session {} was terminated", session.id),
        Remedy::NewSession,
    )
}

pub(super) fn error_of(session: &Session) -> Failure {
    match session.error.clone() {
        Some(error) => error.into(),
        None => Failure::new(
            ErrorCode::Internal,
            format!("session {} has failed", session.id),
            Remedy::restart(&session.id),
        ),
    }
}

pub(super) fn timed_out(session: &Session) -> Failure {
    let hint = match status::next_command(session) {
        Some(command) => format!("The session needs you: run `{command}`."),
        None => format!("Run `areyouj logs {} -f` to see what it does.", session.id),
    };
    Failure::new(ErrorCode::Timeout, format!("timed out: {}", summary(session)), hint)
}

fn summary(session: &Session) -> String {
    let mut summary = format!("{} is {}", session.id, session.status.as_str());
    if let Some(attention) = &session.attention {
        summary.push_str(&format!(": {}", attention.title));
    } else if let Some(reason) = &session.status_reason {
        summary.push_str(&format!(": {reason}"));
    } else if let Some(task) = session.current_task.as_ref().filter(|_| session.status == Status::Active) {
        summary.push_str(&format!(": {task}"));
    }
    if session.queued > 0 {
        summary.push_str(&format!(" ({} queued)", session.queued));
    }
    summary
}

#[cfg(test)]
mod tests {
    use areyouj_protocol::SessionError;
    use serde_json::json;

    use super::super::status::tests::session;
    use super::*;

    #[test]
    fn idle_requires_an_empty_or_paused_queue() {
        let mut session = session(Status::Idle);
        assert_eq!(judge(&session, Goal::Idle), Verdict::Reached);
        session.queued = 1;
        assert_eq!(judge(&session, Goal::Idle), Verdict::Pending);
        session.queue_paused = Some("paused by a person".to_owned());
        assert_eq!(judge(&session, Goal::Idle), Verdict::Reached);
        session.status = Status::Active;
        assert_eq!(judge(&session, Goal::Idle), Verdict::Pending);
    }

    #[test]
    fn an_error_ends_the_wait_for_another_status_with_the_error_of_the_session() {
        let mut session = session(Status::Error);
        session.error = Some(SessionError {
            code: "login_needed".to_owned(),
            message: "Claude is not logged in".to_owned(),
            hint: "Log in.".to_owned(),
            remedy: None,
            log: None,
        });
        assert_eq!(judge(&session, Goal::Error), Verdict::Reached);
        assert_eq!(judge(&session, Goal::Terminated), Verdict::Pending);
        let Verdict::Failed(failure) = judge(&session, Goal::Idle) else { panic!("it has failed") };
        assert_eq!(failure.code, "login_needed");
    }

    #[test]
    fn a_terminated_session_reaches_no_other_status() {
        let session = session(Status::Terminated);
        assert_eq!(judge(&session, Goal::Terminated), Verdict::Reached);
        for goal in [Goal::Idle, Goal::Waiting, Goal::Active, Goal::Error] {
            let Verdict::Failed(failure) = judge(&session, goal) else { panic!("it has failed") };
            assert_eq!(failure.code, "session_terminated");
        }
    }

    #[test]
    fn an_interrupted_turn_has_ended_when_the_session_is_not_busy() {
        for (status, verdict) in [
            (Status::Active, Verdict::Pending),
            (Status::Waiting, Verdict::Pending),
            (Status::Idle, Verdict::Reached),
            (Status::Terminated, Verdict::Reached),
        ] {
            assert_eq!(turn_has_ended(&session(status)), verdict, "{status:?}");
        }
    }

    #[test]
    fn a_restart_is_done_when_claude_is_ready_and_fails_when_the_session_ends() {
        assert_eq!(has_started(&session(Status::Starting)), Verdict::Pending);
        for status in [Status::Idle, Status::Active, Status::Waiting] {
            assert_eq!(has_started(&session(status)), Verdict::Reached, "{status:?}");
        }
        for status in [Status::Error, Status::Terminated] {
            assert!(matches!(has_started(&session(status)), Verdict::Failed(_)), "{status:?}");
        }
    }

    #[test]
    fn only_notifications_about_the_session_count() {
        let pushed = |method: &str, params| Notification { method: method.to_owned(), params };
        let update = |id: &str| {
            let session = session(Status::Active);
            pushed("areyouj/sessionListUpdate", json!({"revision": 1, "sessionId": id, "session": session}))
        };
        assert!(matches!(change_of(&update("K7M2Q9XD"), "K7M2Q9XD"), Change::Session(_)));
        assert!(matches!(change_of(&update("K7M2Q9XE"), "K7M2Q9XD"), Change::None));
        let removed = pushed("areyouj/sessionListUpdate", json!({"revision": 1, "sessionId": "K7M2Q9XD"}));
        assert!(matches!(change_of(&removed, "K7M2Q9XD"), Change::Unknown));
        assert!(matches!(
            change_of(&pushed("areyouj/newThing", json!({"sessionId": "K7M2Q9XD"})), "K7M2Q9XD"),
            Change::None
        ));
        assert!(matches!(
            change_of(&pushed("areyouj/resync", json!({"dropped": 3})), "K7M2Q9XD"),
            Change::Unknown
        ));
    }
}
