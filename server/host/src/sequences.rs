//! The control sequences in a program's output, whole, wherever the output is split.
//!
//! What a person's terminal does with a sequence is decided by its kind ([`Kind`]): a terminal answers some, and obeys
//! others in ways that reach beyond its screen.

mod kind;

pub use kind::{Kind, is_passed_mode};

/// The state within a sequence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum At {
    /// No sequence.
    #[default]
    Text,
    /// After an Escape.
    Escape,
    /// An escape sequence, after a character such as a bracket.
    Intermediate,
    /// A control sequence, which begins with `ESC [`.
    Control,
    /// An operating system command, which begins with `ESC ]`.
    Command,
    /// A device control string or another ignored one.
    String,
}

impl At {
    /// The state after this byte, within a sequence.
    pub(crate) fn after(self, byte: u8) -> At {
        match (self, byte) {
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

    fn is_string(self) -> bool {
        matches!(self, At::Command | At::String)
    }
}

/// The memory that stays between sequences, in bytes: enough for most.
const KEPT_CAPACITY: usize = 64;

/// A piece of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Text and control characters, which can end within a character.
    Text(&'a [u8]),
    /// A whole sequence with its Escape. A string is without the `ESC \` that ends it, which is a sequence of its own.
    Sequence(&'a [u8]),
    /// A part of a sequence that is longer than the limit.
    Overlong(&'a [u8]),
}

/// Divides output into text and sequences.
#[derive(Debug)]
pub struct Sequences {
    at: At,
    /// The incomplete sequence.
    held: Vec<u8>,
    /// The longest sequence to hold, in bytes.
    limit: usize,
    /// The incomplete sequence is longer than the limit.
    overlong: bool,
}

impl Sequences {
    /// At the beginning of output, with this limit of a sequence in bytes.
    pub fn new(limit: usize) -> Sequences {
        Sequences { at: At::Text, held: Vec::new(), limit, overlong: false }
    }

    /// Whether no sequence is incomplete.
    pub fn is_text(&self) -> bool {
        self.at == At::Text
    }

    /// Divides these bytes. An incomplete sequence at their end follows with a later call, as a whole.
    pub fn divide(&mut self, mut bytes: &[u8], each: &mut impl FnMut(Piece<'_>)) {
        while !bytes.is_empty() {
            if self.is_text() {
                let text = memchr::memchr(0x1b, bytes).unwrap_or(bytes.len());
                if text > 0 {
                    each(Piece::Text(&bytes[..text]));
                }
                bytes = &bytes[text..];
                if let Some(length) = whole_control(bytes).filter(|length| *length <= self.limit) {
                    each(Piece::Sequence(&bytes[..length]));
                    bytes = &bytes[length..];
                } else if let Some((_, rest)) = bytes.split_first() {
                    self.begin();
                    bytes = rest;
                }
            } else {
                let taken = self.take(bytes, each);
                bytes = &bytes[taken..];
            }
        }
        self.pass_on(each);
    }

    fn begin(&mut self) {
        self.at = At::Escape;
        self.overlong = false;
        self.held.clear();
        self.held.push(0x1b);
    }

    /// Continues the sequence. Returns how many of these bytes belong to it.
    fn take(&mut self, bytes: &[u8], each: &mut impl FnMut(Piece<'_>)) -> usize {
        for (taken, byte) in (1..).zip(bytes) {
            let before = self.at;
            self.at = before.after(*byte);
            match (self.at, *byte) {
                // Cancelled: no terminal acts on it.
                (At::Text, 0x18 | 0x1a) => {
                    self.pass_on(each);
                    self.release();
                    return taken;
                }
                (At::Text, byte) => {
                    self.held.push(byte);
                    self.finish(each);
                    return taken;
                }
                (At::Escape, _) => {
                    // Some terminals act on a string that any Escape ends.
                    if before.is_string() {
                        self.finish(each);
                    }
                    self.pass_on(each);
                    self.begin();
                }
                // Terminals obey control characters within a sequence at once, and ignore them within a string.
                (at, byte) if byte < b' ' && !at.is_string() => {
                    self.pass_on(each);
                    each(Piece::Text(&[byte]));
                }
                (_, byte) if byte < b' ' => {}
                (_, byte) => self.held.push(byte),
            }
            if self.held.len() > self.limit {
                self.overlong = true;
                self.pass_on(each);
            }
        }
        bytes.len()
    }

    fn finish(&mut self, each: &mut impl FnMut(Piece<'_>)) {
        if !self.overlong {
            each(Piece::Sequence(&self.held));
        }
        self.pass_on(each);
        self.release();
    }

    /// Passes on what is held of a sequence that is longer than the limit.
    fn pass_on(&mut self, each: &mut impl FnMut(Piece<'_>)) {
        if self.overlong && !self.held.is_empty() {
            each(Piece::Overlong(&self.held));
            self.held.clear();
        }
    }

    /// Forgets the sequence, and frees the memory of a long one.
    fn release(&mut self) {
        self.overlong = false;
        self.held.clear();
        self.held.shrink_to(KEPT_CAPACITY);
    }
}

/// The length of the control sequence that these bytes begin with, if it is whole and ordinary: nearly all are.
fn whole_control(bytes: &[u8]) -> Option<usize> {
    let rest = bytes.strip_prefix(b"\x1b[")?;
    let end = rest.iter().position(|byte| !matches!(byte, b' '..=b'?'))?;
    matches!(rest[end], b'@'..=b'~').then_some(2 + end + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The pieces of these chunks as words; adjacent texts are one.
    fn pieces(chunks: &[&[u8]]) -> Vec<(char, String)> {
        let mut sequences = Sequences::new(20);
        let mut found: Vec<(char, Vec<u8>)> = Vec::new();
        for chunk in chunks {
            sequences.divide(chunk, &mut |piece| {
                let (kind, bytes) = match piece {
                    Piece::Text(bytes) => ('t', bytes),
                    Piece::Sequence(bytes) => ('s', bytes),
                    Piece::Overlong(bytes) => ('o', bytes),
                };
                match found.last_mut() {
                    Some((last, all)) if *last == kind && kind != 's' => all.extend_from_slice(bytes),
                    _ => found.push((kind, bytes.to_vec())),
                }
            });
        }
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).replace('\x1b', "E");
        found.into_iter().map(|(kind, bytes)| (kind, text(bytes))).collect()
    }

    fn words(bytes: &[u8]) -> Vec<String> {
        pieces(&[bytes]).into_iter().map(|(kind, text)| format!("{kind}:{text}")).collect()
    }

    #[test]
    fn text_and_sequences_are_distinguished() {
        assert_eq!(words(b"a\x1b[31mb\x1b7"), ["t:a", "s:E[31m", "t:b", "s:E7"]);
        assert_eq!(words(b"\x1b]2;x\x07\x1b]2;y\x1b\\z"), ["s:E]2;x\x07", "s:E]2;y", "s:E\\", "t:z"]);
        assert_eq!(words(b"\x1bP$qm\x1b\\"), ["s:EP$qm", "s:E\\"]);
        assert_eq!(words(b"\x1b(0\x1b%@"), ["s:E(0", "s:E%@"]);
    }

    #[test]
    fn an_escape_begins_a_sequence_and_a_cancel_ends_one() {
        assert_eq!(words(b"\x1b[3\x1b[1m"), ["s:E[1m"]);
        assert_eq!(words(b"\x1b]52;c;eA\x1b[1m"), ["s:E]52;c;eA", "s:E[1m"]);
        assert_eq!(words(b"\x1b]52;c;eA\x18b\x1b[3\x1ac"), ["t:bc"]);
        assert_eq!(words(b"\x1b[3\n1m\x1b]2;a\nb\x07"), ["t:\n", "s:E[31m", "s:E]2;ab\x07"]);
    }

    #[test]
    fn a_long_sequence_takes_bounded_memory() {
        let long = [&b"\x1b]52;c;"[..], &[b'A'; 10_000], b"\x07after"].concat();
        let found = pieces(&[&long]);
        assert_eq!(found.iter().map(|(kind, _)| *kind).collect::<String>(), "ot");
        assert_eq!(found[0].1.len(), 10_008);
        let mut sequences = Sequences::new(20);
        sequences.divide(&long[..9_000], &mut |_| {});
        assert!(sequences.held.capacity() < 100, "{}", sequences.held.capacity());
    }

    /// Bytes of which most begin, continue or end sequences.
    fn output() -> impl Strategy<Value = Vec<u8>> {
        let pieces: Vec<&[u8]> = vec![
            b"\x1b",
            b"[",
            b"]",
            b"P",
            b"\\",
            b"\x07",
            b"\x18",
            b";",
            b"52",
            b"?",
            b"c",
            b"m",
            b"text",
            b"\n",
            b"\xc3\xa4",
            b"\x9d",
            b"0123456789012345678901234567890",
        ];
        proptest::collection::vec(proptest::sample::select(pieces), 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn the_pieces_are_the_same_wherever_the_output_is_split(
            output in output(),
            cut in any::<proptest::sample::Index>(),
        ) {
            let at = if output.is_empty() { 0 } else { cut.index(output.len()) };
            let (first, second) = output.split_at(at);
            prop_assert_eq!(pieces(&[first, second]), pieces(&[&output]));
        }
    }
}
