//! Creating a session: its limits, and its first rows.

use super::check::{check_room, check_text, checked_name, conflict};
use super::context::StepContext;
use super::requests::{CREATE, SEND};
use super::session::Session;
use super::state::State;
use super::subject::{OperationResult, Subject};
use super::{
    Change, Create, DirectoryTrust, ErrorCode, MessageId, Notification, Origin, Principal, Problem, Remedy,
    SessionId, SessionRow,
};
use crate::text::plain::short_line;

/// Characters of what the audit trail says about a new session, at most: the longest path has 4,096 bytes.
const MAX_DETAIL_CHARS: usize = 500;

/// How many random session ids are tried. With a million ids in use, one in 650,000 is taken.
const ID_TRIES: usize = 8;

impl State {
    pub(super) fn create(
        &mut self,
        step: &mut StepContext,
        origin: &Origin,
        create: Create,
    ) -> Result<OperationResult, Problem> {
        let name = checked_name(create.name)?;
        let mut spec = create.spec;
        if let Principal::Session(insider) = &origin.principal {
            spec.permission_mode = Some(self.mode_from_inside(insider, spec.permission_mode)?);
        }
        self.check_first_messages(&create.messages)?;
        self.admit()?;
        let id = self.unused_id(step)?;
        let warning = self.shared_directory(&spec.directory);
        self.used_ids.insert(id);
        let mode = spec.permission_mode.as_deref().unwrap_or("as configured");
        let mut detail = format!("mode {mode}, in {}", spec.directory);
        let conversation = step.new_uuid();
        let row = SessionRow { name, ..SessionRow::new(id, spec, conversation, step.now.wall) };
        step.persist(Change::Session(Box::new(row.clone())));
        step.persist(Change::Environment { session: id, environment: create.environment });
        let (trusted, untrusted) = match create.trust {
            DirectoryTrust::Known => (None, None),
            DirectoryTrust::Given(directory) => (Some(directory), None),
            DirectoryTrust::Missing(would_run) => (None, Some(would_run)),
        };
        if let Some(directory) = trusted {
            detail.push_str(&format!(", trusting {directory}"));
            step.trust(directory, origin.principal.name().to_owned());
        }
        let mut session = Session::create(step, row, untrusted);
        for (message, text) in create.messages {
            session.enqueue(step, message, text, false);
            self.remember(step, message.to_string(), SEND, id);
        }
        let revision = step.next_revision();
        step.publish(Notification::Created { revision, session: Box::new(session.view()) });
        self.sessions.insert(id, session);
        self.remember(step, create.request_id, CREATE, id);
        let result = OperationResult::on(id, Subject::Created { session: id, warning });
        Ok(result.with_detail(short_line(&detail, MAX_DETAIL_CHARS)))
    }

    fn check_first_messages(&self, messages: &[(MessageId, String)]) -> Result<(), Problem> {
        let bytes: usize = messages.iter().map(|(_, text)| text.len()).sum();
        check_room(messages.len(), bytes)?;
        for (index, (id, text)) in messages.iter().enumerate() {
            check_text(text)?;
            let twice = messages[..index].iter().any(|(other, _)| other == id);
            if twice || self.requests.get(&id.to_string()).is_some() {
                return Err(conflict());
            }
        }
        Ok(())
    }

    fn unused_id(&self, step: &mut StepContext) -> Result<SessionId, Problem> {
        let mut tries = (0..ID_TRIES).map(|_| step.new_session_id());
        tries.find(|id| !self.used_ids.contains(id)).ok_or_else(|| {
            Problem::new(ErrorCode::Internal, "No free session id was found.", Remedy::TryAgain)
        })
    }

    /// A warning if other sessions have the same directory.
    fn shared_directory(&self, directory: &str) -> Option<String> {
        let others = self.sessions.values().filter(|other| !other.is_terminated());
        let others = others.filter(|other| other.directory() == directory);
        let others: Vec<String> = others.map(|other| other.id().to_string()).collect();
        (!others.is_empty()).then(|| {
            format!(
                "The directory is also used by {}: the sessions can change the same files.",
                others.join(", ")
            )
        })
    }

    /// Checks that the limit allows one more active session.
    pub(super) fn admit(&self) -> Result<(), Problem> {
        let (active, limit) = (self.active(), self.settings.max_active);
        if active < limit {
            return Ok(());
        }
        Err(Problem::new(
            ErrorCode::TooManySessions,
            format!("{active} of {limit} sessions are active, and that is the limit."),
            Remedy::RaiseLimit { setting: "max_active_sessions".to_owned() },
        ))
    }
}
