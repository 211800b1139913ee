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

    /// Follows output that all viewers get as it is.
    pub(super) fn follow(&mut self, output: &[u8]) {
        // What follows an Escape does not depend on anything before it.
        let escape = memchr::memrchr(0x1b, output);
        if escape.is_some() || !self.sequences.is_text() {
            self.sequences.divide(&output[escape.unwrap_or(0)..], &mut |_| {});
        }
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

    #[test]
    fn output_that_all_viewers_got_is_followed() {
        for (first, then) in
            [("\x1b]2;half", "\x07"), ("\x1b[3", "1m"), ("a\x1b[3", "\x1b[1m"), ("\x1bP", "a\x1b[m\x1b\\")]
        {
            let mut queries = Queries::new();
            assert_eq!(queries.answered_by(Some(1)), Some(1));
            queries.without(first.as_bytes());
            queries.follow(then.as_bytes());
            queries.follow(b"more text");
            assert_eq!(queries.answered_by(Some(2)), Some(2), "{first:?} {then:?}");
            assert_eq!(queries.without(b"plain"), b"plain");
        }
        let mut queries = Queries::new();
        queries.answered_by(Some(1));
        queries.follow(b"\x1b[");
        assert_eq!((queries.answered_by(Some(2)), queries.without(b"6nx")), (Some(1), b"x".to_vec()));
    }
}
