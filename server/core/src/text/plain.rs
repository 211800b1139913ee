//! Text without escape sequences, control characters and hidden characters.
//!
//! Names, paths, messages and Claude's output can hold escape sequences that move the cursor, retitle the window or
//! answer for the person, and characters that show a command as another one.

use areyouj_protocol::{HiddenKind, hidden};

/// The longest string that an escape sequence (a window title, a link) can carry, in characters. A longer one counts as
/// unterminated, so that it hides nothing; this also bounds the search for its end.
const MAX_SEQUENCE_STRING: usize = 4096;

const ESCAPE: char = '\u{1b}';

/// Several lines for reading: without escape sequences, without control characters other than newlines and tabs, and
/// without characters that reorder text. Line separators become newlines.
pub fn text(raw: &str) -> String {
    Readable { rest: raw, strict: false }.collect()
}

/// One line for reading: the same, with every run of white space made a single space.
pub fn line(raw: &str) -> String {
    text(raw).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// One line of at most `max_chars` characters, for a title or a list (a cut one ends with `…`). No invisible character
/// is left, and line breaks with their indentation become one space.
pub fn short_line(raw: &str, max_chars: usize) -> String {
    shortened(raw, max_chars, false)
}

/// The same, but line breaks and tabs stay.
pub fn short_block(raw: &str, max_chars: usize) -> String {
    shortened(raw, max_chars, true)
}

/// Text that a person decides about: nothing is removed, every character in which something can hide is shown by a
/// visible one, so that no part of a command can hide.
pub fn exact(raw: &str) -> String {
    let mut shown = String::with_capacity(raw.len());
    for next in raw.chars() {
        match u32::from(next) {
            _ if matches!(next, '\n' | '\t') => shown.push(next),
            code @ 0..=0x1f => shown.extend(char::from_u32(0x2400 + code)),
            0x7f => shown.push('\u{2421}'),
            code if next.is_control() || hidden(next).is_some() => {
                shown.push_str(&format!("<U+{code:04X}>"));
            }
            _ => shown.push(next),
        }
    }
    shown
}

/// A path: one line. Invisible characters are shown, so that two different paths never look the same.
pub fn path(raw: &str) -> String {
    exact(raw).replace('\n', "\u{240a}").replace('\t', "\u{2409}")
}

/// The characters of a text that can be shown, line breaks as newlines.
struct Readable<'a> {
    rest: &'a str,
    /// Removes invisible characters, and makes every space a plain one.
    strict: bool,
}

impl Iterator for Readable<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        loop {
            let next = self.rest.chars().next()?;
            let skipped = match next {
                ESCAPE | '\u{80}'..='\u{9f}' => sequence_length(self.rest),
                _ => next.len_utf8(),
            };
            self.rest = &self.rest[skipped..];
            match (next, hidden(next)) {
                ('\r', _) if self.rest.starts_with('\n') => {}
                ('\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}', _) => return Some('\n'),
                ('\t', _) => return Some('\t'),
                (_, Some(HiddenKind::Reorders)) => {}
                (_, Some(HiddenKind::Invisible)) if self.strict => {}
                (_, Some(HiddenKind::Blank)) if self.strict => return Some(' '),
                _ if next.is_control() => {}
                _ => return Some(next),
            }
        }
    }
}

fn shortened(raw: &str, max_chars: usize, keep_breaks: bool) -> String {
    let mut shown = String::new();
    let mut count = 0;
    let mut folding = false;
    for next in (Readable { rest: raw, strict: true }) {
        let next = match next {
            '\n' if !keep_breaks => {
                folding = true;
                continue;
            }
            ' ' | '\t' if folding => continue,
            '\t' if !keep_breaks => ' ',
            _ => next,
        };
        if shown.is_empty() && next.is_whitespace() && !keep_breaks {
            continue;
        }
        let space = std::mem::take(&mut folding) && !shown.is_empty() && !shown.ends_with(' ');
        for next in space.then_some(' ').into_iter().chain([next]) {
            if count == max_chars {
                shorten(&mut shown);
                return shown;
            }
            shown.push(next);
            count += 1;
        }
    }
    shown.truncate(shown.trim_end().len());
    shown
}

/// Makes room for the mark of a truncated text.
fn shorten(text: &mut String) {
    if text.pop().is_some() {
        text.truncate(text.trim_end().len());
        text.push('…');
    }
}

/// The bytes of the escape sequence that the text begins with; those of its first character alone if it is none.
fn sequence_length(text: &str) -> usize {
    let first = text.chars().next().map_or(0, char::len_utf8);
    let rest = &text[first..];
    let (kind, length) = match (text.chars().next(), rest.bytes().next()) {
        (Some(ESCAPE), Some(kind @ (b'[' | b']' | b'P' | b'X' | b'^' | b'_'))) => (kind, first + 1),
        (Some(ESCAPE), Some(b' '..=b'~')) => (b'0', first),
        (Some('\u{9b}'), _) => (b'[', first),
        (Some('\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}'), _) => (b']', first),
        _ => return first,
    };
    let rest = &text[length..];
    let taken = match kind {
        // Parameters and intermediates, then one final character.
        b'[' => ended(rest, b' '..=b'?', b'@'..=b'~'),
        b'0' => ended(rest, b' '..=b'/', b'0'..=b'~'),
        _ => string_length(rest),
    };
    taken.map_or(first, |taken| length + taken)
}

/// The number of bytes up to the final one. A sequence that the end of the text truncates counts; one that another
/// character interrupts does not.
fn ended(
    text: &str,
    inside: std::ops::RangeInclusive<u8>,
    last: std::ops::RangeInclusive<u8>,
) -> Option<usize> {
    let length = text.bytes().take_while(|byte| inside.contains(byte)).count();
    match text.as_bytes().get(length) {
        None => Some(length),
        Some(byte) if last.contains(byte) => Some(length + 1),
        Some(_) => None,
    }
}

/// The bytes of a string that ends with BEL or ST. One without an end is none.
fn string_length(text: &str) -> Option<usize> {
    let mut characters = text.char_indices().take(MAX_SEQUENCE_STRING).peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '\u{7}' => return Some(at + 1),
            '\u{9c}' => return Some(at + character.len_utf8()),
            ESCAPE if characters.next_if(|(_, next)| *next == '\\').is_some() => return Some(at + 2),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use areyouj_protocol::HIDDEN;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escape_sequences_go_as_a_whole() {
        assert_eq!(text("\u{1b}[1;31mred\u{1b}[0m"), "red");
        assert_eq!(text("\u{1b}]0;title\u{7}rest"), "rest");
        assert_eq!(text("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\"), "link");
        assert_eq!(text("\u{1b}(B\u{1b}7\u{1b}cplain\u{1b}"), "plain");
        assert_eq!(short_line("\u{1b}[1;31mrm\u{1b}[0m -rf x", 50), "rm -rf x");
        assert_eq!(
            short_line("a\u{1b}]0;window\u{7}b\u{1b}]8;;http://x\u{1b}\\c\u{9b}2Kd\u{1b}(Be\u{1b}7f", 50),
            "abcdef"
        );
    }

    #[test]
    fn an_unfinished_sequence_hides_no_text() {
        assert_eq!(text("a\u{1b}]0;rm -rf /"), "a]0;rm -rf /");
        assert_eq!(text("a\u{1b}[12\u{e4}"), "a[12\u{e4}");
        assert_eq!(text("a\u{1b}\u{e4}"), "a\u{e4}");
        assert_eq!(short_line("ls\u{1b}]0;rm -rf ~", 50), "ls]0;rm -rf ~");
        assert_eq!(short_line("ls\u{1b}[31", 50), "ls");
        assert_eq!(short_line("ls\u{1b}", 50), "ls");
    }

    #[test]
    fn control_characters_and_what_reorders_go() {
        assert_eq!(text("a\r\nb\tc\u{8}\u{7f}\u{9b}31m\u{202e}d\u{2066}\u{feff}"), "a\nb\tcd");
        assert_eq!(
            text("w\u{f6}rter \u{1f469}\u{200d}\u{1f4bb} \u{65e5}\u{672c}"),
            "w\u{f6}rter \u{1f469}\u{200d}\u{1f4bb} \u{65e5}\u{672c}"
        );
        assert_eq!(short_line("a\u{202e}b\u{2066}c\u{200b}d\u{feff}e\u{200f}f\u{ad}", 50), "abcdef");
        assert_eq!(short_line("a\u{0}b\u{7f}c\u{8}d\u{84}e", 50), "abcde");
    }

    #[test]
    fn a_line_has_no_line_ends() {
        assert_eq!(line("  first\r\n\tsecond\u{2028} third  "), "first second third");
        assert_eq!(text("one\rtwo\u{2028}three"), "one\ntwo\nthree");
    }

    #[test]
    fn line_breaks_and_their_indentation_become_one_space() {
        assert_eq!(short_line("\n if x;\r\n\t  then y\n\n\nfi \n", 50), "if x; then y fi");
        assert_eq!(short_line("a\tb  c", 50), "a b  c");
    }

    #[test]
    fn a_block_keeps_its_lines() {
        assert_eq!(short_block("a\r\n\tb\u{1b}[0m\rc\n\n", 50), "a\n\tb\nc");
    }

    #[test]
    fn a_cut_text_says_so() {
        assert_eq!(short_line("12345", 5), "12345");
        assert_eq!(short_line("123456", 5), "1234…");
        assert_eq!(short_line("123 56", 5), "123…");
        assert_eq!(short_line("1", 0), "");
    }

    #[test]
    fn what_is_decided_about_is_shown_to_the_last_character() {
        assert_eq!(
            exact("ls\u{1b}[8m; rm -rf ~\r\u{202e}\n\u{7f}"),
            "ls\u{241b}[8m; rm -rf ~\u{240d}<U+202E>\n\u{2421}"
        );
        assert_eq!(exact("\u{9b}2J"), "<U+009B>2J");
        assert_eq!(exact("a\u{200b}b\u{ad}\u{3164}\u{fe0f}"), "a<U+200B>b<U+00AD><U+3164><U+FE0F>");
        assert_eq!(path("/a b\n\tc\u{1b}"), "/a b\u{240a}\u{2409}c\u{241b}");
    }

    #[test]
    fn every_hidden_character_is_shown_where_it_matters_and_gone_where_it_harms() {
        for (range, character) in
            HIDDEN.iter().flat_map(|range| (range.first..=range.last).map(move |c| (range, c)))
        {
            let raw = format!("a{character}b");
            assert_eq!(exact(&raw), format!("a<U+{:04X}>b", u32::from(character)));
            let separates = matches!(character, '\u{2028}' | '\u{2029}');
            let blank = range.kind == HiddenKind::Blank;
            let short = if blank || separates { "a b" } else { "ab" };
            assert_eq!(short_line(&raw, 50), short, "{character:?}");
            match range.kind {
                HiddenKind::Reorders if separates => assert_eq!(text(&raw), "a\nb"),
                HiddenKind::Reorders => assert_eq!(text(&raw), "ab", "{character:?}"),
                HiddenKind::Invisible | HiddenKind::Blank => assert_eq!(text(&raw), raw),
            }
        }
    }

    proptest! {
        #[test]
        fn nothing_dangerous_is_left(
            raw in "(\\PC|[\u{0}-\u{9f}]|\u{1b}[\\[\\]PX0-9;]{0,5}|\u{202e}|\n){0,60}",
            max in 0usize..40,
        ) {
            let short = short_line(&raw, max);
            prop_assert!(short.chars().count() <= max);
            prop_assert!(!short.chars().any(|char| char.is_control() || hidden(char).is_some()));
            prop_assert_eq!(short_line(&short, max), short);
            let whole = text(&raw);
            prop_assert!(!whole.contains(|char: char| char.is_control() && !matches!(char, '\n' | '\t')));
            prop_assert_eq!(text(&whole), whole);
        }
    }
}
