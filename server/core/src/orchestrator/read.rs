//! Answering queries.

use super::state::State;
use super::{Outcome, PermissionRow, Problem, Query, SessionRef, SessionView};

impl State {
    /// Answers a query.
    ///
    /// # Errors
    ///
    /// No session matches, or several do.
    pub(super) fn query(&self, query: &Query) -> Result<Outcome, Problem> {
        match query {
            Query::Sessions { all } => {
                Ok(Outcome::Sessions { revision: self.revision, sessions: self.views(*all) })
            }
            Query::Session(session) => {
                let session = self.session(self.resolve(session)?)?;
                Ok(Outcome::Session(Box::new(session.view())))
            }
            Query::Resolve(session) => self.resolve(session).map(Outcome::Resolved),
            Query::Queue(session) => Ok(Outcome::Queue(self.session(self.resolve(session)?)?.queue().view())),
            Query::Permissions(of) => self.open_permissions(of.as_ref()),
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

    fn open_permissions(&self, of: Option<&SessionRef>) -> Result<Outcome, Problem> {
        let of = of.map(|session| self.resolve(session)).transpose()?;
        let shown = self.sessions.values().filter(|session| of.is_none_or(|id| id == session.id()));
        let open = shown.flat_map(|session| session.permissions().open());
        let mut open: Vec<PermissionRow> = open.cloned().collect();
        open.sort_by_key(|request| (request.created_at, request.id));
        Ok(Outcome::Permissions(open))
    }
}
