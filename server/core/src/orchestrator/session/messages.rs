//! The messages of one session, indexed by id.

use std::collections::HashSet;

use crate::orchestrator::{MessageId, MessageRow};

/// Messages in no particular order. The ids are indexed because each new message is searched for in every session.
#[derive(Debug, Default)]
pub(super) struct Messages {
    rows: Vec<MessageRow>,
    ids: HashSet<MessageId>,
}

impl Messages {
    pub(super) fn contains(&self, id: MessageId) -> bool {
        self.ids.contains(&id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &MessageRow> {
        self.rows.iter()
    }

    pub(super) fn get(&self, id: MessageId) -> Option<&MessageRow> {
        self.rows.iter().find(|row| row.id == id)
    }

    /// The row for changes. Its id must not change.
    pub(super) fn get_mut(&mut self, id: MessageId) -> Option<&mut MessageRow> {
        self.rows.iter_mut().find(|row| row.id == id)
    }

    pub(super) fn push(&mut self, row: MessageRow) {
        self.ids.insert(row.id);
        self.rows.push(row);
    }

    pub(super) fn remove(&mut self, id: MessageId) {
        if let Some(index) = self.rows.iter().position(|row| row.id == id) {
            self.rows.swap_remove(index);
            self.ids.remove(&id);
        }
    }
}
