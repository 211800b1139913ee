//! Whether something that was not sent stands in the terminal's input, by the keys that were pressed.

/// The longest sequence that one key sends; a longer one is none.
const SEQUENCE: usize = 64;

/// The longest answer of a terminal to what was asked of it.
const ANSWER: usize = 1_024;

const PASTE_BEGINS: &[u8] = b"[200~";
const PASTE_ENDS: &[u8] = b"[201~";

/// Follows what is typed. Good enough to hold a queue: it knows what people type and what they send and clear, not what
/// Claude's editor makes of it.
#[derive(Debug, Default)]
pub struct Keys {
    /// Characters that stand in the input, as far as keys tell.
    characters: usize,
    /// The bytes of a key that sends several, after its Escape.
    sequence: Option<Vec<u8>>,
    /// How long an answer of the terminal is by now.
    answer: usize,
    pasting: bool,
}

impl Keys {
    /// How many characters stand in the input.
    pub fn characters(&self) -> usize {
        self.characters
    }

    /// Nothing stands in the input: it was sent.
    pub fn clear(&mut self) {
        self.characters = 0;
        self.sequence = None;
    }

    /// Takes in keys, cut anywhere.
    pub fn press(&mut self, keys: &[u8]) {
        for key in keys {
            match self.sequence.take() {
                Some(sequence) => self.go_on(sequence, *key),
                None => self.begin(*key),
            }
        }
    }

    fn begin(&mut self, key: u8) {
        match key {
            0x1b => self.sequence = Some(Vec::new()),
            b'\r' | b'\n' if !self.pasting => self.clear(),
            // Ctrl-C and Ctrl-U clear, Ctrl-S puts away.
            0x03 | 0x15 | 0x13 => self.clear(),
            0x08 | 0x7f => self.characters = self.characters.saturating_sub(1),
            // Characters; of one in several bytes the first counts.
            b' '..=b'~' | 0xc0.. => self.characters += 1,
            _ => {}
        }
    }

    fn go_on(&mut self, mut sequence: Vec<u8>, key: u8) {
        let string = matches!(sequence.first(), Some(b']' | b'P' | b'_' | b'^'));
        let ends = match sequence.first() {
            // Answers of the terminal to what Claude asked it end with BEL or ESC \.
            // None of them holds these keys: a person pressed Escape and went on typing.
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
            // A person's lone Escape is followed by what is typed next: that is no sequence for long.
            self.answer = if string { self.answer + 1 } else { 0 };
            let going_on = if string { self.answer < ANSWER } else { sequence.len() < SEQUENCE };
            self.sequence = going_on.then_some(sequence);
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
    fn an_escape_before_text_is_no_answer_of_the_terminal_for_ever() {
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
    fn what_is_typed_stands_until_it_is_sent_or_cleared() {
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
    fn arrows_the_mouse_and_answers_of_the_terminal_are_no_text() {
        assert!(!drafting(b"\x1b[A\x1b[1;5C\x1bOP\x1b[<35;10;5M\x1b[I\x1b[O"));
        assert!(!drafting(b"\x1b]11;rgb:0000/0000/0000\x07\x1bP>|xterm(379)\x1b\\\x1b[?62;22c"));
        assert!(!drafting(b"\x1b\x1b[A"));
        assert!(drafting(b"\x1b]11;rgb:0000/0000/0000\x1b\\x"));
    }
}
