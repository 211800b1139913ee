//! Lines that the same output scrolls away again: they need not be written first. A flood consists mostly of them, so
//! keeping a screen costs next to nothing in one.

use super::State;
use super::grid::Cursor;

/// Shorter output is applied as it is.
const LEAST: usize = 1_024;

/// Bytes to check together for characters that are not plain text.
const CHUNK: usize = 64;

impl State {
    /// How many of these bytes make no difference to the screen, cursor included, once the rest is applied. Moves the
    /// cursor to where they leave it. They follow text, not the beginning of a sequence or of a character.
    ///
    /// That is so if they are plain text (lines only), end a line, leave the cursor at the bottom, and more lines
    /// follow than the screen has.
    pub(super) fn skip_lines(&mut self, bytes: &[u8]) -> usize {
        if bytes.len() < LEAST || self.history.is_some() || !self.grid.scrolls_whole() {
            return 0;
        }
        let rows = usize::from(self.size.rows);
        let plain = &bytes[..plain_length(bytes)];
        let Some(end) = memchr::memrchr_iter(b'\n', plain).nth(rows).map(|at| at + 1) else { return 0 };
        let (skipped, rest) = plain.split_at(end);
        let bottom = self.size.rows - 1;
        let scrolls =
            self.grid.cursor.row == bottom || memchr::memchr_iter(b'\n', skipped).nth(rows).is_some();
        // A repetition repeats the last printed character.
        let prints = rest.iter().any(|byte| matches!(byte, b' '..=b'~'));
        if !scrolls || !prints || !skipped.ends_with(b"\r\n") {
            return 0;
        }
        self.grid.cursor = Cursor { row: bottom, column: 0, wrap_next: false };
        end
    }
}

/// Up to where there is only text, line ends and tabs, to within a chunk.
fn plain_length(bytes: &[u8]) -> usize {
    let plain =
        |byte: u8| (byte >= b' ' && byte != 0x7f) | (byte == b'\n') | (byte == b'\r') | (byte == b'\t');
    let chunks = bytes.chunks(CHUNK);
    let is_plain = |chunk: &[u8]| chunk.iter().fold(true, |all, byte| all & plain(*byte));
    chunks.take_while(|chunk| is_plain(chunk)).map(<[u8]>::len).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Screen, Size};

    /// A piece of output: mostly lines.
    fn piece() -> impl Strategy<Value = Vec<u8>> {
        let line = "[ -~é中\u{301}\t]{0,30}(\r\n|\r\n|\r\n|\n|\r)";
        let special = prop_oneof![
            Just("\x1b[5;9r".to_owned()),
            Just("\x1b[r".to_owned()),
            Just("\x1b[44m".to_owned()),
            Just("\x1b[2;3H".to_owned()),
            Just("\x1b[3b".to_owned()),
            Just("\x1b[?7l".to_owned()),
            Just("\x1b[4h".to_owned()),
            Just("\x1b[20h".to_owned()),
            Just("\x1b[?1049h".to_owned()),
            Just("\x1b(0".to_owned()),
            Just("\x0e".to_owned()),
            Just("\x1b[".to_owned()),
        ];
        let lines = proptest::collection::vec(line, 0..200).prop_map(|lines| lines.concat());
        prop_oneof![3 => lines, 1 => special].prop_map(String::into_bytes)
    }

    proptest! {
        #[test]
        fn what_is_skipped_makes_no_difference(
            pieces in proptest::collection::vec(piece(), 0..8),
            columns in 2..40_u16,
            rows in 2..12_u16,
            cut in 0..3_usize,
        ) {
            let mut bytes = pieces.concat();
            // Also in the middle of a character.
            bytes.truncate(bytes.len().saturating_sub(cut));
            let size = Size::new(columns, rows);
            let (mut whole, mut single) = (Screen::new(size), Screen::new(size));
            whole.feed(&bytes);
            bytes.iter().for_each(|byte| single.feed(std::slice::from_ref(byte)));
            prop_assert_eq!(whole.rows_text(), single.rows_text());
            prop_assert_eq!(whole.repaint(), single.repaint());
            // And from there on.
            for screen in [&mut whole, &mut single] {
                screen.feed(b"\x1b[2bx\n");
            }
            prop_assert_eq!(whole.repaint(), single.repaint());
        }
    }

    #[test]
    fn a_flood_is_skipped() {
        let mut screen = Screen::new(Size::new(80, 24));
        let flood = b"0123456789\r\n".repeat(1_000);
        assert_eq!(screen.state.skip_lines(&flood), flood.len() - 25 * 12 + 12);
        assert_eq!(screen.state.skip_lines(&flood[..1_000]), 0, "too little to be worth a look");
        assert_eq!(
            screen.state.skip_lines(&b"0123456789\n".repeat(1_000)),
            0,
            "it would not begin at the left"
        );
    }
}
