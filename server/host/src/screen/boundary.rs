//! Where control sequences end: what is between them is text, and a sequence that has begun and not ended belongs to whoever
//! comes to look.

/// Bytes of an unfinished sequence that are kept. Of a longer one (a picture, a clipboard) the beginning makes a terminal
/// pass over the rest.
const KEPT: usize = 1_024;

/// How far the sequence is, as the parser has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    /// There is none.
    #[default]
    Text,
    Escape,
    /// Of an escape sequence, after a character such as a bracket.
    Intermediate,
    Control,
    Command,
    /// Of a device control string or another one that is passed over.
    String,
}

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

    /// What has begun and not ended.
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
            self.at = self.after(*byte);
            match (self.at, byte) {
                (At::Text, _) => {
                    self.unfinished = Vec::new();
                    return taken;
                }
                // A new one begins where the last is given up; the end of a string belongs to it.
                (At::Escape, _) => self.begin(),
                // Control characters within have been carried out.
                _ if *byte >= b' ' && self.unfinished.len() < KEPT => self.unfinished.push(*byte),
                _ => {}
            }
        }
        bytes.len()
    }

    fn after(&self, byte: u8) -> At {
        match (self.at, byte) {
            (_, 0x18 | 0x1a) => At::Text,
            (_, 0x1b) => At::Escape,
            (At::Escape, b'[') => At::Control,
            (At::Escape, b']') => At::Command,
            (At::Escape, b'P' | b'X' | b'^' | b'_') => At::String,
            (At::Escape | At::Intermediate, 0x20..=0x2f) => At::Intermediate,
            (At::Escape | At::Intermediate, 0x30..=0x7e)
            | (At::Control, 0x40..=0x7e)
            | (At::Command, 0x07) => At::Text,
            (at, _) => at,
        }
    }
}
