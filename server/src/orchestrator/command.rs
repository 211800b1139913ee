//! What clients may ask for, and what they get.

use super::problem::{
    MAX_KEY_BYTES, MAX_MESSAGE_BYTES, MAX_NAME_CHARS, MAX_QUEUE, MAX_QUEUE_BYTES, MAX_STEERS,
};
use super::session::{Phase, Session, Step};
use super::{
    Activity, AuditRow, Change, Command, Create, Driver, Effect, Goal, Keyed, MessageId, MessageState,
    Notice, Origin, Outcome, Pause, PermissionId, PermissionRow, Position, Problem, Recovery, SessionId,
    SessionRef, SessionRow, State, Status, StatusSource,
};

type Answered = Result<Outcome, Problem>;

/// What a command did: the answer, the session it was about, and a detail for the audit trail.
struct Done {
    answer: Answered,
    session: Option<SessionId>,
    detail: Option<String>,
}

impl Done {
    fn on(session: SessionId, answer: Answered) -> Done {
        Done { answer, session: Some(session), detail: None }
    }
}

impl From<Problem> for Done {
    fn from(problem: Problem) -> Done {
        Done { answer: Err(problem), session: None, detail: None }
    }
}

impl State {
    /// Carries out a command, answers it, and returns the sessions that it touched.
    pub(super) fn command(&mut self, step: &mut Step, origin: &Origin, command: Command) -> Vec<SessionId> {
        if let Some(reading) = self.read(origin, &command) {
            reply(step, origin, reading);
            return match command {
                Command::Attach { session, .. } | Command::Read(session) => {
                    self.resolve(&session).into_iter().collect()
                }
                _ => Vec::new(),
            };
        }
        if let Command::StopDaemon { sessions } = command {
            audit(step, origin, "daemon/stop", None, None, "ok");
            reply(step, origin, Ok(Outcome::Done));
            if sessions {
                self.exit_when_ended = true;
                return self.terminate_all(step);
            }
            step.effects.push(Effect::Exit);
            return Vec::new();
        }
        let operation = operation(&command);
        let done = self.change(step, origin, command).unwrap_or_else(Done::from);
        let outcome = done.answer.as_ref().map_or_else(|problem| problem.code.clone(), |_| "ok".to_owned());
        audit(step, origin, operation, done.session, done.detail, &outcome);
        // The status that the answer shows has to be the one after the change.
        if let Some(session) = done.session.and_then(|id| self.sessions.get_mut(&id)) {
            session.settle(step);
        }
        let answer = done.answer.map(|outcome| self.refreshed(outcome));
        reply(step, origin, answer);
        done.session.into_iter().collect()
    }

    /// The answer to a request that changes nothing that is kept; none if it is not one of these.
    fn read(&mut self, origin: &Origin, command: &Command) -> Option<Answered> {
        Some(match command {
            Command::List { all } => {
                Ok(Outcome::Sessions { revision: self.revision, sessions: self.views(*all) })
            }
            Command::Get(session) => self.resolve(session).map(|id| self.session_outcome(id)),
            Command::Resolve(session) => self.resolve(session).map(Outcome::Resolved),
            Command::Queue(session) => self.resolve(session).map(|id| self.queue_outcome(id)),
            Command::Read(session) => self.on_session(session, |session| {
                session.row.unread = 0;
                Outcome::Session(Box::new(session.view()))
            }),
            Command::Attach { session, since } => self.on_session(session, |session| {
                session.watchers.insert(origin.client);
                session.row.unread = 0;
                Outcome::Attached { session: Box::new(session.view()), since: *since }
            }),
            Command::Detach(session) => self.on_session(session, |session| {
                session.watchers.remove(&origin.client);
                Outcome::Detached(session.row.id)
            }),
            Command::Permissions(of) => self.permissions(of.as_ref()),
            Command::DaemonStatus => Ok(Outcome::Daemon {
                sessions: u32::try_from(
                    self.sessions.values().filter(|session| !session.is_terminated()).count(),
                )
                .unwrap_or(u32::MAX),
                active: self.active(),
                max_active: self.settings.max_active,
            }),
            _ => return None,
        })
    }

    fn change(&mut self, step: &mut Step, origin: &Origin, command: Command) -> Result<Done, Problem> {
        match command {
            Command::Create(create) => self.create(step, origin, *create),
            Command::Terminate(session) => self.act(step, "session/terminate", &session, |session, step| {
                if session.row.goal != Goal::Terminate {
                    session.terminate(step);
                }
                Ok(())
            }),
            Command::Interrupt(session) => self.act(step, "session/interrupt", &session, |session, step| {
                if !session.turn_runs() {
                    return Err(Problem::new(
                        "no_running_turn",
                        "No turn is running.",
                        "There is nothing to interrupt.",
                    ));
                }
                if session.row.paused.is_none() && !session.waiting().is_empty() {
                    session.row.paused = Some(Pause::Interrupt);
                    session.mark_queue_changed();
                }
                session.interrupt(step);
                Ok(())
            }),
            Command::Restart(session) => self.restart(step, &session),
            Command::Rename(Keyed { key, what: (session, name) }) => {
                let name = checked_name(Some(name))?;
                self.act(step, "session/rename", &Keyed { key, what: session }, |session, _| {
                    session.row.name = name;
                    Ok(())
                })
            }
            Command::Delete(session) => self.delete(step, &session),
            Command::Send { session, id, text, steer } => self.send_message(step, &session, id, text, steer),
            Command::Edit(Keyed { key, what: (message, text) }) => {
                check_text(&text)?;
                self.on_waiting(step, "queue/edit", &key, &message, |session, step, id| {
                    let Some(index) = session.messages.iter().position(|row| row.id == id) else { return };
                    session.messages[index].text = text;
                    session.keep_message(step, index);
                })
            }
            Command::Remove(Keyed { key, what: message }) => {
                self.on_waiting(step, "queue/remove", &key, &message, |session, step, id| {
                    session.cancel_waiting(step, Some(id), None);
                })
            }
            Command::Move(Keyed { key, what: (message, position) }) => {
                self.on_waiting(step, "queue/move", &key, &message, |session, step, id| {
                    session.move_message(step, id, usize::try_from(position).unwrap_or(usize::MAX));
                })
            }
            Command::Pause(session) => self.act_on_queue(step, "queue/pause", &session, |session, _| {
                session.row.paused.get_or_insert(Pause::Person);
            }),
            Command::Resume(session) => {
                self.act_on_queue(step, "queue/resume", &session, |session, _| session.decided())
            }
            Command::Clear(session) => self.act_on_queue(step, "queue/clear", &session, |session, step| {
                session.cancel_waiting(step, None, None);
            }),
            Command::Recover { message, choice, new_id } => self.recover(step, &message, choice, new_id),
            Command::Answer(Keyed { key, what: (permission, answer) }) => {
                let id = self.find_permission(&permission)?;
                if let Some(subject) = self.repeated(&key, "permission/answer")? {
                    let prompt = subject.parse().ok().and_then(|id| self.prompt(id));
                    let prompt = prompt.ok_or_else(|| Problem::permission_not_found(&permission))?;
                    return Ok(Done::on(
                        prompt.id.session,
                        Ok(Outcome::Permission(Box::new(prompt.clone()))),
                    ));
                }
                let session = self.live(id.session)?;
                session.answer(step, id.number, answer, &origin.name)?;
                self.carried_out(step, &key, format!("permission/answer {id}"));
                let prompt =
                    self.prompt(id).cloned().ok_or_else(|| Problem::permission_not_found(&permission))?;
                let mut done = Done::on(id.session, Ok(Outcome::Permission(Box::new(prompt))));
                done.detail = Some(id.to_string());
                Ok(done)
            }
            _ => Err(Problem::new(
                "internal",
                "The command is not one that changes something.",
                "Please report this.",
            )),
        }
    }

    fn create(&mut self, step: &mut Step, origin: &Origin, create: Create) -> Result<Done, Problem> {
        if let Some(subject) = self.repeated(&create.key, "session/create")? {
            let id = subject.parse().map_err(|_| Problem::session_not_found(&subject))?;
            let session = self.sessions.get(&id).ok_or_else(|| Problem::session_not_found(&subject))?;
            return Ok(Done::on(
                id,
                Ok(Outcome::Created { session: Box::new(session.view()), warning: None }),
            ));
        }
        let name = checked_name(create.name)?;
        if create.driver == Driver::Terminal {
            return Err(Problem::new(
                "driver_unavailable",
                "Terminal sessions are not available in this version.",
                "Leave out --driver, or use: --driver stream",
            ));
        }
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
            model: create.model,
            permission_mode: create.permission_mode,
            model_reported: None,
            permission_mode_reported: None,
            claude_session: create.claude_session,
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

    fn admit(&self) -> Result<(), Problem> {
        let (active, limit) = (self.active(), self.settings.max_active);
        if active < limit {
            return Ok(());
        }
        Err(Problem::new(
            "too_many_sessions",
            format!("{active} sessions are active, and the limit is {limit}."),
            "Terminate one with: areyouj terminate ID, or raise max_active_sessions in config.toml.",
        ))
    }

    fn restart(&mut self, step: &mut Step, session: &Keyed<SessionRef>) -> Result<Done, Problem> {
        let id = self.resolve(&session.what)?;
        let counted = self.sessions.get(&id).is_some_and(Session::is_active);
        if !counted && self.request(&session.key).is_none() && !self.sessions[&id].is_terminated() {
            self.admit()?;
        }
        self.act(step, "session/restart", session, |session, step| {
            if session.row.goal == Goal::Terminate {
                return Err(Problem::terminated(session.row.id));
            }
            session.restart(step);
            Ok(())
        })
    }

    fn delete(&mut self, step: &mut Step, session: &Keyed<SessionRef>) -> Result<Done, Problem> {
        if self.repeated(&session.key, "session/delete")?.is_some() {
            return Ok(Done { answer: Ok(Outcome::Done), session: None, detail: None });
        }
        let id = self.resolve(&session.what)?;
        if !self.sessions[&id].is_terminated() {
            return Err(Problem::new(
                "session_not_terminated",
                format!("Session {id} still lives."),
                format!("Terminate it first with: areyouj terminate {id}"),
            ));
        }
        self.sessions.remove(&id);
        step.persist(Change::SessionRemoved(id));
        self.carried_out(step, &session.key, format!("session/delete {id}"));
        step.effects.push(Effect::RemoveFiles { session: id });
        let revision = step.next_revision();
        step.publish(Notice::Removed { revision, session: id });
        Ok(Done::on(id, Ok(Outcome::Done)))
    }

    fn send_message(
        &mut self,
        step: &mut Step,
        session: &SessionRef,
        id: MessageId,
        text: String,
        steer: bool,
    ) -> Result<Done, Problem> {
        check_text(&text)?;
        let of = self.resolve(session)?;
        if let Some(holder) = self.holder_of(id) {
            let session = self.live(holder)?;
            let same = session.messages.iter().find(|row| row.id == id && row.text == text && holder == of);
            let row = same.ok_or_else(conflict)?;
            return Ok(Done::on(holder, Ok(Outcome::Message(Box::new(session.message_view(row))))));
        }
        if self.repeated(&id.to_string(), "queue/add")?.is_some() {
            return Ok(Done::on(of, Ok(Outcome::Finished(id))));
        }
        let session = self.live(of)?;
        let waiting = session.waiting();
        let bytes: usize = waiting.iter().map(|message| message.text.len()).sum();
        if waiting.len() >= MAX_QUEUE || bytes + text.len() > MAX_QUEUE_BYTES {
            return Err(Problem::new(
                "queue_full",
                format!("{} messages with {bytes} bytes wait already.", waiting.len()),
                "Wait until some have run, or remove some with: areyouj queue rm MSG",
            ));
        }
        let into_turn = steer && session.turn_runs() && session.activity != Activity::Idle;
        if into_turn && session.running().count() > MAX_STEERS {
            return Err(Problem::new(
                "queue_full",
                format!("{MAX_STEERS} messages are on their way into this turn already."),
                "Queue it instead with: areyouj send ID TEXT",
            ));
        }
        session.enqueue(step, id, text, steer && !into_turn);
        if into_turn {
            session.hand_over(step, id, true);
        }
        self.carried_out(step, &id.to_string(), format!("queue/add {of}"));
        let mut done = self.message_done(of, id)?;
        done.detail = Some(id.to_string());
        Ok(done)
    }

    fn recover(
        &mut self,
        step: &mut Step,
        message: &Keyed<String>,
        choice: Recovery,
        new_id: MessageId,
    ) -> Result<Done, Problem> {
        if let Some(subject) = self.repeated(&message.key, "queue/recover")? {
            let id = subject.parse().map_err(|_| Problem::message_not_found(&subject))?;
            let holder = self.holder_of(id).ok_or_else(|| Problem::message_not_found(&subject))?;
            return self.message_done(holder, id);
        }
        let (of, id) = self.find_message(&message.what)?;
        let session = self.live(of)?;
        let row = session.messages.iter().find(|row| row.id == id).cloned();
        let Some(mut row) =
            row.filter(|row| matches!(row.state, MessageState::Interrupted | MessageState::Failed))
        else {
            return Err(Problem::new(
                "message_not_interrupted",
                "The message was neither cut off nor did it fail.",
                "Only such a message can be continued, sent again or skipped.",
            ));
        };
        let follows = session.recover(step, id, choice, new_id);
        self.carried_out(step, &message.key, format!("queue/recover {}", follows.unwrap_or(id)));
        let session = self.live(of)?;
        if let Some(new) = follows.and_then(|id| session.messages.iter().find(|row| row.id == id)) {
            row = new.clone();
        }
        let mut done = Done::on(of, Ok(Outcome::Message(Box::new(session.message_view(&row)))));
        done.detail = Some(id.to_string());
        Ok(done)
    }

    /// Carries out a change of one session.
    fn act(
        &mut self,
        step: &mut Step,
        verb: &str,
        session: &Keyed<SessionRef>,
        what: impl FnOnce(&mut Session, &mut Step) -> Result<(), Problem>,
    ) -> Result<Done, Problem> {
        let id = self.resolve(&session.what)?;
        if self.repeated(&session.key, verb)?.is_none() {
            let subject = self.session(id)?;
            if subject.is_terminated() && verb != "session/terminate" && verb != "session/rename" {
                return Err(Problem::terminated(id));
            }
            what(subject, step)?;
            self.carried_out(step, &session.key, format!("{verb} {id}"));
        }
        Ok(Done::on(id, Ok(self.session_outcome(id))))
    }

    fn act_on_queue(
        &mut self,
        step: &mut Step,
        verb: &str,
        session: &Keyed<SessionRef>,
        what: impl FnOnce(&mut Session, &mut Step),
    ) -> Result<Done, Problem> {
        let mut done = self.act(step, verb, session, |session, step| {
            what(session, step);
            session.mark_queue_changed();
            Ok(())
        })?;
        if let Some(id) = done.session {
            done.answer = Ok(self.queue_outcome(id));
        }
        Ok(done)
    }

    /// Carries out a change of one waiting message.
    fn on_waiting(
        &mut self,
        step: &mut Step,
        verb: &str,
        key: &str,
        message: &str,
        what: impl FnOnce(&mut Session, &mut Step, MessageId),
    ) -> Result<Done, Problem> {
        let (of, id) = self.find_message(message)?;
        let repeated = self.repeated(key, verb)?.is_some();
        let session = self.live(of)?;
        let before = session.messages.iter().find(|row| row.id == id).cloned();
        let mut before = before.ok_or_else(|| Problem::message_not_found(message))?;
        if !repeated {
            if before.state != MessageState::Queued {
                return Err(Problem::not_queued(before.state));
            }
            what(session, step, id);
            if !session.messages.iter().any(|row| row.id == id) {
                before.state = MessageState::Cancelled;
                before.finished_at = Some(step.now.wall);
            }
            self.carried_out(step, key, format!("{verb} {id}"));
        }
        let session = self.live(of)?;
        let row = session.messages.iter().find(|row| row.id == id).unwrap_or(&before);
        let mut done = Done::on(of, Ok(Outcome::Message(Box::new(session.message_view(row)))));
        done.detail = Some(id.to_string());
        Ok(done)
    }

    fn message_done(&mut self, of: SessionId, id: MessageId) -> Result<Done, Problem> {
        let session = self.session(of)?;
        let row = session.messages.iter().find(|row| row.id == id);
        let row = row.ok_or_else(|| Problem::message_not_found(&id.to_string()))?;
        Ok(Done::on(of, Ok(Outcome::Message(Box::new(session.message_view(row))))))
    }

    /// What an earlier request of this id was about, if it did the same thing; a conflict if it did another.
    fn repeated(&self, key: &str, verb: &str) -> Result<Option<String>, Problem> {
        if key.is_empty() || key.len() > MAX_KEY_BYTES {
            return Err(Problem::new(
                "invalid_params",
                format!("A requestId has 1 to {MAX_KEY_BYTES} bytes."),
                "Choose a UUID.",
            ));
        }
        let Some(subject) = self.request(key) else { return Ok(None) };
        match subject.split_once(' ') {
            Some((did, what)) if did == verb => Ok(Some(what.to_owned())),
            _ => Err(conflict()),
        }
    }

    /// The id of the session that is meant.
    pub(super) fn resolve(&self, session: &SessionRef) -> Result<SessionId, Problem> {
        match session {
            SessionRef::Newest { directories } => {
                let here = self.sessions.values().filter(|session| {
                    !session.is_terminated() && directories.contains(&session.row.directory)
                });
                let newest = here.max_by_key(|session| (session.row.created_at, session.row.id));
                newest.map(|session| session.row.id).ok_or_else(Problem::no_session_here)
            }
            SessionRef::Id(text) => {
                let prefix = text.to_ascii_uppercase();
                let of = |live: bool| {
                    let fits = |session: &&Session| {
                        session.row.id.as_str().starts_with(&prefix) && session.is_terminated() != live
                    };
                    self.sessions.values().filter(fits).map(|session| session.row.id).collect::<Vec<_>>()
                };
                // A live session is what is meant, unless only ended ones fit.
                let mut fitting = of(true);
                if fitting.is_empty() {
                    fitting = of(false);
                }
                match fitting.as_slice() {
                    [] => Err(Problem::session_not_found(text)),
                    [one] => Ok(*one),
                    several => Err(Problem::ambiguous(
                        text,
                        &several.iter().map(SessionId::to_string).collect::<Vec<_>>(),
                    )),
                }
            }
        }
    }

    fn find_message(&self, text: &str) -> Result<(SessionId, MessageId), Problem> {
        let prefix = text.to_ascii_lowercase();
        let all = self.sessions.values().flat_map(|session| &session.messages);
        let fitting: Vec<_> =
            all.filter(|row| !prefix.is_empty() && row.id.to_string().starts_with(&prefix)).collect();
        match fitting.as_slice() {
            [] => Err(Problem::message_not_found(text)),
            [one] => Ok((one.session, one.id)),
            several => Err(Problem::ambiguous(
                text,
                &several.iter().map(|row| row.id.to_string()).collect::<Vec<_>>(),
            )),
        }
    }

    fn find_permission(&self, text: &str) -> Result<PermissionId, Problem> {
        let wanted = text.to_ascii_uppercase();
        let exact = wanted.parse().ok().filter(|id: &PermissionId| self.prompt(*id).is_some());
        if let Some(id) = exact {
            return Ok(id);
        }
        let open = self.sessions.values().flat_map(Session::open_prompts).map(|prompt| prompt.id);
        let fitting: Vec<_> =
            open.filter(|id| !wanted.is_empty() && id.to_string().starts_with(&wanted)).collect();
        match fitting.as_slice() {
            [] => Err(Problem::permission_not_found(text)),
            [one] => Ok(*one),
            several => Err(Problem::ambiguous(
                text,
                &several.iter().map(PermissionId::to_string).collect::<Vec<_>>(),
            )),
        }
    }

    fn prompt(&self, id: PermissionId) -> Option<&PermissionRow> {
        self.sessions.get(&id.session)?.prompts.get(&id.number)
    }

    fn holder_of(&self, id: MessageId) -> Option<SessionId> {
        let holds = |session: &&Session| session.messages.iter().any(|message| message.id == id);
        self.sessions.values().find(holds).map(|session| session.row.id)
    }

    fn session(&mut self, id: SessionId) -> Result<&mut Session, Problem> {
        self.sessions.get_mut(&id).ok_or_else(|| Problem::session_not_found(id.as_str()))
    }

    fn live(&mut self, id: SessionId) -> Result<&mut Session, Problem> {
        let session = self.session(id)?;
        if session.row.goal == Goal::Terminate { Err(Problem::terminated(id)) } else { Ok(session) }
    }

    fn on_session(&mut self, session: &SessionRef, what: impl FnOnce(&mut Session) -> Outcome) -> Answered {
        let id = self.resolve(session)?;
        self.session(id).map(what)
    }

    fn permissions(&self, of: Option<&SessionRef>) -> Answered {
        let of = of.map(|session| self.resolve(session)).transpose()?;
        let shown = self.sessions.values().filter(|session| of.is_none_or(|id| id == session.row.id));
        let mut prompts: Vec<PermissionRow> = shown.flat_map(Session::open_prompts).cloned().collect();
        prompts.sort_by_key(|prompt| (prompt.created_at, prompt.id));
        Ok(Outcome::Permissions(prompts))
    }

    fn session_outcome(&self, id: SessionId) -> Outcome {
        self.sessions.get(&id).map_or(Outcome::Done, |session| Outcome::Session(Box::new(session.view())))
    }

    fn queue_outcome(&self, id: SessionId) -> Outcome {
        self.sessions.get(&id).map_or(Outcome::Done, |session| Outcome::Queue(session.queue_view()))
    }

    /// An answer as it looks once everything that follows from the command has happened.
    fn refreshed(&self, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::Session(view) => self.session_outcome(view.row.id),
            Outcome::Queue(view) => self.queue_outcome(view.session),
            Outcome::Message(view) => {
                let session = self.sessions.get(&view.row.session);
                let row =
                    session.and_then(|session| session.messages.iter().find(|row| row.id == view.row.id));
                match (session, row) {
                    (Some(session), Some(row)) => Outcome::Message(Box::new(session.message_view(row))),
                    _ => Outcome::Message(view),
                }
            }
            Outcome::Created { session, warning } => match self.sessions.get(&session.row.id) {
                Some(now) => Outcome::Created { session: Box::new(now.view()), warning },
                None => Outcome::Created { session, warning },
            },
            other => other,
        }
    }
}

fn conflict() -> Problem {
    Problem::new(
        "request_conflict",
        "The same id was used before for something else.",
        "Choose a new id for every request and message.",
    )
}

fn check_text(text: &str) -> Result<(), Problem> {
    if text.trim().is_empty() {
        return Err(Problem::new("message_empty", "The message has no text.", "Say something."));
    }
    if text.len() > MAX_MESSAGE_BYTES {
        return Err(Problem::new(
            "message_too_large",
            format!("The message has {} bytes, and the limit is {MAX_MESSAGE_BYTES}.", text.len()),
            "Put the text into a file in the session's directory and name the file.",
        ));
    }
    Ok(())
}

fn checked_name(name: Option<String>) -> Result<Option<String>, Problem> {
    let Some(name) = name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()) else {
        return Ok(None);
    };
    if name.chars().count() > MAX_NAME_CHARS || name.chars().any(char::is_control) {
        return Err(Problem::new(
            "name_invalid",
            format!("A name has at most {MAX_NAME_CHARS} characters and none that control a terminal."),
            "Choose a shorter, plain name.",
        ));
    }
    Ok(Some(name))
}

/// The name of a command in the audit trail.
fn operation(command: &Command) -> &'static str {
    match command {
        Command::Create(_) => "session/create",
        Command::Terminate(_) => "session/terminate",
        Command::Interrupt(_) => "session/interrupt",
        Command::Restart(_) => "session/restart",
        Command::Rename(_) => "session/rename",
        Command::Delete(_) => "session/delete",
        Command::Send { steer: false, .. } => "queue/add",
        Command::Send { steer: true, .. } => "queue/steer",
        Command::Edit(_) => "queue/edit",
        Command::Remove(_) => "queue/remove",
        Command::Move(_) => "queue/move",
        Command::Pause(_) => "queue/pause",
        Command::Resume(_) => "queue/resume",
        Command::Clear(_) => "queue/clear",
        Command::Recover { .. } => "queue/recover",
        Command::Answer(_) => "permission/answer",
        _ => "daemon",
    }
}

fn audit(
    step: &mut Step,
    origin: &Origin,
    operation: &str,
    session: Option<SessionId>,
    detail: Option<String>,
    outcome: &str,
) {
    step.audit(AuditRow {
        at: step.now.wall,
        by: origin.name.clone(),
        operation: operation.to_owned(),
        session,
        detail,
        outcome: outcome.to_owned(),
    });
}

fn reply(step: &mut Step, origin: &Origin, result: Answered) {
    step.effects.push(Effect::Reply { client: origin.client, reply: origin.reply, result });
}
