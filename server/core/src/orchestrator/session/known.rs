//! What the store, the clients and the host already know about a session.

use crate::orchestrator::context::StepContext;
use crate::orchestrator::{Attention, Change, Effect, Millis, SessionRow, SessionView};

/// How many bytes the stored position can be behind if the journal held nothing else to store. After a crash the daemon
/// reads these bytes again.
const POSITION_LAG_BYTES: u64 = 1 << 20;

/// How often the host is notified of the part of its journal that it can delete, in bytes. It deletes segments of 16
/// MiB.
const INGESTED_STEP_BYTES: u64 = 4 << 20;

/// The stored row of the session, and the state that clients were last notified of.
#[derive(Debug)]
pub(super) struct Known {
    row: SessionRow,
    /// The offset before which the host can delete.
    ingested: u64,
    published: Option<Published>,
}

/// The part of a session's view that is not in its row.
#[derive(Debug, PartialEq)]
struct Published {
    attention: Option<Attention>,
    queued: u32,
    /// A host's state can be a reason that is not in the row.
    reason: Option<String>,
    host_unprotected: bool,
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
        // The time of a waiting message shows the last activity, too, so it is not a reason to store the row.
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

    /// Whether clients must be notified of a part of the view that is not in the row.
    pub(super) fn publish(&mut self, view: &SessionView) -> bool {
        let published = Published {
            attention: view.attention.clone(),
            queued: view.queued,
            reason: view.row.status_reason.clone(),
            host_unprotected: view.host_unprotected,
            last_activity: view.row.last_activity,
        };
        let news = self.published.as_ref() != Some(&published);
        self.published = Some(published);
        news
    }
}
