//! The messages of one session, with their ids at hand.

use std::collections::HashSet;
use std::ops::{Deref, DerefMut};

use super::{MessageId, MessageRow};

/// Messages. Whether an id is among them is known without looking at them: every new message is looked for in every
/// session.
#[derive(Debug, Default)]
pub(super) struct Messages {
    rows: Vec<MessageRow>,
    ids: HashSet<MessageId>,
}

impl Messages {
    pub(super) fn contains(&self, id: MessageId) -> bool {
        self.ids.contains(&id)
    }

    pub(super) fn push(&mut self, row: MessageRow) {
        self.ids.insert(row.id);
        self.rows.push(row);
    }

    /// Takes one out; the order of the others does not matter.
    pub(super) fn swap_remove(&mut self, index: usize) {
        let row = self.rows.swap_remove(index);
        self.ids.remove(&row.id);
    }

    pub(super) fn retain(&mut self, keep: impl FnMut(&MessageRow) -> bool) {
        self.rows.retain(keep);
        self.ids = self.rows.iter().map(|row| row.id).collect();
    }
}

impl Deref for Messages {
    type Target = [MessageRow];

    fn deref(&self) -> &[MessageRow] {
        &self.rows
    }
}

/// Rows change in place; their ids never do.
impl DerefMut for Messages {
    fn deref_mut(&mut self) -> &mut [MessageRow] {
        &mut self.rows
    }
}
