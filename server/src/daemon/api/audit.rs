//! The audit trail, page by page.

use areyouj_core::orchestrator::{Outcome, Problem, Query, SessionId, SessionRef};
use areyouj_protocol::{AuditListParams, AuditPage, request};
use areyouj_store::ReaderPool;

use super::{Context, Handler, Plan};
use crate::daemon::reply::{Rendered, reply_or_read};
use crate::daemon::to_wire;

/// Entries of a page if the client names no limit.
const PAGE_ENTRIES: u32 = 200;

/// Entries of a page, at most.
const PAGE_ENTRIES_MOST: u32 = 1_000;

impl Handler for request::AuditList {
    async fn plan(params: AuditListParams, _: &Context) -> Result<Plan<Self>, Problem> {
        let query = Query::Audit(params.session_id.clone().map(SessionRef::Id));
        let read = reply_or_read(move |outcome| match outcome {
            Outcome::Audit(session) => Rendered::Read(Box::new(move |reader| page(session, &params, reader))),
            _ => Rendered::expected(None),
        });
        Ok(Plan::Query(query, read))
    }
}

fn page(
    session: Option<SessionId>,
    params: &AuditListParams,
    reader: &ReaderPool,
) -> Result<AuditPage, Problem> {
    let limit = params.limit.unwrap_or(PAGE_ENTRIES).clamp(1, PAGE_ENTRIES_MOST) as usize;
    let since = params.since.unwrap_or_default();
    let page = reader.read(|reader| reader.audit(session, since, params.before, limit));
    let (entries, more) = page.map_err(|error| reader.problem(&error))?;
    Ok(AuditPage { entries: entries.into_iter().map(to_wire::audit_entry).collect(), more })
}
