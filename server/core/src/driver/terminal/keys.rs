//! Whether the terminal's input holds a draft, derived from the pressed keys.

/// The longest sequence that one key sends, in bytes; a longer one is not a key.
const SEQUENCE: usize = 64;

/// The longest answer of a terminal to a query, in bytes.
const ANSWER: usize = 1_024;

const PASTE_BEGINS: &[u8] = b"[200~";
const PASTE_ENDS: &[u8] = b"[201~";

/// Follows what is typed. It knows what people type, send and clear, but not what Claude's editor makes of it; that is
/// enough to hold the queue.
#[derive(Debug, Default)]
pub struct Keys {
    /// The number of characters in the input, as far as the keys show.
    characters: usize,
    /// The bytes of a key that sends several, after its Escape.
    sequence: Option<Vec<u8>>,
    /// The length of the terminal's answer so far, in bytes.
    answer: usize,
    pasting: bool,
}

impl Keys {
    /// The number of characters in the input.
    pub fn characters(&self) -> usize {
        self.characters
    }

    /// The input was sent and is empty.
    pub fn clear(&mut self) {
        self.characters = 0;
        self.sequence = None;
    }

    /// Processes keys, which can be split anywhere.
    pub fn press(&mut self, keys: &[u8]) {
        for key in keys {
            match self.sequence.take() {
                Some(sequence) => self.extend(sequence, *key),
                None => self.begin(*key),
            }
        }
    }

    fn begin(&mut self, key: u8) {
        match key {
            0x1b => self.sequence = Some(Vec::new()),
            b'\r' | b'\n' if !self.pasting => self.clear(),
            // Ctrl-C and Ctrl-U clear the input, Ctrl-S stashes it.
            0x03 | 0x15 | 0x13 => self.clear(),
            0x08 | 0x7f => self.characters = self.characters.saturating_sub(1),
            // Characters: only the first byte of each counts.
            b' '..=b'~' | 0xc0.. => self.characters += 1,
            _ => {}
        }
    }

    fn extend(&mut self, mut sequence: Vec<u8>, key: u8) {
        let string = matches!(sequence.first(), Some(b']' | b'P' | b'_' | b'^'));
        let ends = match sequence.first() {
            // Answers of the terminal to what Claude asked it end with BEL or ESC \.
            // None of them holds these keys: a person pressed Escape and continued to type.
            _ if string && matches!(key, b'\r' | b'\n' | 0x03 | 0x13 | 0x15 | 0x7f) => {
                return self.begin(key);
            }
            _ if string => key == 0x07 || (sequence.last() == Some(&0x1b) && key == b'\\'),
            None => !matches!(key, b'[' | b'O' | b']' | b'P' | b'_' | b'^'),
            Some(b'O') => true,
            Some(_) => (0x40..=0x7e).contains(&key),
        };
        sequence.push(key);
        if !ends {
            // The text after a person's lone Escape is not a sequence for long.
            self.answer = if string { self.answer + 1 } else { 0 };
            let unfinished = if string { self.answer < ANSWER } else { sequence.len() < SEQUENCE };
            self.sequence = unfinished.then_some(sequence);
            if let Some(sequence) = &mut self.sequence
                && string
            {
                sequence.drain(1..sequence.len() - 1);
            }
            return;
        }
        match sequence.as_slice() {
            PASTE_BEGINS => self.pasting = true,
            PASTE_ENDS => self.pasting = false,
            // Escape twice clears; the second may begin a key of its own. Alt and Enter is a new line.
            [0x1b] => {
                self.clear();
                self.sequence = Some(Vec::new());
            }
            [b'\r'] => self.characters += 1,
            // Enter, Ctrl-C, Ctrl-U and Ctrl-S by the kitty protocol.
            b"[13u" | b"[99;5u" | b"[117;5u" | b"[115;5u" => self.clear(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Keys;

    fn drafting(keys: &[u8]) -> bool {
        let mut whole = Keys::default();
        whole.press(keys);
        let mut cut = Keys::default();
        keys.iter().for_each(|key| cut.press(&[*key]));
        assert_eq!(whole.characters() > 0, cut.characters() > 0, "{keys:?}");
        whole.characters() > 0
    }

    #[test]
    fn an_escape_before_text_counts_as_an_answer_of_the_terminal_for_a_limited_length() {
        for begin in ["P", "]", "_", "^"] {
            let mut keys = Keys::default();
            keys.press(format!("\x1b{begin}lease do it\r").as_bytes());
            keys.press(b"next");
            assert_eq!(keys.characters(), 4, "{begin}");
            let mut keys = Keys::default();
            keys.press(format!("\x1b{begin}{}", "x".repeat(2_000)).as_bytes());
            keys.press(b"next");
            assert!(keys.characters() > 4, "{begin}");
        }
        assert!(!drafting(b"\x1bP1$r0m\x1b\\\x1b]11;rgb:0/0/0\x07"));
    }

    #[test]
    fn typed_text_is_a_draft_until_it_is_sent_or_cleared() {
        assert!(drafting(b"hello"));
        assert!(drafting("\u{e4}".as_bytes()));
        assert!(!drafting(b"hello\r"));
        assert!(!drafting(b"hello\x03"));
        assert!(!drafting(b"ab\x7f\x7f"));
        assert!(drafting(b"ab\x7f"));
        assert!(drafting(b"one\rtwo"));
    }

    #[test]
    fn a_paste_is_a_draft_lines_and_all() {
        assert!(drafting(b"\x1b[200~one\ntwo\n\x1b[201~"));
        assert!(!drafting(b"\x1b[200~one\ntwo\x1b[201~\r"));
        assert!(drafting(b"one\x1b\r"));
    }

    #[test]
    fn arrows_the_mouse_and_answers_of_the_terminal_are_not_text() {
        assert!(!drafting(b"\x1b[A\x1b[1;5C\x1bOP\x1b[<35;10;5M\x1b[I\x1b[O"));
        assert!(!drafting(b"\x1b]11;rgb:0000/0000/0000\x07\x1bP>|xterm(379)\x1b\\\x1b[?62;22c"));
        assert!(!drafting(b"\x1b\x1b[A"));
        assert!(drafting(b"\x1b]11;rgb:0000/0000/0000\x1b\\x"));
    }
}
