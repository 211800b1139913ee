//! What a sequence makes a terminal do.

/// The modes of a DEC terminal that a program can set in the terminal of a person: those of the screen, of keys, of the
/// mouse and of pastes, which the person's terminal gets reset. Others lock the keyboard, raise the window at a bell, wait
/// for an answer of the program, or report the size of a terminal that is not that of the program.
const PRIVATE_MODES: [u16; 27] = [
    1, 5, 6, 7, 9, 12, 25, 45, 47, 66, 67, 1000, 1002, 1003, 1004, 1005, 1006, 1007, 1015, 1016, 1047, 1048,
    1049, 2004, 2026, 2027, 2031,
];

/// The same of ANSI's modes: insertion, and a line feed that returns to the first column.
const ANSI_MODES: [u16; 2] = [4, 20];

/// The settings whose state programs can query.
const SETTINGS: [&[u8]; 10] = [b"m", b"r", b"s", b"t", b" q", b"\"p", b"\"q", b"$|", b"*|", b"|"];

/// The longest list of capabilities in a query, in bytes.
const MAX_NAMES: usize = 256;

/// Whether a program can set the mode with this number, in digits, in the terminal of a person.
pub fn is_passed_mode(private: bool, number: &[u8]) -> bool {
    let known: &[u16] = if private { &PRIVATE_MODES } else { &ANSI_MODES };
    str::from_utf8(number)
        .ok()
        .and_then(|digits| digits.parse().ok())
        .is_some_and(|mode| known.contains(&mode))
}

/// The kind of a whole sequence, as [`super::Piece::Sequence`] has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind<'a> {
    /// It changes what the terminal shows, or how the terminal reports keys and the mouse.
    Plain,
    /// It sets or resets modes with these numbers, which [`is_passed_mode`] divides.
    Modes {
        /// The modes are those of a DEC terminal, not those of ANSI.
        private: bool,
        /// The numbers, with semicolons between them.
        numbers: &'a [u8],
    },
    /// It sets or resets a colour of the terminal.
    Colour,
    /// The terminal answers it by keys that nobody pressed.
    Query,
    /// It sets the title of the window.
    Title(&'a [u8]),
    /// It begins a link, with these parameters and this address; without an address it ends one.
    Link(&'a [u8], &'a [u8]),
    /// It writes to the clipboard.
    Clipboard,
    /// Anything else: it moves the window, prints, notifies, reads the clipboard, changes the encoding, or is unknown.
    Other,
}

impl Kind<'_> {
    /// The kind of a sequence.
    pub fn of(sequence: &[u8]) -> Kind<'_> {
        match sequence {
            [0x1b, b'[', rest @ .., last] => control(rest, *last),
            [0x1b, b']', rest @ ..] => command(rest.strip_suffix(b"\x07").unwrap_or(rest)),
            // The state of a setting, and capabilities. Some terminals repeat an unknown name in their answer.
            [0x1b, b'P', b'$', b'q', name @ ..] if SETTINGS.contains(&name) => Kind::Query,
            [0x1b, b'P', b'+', b'q', names @ ..] if are_names_in_hex(names) => Kind::Query,
            [0x1b, b'Z'] => Kind::Query,
            [0x1b, b'7' | b'8' | b'D' | b'E' | b'H' | b'M' | b'c' | b'=' | b'>']
            | [0x1b, b'(' | b')' | b'#', b'0'..=b'~'] => Kind::Plain,
            _ => Kind::Other,
        }
    }
}

/// A control sequence: what is between `ESC [` and its last byte, and that byte.
fn control(rest: &[u8], last: u8) -> Kind<'_> {
    let private = rest.first().copied().filter(|byte| matches!(byte, b'<'..=b'?'));
    let numbers = &rest[usize::from(private.is_some())..];
    let digits = numbers.iter().take_while(|byte| matches!(byte, b'0'..=b';')).count();
    let (numbers, intermediates) = numbers.split_at(digits);
    match (private, intermediates, last) {
        // Attributes of the terminal, its status, and its version.
        (None | Some(b'>' | b'='), [], b'c')
        | (None | Some(b'?'), [], b'n')
        | (None, [], b'x')
        | (Some(b'>'), [], b'q')
        // The state of modes, keys and graphics.
        | (None | Some(b'?'), b"$", b'p')
        | (None, b"$" | b"&", b'u')
        | (None, b"$", b'w')
        | (Some(b'?'), [], b'm' | b'u' | b'S') => Kind::Query,
        (None, [], b't') if reports_a_size(numbers) => Kind::Query,
        (None | Some(b'?'), [], b'h' | b'l') => Kind::Modes { private: private.is_some(), numbers },
        // With more numbers the terminal waits for the program's answer while the mouse moves.
        (None, [], b'T') if numbers.contains(&b';') => Kind::Other,
        // Other numbers change how terminals report keys that this program never resets.
        (Some(b'>'), [], b'm') if !matches!(numbers, b"4" | [b'4', b';', ..]) => Kind::Other,
        (None, [], b'A'..=b'M' | b'P' | b'S' | b'T' | b'X' | b'Z' | b'@' | b'`' | b'a' | b'b')
        | (None, [], b'd'..=b'g' | b'm' | b'r' | b's' | b'u')
        | (None, b" ", b'q' | b'@' | b'A')
        | (None, b"!", b'p')
        | (Some(b'?'), [], b'J' | b'K')
        | (Some(b'>'), [], b'm' | b'u')
        | (Some(b'<' | b'='), [], b'u') => Kind::Plain,
        _ => Kind::Other,
    }
}

/// Whether these numbers of a window's operation ask for its state, place or size; others change it or report its title.
fn reports_a_size(numbers: &[u8]) -> bool {
    matches!(
        numbers.split(|byte| *byte == b';').next(),
        Some(b"11" | b"13" | b"14" | b"15" | b"16" | b"18" | b"19")
    )
}

/// An operating system command, without its beginning and its end.
fn command(text: &[u8]) -> Kind<'_> {
    let (number, rest) = match text.iter().position(|byte| *byte == b';') {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, &[][..]),
    };
    match number {
        b"0" | b"1" | b"2" => Kind::Title(rest),
        b"8" => match rest.iter().position(|byte| *byte == b';') {
            Some(at) => Kind::Link(&rest[..at], &rest[at + 1..]),
            None => Kind::Other,
        },
        b"52" => match rest.iter().position(|byte| *byte == b';') {
            Some(at) if is_base64(&rest[at + 1..]) && rest[..at].iter().all(u8::is_ascii_alphanumeric) => {
                Kind::Clipboard
            }
            _ => Kind::Other,
        },
        b"4" | b"10" | b"11" | b"12" | b"104" | b"110" | b"111" | b"112" if is_printable(rest) => {
            if rest.contains(&b'?') { Kind::Query } else { Kind::Colour }
        }
        _ => Kind::Other,
    }
}

fn are_names_in_hex(names: &[u8]) -> bool {
    let is_name = |byte: &u8| byte.is_ascii_hexdigit() || *byte == b';';
    !names.is_empty() && names.len() <= MAX_NAMES && names.iter().all(is_name)
}

fn is_printable(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b' '..=b'~'))
}

fn is_base64(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(sequences: &[&str], kind: Kind<'_>) {
        for sequence in sequences {
            assert_eq!(Kind::of(sequence.as_bytes()), kind, "{sequence:?}");
        }
    }

    #[test]
    fn sequences_that_paint_are_plain() {
        all(
            &["\x1b[31m", "\x1b[38:2::1:2:3m", "\x1b[2J", "\x1b[H", "\x1b[1;5r", "\x1b[?1J", "\x1b[2T"],
            Kind::Plain,
        );
        all(&["\x1b[>1u", "\x1b[<u", "\x1b[=1;2u", "\x1b[>4;2m", "\x1b[2 q"], Kind::Plain);
        all(&["\x1b[!p", "\x1b7", "\x1b(0", "\x1b#8", "\x1bM", "\x1bc", "\x1b="], Kind::Plain);
    }

    #[test]
    fn what_a_terminal_answers_is_a_query() {
        all(
            &["\x1b[c", "\x1b[0c", "\x1b[>c", "\x1b[=c", "\x1b[5n", "\x1b[6n", "\x1b[?6n", "\x1b[?996n"],
            Kind::Query,
        );
        all(
            &["\x1b[x", "\x1b[>q", "\x1b[>0q", "\x1b[?2026$p", "\x1b[4$p", "\x1b[?u", "\x1b[?4m"],
            Kind::Query,
        );
        all(&["\x1b[14t", "\x1b[16t", "\x1b[18t", "\x1bZ", "\x1bP$qm", "\x1bP+q544e"], Kind::Query);
        all(&["\x1b]11;?\x07", "\x1b]10;?", "\x1b]4;1;?;2;?"], Kind::Query);
    }

    #[test]
    fn what_reaches_beyond_the_screen_is_distinguished() {
        all(&["\x1b]0;title\x07", "\x1b]2;title"], Kind::Title(b"title"));
        all(&["\x1b]2;a;b"], Kind::Title(b"a;b"));
        all(&["\x1b]8;id=1;https://example.org/a;b"], Kind::Link(b"id=1", b"https://example.org/a;b"));
        all(&["\x1b]8;;"], Kind::Link(b"", b""));
        all(&["\x1b]52;c;aGk=", "\x1b]52;;aGk=\x07"], Kind::Clipboard);
        all(&["\x1b]11;#000000", "\x1b]104", "\x1b]112\x07", "\x1b]4;1;rgb:0/0/0"], Kind::Colour);
    }

    #[test]
    fn modes_that_outlive_a_view_or_do_more_than_paint_are_distinguished() {
        all(&["\x1b[?1049;25h", "\x1b[?1049;25l"], Kind::Modes { private: true, numbers: b"1049;25" });
        all(&["\x1b[4h"], Kind::Modes { private: false, numbers: b"4" });
        assert!(["1049", "25", "2004", "1006"].iter().all(|mode| is_passed_mode(true, mode.as_bytes())));
        // A lock of the keyboard, the local echo, the encoding of VT52, the mouse that waits for the program, raising the
        // window, reports of the size, pastes by the clipboard's protocol, another encoding of keys.
        assert!(["2", "12"].iter().all(|mode| !is_passed_mode(false, mode.as_bytes())));
        for mode in ["2", "1001", "1043", "2048", "5522", "9001", "", "25:1", "70000"] {
            assert!(!is_passed_mode(true, mode.as_bytes()), "{mode}");
        }
    }

    #[test]
    fn a_person_gets_every_mode_reset_that_a_program_can_set() {
        let farewell = String::from_utf8_lossy(crate::screen::Screen::farewell());
        for mode in PRIVATE_MODES {
            // The other ways to the alternate screen end with the same reset, and a wheel without it scrolls.
            let by_another = matches!(mode, 47 | 1007 | 1047 | 1048);
            let is_reset = [format!("\x1b[?{mode}l"), format!("\x1b[?{mode}h")];
            assert!(by_another || is_reset.iter().any(|reset| farewell.contains(reset)), "{mode}");
        }
        assert!(ANSI_MODES.iter().all(|mode| farewell.contains(&format!("\x1b[{mode}l"))));
    }

    #[test]
    fn all_others_are_known_by_none_of_these() {
        all(&["\x1b]52;c;?", "\x1b]52;c", "\x1b]52;c;a\u{9c}b", "\x1b]11;a\u{9c}b"], Kind::Other);
        all(
            &[
                "\x1b[20t",
                "\x1b[21t",
                "\x1b[8;10;10t",
                "\x1b[3;0;0t",
                "\x1b[22t",
                "\x1b[5i",
                "\x1b[1;1;1;1;1;1*y",
            ],
            Kind::Other,
        );
        all(
            &["\x1b]7;file:///", "\x1b]9;hello", "\x1b]777;notify;a;b", "\x1b]1337;File=:", "\x1b]133;A"],
            Kind::Other,
        );
        all(
            &["\x1b%@", "\x1b%G", "\x1b F", "\x1b G", "\x1bk", "\x1b\\", "\x1b[62;0\"p", "\x1b[3\u{e4}m"],
            Kind::Other,
        );
        all(&["\x1b[1;1;1;9;9T", "\x1b[>1;2m", "\x1b[>0n", "\x1bN", "\x1b*0", "\x1b[1\"q"], Kind::Other);
        // What some terminals repeat to the program, or, after the person detached, to the shell.
        all(&["\x1bP$qecho", "\x1bP+qecho", "\x1bP+q"], Kind::Other);
        all(
            &["\x1bPq#0", "\x1bPtmux;x", "\x1b_Ga=T;AAAA", "\x1b^x", "\x1bXx", "\x1b", "\x1b[", "\x1b]"],
            Kind::Other,
        );
    }
}
