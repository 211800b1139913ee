//! The transcript of one session: the number of its newest entry, and the partial output since.

use super::partial_output::OutputSoFar;
use crate::orchestrator::context::StepContext;
use crate::orchestrator::{Change, EntryBody, EntryRow, Notification, PartialOutput, SessionId, SessionRow};

/// The end of a transcript. The store has all entries.
#[derive(Debug)]
pub(super) struct Transcript {
    session: SessionId,
    seq: u64,
    output: OutputSoFar,
}

impl Transcript {
    pub(super) fn restore(row: &SessionRow) -> Transcript {
        Transcript { session: row.id, seq: row.seq, output: OutputSoFar::default() }
    }

    /// The `seq` of the newest entry.
    pub(super) fn seq(&self) -> u64 {
        self.seq
    }

    pub(super) fn partial_output(&self) -> Vec<PartialOutput> {
        self.output.pieces()
    }

    /// Appends an entry.
    pub(super) fn add(&mut self, step: &mut StepContext, body: EntryBody) {
        self.output.clear();
        self.seq += 1;
        let entry = EntryRow { seq: self.seq, at: step.now.wall, body };
        step.persist(Change::Entry { session: self.session, entry: entry.clone() });
        step.publish(Notification::Entry { session: self.session, entry });
    }

    /// Adds partial output.
    pub(super) fn add_partial(&mut self, step: &mut StepContext, thinking: bool, text: String) {
        self.output.add(thinking, &text);
        step.publish(Notification::Delta { session: self.session, seq: self.seq, thinking, text });
    }
}
