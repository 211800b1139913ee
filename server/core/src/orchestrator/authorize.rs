//! Whether a principal can do something. The user whose daemon this is can do everything. A process inside a session
//! can read that session and add a note to its transcript, and whatever else a person granted.

use super::state::State;
use super::{ErrorCode, Grants, Insider, Operation, Principal, Problem, Query, Role, SessionId, SessionRef};

/// What a process inside a session needs so that it can do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: it concerns no session.
    Nothing,
    /// To be inside the session that it reads, or the grant `read`.
    Reading,
    /// To be inside the session that it changes.
    OwnSession,
    /// The grant `send`.
    Sending,
    /// The grant `create`.
    Creating,
    /// No grant allows it.
    Person,
}

impl Need {
    /// The grant in `from_sessions` that allows it.
    fn grant(self) -> Option<&'static str> {
        match self {
            Need::Reading => Some("read"),
            Need::Sending => Some("send"),
            Need::Creating => Some("create"),
            Need::Nothing | Need::OwnSession | Need::Person => None,
        }
    }
}

impl Principal {
    /// Whether the principal can do what needs this, in some session.
    ///
    /// # Errors
    ///
    /// It is a process inside a session, and no person granted it.
    pub fn check(&self, grants: Grants, need: Need) -> Result<(), Problem> {
        let Principal::Session(insider) = self else { return Ok(()) };
        let allowed = match need {
            Need::Nothing => true,
            Need::Reading => grants.read || insider.id.is_some(),
            Need::OwnSession => insider.id.is_some(),
            Need::Sending => grants.send,
            // The environment and the greatest permission mode come from its own session.
            Need::Creating => grants.create && insider.id.is_some(),
            Need::Person => false,
        };
        if allowed { Ok(()) } else { Err(Problem::inside_session(insider, need.grant())) }
    }
}

impl Operation {
    /// What a process inside a session needs to carry it out.
    fn need(&self) -> Need {
        match self {
            Operation::Note(..) => Need::OwnSession,
            Operation::Send { steer: false, .. } => Need::Sending,
            Operation::Create(_) => Need::Creating,
            _ if self.role() == Role::Viewer => Need::Reading,
            _ => Need::Person,
        }
    }
}

impl Query {
    /// What a process inside a session needs to get the answer.
    fn need(&self) -> Need {
        match self {
            Query::Sessions { .. }
            | Query::Session(_)
            | Query::Resolve(_)
            | Query::Queue(_)
            | Query::Permissions(_) => Need::Reading,
            Query::Daemon | Query::Audit(_) => Need::Person,
        }
    }
}

impl State {
    /// Whether a principal can carry out an operation. Replaces the session that it means by that session's whole id.
    ///
    /// # Errors
    ///
    /// `inside_session`, which says nothing about other sessions, not even whether one exists.
    pub(super) fn authorize(&self, principal: &Principal, operation: &mut Operation) -> Result<(), Problem> {
        let need = operation.need();
        principal.check(self.settings.grants, need)?;
        self.narrow(principal, need, operation.session_mut())
    }

    /// The same for a query.
    ///
    /// # Errors
    ///
    /// See [`State::authorize`].
    pub(super) fn authorize_query(&self, principal: &Principal, query: &mut Query) -> Result<(), Problem> {
        let need = query.need();
        principal.check(self.settings.grants, need)?;
        self.narrow(principal, need, query.session_mut())
    }

    /// The only session that a principal can see; `None` if it can see all.
    pub(super) fn only_session(&self, principal: &Principal) -> Option<SessionId> {
        match principal {
            Principal::Session(insider) if !self.settings.grants.read => insider.id,
            Principal::Session(_) | Principal::Person { .. } => None,
        }
    }

    /// A process inside a session means its own session if it names none, and gets no other one without a grant.
    fn narrow(
        &self,
        principal: &Principal,
        need: Need,
        session: Option<&mut SessionRef>,
    ) -> Result<(), Problem> {
        let (Principal::Session(insider), Some(session)) = (principal, session) else { return Ok(()) };
        let own = insider.id.filter(|own| match session {
            SessionRef::Newest { .. } => true,
            SessionRef::Id(text) => !text.is_empty() && own.as_str().starts_with(&text.to_ascii_uppercase()),
        });
        match own {
            Some(own) => *session = SessionRef::Id(own.to_string()),
            None if need == Need::Reading && self.settings.grants.read || need == Need::Sending => {}
            None => return Err(Problem::inside_session(insider, need.grant())),
        }
        Ok(())
    }

    /// The permission mode for a session that a process inside a session creates: never wider than that of its own.
    ///
    /// # Errors
    ///
    /// The requested mode is wider.
    pub(super) fn mode_from_inside(
        &self,
        insider: &Insider,
        requested: Option<String>,
    ) -> Result<String, Problem> {
        let own = insider.id.and_then(|id| self.sessions.get(&id));
        let own = own.ok_or_else(|| Problem::inside_session(insider, None))?.permission_mode();
        match requested {
            Some(mode) if super::session::is_wider(&mode, own) => Err(Problem::wider_mode(insider, own)),
            Some(mode) => Ok(mode),
            None => Ok(own.to_owned()),
        }
    }
}

impl Insider {
    /// Where the process is, for people.
    pub(super) fn place(&self) -> String {
        self.id.map_or_else(|| "a session".to_owned(), |id| format!("session {id}"))
    }
}

impl Problem {
    /// A process inside a session cannot do this; this grant would allow it.
    pub(super) fn inside_session(insider: &Insider, grant: Option<&str>) -> Problem {
        let mut remedy = "Do it from your own terminal or editor, outside all sessions.".to_owned();
        if let Some(grant) = grant.filter(|_| insider.id.is_some()) {
            remedy.push_str(&format!(
                " To allow it to all sessions, add \"{grant}\" to from_sessions in config.toml."
            ));
        }
        Problem::new(
            ErrorCode::InsideSession,
            format!("A process inside {} cannot do this.", insider.place()),
            remedy,
        )
    }

    /// A process inside a session asked for a session in a wider permission mode than its own.
    pub(super) fn wider_mode(insider: &Insider, own: &str) -> Problem {
        Problem::new(
            ErrorCode::InsideSession,
            format!(
                "A process inside {} cannot create a session in a permission mode that is wider than {own}.",
                insider.place()
            ),
            "Create it from your own terminal or editor, outside all sessions.",
        )
    }
}
