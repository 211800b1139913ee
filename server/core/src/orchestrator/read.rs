//! Answering queries.

use super::context::StepContext;
use super::state::State;
use super::{Effect, Origin, Outcome, PermissionRow, Problem, Query, SessionId, SessionRef, SessionView};

impl State {
    /// Answers a query, or refuses it.
    pub(super) fn ask(&mut self, step: &mut StepContext, origin: Origin, mut query: Query) {
        if let Err(problem) = self.authorize_query(&origin.principal, &mut query) {
            return self.refuse(step, origin, query.refusal_name(), problem);
        }
        let result = self.query(&query, self.only_session(&origin.principal));
        step.push(Effect::Reply { client: origin.client, reply: origin.reply, result });
    }

    /// The answer to a query. `only`: the one session that the client can see.
    ///
    /// # Errors
    ///
    /// No session matches, or several do.
    fn query(&self, query: &Query, only: Option<SessionId>) -> Result<Outcome, Problem> {
        match query {
            Query::Sessions { all } => {
                let mut sessions = self.views(*all);
                sessions.retain(|view| only.is_none_or(|only| only == view.row.id));
                Ok(Outcome::Sessions { revision: self.revision, sessions })
            }
            Query::Session(session) => {
                let session = self.session(self.resolve(session)?)?;
                Ok(Outcome::Session(Box::new(session.view())))
            }
            Query::Resolve(session) => self.resolve(session).map(Outcome::Resolved),
            Query::Queue(session) => Ok(Outcome::Queue(self.session(self.resolve(session)?)?.queue().view())),
            Query::Permissions(of) => self.open_permissions(of.as_ref(), only),
            // The trail of a removed session stays, so its id need not be known.
            Query::Audit(of) => match of {
                Some(SessionRef::Id(text)) if text.parse::<SessionId>().is_ok() => {
                    Ok(Outcome::Audit(text.parse().ok()))
                }
                Some(session) => self.resolve(session).map(|id| Outcome::Audit(Some(id))),
                None => Ok(Outcome::Audit(None)),
            },
            Query::Daemon => {
                let live = self.sessions.values().filter(|session| !session.is_terminated()).count();
                Ok(Outcome::Daemon {
                    sessions: u32::try_from(live).unwrap_or(u32::MAX),
                    active: self.active(),
                    max_active: self.settings.max_active,
                })
            }
        }
    }

    /// Sessions as clients see them, the newest first.
    pub(super) fn views(&self, all: bool) -> Vec<SessionView> {
        let shown = self.sessions.values().filter(|session| all || !session.is_terminated());
        let mut views: Vec<SessionView> = shown.map(|session| session.view()).collect();
        views.sort_by_key(|view| (std::cmp::Reverse(view.row.created_at), view.row.id));
        views
    }

    fn open_permissions(&self, of: Option<&SessionRef>, only: Option<SessionId>) -> Result<Outcome, Problem> {
        let of = of.map(|session| self.resolve(session)).transpose()?.or(only);
        let shown = self.sessions.values().filter(|session| of.is_none_or(|id| id == session.id()));
        let open = shown.flat_map(|session| session.permissions().open());
        let mut open: Vec<PermissionRow> = open.cloned().collect();
        open.sort_by_key(|request| (request.created_at, request.id));
        Ok(Outcome::Permissions(open))
    }
}
