//! What a person types, without what it says: the journal holds the classes of keys, because the text can be a password.
//!
//! Each key becomes the simplest key of its class: a character is [`CHARACTER`], a key that moves or answers is
//! [`OTHER`], and keys that send, clear or delete are themselves, as are the marks of a paste. So the driver learns from
//! the classes how long the draft in Claude's input is, as it does from the keys in the journals of earlier versions
//! (`core/src/driver/terminal/keys.rs`), and this parser must take a key for one wherever that one does.

/// Any character: of UTF-8, one for each first byte.
const CHARACTER: u8 = b'x';

/// A key of several bytes that changes no text, or an answer of the terminal.
const OTHER: &[u8] = b"\x1b[u";

/// Escape twice, which clears the input as Ctrl-U does.
const CLEAR: u8 = 0x15;

/// The longest sequence that one key sends, in bytes; a longer one is not a key.
const MAX_SEQUENCE: usize = 64;

/// The longest answer of a terminal to a query, in bytes.
const MAX_ANSWER: usize = 1_024;

/// Sequences that are recorded as they are: the marks of a paste, Alt and Enter, and by the kitty protocol Enter, Ctrl-C,
/// Ctrl-U and Ctrl-S. They are those that change the draft.
const KEPT: [&[u8]; 7] = [b"[200~", b"[201~", b"\r", b"[13u", b"[99;5u", b"[117;5u", b"[115;5u"];

/// Turns keys into their classes. Keys can be split anywhere.
#[derive(Debug, Default)]
pub struct KeyClasses {
    /// The bytes of a key that sends several, after its Escape.
    sequence: Option<Vec<u8>>,
    /// The length of the terminal's answer so far, in bytes.
    answer: usize,
}

impl KeyClasses {
    /// The classes of these keys. A key whose end is still to come is in a later result.
    pub fn of(&mut self, keys: &[u8]) -> Vec<u8> {
        let mut classes = Vec::new();
        for key in keys {
            match self.sequence.take() {
                Some(sequence) => self.extend(sequence, *key, &mut classes),
                None => self.begin(*key, &mut classes),
            }
        }
        classes
    }

    fn begin(&mut self, key: u8, classes: &mut Vec<u8>) {
        match key {
            0x1b => self.sequence = Some(Vec::new()),
            b' '..=b'~' | 0xc0.. => classes.push(CHARACTER),
            // The other bytes of a character.
            0x80..=0xbf => {}
            // Control characters: they are commands, not text.
            _ => classes.push(key),
        }
    }

    fn extend(&mut self, mut sequence: Vec<u8>, key: u8, classes: &mut Vec<u8>) {
        let is_string = matches!(sequence.first(), Some(b']' | b'P' | b'_' | b'^'));
        let ends = match sequence.first() {
            // Answers of the terminal hold none of these keys: a person pressed Escape and continued to type.
            _ if is_string && matches!(key, b'\r' | b'\n' | 0x03 | 0x13 | 0x15 | 0x7f) => {
                return self.begin(key, classes);
            }
            // BEL or ESC \.
            _ if is_string => key == 0x07 || (sequence.last() == Some(&0x1b) && key == b'\\'),
            None => !matches!(key, b'[' | b'O' | b']' | b'P' | b'_' | b'^'),
            Some(b'O') => true,
            Some(_) => (0x40..=0x7e).contains(&key),
        };
        sequence.push(key);
        if !ends {
            self.answer = if is_string { self.answer + 1 } else { 0 };
            let is_unfinished =
                if is_string { self.answer < MAX_ANSWER } else { sequence.len() < MAX_SEQUENCE };
            if is_string {
                // Only its kind and its last byte decide.
                sequence.drain(1..sequence.len() - 1);
            }
            self.sequence = is_unfinished.then_some(sequence);
        } else if sequence == [0x1b] {
            // The second Escape can begin a key of its own.
            classes.push(CLEAR);
            self.sequence = Some(Vec::new());
        } else if KEPT.contains(&sequence.as_slice()) {
            classes.push(0x1b);
            classes.extend(sequence);
        } else {
            classes.extend(OTHER);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(keys: &[u8]) -> String {
        let whole = KeyClasses::default().of(keys);
        let mut cut = KeyClasses::default();
        let pieces: Vec<u8> = keys.iter().flat_map(|key| cut.of(&[*key])).collect();
        assert_eq!(whole, pieces, "{keys:?}");
        String::from_utf8(whole).unwrap()
    }

    #[test]
    fn text_is_recorded_by_its_length_alone() {
        assert_eq!(classes(b"secret 7\r"), "xxxxxxxx\r");
        assert_eq!(classes("p\u{e4}\u{4e2d}".as_bytes()), "xxx");
        assert_eq!(classes(b"\x1b[200~two\nlines\x1b[201~"), "\x1b[200~xxx\nxxxxx\x1b[201~");
    }

    #[test]
    fn text_within_sequences_is_not_recorded() {
        // The kitty protocol and modifyOtherKeys send characters as numbers; Alt and a key; an answer of the terminal.
        assert_eq!(classes(b"\x1b[115;1u\x1b[27;2;83~\x1bs"), "\x1b[u\x1b[u\x1b[u");
        assert_eq!(classes(b"\x1b]11;secret\x07\x1bPsecret\x1b\\"), "\x1b[u\x1b[u");
        assert_eq!(classes(b"\x1b]secret\r"), "\r");
    }

    #[test]
    fn keys_that_send_clear_and_delete_are_recorded() {
        assert_eq!(classes(b"\x03\x15\x7f\x1b\r\x1b[13u"), "\x03\x15\x7f\x1b\r\x1b[13u");
        assert_eq!(classes(b"\x1b\x1b[A"), "\x15\x1b[u");
    }
}
