//! Which viewer's terminal answers a program's queries: one, so that the program gets one answer.

use crate::sequences::{Kind, Piece, Sequences};

/// The longest query, in bytes; a longer sequence is none.
const MAX_QUERY: usize = 256;

/// The queries in a terminal's output.
pub(super) struct Queries {
    sequences: Sequences,
    /// The viewer whose terminal answers.
    answering: Option<u64>,
}

impl Queries {
    pub(super) fn new() -> Queries {
        Queries { sequences: Sequences::new(MAX_QUERY), answering: None }
    }

    /// The viewer whose terminal answers next, if this one acted last. It does not change within a sequence.
    pub(super) fn answered_by(&mut self, newest: Option<u64>) -> Option<u64> {
        if self.sequences.is_text() {
            self.answering = newest;
        }
        self.answering
    }

    /// This output without its queries, for all other viewers. An incomplete sequence follows with later output.
    pub(super) fn without(&mut self, output: &[u8]) -> Vec<u8> {
        let mut rest = Vec::with_capacity(output.len());
        self.sequences.divide(output, &mut |piece| match piece {
            Piece::Sequence(sequence) if Kind::of(sequence) == Kind::Query => {}
            Piece::Text(bytes) | Piece::Sequence(bytes) | Piece::Overlong(bytes) => {
                rest.extend_from_slice(bytes);
            }
        });
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_viewer_answers_and_the_others_do_not_see_the_queries() {
        let mut queries = Queries::new();
        assert_eq!(queries.answered_by(Some(1)), Some(1));
        assert_eq!(queries.without(b"a\x1b[cb\x1b]11;?\x1b\\\x1b[31mc\x1b["), b"ab\x1b\\\x1b[31mc");
        // In the middle of a query the same viewer answers.
        assert_eq!(queries.answered_by(Some(2)), Some(1));
        assert_eq!(queries.without(b"6nd"), b"d");
        assert_eq!(queries.answered_by(Some(2)), Some(2));
    }
}
