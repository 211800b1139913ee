//! Carrying out operations: authorization, repeated requests, and the changes.

use std::str::FromStr;

use super::authorize::authorize;
use super::check::{check_request_id, check_text, checked_name, conflict};
use super::context::StepContext;
use super::requests::{ANSWER, CREATE, SEND};
use super::state::{Exit, State};
use super::subject::{OperationResult, Subject};
use super::{
    Answer, AuditRow, Change, Effect, ErrorCode, Idempotent, MessageId, MessageOperation, MessageState,
    Notification, Operation, Origin, PermissionId, Problem, Remedy, SeenPermission, SessionId,
    SessionOperation, SessionRef,
};

impl State {
    /// Carries out an operation, audits and answers it.
    pub(super) fn operate(&mut self, step: &mut StepContext, origin: Origin, operation: Operation) {
        let name = operation.audit_name();
        let result = self.carry_out(step, &origin, operation);
        let (session, detail, outcome) = match &result {
            Ok(done) => (done.session, done.detail.clone(), "ok".to_owned()),
            Err(problem) => (None, None, problem.code.as_str().to_owned()),
        };
        session.into_iter().for_each(|id| step.touch(id));
        if let Some(name) = name {
            let (by, operation) = (origin.principal.name().to_owned(), name.to_owned());
            step.audit(AuditRow { at: step.now.wall, by, operation, session, detail, outcome });
        }
        step.answer(origin, result.map(|done| done.subject));
    }

    fn carry_out(
        &mut self,
        step: &mut StepContext,
        origin: &Origin,
        operation: Operation,
    ) -> Result<OperationResult, Problem> {
        let target = self.session_of(&operation);
        let known = target.as_ref().ok().and_then(|id| self.sessions.get(&(*id)?));
        authorize(&origin.principal, &operation, known)?;
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
            Operation::MarkRead(session) => {
                let id = self.resolve(&session)?;
                self.session_mut(id)?.mark_read();
                Ok(OperationResult::on(id, Subject::Session(id)))
            }
            Operation::Attach { session, since } => {
                let id = self.resolve(&session)?;
                self.session_mut(id)?.watch(origin.client);
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
        self.session_mut(id.session)?.answer(step, id.number, &digest, answer, origin.principal.name())?;
        self.remember(step, of.request_id, ANSWER, id);
        Ok(OperationResult::on(id.session, Subject::Permission(id)).with_detail(id.to_string()))
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
