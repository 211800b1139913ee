//! `areyouj wait`: until a session has come to a status, by what the daemon pushes.

use std::time::{Duration, Instant};

use areyouj_protocol::{
    Driver, ErrorCode, Notification as _, Session, SessionListUpdate, SessionParams, SessionTerminated,
    Status, notification, request,
};

use super::arguments::Goal;
use super::screen::Screen;
use super::spinner::Spinner;
use super::{CommandError, Context, status};
use crate::client::{Client, Failure, Notification, Pushed};

/// Whether a session has come to where it was to come.
#[derive(Debug, PartialEq)]
enum Verdict {
    /// It has.
    Reached,
    /// It may yet.
    Pending,
    /// It will not.
    Failed(Failure),
}

/// Waits and tells how the session is then.
pub(super) fn run(
    context: &Context,
    id: String,
    goal: Goal,
    timeout: Option<Duration>,
) -> Result<(), CommandError> {
    // A time-out too long for the clock is none.
    let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let mut client = context.connect()?;
    let session = client.call::<request::SessionGet>(&SessionParams { session_id: Some(id) })?;
    let session = until(&mut client, &context.screen, session, |session| judge(session, goal), deadline)?;
    context.screen.show(&session, || status::sentence(&session))
}

/// Waits until the messages of a new session are done or a person is needed.
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

/// How long the end of a session may take: Claude and its host are given seven seconds before they are killed.
const TERMINATION: Duration = Duration::from_secs(30);

/// How long the end of a turn may take. The daemon tells after 15 seconds that Claude does not answer.
const INTERRUPTION: Duration = Duration::from_secs(20);

/// How long a start is watched. It takes a second; one that fails is tried over for longer than people look on.
const RESTART: Duration = Duration::from_secs(10);

/// Waits until a session that is being terminated has ended, with everything it started.
pub(super) fn until_terminated(
    client: &mut Client,
    screen: &Screen,
    session: Session,
) -> Result<Session, CommandError> {
    let deadline = Instant::now().checked_add(TERMINATION);
    until(client, screen, session, |session| judge(session, Goal::Terminated), deadline)
}

/// Waits until a turn that is being broken off has ended.
pub(super) fn until_interrupted(
    client: &mut Client,
    screen: &Screen,
    session: Session,
) -> Result<Session, CommandError> {
    let deadline = Instant::now().checked_add(INTERRUPTION);
    until(client, screen, session, turn_has_ended, deadline)
}

/// Waits until a session that is being restarted can work again, or for as long as people look on: the daemon goes on
/// trying without them.
pub(super) fn until_restarted(
    client: &mut Client,
    screen: &Screen,
    session: Session,
) -> Result<Session, CommandError> {
    let deadline = Instant::now().checked_add(RESTART);
    watch(client, screen, session, has_started, deadline).map(|(session, _)| session)
}

/// Waits until a conversation has moved to this driver and can go on there; the turn that runs may take its time.
pub(super) fn until_moved(
    client: &mut Client,
    screen: &Screen,
    session: Session,
    driver: Driver,
) -> Result<Session, CommandError> {
    let moved = |session: &Session| match session.status {
        Status::Error | Status::Terminated => judge(session, Goal::Idle),
        _ if session.driver != driver => Verdict::Pending,
        _ => has_started(session),
    };
    until(client, screen, session, moved, None)
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

/// The session as it is at the end, and whether it has come to where it was to come before the deadline.
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

/// The session as it is after its next change; none if the deadline passes first.
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
                Change::Now(session) => return Ok(Some(*session)),
                Change::Look => return look(client, &session.id).map(Some),
            },
            Pushed::Resync => return look(client, &session.id).map(Some),
            Pushed::Nothing if deadline.is_some_and(|deadline| Instant::now() >= deadline) => {
                return Ok(None);
            }
            Pushed::Nothing => spinner.turn(&summary(session)),
        }
    }
}

enum Change {
    /// The notification is about something else.
    None,
    /// The session is like this now.
    Now(Box<Session>),
    /// The session is to be looked at.
    Look,
}

fn change_of(pushed: &Notification, id: &str) -> Change {
    match pushed.method.as_str() {
        notification::SessionListUpdate::METHOD => {
            match serde_json::from_value::<SessionListUpdate>(pushed.params.clone()) {
                Ok(update) if update.session_id == id => {
                    update.session.map_or(Change::Look, |session| Change::Now(Box::new(session)))
                }
                _ => Change::None,
            }
        }
        notification::SessionTerminated::METHOD => {
            match serde_json::from_value::<SessionTerminated>(pushed.params.clone()) {
                Ok(terminated) if terminated.session_id == id => Change::Look,
                _ => Change::None,
            }
        }
        notification::Resync::METHOD => Change::Look,
        _ => Change::None,
    }
}

fn look(client: &mut Client, id: &str) -> Result<Session, Failure> {
    client.call::<request::SessionGet>(&SessionParams { session_id: Some(id.to_owned()) })
}

fn judge(session: &Session, goal: Goal) -> Verdict {
    let reached = match goal {
        // A paused queue does not go on by itself: there is nothing to wait for.
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
        // Terminating it ends an error as well.
        Status::Error if goal != Goal::Terminated => Verdict::Failed(error_of(session)),
        Status::Terminated => Verdict::Failed(terminated(session)),
        _ => Verdict::Pending,
    }
}

pub(super) fn terminated(session: &Session) -> Failure {
    Failure::new(
        ErrorCode::SessionTerminated,
        format!("session {} was terminated", session.id),
        "Start a new one with `areyouj new`.",
    )
}

pub(super) fn error_of(session: &Session) -> Failure {
    match session.error.clone() {
        Some(error) => error.into(),
        None => Failure::new(
            ErrorCode::Internal,
            format!("session {} is in error", session.id),
            format!("Run `areyouj restart {}`.", session.id),
        ),
    }
}

pub(super) fn timed_out(session: &Session) -> Failure {
    let hint = match status::next_command(session) {
        Some(command) => format!("It needs you: `{command}`."),
        None => format!("`areyouj logs {} -f` shows what it does.", session.id),
    };
    Failure::new(ErrorCode::Timeout, format!("time is up: {}", summary(session)), hint)
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
    fn idle_means_that_nothing_waits_unless_the_queue_is_paused() {
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
    fn an_error_ends_waiting_for_anything_else_with_the_session_s_own_error() {
        let mut session = session(Status::Error);
        session.error = Some(SessionError {
            code: "login_needed".to_owned(),
            message: "Claude is not logged in".to_owned(),
            hint: "Log in.".to_owned(),
            log: None,
        });
        assert_eq!(judge(&session, Goal::Error), Verdict::Reached);
        assert_eq!(judge(&session, Goal::Terminated), Verdict::Pending);
        let Verdict::Failed(failure) = judge(&session, Goal::Idle) else { panic!("it has failed") };
        assert_eq!(failure.code, "login_needed");
    }

    #[test]
    fn a_terminated_session_comes_to_nothing_else() {
        let session = session(Status::Terminated);
        assert_eq!(judge(&session, Goal::Terminated), Verdict::Reached);
        for goal in [Goal::Idle, Goal::Waiting, Goal::Active, Goal::Error] {
            let Verdict::Failed(failure) = judge(&session, goal) else { panic!("it has failed") };
            assert_eq!(failure.code, "session_terminated");
        }
    }

    #[test]
    fn an_interrupted_turn_has_ended_when_the_session_is_busy_no_more() {
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
    fn a_restart_is_done_when_claude_is_ready_and_has_failed_when_it_will_not_be() {
        assert_eq!(has_started(&session(Status::Starting)), Verdict::Pending);
        for status in [Status::Idle, Status::Active, Status::Waiting] {
            assert_eq!(has_started(&session(status)), Verdict::Reached, "{status:?}");
        }
        for status in [Status::Error, Status::Terminated] {
            assert!(matches!(has_started(&session(status)), Verdict::Failed(_)), "{status:?}");
        }
    }

    #[test]
    fn only_changes_of_the_session_itself_count() {
        let pushed = |method: &str, params| Notification { method: method.to_owned(), params };
        let update = |id: &str| {
            let session = session(Status::Active);
            pushed("areyouj/sessionListUpdate", json!({"revision": 1, "sessionId": id, "session": session}))
        };
        assert!(matches!(change_of(&update("K7M2Q9XD"), "K7M2Q9XD"), Change::Now(_)));
        assert!(matches!(change_of(&update("K7M2Q9XE"), "K7M2Q9XD"), Change::None));
        let removed = pushed("areyouj/sessionListUpdate", json!({"revision": 1, "sessionId": "K7M2Q9XD"}));
        assert!(matches!(change_of(&removed, "K7M2Q9XD"), Change::Look));
        assert!(matches!(
            change_of(&pushed("areyouj/newThing", json!({"sessionId": "K7M2Q9XD"})), "K7M2Q9XD"),
            Change::None
        ));
        assert!(matches!(
            change_of(&pushed("areyouj/resync", json!({"dropped": 3})), "K7M2Q9XD"),
            Change::Look
        ));
    }
}
