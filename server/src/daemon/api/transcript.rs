//! Transcripts: reading them page by page.

use areyouj_core::orchestrator::{Outcome, Problem, Query, SessionId};
use areyouj_protocol::{TranscriptPage, TranscriptReadParams, request};
use areyouj_store::ReaderPool;

use super::{Context, Handler, PAGE_BYTES, Plan};
use crate::daemon::reply::{Rendered, reply_or_read};
use crate::daemon::to_wire;

/// Entries of a page if the client names no limit.
const PAGE_ENTRIES: u32 = 200;

/// Entries of a page, at most.
const PAGE_ENTRIES_MOST: u32 = 1_000;

impl Handler for request::TranscriptRead {
    async fn plan(params: TranscriptReadParams, context: &Context) -> Result<Plan<Self>, Problem> {
        let limit = params.limit.unwrap_or(PAGE_ENTRIES).clamp(1, PAGE_ENTRIES_MOST) as usize;
        let query = Query::Resolve(context.session(params.session_id));
        let before = params.before;
        let read = reply_or_read(move |outcome| match outcome {
            Outcome::Resolved(session) => {
                Rendered::Read(Box::new(move |reader| page(session, before, limit, reader)))
            }
            _ => Rendered::expected(None),
        });
        Ok(Plan::Query(query, read))
    }
}

fn page(
    session: SessionId,
    before: Option<u64>,
    limit: usize,
    reader: &ReaderPool,
) -> Result<TranscriptPage, Problem> {
    let page = reader.read(|reader| reader.entries(session, before, None, limit, PAGE_BYTES));
    let (entries, more) = page.map_err(|error| reader.problem(&error))?;
    let entries = entries.into_iter().map(|row| to_wire::entry(session, row)).collect();
    Ok(TranscriptPage { entries, more })
}
