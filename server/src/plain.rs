//! Text from elsewhere, made harmless for a terminal.
//!
//! Names, paths, prompts and what Claude says may hold escape sequences that move the cursor, retitle the window or
//! answer for the person, and bidirectional controls that show a command as another one.

use areyouj_core::driver::plain::is_invisible;

/// The longest control string (a window title, a link) that is taken out whole. Anything longer is no such string:
/// its beginning goes, its text stays.
const MAX_CONTROL_STRING: usize = 4096;

const ESCAPE: char = '\u{1b}';

/// Several lines: without escape sequences and control characters other than newlines and tabs.
pub(crate) fn text(raw: &str) -> String {
    let mut plain = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(next) = rest.chars().next() {
        let skipped = if next == ESCAPE { escape_length(rest) } else { next.len_utf8() };
        if matches!(next, '\n' | '\t') || !is_harmful(next) {
            plain.push(next);
        }
        rest = &rest[skipped..];
    }
    plain
}

/// One line: the same, with every run of white space made a single space.
pub(crate) fn line(raw: &str) -> String {
    text(raw).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What a person has to decide about: nothing is taken out, every harmful character is shown by a visible one, so
/// that no part of a command can hide.
pub(crate) fn exact(raw: &str) -> String {
    let mut shown = String::with_capacity(raw.len());
    for next in raw.chars() {
        match u32::from(next) {
            _ if matches!(next, '\n' | '\t') => shown.push(next),
            code @ 0..=0x1f => shown.extend(char::from_u32(0x2400 + code)),
            0x7f => shown.push('\u{2421}'),
            code if is_harmful(next) || is_invisible(next) || is_variation(next) => {
                shown.push_str(&format!("<U+{code:04X}>"));
            }
            _ => shown.push(next),
        }
    }
    shown
}

/// A path: one line, and two different paths never look the same because of what cannot be seen.
pub(crate) fn path(raw: &str) -> String {
    exact(raw).replace('\n', "\u{240a}").replace('\t', "\u{2409}")
}

/// Selectors of a variant of the character before: harmless in what people write, and a place to hide bytes in.
fn is_variation(next: char) -> bool {
    matches!(next, '\u{fe00}'..='\u{fe0f}')
}

fn is_harmful(next: char) -> bool {
    next.is_control()
        || matches!(next,
            // Controls of writing direction, line and paragraph separators, invisible joiners, tags.
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// How many bytes the escape sequence at the beginning takes.
fn escape_length(sequence: &str) -> usize {
    let bytes = sequence.as_bytes();
    match bytes.get(1) {
        Some(b'[') => {
            let parameters = bytes[2..].iter().take_while(|byte| matches!(byte, 0x20..=0x3f)).count();
            match bytes.get(2 + parameters) {
                Some(0x40..=0x7e) => 3 + parameters,
                _ => 1,
            }
        }
        Some(b']' | b'P' | b'X' | b'^' | b'_') => {
            let searched = &bytes[..bytes.len().min(MAX_CONTROL_STRING)];
            let bell = searched.iter().position(|byte| *byte == 0x07).map(|at| at + 1);
            let terminator = searched.windows(2).position(|pair| pair == b"\x1b\\").map(|at| at + 2);
            match (bell, terminator) {
                (Some(bell), Some(terminator)) => bell.min(terminator),
                (bell, terminator) => bell.or(terminator).unwrap_or(1),
            }
        }
        Some(b'(' | b')' | b'*' | b'+') if bytes.get(2).is_some_and(u8::is_ascii_graphic) => 3,
        Some(b'0'..=b'9' | b'=' | b'>' | b'c' | b'A'..=b'O' | b'Z') => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_are_taken_out_whole() {
        assert_eq!(text("\u{1b}[1;31mred\u{1b}[0m"), "red");
        assert_eq!(text("\u{1b}]0;title\u{7}rest"), "rest");
        assert_eq!(text("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\"), "link");
        assert_eq!(text("\u{1b}(B\u{1b}7\u{1b}cplain\u{1b}"), "plain");
    }

    #[test]
    fn an_unfinished_sequence_hides_no_text() {
        assert_eq!(text("a\u{1b}]0;rm -rf /"), "a]0;rm -rf /");
        assert_eq!(text("a\u{1b}[12\u{e4}"), "a[12\u{e4}");
        assert_eq!(text("a\u{1b}\u{e4}"), "a\u{e4}");
    }

    #[test]
    fn control_characters_and_direction_controls_are_taken_out() {
        assert_eq!(text("a\r\nb\tc\u{8}\u{7f}\u{9b}31m\u{202e}d\u{2066}\u{feff}"), "a\nb\tc31md");
        assert_eq!(
            text("w\u{f6}rter \u{1f469}\u{200d}\u{1f4bb} \u{65e5}\u{672c}"),
            "w\u{f6}rter \u{1f469}\u{200d}\u{1f4bb} \u{65e5}\u{672c}"
        );
    }

    #[test]
    fn a_line_has_no_line_ends() {
        assert_eq!(line("  first\r\n\tsecond\u{2028} third  "), "first second third");
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
}
