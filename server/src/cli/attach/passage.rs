//! What a session's output may do to the terminal of the person: paint, and no more.
//!
//! A program in the session can print anything. Its output gets into a terminal of the person's own, which obeys sequences
//! that reach beyond the screen: the clipboard, the title of the window, links to files, notifications, printers.

use std::str;

use areyouj_core::text::plain;
use areyouj_host::sequences::{Kind, Piece, Sequences};

/// The longest sequence that passes, in bytes: room for a text on the clipboard.
const MAX_SEQUENCE: usize = 128 << 10;

/// Characters of a title, at most.
const MAX_TITLE: usize = 200;

/// The string terminator.
const END: &[u8] = b"\x1b\\";

/// The control character that makes some terminals type an answer.
const ENQUIRY: u8 = 0x05;

/// What the person allows beyond that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Allowed {
    /// Programs in the session can write to the clipboard; they can never read it.
    pub(super) clipboard: bool,
}

/// The passage from a session to a terminal.
pub(super) struct Passage {
    sequences: Sequences,
    allowed: Allowed,
    /// The beginning of an incomplete character.
    partial: Vec<u8>,
}

impl Passage {
    pub(super) fn new(allowed: Allowed) -> Passage {
        Passage { sequences: Sequences::new(MAX_SEQUENCE), allowed, partial: Vec::new() }
    }

    /// What passes of this output. The rest of an incomplete character or sequence is in a later result.
    pub(super) fn pass(&mut self, output: &[u8]) -> Vec<u8> {
        let mut passed = Vec::with_capacity(output.len());
        let Passage { sequences, allowed, partial } = self;
        sequences.divide(output, &mut |piece| match piece {
            Piece::Text(text) => pass_text(partial, text, &mut passed),
            Piece::Sequence(sequence) => {
                // An incomplete character before a sequence never becomes complete.
                partial.clear();
                pass_sequence(*allowed, sequence, &mut passed);
            }
            Piece::Overlong(_) => {}
        });
        passed
    }
}

/// Passes characters, without those of the C1 set, which begin sequences in some terminals.
fn pass_text(partial: &mut Vec<u8>, text: &[u8], passed: &mut Vec<u8>) {
    if partial.is_empty() && text.is_ascii() && !text.contains(&ENQUIRY) {
        return passed.extend_from_slice(text);
    }
    partial.extend_from_slice(text);
    let all = std::mem::take(partial);
    let mut chunks = all.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        let is_passed = |character: &char| {
            *character != char::from(ENQUIRY) && !('\u{80}'..='\u{9f}').contains(character)
        };
        let mut encoded = [0; 4];
        for character in chunk.valid().chars().filter(is_passed) {
            passed.extend_from_slice(character.encode_utf8(&mut encoded).as_bytes());
        }
        let invalid = chunk.invalid();
        if invalid.is_empty() {
            continue;
        }
        let is_incomplete = chunks.peek().is_none()
            && str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none());
        if is_incomplete {
            partial.extend_from_slice(invalid);
        } else {
            passed.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
}

fn pass_sequence(allowed: Allowed, sequence: &[u8], passed: &mut Vec<u8>) {
    // A string gets an end of its own: that of the output is a sequence of its own, or BEL.
    let is_string = matches!(sequence, [0x1b, b']' | b'P', ..]);
    let text = if is_string { sequence.strip_suffix(b"\x07").unwrap_or(sequence) } else { sequence };
    let end = if is_string { END } else { &[] };
    match Kind::of(sequence) {
        Kind::Plain | Kind::Colour | Kind::Query => passed.extend([text, end].concat()),
        Kind::Clipboard if allowed.clipboard => passed.extend([text, end].concat()),
        Kind::Title(title) => {
            let title = plain::line(&String::from_utf8_lossy(title));
            let title: String = title.chars().take(MAX_TITLE).collect();
            passed.extend([b"\x1b]2;", title.as_bytes(), END].concat());
        }
        Kind::Link(parameters, address) if is_web(address) && parameters.iter().all(is_in_link) => {
            passed.extend([text, end].concat());
        }
        // The text that follows must not belong to an earlier link.
        Kind::Link(..) => passed.extend(b"\x1b]8;;\x1b\\"),
        Kind::Clipboard | Kind::Other => {}
    }
}

fn is_web(address: &[u8]) -> bool {
    let text = address.to_ascii_lowercase();
    (text.starts_with(b"https://") || text.starts_with(b"http://")) && address.iter().all(is_in_link)
}

fn is_in_link(byte: &u8) -> bool {
    byte.is_ascii_graphic()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn passed(output: &str) -> String {
        passed_with(Allowed::default(), output)
    }

    fn passed_with(allowed: Allowed, output: &str) -> String {
        String::from_utf8(Passage::new(allowed).pass(output.as_bytes())).unwrap()
    }

    #[test]
    fn what_paints_passes_as_it_is() {
        for output in
            ["plain\r\n\x07", "\x1b[1;31mred\x1b[0m äöü 中文 🦀", "\x1b[?1049h\x1b[2J\x1b[H\x1b(0qqq\x1b(B"]
        {
            assert_eq!(passed(output), output);
        }
        assert_eq!(
            passed("\x1b]11;#112233\x07\x1b[c\x1b]11;?\x1b\\"),
            "\x1b]11;#112233\x1b\\\x1b[c\x1b]11;?\x1b\\"
        );
    }

    #[test]
    fn the_clipboard_is_written_only_if_allowed_and_never_read() {
        let (write, read) = ("\x1b]52;c;aGVsbG8=\x07", "\x1b]52;c;?\x1b\\");
        assert_eq!(passed(&[write, read, "x"].concat()), "x");
        let allowed = Allowed { clipboard: true };
        assert_eq!(passed_with(allowed, &[write, read, "x"].concat()), "\x1b]52;c;aGVsbG8=\x1b\\x");
    }

    #[test]
    fn titles_and_links_are_plain() {
        assert_eq!(passed("\x1b]0;a\u{202e}b\u{9d}52;c;eA==\x07"), "\x1b]2;ab52;c;eA==\x1b\\");
        assert_eq!(passed(&format!("\x1b]2;{}\x07", "x".repeat(5_000))).len(), 8 - 2 + MAX_TITLE);
        let web = "\x1b]8;id=1;https://example.org/a?b=c;d\x1b\\text\x1b]8;;\x1b\\";
        assert_eq!(passed(web), web);
        for address in
            ["file:///etc/passwd", "vscode://x", "javascript:1", "https://a b", "https://\u{e4}", "httpsx://"]
        {
            assert_eq!(passed(&format!("\x1b]8;;{address}\x07text")), "\x1b]8;;\x1b\\text", "{address}");
        }
    }

    #[test]
    fn what_reaches_beyond_the_screen_does_not_pass() {
        let beyond = "\x1b]7;file:///x\x07 \x1b]9;hi\x07 \x1b]777;notify;a;b\x07 \x1b]1337;File=:AA\x07 \x1b[5i \x1b[8;9;9t \
                      \x1b[21t \x1bPtmux;\x1b\x1b]52;c;eA\x07\x1b\\ \x1b_Ga=T;AA\x1b\\ \x1b^x\x1b\\ \x1bXx\x1b\\ \x1b%@ \x1b G \u{5}";
        assert_eq!(passed(beyond).replace(' ', ""), "");
        assert_eq!(passed("\u{9b}5i\u{9d}52;c;eA\u{9c}a\u{85}b"), "5i52;c;eAab");
        assert_eq!(
            Passage::new(Allowed::default()).pass(b"a\x9d52;c;eA\x9cb\xff"),
            "a\u{fffd}52;c;eA\u{fffd}b\u{fffd}".as_bytes()
        );
    }

    #[test]
    fn a_sequence_without_an_end_takes_bounded_memory_and_hides_nothing_that_follows_its_end() {
        let mut passage = Passage::new(Allowed { clipboard: true });
        assert_eq!(passage.pass(&[&b"a\x1b]52;c;"[..], &vec![b'A'; 10 << 20]].concat()), b"a");
        assert_eq!(passage.pass(b"AA\x07b"), b"b");
    }

    /// Bytes of which most begin, continue or end sequences.
    fn output() -> impl Strategy<Value = Vec<u8>> {
        let pieces: Vec<&[u8]> = vec![
            b"\x1b",
            b"[",
            b"]",
            b"P",
            b"_",
            b"\\",
            b"\x07",
            b"\x18",
            b";",
            b"52",
            b"8;;",
            b"2;",
            b"0;",
            b"c;",
            b"?",
            b"file:",
            b"https://a",
            b"t",
            b"i",
            b"m",
            b"c",
            b"text",
            b"\n",
            "ä".as_bytes(),
            b"\xc3",
            b"\xc2\x9d",
            b"\x9b",
            b"\x05",
            b"\x90",
        ];
        proptest::collection::vec(proptest::sample::select(pieces), 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn only_what_is_allowed_passes_wherever_the_output_is_split(
            output in output(),
            cut in any::<proptest::sample::Index>(),
        ) {
            let whole = Passage::new(Allowed::default()).pass(&output);
            let mut passage = Passage::new(Allowed::default());
            let at = if output.is_empty() { 0 } else { cut.index(output.len()) };
            let (first, second) = output.split_at(at);
            prop_assert_eq!(&[passage.pass(first), passage.pass(second)].concat(), &whole);
            // Whatever passed passes again as it is, so nothing in it is forbidden.
            prop_assert_eq!(&Passage::new(Allowed::default()).pass(&whole), &whole);
            let text = String::from_utf8(whole).unwrap();
            let is_c1 = |character| ('\u{80}'..='\u{9f}').contains(&character);
            prop_assert!(!text.contains(is_c1), "{:?}", text);
            for begin in ["\x1b]52;", "\x1b]7", "\x1bP", "\x1b_", "\x1b]8;;file", "\x05"] {
                prop_assert!(!text.contains(begin), "{:?} in {:?}", begin, text);
            }
        }
    }
}
