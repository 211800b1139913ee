//! Carrying out operations: authorization, repeated requests, and the changes.

use std::str::FromStr;

use super::check::{check_request_id, check_text, checked_name, conflict};
use super::context::StepContext;
use super::requests::{ANSWER, CREATE, NOTE, SEND};
use super::state::{Exit, State};
use super::subject::{OperationResult, Subject};
use super::{
    Actor, ActorKind, Answer, AuditRow, Change, Effect, ErrorCode, Idempotent, MessageId, MessageOperation,
    MessageState, Notification, Operation, Origin, PermissionId, PermissionRequest, Principal, Problem,
    Process, Remedy, SeenPermission, SessionId, SessionOperation, SessionRef,
};
use crate::text::always::{applied, granted};
use crate::text::plain::short_line;

/// Characters of what the audit trail says about a decision, at most. Claude writes the rules.
const MAX_DETAIL_CHARS: usize = 500;

impl State {
    /// Carries out an operation, audits and answers it.
    pub(super) fn operate(&mut self, step: &mut StepContext, origin: Origin, operation: Operation) {
        let (name, refusal_name) = (operation.audit_name(), operation.refusal_name());
        let result = self.carry_out(step, &origin, operation);
        let (session, detail, outcome) = match &result {
            Err(problem) if problem.code == ErrorCode::InsideSession => {
                return self.refuse(step, origin, refusal_name, problem.clone());
            }
            Ok(done) => (done.session, done.detail.clone(), "ok".to_owned()),
            Err(problem) => (None, None, problem.code.as_str().to_owned()),
        };
        session.into_iter().for_each(|id| step.touch(id));
        if let Some(name) = name {
            let row = AuditRow { session, detail, outcome, ..audit_row(step, &origin, name) };
            step.audit(Some(origin.client), row);
        }
        step.answer(origin, result.map(|done| done.subject));
    }

    /// Refuses what a process inside a session cannot do: records it, and shows it to the person in that session.
    pub(super) fn refuse(
        &mut self,
        step: &mut StepContext,
        origin: Origin,
        operation: &'static str,
        problem: Problem,
    ) {
        let outcome = problem.code.as_str().to_owned();
        let row = AuditRow { outcome, ..audit_row(step, &origin, operation) };
        if let Some(id) = row.actor.session
            && let Some(session) = self.sessions.get_mut(&id)
            && session.refused(step, operation, &origin.process)
        {
            step.touch(id);
        }
        step.audit(Some(origin.client), row);
        step.answer(origin, Err(problem));
    }

    /// Records what this step did, and ends the period in which records are shared.
    pub(super) fn record(&mut self, step: &mut StepContext) {
        for (client, row) in step.take_audited() {
            self.audit.record(step, client, row);
        }
        if self.audit.close(step, false) {
            // Their numbers of refusals have grown meanwhile.
            self.sessions.keys().for_each(|id| step.touch(*id));
        }
    }

    fn carry_out(
        &mut self,
        step: &mut StepContext,
        origin: &Origin,
        mut operation: Operation,
    ) -> Result<OperationResult, Problem> {
        self.authorize(&origin.principal, &mut operation)?;
        let target = self.session_of(&operation);
        if let Some(done) = self.repeated(&operation)? {
            return Ok(done);
        }
        if let Some(id) = target?
            && operation.needs_live()
            && self.session(id)?.is_being_terminated()
        {
            return Err(Problem::terminated(id));
        }
        match operation {
            Operation::Create(create) => self.create(step, origin, *create),
            Operation::Session(of, operation) => self.change_session(step, of, operation),
            Operation::Send { session, id, text, steer } => {
                self.send_message(step, &session, id, text, steer)
            }
            Operation::Message(of, operation) => self.change_message(step, of, operation),
            Operation::Answer(of, answer) => self.answer_permission(step, origin, of, answer),
            Operation::Note(of, text) => self.add_note(step, origin, of, &text),
            // What only a process inside the session reads, no person has seen: that changes nothing.
            Operation::MarkRead(session) => {
                let id = self.resolve(&session)?;
                if matches!(origin.principal, Principal::Person { .. }) {
                    self.session_mut(id)?.mark_read();
                }
                Ok(OperationResult::on(id, Subject::Session(id)))
            }
            Operation::Attach { session, since } => {
                let id = self.resolve(&session)?;
                if matches!(origin.principal, Principal::Person { .. }) {
                    self.session_mut(id)?.watch(origin.client);
                }
                Ok(OperationResult::on(id, Subject::Attached { session: id, since }))
            }
            Operation::Detach(session) => {
                let id = self.resolve(&session)?;
                self.session_mut(id)?.unwatch(origin.client);
                Ok(OperationResult::on(id, Subject::Detached(id)))
            }
            Operation::StopDaemon { sessions } => {
                if sessions {
                    self.exit = Exit::WhenEnded;
                    self.terminate_all(step);
                } else {
                    self.exit = Exit::Now;
                }
                Ok(OperationResult { subject: Subject::Done, session: None, detail: None })
            }
        }
    }

    /// The session of an operation; `None` if it has none.
    fn session_of(&self, operation: &Operation) -> Result<Option<SessionId>, Problem> {
        match operation {
            Operation::Session(Idempotent { target: session, .. }, _)
            | Operation::Note(Idempotent { target: session, .. }, _)
            | Operation::Send { session, .. }
            | Operation::MarkRead(session)
            | Operation::Attach { session, .. }
            | Operation::Detach(session) => self.resolve(session).map(Some),
            Operation::Message(of, _) => self.find_message(&of.target).map(|(session, _)| Some(session)),
            Operation::Answer(of, _) => self.find_permission(&of.target.id).map(|id| Some(id.session)),
            Operation::Create(_) | Operation::StopDaemon { .. } => Ok(None),
        }
    }

    /// The result of an operation that was carried out before under the same request id.
    fn repeated(&self, operation: &Operation) -> Result<Option<OperationResult>, Problem> {
        Ok(match operation {
            Operation::Create(create) => {
                let done = self.done_before(&create.request_id, CREATE)?;
                done.map(|id| OperationResult::on(id, Subject::Created { session: id, warning: None }))
            }
            Operation::Session(of, operation) => {
                let done = self.done_before(&of.request_id, operation.audit_name())?;
                done.map(|id| OperationResult::on(id, subject_of(operation, id)))
            }
            Operation::Send { id, .. } => {
                // A message that the queue still has is compared with the one that it repeats.
                if self.holder_of(*id).is_some() {
                    return Ok(None);
                }
                let done = self.done_before(&id.to_string(), SEND)?;
                done.map(|session| OperationResult::on(session, Subject::Message(*id)))
            }
            Operation::Message(of, operation) => {
                let done = self.done_before(&of.request_id, operation.audit_name())?;
                done.map(|id: MessageId| OperationResult {
                    subject: Subject::Message(id),
                    session: self.holder_of(id),
                    detail: Some(id.to_string()),
                })
            }
            Operation::Answer(of, _) => {
                let done = self.done_before(&of.request_id, ANSWER)?;
                done.map(|id: PermissionId| OperationResult::on(id.session, Subject::Permission(id)))
            }
            Operation::Note(of, _) => {
                let done = self.done_before(&of.request_id, NOTE)?;
                done.map(|id| OperationResult::on(id, Subject::Done))
            }
            Operation::MarkRead(_)
            | Operation::Attach { .. }
            | Operation::Detach(_)
            | Operation::StopDaemon { .. } => None,
        })
    }

    /// The subject of an earlier request with this id; a conflict if that was another operation.
    fn done_before<T: FromStr>(&self, request_id: &str, name: &str) -> Result<Option<T>, Problem> {
        check_request_id(request_id)?;
        match self.requests.get(request_id) {
            None => Ok(None),
            Some((done, subject)) if done == name => subject.parse().map(Some).map_err(|_| conflict()),
            Some(_) => Err(conflict()),
        }
    }

    fn change_session(
        &mut self,
        step: &mut StepContext,
        of: Idempotent<SessionRef>,
        operation: SessionOperation,
    ) -> Result<OperationResult, Problem> {
        let id = self.resolve(&of.target)?;
        let (name, subject) = (operation.audit_name(), subject_of(&operation, id));
        match operation {
            SessionOperation::Terminate => {
                let session = self.session_mut(id)?;
                if !session.is_being_terminated() {
                    session.terminate(step);
                }
            }
            SessionOperation::Interrupt => self.session_mut(id)?.interrupt_by_person(step)?,
            SessionOperation::Restart => {
                if !self.session(id)?.is_active() {
                    self.admit()?;
                }
                self.session_mut(id)?.restart(step);
            }
            SessionOperation::Switch(to) => self.session_mut(id)?.switch(step, to),
            SessionOperation::Rename(name) => {
                let name = checked_name(Some(name))?;
                self.session_mut(id)?.rename(name);
            }
            SessionOperation::Delete => self.delete(step, id)?,
            SessionOperation::PauseQueue => self.session_mut(id)?.queue_mut().hold(),
            SessionOperation::ResumeQueue => self.session_mut(id)?.queue_mut().resume(),
            SessionOperation::ClearQueue => self.session_mut(id)?.queue_mut().cancel_all(step, None),
        }
        self.remember(step, of.request_id, name, id);
        Ok(OperationResult::on(id, subject))
    }

    fn delete(&mut self, step: &mut StepContext, id: SessionId) -> Result<(), Problem> {
        if !self.session(id)?.is_terminated() {
            return Err(Problem::new(
                ErrorCode::SessionNotTerminated,
                format!("Session {id} is not terminated."),
                Remedy::TerminateSession { session_id: id.to_string() },
            ));
        }
        self.sessions.remove(&id);
        step.persist(Change::SessionRemoved(id));
        step.push(Effect::RemoveFiles { session: id });
        let revision = step.next_revision();
        step.publish(Notification::Removed { revision, session: id });
        Ok(())
    }

    fn change_message(
        &mut self,
        step: &mut StepContext,
        of: Idempotent<String>,
        operation: MessageOperation,
    ) -> Result<OperationResult, Problem> {
        let (holder, id) = self.find_message(&of.target)?;
        let session = self.session_mut(holder)?;
        let state = session.queue().get(id).map(|row| row.state);
        let state = state.ok_or_else(|| Problem::message_not_found(&of.target))?;
        let name = operation.audit_name();
        let (queued, undecided) = (
            state == MessageState::Queued,
            matches!(state, MessageState::Interrupted | MessageState::Failed),
        );
        let mut shown = id;
        match operation {
            MessageOperation::Recover(choice) if undecided => {
                shown = session.recover(step, id, choice).unwrap_or(id);
            }
            MessageOperation::Recover(_) => return Err(Problem::not_interrupted()),
            MessageOperation::Edit(_) | MessageOperation::Remove | MessageOperation::Move(_) if !queued => {
                return Err(Problem::not_queued(state));
            }
            MessageOperation::Edit(text) => {
                check_text(&text)?;
                session.queue_mut().edit(step, id, text);
            }
            MessageOperation::Remove => session.queue_mut().cancel(step, id),
            MessageOperation::Move(place) => {
                session.queue_mut().move_to(step, id, usize::try_from(place).unwrap_or(usize::MAX));
            }
        }
        self.remember(step, of.request_id, name, shown);
        Ok(OperationResult::on(holder, Subject::Message(shown)).with_detail(id.to_string()))
    }

    fn answer_permission(
        &mut self,
        step: &mut StepContext,
        origin: &Origin,
        of: Idempotent<SeenPermission>,
        answer: Answer,
    ) -> Result<OperationResult, Problem> {
        let SeenPermission { id, digest } = of.target;
        let id = self.find_permission(&id)?;
        let decision = self.permission(id).map(|row| decision(&row.request, &answer)).unwrap_or_default();
        self.session_mut(id.session)?.answer(step, id.number, &digest, answer, origin.principal.name())?;
        self.remember(step, of.request_id, ANSWER, id);
        let result = OperationResult::on(id.session, Subject::Permission(id));
        Ok(result.with_detail(format!("{id}: {decision}")))
    }

    fn add_note(
        &mut self,
        step: &mut StepContext,
        origin: &Origin,
        of: Idempotent<SessionRef>,
        text: &str,
    ) -> Result<OperationResult, Problem> {
        let id = self.resolve(&of.target)?;
        self.session_mut(id)?.note_from(step, &origin.principal, text)?;
        self.remember(step, of.request_id, NOTE, id);
        Ok(OperationResult::on(id, Subject::Done))
    }

    fn terminate_all(&mut self, step: &mut StepContext) {
        for session in self.sessions.values_mut() {
            if !session.is_being_terminated() {
                session.terminate(step);
                step.touch(session.id());
            }
        }
    }
}

/// A row of the audit trail for what this client asks.
fn audit_row(step: &StepContext, origin: &Origin, operation: &str) -> AuditRow {
    let kind = match origin.principal {
        Principal::Person { .. } => ActorKind::Person,
        Principal::Session(_) => ActorKind::Session,
    };
    let session = origin.principal.session();
    AuditRow {
        number: 0,
        at: step.now.wall,
        last: step.now.wall,
        count: 1,
        actor: Actor { kind, session, process: Some(Process::clone(&origin.process)) },
        by: origin.principal.name().to_owned(),
        operation: operation.to_owned(),
        session: None,
        detail: None,
        outcome: String::new(),
    }
}

/// What a person decided, for the audit trail.
fn decision(request: &PermissionRequest, answer: &Answer) -> String {
    match answer {
        Answer::Allow => "allow".to_owned(),
        Answer::AllowAlways { suggestions: chosen } => {
            let all = &request.suggestions;
            let granted = granted(all, &applied(all, chosen.as_deref()).unwrap_or_default());
            short_line(&format!("always {}", granted.join("; ")), MAX_DETAIL_CHARS)
        }
        Answer::Deny { .. } => "deny".to_owned(),
        Answer::Choose { .. } => "answer".to_owned(),
    }
}

/// What the answer to a change of a session shows.
fn subject_of(operation: &SessionOperation, id: SessionId) -> Subject {
    match operation {
        SessionOperation::Terminate
        | SessionOperation::Interrupt
        | SessionOperation::Restart
        | SessionOperation::Switch(_)
        | SessionOperation::Rename(_) => Subject::Session(id),
        SessionOperation::Delete => Subject::Done,
        SessionOperation::PauseQueue | SessionOperation::ResumeQueue | SessionOperation::ClearQueue => {
            Subject::Queue(id)
        }
    }
}
