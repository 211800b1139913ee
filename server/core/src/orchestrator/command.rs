//! What clients may ask for, and what they get.

use super::check::{check_text, checked_name, conflict};
use super::problem::MAX_KEY_BYTES;
use super::session::{Session, Step};
use super::{
    AuditRow, Change, Command, Effect, Goal, Keyed, MessageId, MessageState, Notice, Origin, Outcome,
    PermissionRow, Problem, SessionId, SessionRef, State,
};

type Answered = Result<Outcome, Problem>;

/// What a command did: the answer, the session it was about, and a detail for the audit trail.
pub(super) struct Done {
    pub(super) answer: Answered,
    pub(super) session: Option<SessionId>,
    pub(super) detail: Option<String>,
}

impl Done {
    pub(super) fn on(session: SessionId, answer: Answered) -> Done {
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
                Outcome::Attached {
                    session: Box::new(session.view()),
                    since: *since,
                    said: session.saying.so_far(),
                }
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
                session.hold_queue_for_interrupt();
                session.interrupt(step);
                Ok(())
            }),
            Command::Restart(session) => self.restart(step, &session),
            Command::Switch(Keyed { key, what: (session, switch) }) => {
                self.act(step, "session/switch", &Keyed { key, what: session }, |session, step| {
                    session.switch(step, switch)
                })
            }
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
            Command::Pause(session) => {
                self.act_on_queue(step, "queue/pause", &session, |session, _| session.hold_queue())
            }
            Command::Resume(session) => {
                self.act_on_queue(step, "queue/resume", &session, |session, _| session.resume_queue())
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
        let repeated = self.repeated(key, verb)?;
        if let Some(done) = self.finished_before(repeated.as_deref()) {
            return Ok(done);
        }
        let repeated = repeated.is_some();
        let (of, id) = self.find_message(message)?;
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

    /// The answer to a repeat about a message that has come to its end meanwhile, and is in the store alone.
    pub(super) fn finished_before(&self, repeated: Option<&str>) -> Option<Done> {
        let id = repeated?.parse().ok()?;
        let gone = self.holder_of(id).is_none();
        gone.then(|| Done { answer: Ok(Outcome::Finished(id)), session: None, detail: None })
    }

    pub(super) fn message_done(&mut self, of: SessionId, id: MessageId) -> Result<Done, Problem> {
        let session = self.session(of)?;
        let row = session.messages.iter().find(|row| row.id == id);
        let row = row.ok_or_else(|| Problem::message_not_found(&id.to_string()))?;
        Ok(Done::on(of, Ok(Outcome::Message(Box::new(session.message_view(row))))))
    }

    /// What an earlier request of this id was about, if it did the same thing; a conflict if it did another.
    pub(super) fn repeated(&self, key: &str, verb: &str) -> Result<Option<String>, Problem> {
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

/// The name of a command in the audit trail.
fn operation(command: &Command) -> &'static str {
    match command {
        Command::Create(_) => "session/create",
        Command::Terminate(_) => "session/terminate",
        Command::Interrupt(_) => "session/interrupt",
        Command::Restart(_) => "session/restart",
        Command::Switch(_) => "session/switch",
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
