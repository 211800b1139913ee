//! Where control sequences end. Bytes between them are text; an incomplete sequence must be sent to a new viewer too.

use crate::sequences::At;

/// Maximum bytes of an incomplete sequence to keep. The beginning of a longer one (a picture, a clipboard) is enough
/// to make a terminal ignore the rest.
const KEPT: usize = 1_024;

/// Follows sequences to their ends.
#[derive(Debug, Default)]
pub(super) struct Boundary {
    at: At,
    unfinished: Vec<u8>,
}

impl Boundary {
    /// Whether text comes next.
    pub(super) fn is_text(&self) -> bool {
        self.at == At::Text
    }

    /// The incomplete sequence.
    pub(super) fn unfinished(&self) -> &[u8] {
        &self.unfinished
    }

    /// An Escape came.
    pub(super) fn begin(&mut self) {
        self.at = At::Escape;
        self.unfinished.clear();
        self.unfinished.push(0x1b);
    }

    /// How many of these bytes belong to the sequence.
    pub(super) fn take(&mut self, bytes: &[u8]) -> usize {
        for (taken, byte) in (1..).zip(bytes) {
            self.at = self.at.after(*byte);
            match (self.at, byte) {
                (At::Text, _) => {
                    self.unfinished = Vec::new();
                    return taken;
                }
                // A new sequence replaces the incomplete one; the end of a string belongs to the string.
                (At::Escape, _) => self.begin(),
                // Control characters within the sequence have been applied.
                _ if *byte >= b' ' && self.unfinished.len() < KEPT => self.unfinished.push(*byte),
                _ => {}
            }
        }
        bytes.len()
    }
}
