//! What the store, the clients and the host know of a session already.

use crate::orchestrator::context::StepContext;
use crate::orchestrator::{Attention, Change, Effect, Millis, SessionRow, SessionView};

/// The stored position may be this many bytes behind if the journal held nothing worth storing. After a crash the same
/// bytes are read again, which does no harm.
const POSITION_LAG_BYTES: u64 = 1 << 20;

/// The host learns this often, in bytes, how much of its journal it may delete. It deletes whole segments of 16 MiB.
const INGESTED_STEP_BYTES: u64 = 4 << 20;

/// The session's row as it is stored, and what clients were last notified of.
#[derive(Debug)]
pub(super) struct Known {
    row: SessionRow,
    /// The offset before which the host may delete.
    ingested: u64,
    published: Option<Published>,
}

/// What clients see of a session beyond its stored row.
#[derive(Debug, PartialEq)]
struct Published {
    attention: Option<Attention>,
    queued: u32,
    stalled: Option<String>,
    last_activity: Millis,
}

impl Known {
    pub(super) fn restore(row: SessionRow) -> Known {
        Known { row, ingested: 0, published: None }
    }

    /// Stores the row if it has changed; returns whether it has, apart from its position. `persisted`: rows of the same
    /// session were persisted in this step, so the position must be stored with them.
    pub(super) fn store(&mut self, step: &mut StepContext, row: &SessionRow, persisted: bool) -> bool {
        let read_far = row.position.next >= self.row.position.next + POSITION_LAG_BYTES;
        let moved = row.position != self.row.position && (persisted || read_far);
        // The time of a message that waits tells the last activity too, so that is no reason to store the row.
        let unmoved =
            SessionRow { position: row.position, last_activity: row.last_activity, ..self.row.clone() };
        let changed = unmoved != *row;
        if changed || moved {
            step.persist(Change::Session(Box::new(row.clone())));
            self.row = row.clone();
            let offset = row.position.line_start.min(row.position.next);
            if row.host && offset >= self.ingested + INGESTED_STEP_BYTES {
                self.ingested = offset;
                step.push(Effect::Ingested { session: row.id, offset });
            }
        }
        changed
    }

    /// Whether clients must be notified of what they see beyond the row.
    pub(super) fn publish(&mut self, view: &SessionView, stalled: Option<&str>) -> bool {
        let published = Published {
            attention: view.attention.clone(),
            queued: view.queued,
            stalled: stalled.map(str::to_owned),
            last_activity: view.row.last_activity,
        };
        let news = self.published.as_ref() != Some(&published);
        self.published = Some(published);
        news
    }
}
