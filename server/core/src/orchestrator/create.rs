//! Creating a session: what is refused, and what a new one starts with.

use super::check::{check_room, check_text, checked_name, conflict};
use super::command::Done;
use super::session::{Phase, Session, Step};
use super::{
    Change, Create, Goal, MessageId, Notice, Origin, Outcome, Position, Problem, SessionRow, State, Status,
    StatusSource,
};

impl State {
    pub(super) fn create(
        &mut self,
        step: &mut Step,
        origin: &Origin,
        create: Create,
    ) -> Result<Done, Problem> {
        if let Some(subject) = self.repeated(&create.key, "session/create")? {
            let id = subject.parse().map_err(|_| Problem::session_not_found(&subject))?;
            let session = self.sessions.get(&id).ok_or_else(|| Problem::session_not_found(&subject))?;
            return Ok(Done::on(
                id,
                Ok(Outcome::Created { session: Box::new(session.view()), warning: None }),
            ));
        }
        let name = checked_name(create.name)?;
        let bytes: usize = create.messages.iter().map(|(_, text)| text.len()).sum();
        check_room(create.messages.len(), bytes)?;
        for (index, (id, text)) in create.messages.iter().enumerate() {
            check_text(text)?;
            let twice = create.messages[..index].iter().any(|(other, _)| other == id);
            if twice || self.request(&id.to_string()).is_some() {
                return Err(conflict());
            }
        }
        self.admit()?;
        let id = create
            .candidates
            .iter()
            .copied()
            .find(|id| !self.used_ids.contains(id))
            .ok_or_else(|| Problem::new("internal", "No free session id was found.", "Try again."))?;
        let others = self
            .sessions
            .values()
            .filter(|other| !other.is_terminated() && other.row.directory == create.directory);
        let others: Vec<String> = others.map(|other| other.row.id.to_string()).collect();
        let warning = (!others.is_empty()).then(|| {
            format!("The directory is also used by {}: they may change the same files.", others.join(", "))
        });
        self.used_ids.insert(id);
        let row = SessionRow {
            id,
            directory: create.directory,
            name,
            driver: create.driver,
            move_to: None,
            model: create.model,
            permission_mode: create.permission_mode,
            model_reported: None,
            permission_mode_reported: None,
            claude_session: create.claude_session,
            recorded: false,
            created_at: step.now.wall,
            last_activity: step.now.wall,
            goal: Goal::Run,
            launch: 0,
            host: false,
            host_pid: None,
            claude_pid: None,
            ready: false,
            status: Status::Starting,
            status_since: step.now.wall,
            status_source: StatusSource::Request,
            status_reason: None,
            error: None,
            paused: None,
            pause_message: None,
            current_task: None,
            cost_before: 0.0,
            cost_launch: 0.0,
            context_used: None,
            context_max: None,
            unread: 0,
            seq: 0,
            permissions: 0,
            startup_ms: None,
            position: Position::default(),
        };
        step.persist(Change::Session(Box::new(row.clone())));
        step.persist(Change::Environment { session: id, environment: create.environment });
        let mut session = Session::new(row, Phase::Queued);
        session.want_start(step);
        for (message, text) in create.messages {
            session.enqueue(step, message, text, false);
        }
        let view = Box::new(session.view());
        let revision = step.next_revision();
        step.publish(Notice::Created { revision, session: view.clone() });
        let messages: Vec<MessageId> = session.messages.iter().map(|message| message.id).collect();
        self.sessions.insert(id, session);
        for message in messages {
            self.carried_out(step, &message.to_string(), format!("queue/add {id}"));
        }
        self.carried_out(step, &create.key, format!("session/create {id}"));
        let mut done = Done::on(id, Ok(Outcome::Created { session: view, warning }));
        done.detail = Some(format!("for {}", origin.name));
        Ok(done)
    }

    pub(super) fn admit(&self) -> Result<(), Problem> {
        let (active, limit) = (self.active(), self.settings.max_active);
        if active < limit {
            return Ok(());
        }
        Err(Problem::new(
            "too_many_sessions",
            format!("{active} of {limit} sessions are active, and that is the limit."),
            "Terminate one with: areyouj terminate ID, or raise max_active_sessions in config.toml.",
        ))
    }
}
