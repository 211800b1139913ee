//! The audit trail: what was done, by whom, and how much of it is recorded one by one.
//!
//! A client that asks often must not fill the disk. So within a minute, only the first requests have rows of their own.
//! Further ones, and all that AreYouJ refuses to sessions, share a row with those that are alike.

use std::collections::HashMap;

use super::context::StepContext;
use super::{ActorKind, AuditRow, Change, ClientId, SessionId};

/// The period in which requests that are alike share a row, in milliseconds.
pub(super) const WINDOW_MS: u64 = 60_000;

/// Requests of one client that have rows of their own in that period. A person's commands are fewer by far.
pub(super) const ROWS_OF_CLIENT: u32 = 100;

/// Requests of all clients that have rows of their own in that period: many short commands have a client each.
pub(super) const ROWS_OF_ALL: u32 = 1_000;

/// What requests that share a row have in common. A client chooses none of it freely, so the number of rows is bounded
/// by the numbers of sessions and operations.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Alike {
    kind: ActorKind,
    actor: Option<SessionId>,
    operation: String,
    session: Option<SessionId>,
    outcome: String,
}

/// What was recorded since the beginning of the period.
#[derive(Debug, Default)]
pub(super) struct AuditTrail {
    /// The number of the newest row.
    newest: u64,
    /// Monotonic time at which the period ends; `None` while nothing was recorded.
    ends: Option<u64>,
    rows: u32,
    by_client: HashMap<ClientId, u32>,
    /// The shared rows, and whether they have grown since they were stored.
    shared: HashMap<Alike, (AuditRow, bool)>,
}

impl AuditTrail {
    /// A trail whose newest row has this number.
    pub(super) fn after(newest: u64) -> AuditTrail {
        AuditTrail { newest, ..AuditTrail::default() }
    }

    /// The monotonic time at which [`AuditTrail::close`] is due.
    pub(super) fn deadline(&self) -> Option<u64> {
        self.ends
    }

    /// Records an operation of this client; `None`: the daemon's own.
    pub(super) fn record(&mut self, step: &mut StepContext, client: Option<ClientId>, mut row: AuditRow) {
        self.ends.get_or_insert(step.now.monotonic + WINDOW_MS);
        let of_client = client.map(|client| self.by_client.entry(client).or_default());
        let refused = row.actor.kind == ActorKind::Session && row.outcome != "ok";
        let many =
            self.rows >= ROWS_OF_ALL || of_client.as_ref().is_some_and(|rows| **rows >= ROWS_OF_CLIENT);
        if refused || many {
            let alike = Alike {
                kind: row.actor.kind,
                actor: row.actor.session,
                operation: row.operation.clone(),
                session: row.session,
                outcome: row.outcome.clone(),
            };
            if let Some((shared, grown)) = self.shared.get_mut(&alike) {
                (shared.count, shared.last, *grown) = (shared.count + 1, row.at, true);
                return;
            }
            row.number = self.number();
            self.shared.insert(alike, (row.clone(), false));
        } else {
            of_client.into_iter().for_each(|rows| *rows += 1);
            self.rows += 1;
            row.number = self.number();
        }
        step.persist(Change::Audit(row));
    }

    /// Ends the period if it is over, or `at_once`. Returns whether it has ended.
    pub(super) fn close(&mut self, step: &mut StepContext, at_once: bool) -> bool {
        let over = self.ends.is_some_and(|ends| at_once || ends <= step.now.monotonic);
        if over {
            let shared = std::mem::take(self);
            let mut grown: Vec<AuditRow> =
                shared.shared.into_values().filter_map(|(row, grown)| grown.then_some(row)).collect();
            grown.sort_by_key(|row| row.number);
            grown.into_iter().for_each(|row| step.persist(Change::Audit(row)));
            self.newest = shared.newest;
        }
        over
    }

    /// A client disconnected.
    pub(super) fn client_gone(&mut self, client: ClientId) {
        self.by_client.remove(&client);
    }

    fn number(&mut self) -> u64 {
        self.newest += 1;
        self.newest
    }
}
