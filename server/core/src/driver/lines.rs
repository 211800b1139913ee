//! Lines out of bytes that come in pieces cut anywhere.

/// The capacity that is kept for the next unfinished line, in bytes; more is released, because there can be many
/// sessions.
const KEPT_CAPACITY: usize = 64 * 1024;

/// A line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// A whole one, without its newline.
    Whole(&'a [u8]),
    /// The beginning of a line beyond the limit, as long as the limit; the rest of the line is skipped.
    TooLong(&'a [u8]),
}

/// Splits bytes into lines of limited length.
#[derive(Debug)]
pub struct Lines {
    limit: usize,
    unfinished: Vec<u8>,
    passing_over: bool,
}

impl Lines {
    /// Lines of at most `limit` bytes, the newline not counted.
    pub fn new(limit: usize) -> Lines {
        Lines { limit, unfinished: Vec::new(), passing_over: false }
    }

    /// Whether there is no unfinished line.
    pub fn at_line_start(&self) -> bool {
        self.unfinished.is_empty() && !self.passing_over
    }

    /// Adds the next piece, and calls `each` for every line that the piece completes or makes too long. Returns how
    /// many bytes of the piece come before the unfinished line at its end; `None` if no line ended.
    pub fn feed(&mut self, piece: &[u8], mut each: impl FnMut(Line<'_>)) -> Option<usize> {
        let mut begin = 0;
        while let Some(length) = memchr::memchr(b'\n', &piece[begin..]) {
            self.end_line(&piece[begin..begin + length], &mut each);
            begin += length + 1;
        }
        self.extend_line(&piece[begin..], &mut each);
        (begin > 0).then_some(begin)
    }

    /// Ends the unfinished line as if a newline had come, and returns it; `None` if there is none, or it was too long.
    pub fn finish(&mut self) -> Option<Vec<u8>> {
        self.passing_over = false;
        Some(std::mem::take(&mut self.unfinished)).filter(|line| !line.is_empty())
    }

    fn end_line(&mut self, end: &[u8], each: &mut impl FnMut(Line<'_>)) {
        if self.at_line_start() && end.len() <= self.limit {
            each(Line::Whole(end));
            return;
        }
        self.extend_line(end, each);
        if !std::mem::take(&mut self.passing_over) {
            each(Line::Whole(&self.unfinished));
            self.unfinished.clear();
            self.unfinished.shrink_to(KEPT_CAPACITY);
        }
    }

    fn extend_line(&mut self, more: &[u8], each: &mut impl FnMut(Line<'_>)) {
        if self.passing_over {
            return;
        }
        let room = self.limit - self.unfinished.len();
        self.unfinished.extend_from_slice(&more[..more.len().min(room)]);
        if more.len() > room {
            each(Line::TooLong(&self.unfinished));
            self.unfinished = Vec::new();
            self.passing_over = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Line, Lines};
    use proptest::prelude::*;

    /// Whether it is whole, and its bytes.
    type Found = (bool, Vec<u8>);

    fn owned(line: Line<'_>) -> Found {
        match line {
            Line::Whole(line) => (true, line.to_vec()),
            Line::TooLong(line) => (false, line.to_vec()),
        }
    }

    fn split(limit: usize, pieces: &[&[u8]]) -> (Vec<Found>, Option<Vec<u8>>) {
        let mut lines = Lines::new(limit);
        let mut found = Vec::new();
        for piece in pieces {
            lines.feed(piece, |line| found.push(owned(line)));
        }
        (found, lines.finish())
    }

    #[test]
    fn the_pieces_of_a_line_are_joined() {
        let (found, rest) = split(100, &[b"ab", b"c\nd", b"ef\n\ng"]);
        assert_eq!(found, [(true, b"abc".to_vec()), (true, b"def".to_vec()), (true, b"".to_vec())]);
        assert_eq!(rest.as_deref(), Some(&b"g"[..]));
    }

    #[test]
    fn feed_says_where_the_unfinished_line_begins() {
        let mut lines = Lines::new(100);
        assert_eq!(lines.feed(b"ab", |_| {}), None);
        assert_eq!(lines.feed(b"c\nd\nef", |_| {}), Some(4));
        assert!(!lines.at_line_start());
        assert_eq!(lines.feed(b"\n", |_| {}), Some(1));
        assert!(lines.at_line_start());
    }

    #[test]
    fn a_line_beyond_the_limit_is_skipped_to_its_end() {
        let (found, rest) = split(3, &[b"abc\nabcd", b"efgh", b"\nxyz\n"]);
        assert_eq!(found, [(true, b"abc".to_vec()), (false, b"abc".to_vec()), (true, b"xyz".to_vec())]);
        assert_eq!(rest, None);
    }

    proptest! {
        #[test]
        fn where_the_pieces_are_cut_makes_no_difference(
            text in proptest::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..60),
            cuts in proptest::collection::vec(0usize..60, 0..6),
            limit in 1usize..12,
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut begin = 0;
            for cut in cuts.into_iter().chain([text.len()]) {
                pieces.push(&text[begin..cut]);
                begin = cut;
            }
            prop_assert_eq!(split(limit, &pieces), split(limit, &[&text]));
        }
    }
}
