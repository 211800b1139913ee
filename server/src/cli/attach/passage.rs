//! What a session's output may do to the terminal of the person: paint, and no more.
//!
//! A program in the session can print anything. Its output gets into a terminal of the person's own, which obeys sequences
//! that reach beyond the screen: the clipboard, the title of the window, links to files, notifications, printers.

use std::str;
use std::time::{Duration, Instant};

use areyouj_core::text::plain;
use areyouj_host::sequences::{Kind, Piece, Sequences, is_passed_mode};

/// The longest sequence that passes, in bytes: room for a text on the clipboard.
const MAX_SEQUENCE: usize = 128 << 10;

/// Characters of a title, at most.
const MAX_TITLE: usize = 200;

/// Queries of a second that pass, at most. A program asks some dozens at its start; the answers to a flood of queries would
/// be in the way of the person's keys.
const MAX_QUERIES: u32 = 100;

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
    /// A query passed, which the terminal answers.
    asked: bool,
    /// The queries of this second, and its beginning.
    queries: (u32, Instant),
}

impl Passage {
    pub(super) fn new(allowed: Allowed) -> Passage {
        Passage {
            sequences: Sequences::new(MAX_SEQUENCE),
            allowed,
            partial: Vec::new(),
            asked: false,
            queries: (0, Instant::now()),
        }
    }

    /// What passes of this output. The rest of an incomplete character or sequence is in a later result.
    pub(super) fn pass(&mut self, output: &[u8]) -> Vec<u8> {
        let mut passed = Vec::with_capacity(output.len());
        let Passage { sequences, allowed, partial, asked, queries } = self;
        sequences.divide(output, &mut |piece| match piece {
            Piece::Text(text) => pass_text(partial, text, &mut passed),
            Piece::Sequence(sequence) => {
                // An incomplete character before a sequence never becomes complete.
                partial.clear();
                let kind = Kind::of(sequence);
                if kind == Kind::Query {
                    if !is_within_limit(queries) {
                        return;
                    }
                    *asked = true;
                }
                pass_sequence(*allowed, sequence, kind, &mut passed);
            }
            Piece::Overlong(_) => {}
        });
        passed
    }

    /// Whether a query has passed since the last call.
    pub(super) fn take_asked(&mut self) -> bool {
        std::mem::take(&mut self.asked)
    }
}

/// Counts a query. Returns false if there were too many within a second.
fn is_within_limit((count, since): &mut (u32, Instant)) -> bool {
    if since.elapsed() >= Duration::from_secs(1) {
        (*count, *since) = (0, Instant::now());
    }
    *count += 1;
    *count <= MAX_QUERIES
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
        let is_kept_back =
            |character| character == char::from(ENQUIRY) || ('\u{80}'..='\u{9f}').contains(&character);
        for part in chunk.valid().split(is_kept_back) {
            passed.extend_from_slice(part.as_bytes());
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

fn pass_sequence(allowed: Allowed, sequence: &[u8], kind: Kind<'_>, passed: &mut Vec<u8>) {
    match kind {
        Kind::Plain | Kind::Colour | Kind::Query => pass_whole(sequence, passed),
        Kind::Clipboard if allowed.clipboard => pass_whole(sequence, passed),
        Kind::Modes { private, numbers } => {
            let is_passed = |number: &&[u8]| is_passed_mode(private, number);
            let mut begin: &[u8] = if private { b"\x1b[?" } else { b"\x1b[" };
            for mode in numbers.split(|byte| *byte == b';').filter(is_passed) {
                passed.extend_from_slice(begin);
                passed.extend_from_slice(mode);
                begin = b";";
            }
            if begin == b";" {
                passed.extend(sequence.last());
            }
        }
        Kind::Title(title) => {
            passed.extend_from_slice(b"\x1b]2;");
            passed.extend(plain::short_line(&String::from_utf8_lossy(title), MAX_TITLE).bytes());
            passed.extend_from_slice(END);
        }
        Kind::Link(parameters, address) if is_web(address) && parameters.iter().all(is_in_link) => {
            pass_whole(sequence, passed);
        }
        // The text that follows must not belong to an earlier link.
        Kind::Link(..) => passed.extend_from_slice(b"\x1b]8;;\x1b\\"),
        Kind::Clipboard | Kind::Other => {}
    }
}

/// Passes a sequence as it is. A string gets an end of its own: that of the output is a sequence of its own, or BEL.
fn pass_whole(sequence: &[u8], passed: &mut Vec<u8>) {
    if matches!(sequence, [0x1b, b']' | b'P', ..]) {
        passed.extend_from_slice(sequence.strip_suffix(b"\x07").unwrap_or(sequence));
        passed.extend_from_slice(END);
    } else {
        passed.extend_from_slice(sequence);
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
    fn modes_that_do_more_than_paint_do_not_pass() {
        assert_eq!(passed("\x1b[?1049;5522;25h\x1b[?2004l\x1b[4;2l"), "\x1b[?1049;25h\x1b[?2004l\x1b[4l");
        assert_eq!(passed("\x1b[?2048h\x1b[2h\x1b[?h\x1b[12lx"), "x");
    }

    #[test]
    fn it_says_whether_the_terminal_was_asked() {
        let mut passage = Passage::new(Allowed::default());
        for (output, asked) in
            [("\x1b[31mx\x1b]52;c;?\x07", false), ("\x1b[6", false), ("n", true), ("x", false)]
        {
            passage.pass(output.as_bytes());
            assert_eq!(passage.take_asked(), asked, "{output:?}");
        }
    }

    #[test]
    fn a_flood_of_queries_is_limited() {
        // A machine can be so slow that a second ends in between.
        let count = passed(&"\x1b[cx".repeat(5_000)).matches("\x1b[c").count();
        assert!((100..1_000).contains(&count), "{count}");
        assert_eq!(passed(&"\x1b[31m".repeat(1_000)).len(), 5_000);
    }

    #[test]
    fn titles_and_links_are_plain() {
        assert_eq!(passed("\x1b]0;a\u{202e}b\u{200b}\u{9d}52;c;eA==\x07"), "\x1b]2;ab52;c;eA==\x1b\\");
        assert_eq!(passed(&format!("\x1b]2;{}\x07", "x".repeat(5_000))).chars().count(), 6 + MAX_TITLE);
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

    /// What another parser finds in what passed, as far as it is not allowed.
    #[derive(Default)]
    struct Forbidden(Vec<String>);

    impl vte::Perform for Forbidden {
        fn print(&mut self, character: char) {
            if ('\u{80}'..='\u{9f}').contains(&character) {
                self.0.push(format!("prints {character:?}"));
            }
        }

        fn execute(&mut self, byte: u8) {
            if byte == ENQUIRY || byte >= 0x80 {
                self.0.push(format!("control {byte:x}"));
            }
        }

        fn hook(&mut self, _: &vte::Params, intermediates: &[u8], _: bool, action: char) {
            if !matches!((intermediates, action), ([b'$' | b'+'], 'q')) {
                self.0.push(format!("device control {intermediates:?} {action}"));
            }
        }

        fn osc_dispatch(&mut self, parameters: &[&[u8]], bell: bool) {
            let is_allowed = match parameters {
                [b"2", title @ ..] => title.concat().len() <= 4 * MAX_TITLE,
                [b"4" | b"10" | b"11" | b"12" | b"104" | b"110" | b"111" | b"112", ..] => true,
                [b"8", _, b""] => true,
                [b"8", _, address, ..] => address.starts_with(b"http"),
                _ => false,
            };
            if !is_allowed || bell {
                self.0.push(format!("command {parameters:?}"));
            }
        }

        fn csi_dispatch(&mut self, numbers: &vte::Params, intermediates: &[u8], _: bool, action: char) {
            let modes: Vec<u16> = numbers.iter().map(|number| number[0]).collect();
            let is_allowed = match action {
                'i' | 'y' | 'z' => false,
                't' => modes[0] > 10 && modes[0] < 20,
                'h' | 'l' => !modes.iter().any(|mode| matches!(mode, 2 | 1001 | 1043 | 2048 | 5522)),
                _ => intermediates.len() < 3,
            };
            if !is_allowed {
                self.0.push(format!("control {intermediates:?} {modes:?} {action}"));
            }
        }

        fn esc_dispatch(&mut self, intermediates: &[u8], _: bool, byte: u8) {
            let is_allowed = match intermediates {
                [] => b"78DEHMc=>Z\\".contains(&byte),
                _ => matches!(intermediates, [b'(' | b')' | b'#']),
            };
            if !is_allowed {
                self.0.push(format!("escape {intermediates:?} {byte:x}"));
            }
        }
    }

    /// Bytes of which most begin, continue or end sequences, and whole ones that must not pass.
    fn output() -> impl Strategy<Value = Vec<u8>> {
        let parts: Vec<&[u8]> = vec![
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
            b"$q",
            b"h",
            b"2048",
            b"file:",
            b"https://a",
            b"t",
            b"i",
            b"m",
            b"c",
            b"text",
            b"\n",
            "\u{e4}".as_bytes(),
            b"\xc3",
            b"\xc2\x9d",
            b"\x9b",
            b"\x05",
            b"\x90",
        ];
        let whole: Vec<&[u8]> = vec![
            b"\x1b]52;c;eA==\x07",
            b"\x1b]2;t\xc2\x9b5i\x07",
            b"\x1b]8;;file:///x\x1b\\",
            b"\x1b]8;;https://a\x1b\\",
            b"\x1b]777;notify;a;b\x07",
            b"\x1b]11;?\x07",
            b"\x1b_Ga=T;AA\x1b\\",
            b"\x1bPtmux;\x1b\x1b]52;c;eA\x07\x1b\\",
            b"\x1b[?25;5522h",
            b"\x1b[21t",
            b"\x1b[5i",
            b"\x1bk",
        ];
        let piece = prop_oneof![3 => proptest::sample::select(parts), 1 => proptest::sample::select(whole)];
        proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn only_what_is_allowed_passes_wherever_the_output_is_split(
            output in output(),
            cut in any::<proptest::sample::Index>(),
        ) {
            let whole = Passage::new(Allowed::default()).pass(&output);
            let at = if output.is_empty() { 0 } else { cut.index(output.len()) };
            for pieces in [vec![&output[..at], &output[at..]], output.chunks(1).collect(), output.chunks(7).collect()] {
                let mut passage = Passage::new(Allowed::default());
                let passed: Vec<u8> = pieces.iter().flat_map(|piece| passage.pass(piece)).collect();
                prop_assert_eq!(&passed, &whole);
            }
            // Whatever passed passes again as it is, so nothing in it is forbidden.
            prop_assert_eq!(&Passage::new(Allowed::default()).pass(&whole), &whole);
            let mut forbidden = Forbidden::default();
            vte::Parser::new().advance(&mut forbidden, &whole);
            prop_assert_eq!(&forbidden.0, &Vec::<String>::new());
            let text = String::from_utf8(whole).unwrap();
            let is_c1 = |character| ('\u{80}'..='\u{9f}').contains(&character);
            prop_assert!(!text.contains(is_c1), "{:?}", text);
            for begin in ["\x1b]52;", "\x1b]7", "\x1b_", "\x1b]8;;file", "\x05"] {
                prop_assert!(!text.contains(begin), "{:?} in {:?}", begin, text);
            }
        }
    }
}
