//! Text from Claude and its tools made fit to show: no control characters, no escape sequences, nothing invisible.

use std::iter::Peekable;
use std::str::Chars;

/// How many characters an escape sequence that carries a string (a window title, a link) may have. A longer one is
/// taken as unterminated, so that it hides nothing; it also bounds the search for the end.
const SEQUENCE_CHARS: usize = 2048;

/// One line of at most `max_chars` characters (a cut one ends with `…`): control characters, whole ANSI escape
/// sequences, bidirectional controls and zero-width characters are removed, line breaks with their indentation become
/// one space.
pub fn plain(text: &str, max_chars: usize) -> String {
    clean(text, max_chars, false)
}

/// As [`plain`], but line breaks and tabs stay.
pub fn plain_block(text: &str, max_chars: usize) -> String {
    clean(text, max_chars, true)
}

fn clean(text: &str, max_chars: usize, keep_breaks: bool) -> String {
    let mut cleaned = String::new();
    let mut count = 0;
    let mut folding = false;
    let mut rest = text.chars().peekable();
    while let Some(char) = rest.next() {
        let shown = match char {
            '\r' if rest.peek() == Some(&'\n') => continue,
            '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' if keep_breaks => '\n',
            '\t' if keep_breaks => '\t',
            '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
                folding = true;
                continue;
            }
            ' ' | '\t' if folding => continue,
            '\t' => ' ',
            '\u{1b}' | '\u{80}'..='\u{9f}' => {
                skip_sequence(char, &mut rest);
                continue;
            }
            _ if char.is_control() || is_invisible(char) => continue,
            _ => char,
        };
        if cleaned.is_empty() && shown.is_whitespace() && !keep_breaks {
            continue;
        }
        let space = std::mem::take(&mut folding) && !cleaned.is_empty() && !cleaned.ends_with(' ');
        for next in space.then_some(' ').into_iter().chain([shown]) {
            if count == max_chars {
                shorten(&mut cleaned);
                return cleaned;
            }
            cleaned.push(next);
            count += 1;
        }
    }
    cleaned.truncate(cleaned.trim_end().len());
    cleaned
}

/// Makes room for the mark that says that more would follow.
fn shorten(text: &mut String) {
    if text.pop().is_some() {
        text.truncate(text.trim_end().len());
        text.push('…');
    }
}

/// Moves past the escape sequence that `introducer` begins, if it is one.
fn skip_sequence(introducer: char, rest: &mut Peekable<Chars<'_>>) {
    let kind = match introducer {
        '\u{1b}' => match rest.peek().copied() {
            Some(kind @ ('[' | ']' | 'P' | 'X' | '^' | '_')) => {
                rest.next();
                kind
            }
            Some(' '..='~') => '0',
            _ => return,
        },
        '\u{9b}' => '[',
        '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => ']',
        _ => return,
    };
    match kind {
        // Parameters and intermediates, then one final character.
        '[' => {
            while rest.next_if(|char| (' '..='?').contains(char)).is_some() {}
            rest.next_if(|char| ('@'..='~').contains(char));
        }
        '0' => {
            while rest.next_if(|char| (' '..='/').contains(char)).is_some() {}
            rest.next_if(|char| ('0'..='~').contains(char));
        }
        _ => skip_string(rest),
    }
}

/// Moves past a string that ends with BEL or ST. Without an end nothing is skipped.
fn skip_string(rest: &mut Peekable<Chars<'_>>) {
    let mut ahead = rest.clone();
    for _ in 0..SEQUENCE_CHARS {
        match ahead.next() {
            Some('\u{07}' | '\u{9c}') => {}
            Some('\u{1b}') if ahead.next_if_eq(&'\\').is_some() => {}
            Some(_) => continue,
            None => return,
        }
        *rest = ahead;
        return;
    }
}

/// Characters that change how others are shown, or show nothing themselves.
pub fn is_invisible(char: char) -> bool {
    matches!(char,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180b}'..='\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' | '\u{e0100}'..='\u{e01ef}')
}

#[cfg(test)]
mod tests {
    use super::{plain, plain_block};
    use proptest::prelude::*;

    #[test]
    fn colours_titles_and_links_go_as_a_whole() {
        assert_eq!(plain("\u{1b}[1;31mrm\u{1b}[0m -rf x", 50), "rm -rf x");
        assert_eq!(
            plain("a\u{1b}]0;window\u{7}b\u{1b}]8;;http://x\u{1b}\\c\u{9b}2Kd\u{1b}(Be\u{1b}7f", 50),
            "abcdef"
        );
    }

    #[test]
    fn an_unterminated_sequence_hides_nothing() {
        assert_eq!(plain("ls\u{1b}]0;rm -rf ~", 50), "ls0;rm -rf ~");
        assert_eq!(plain("ls\u{1b}[31", 50), "ls");
        assert_eq!(plain("ls\u{1b}", 50), "ls");
    }

    #[test]
    fn bidirectional_controls_and_zero_width_characters_go() {
        assert_eq!(plain("a\u{202e}b\u{2066}c\u{200b}d\u{feff}e\u{200f}f\u{ad}", 50), "abcdef");
        assert_eq!(plain("a\u{0}b\u{7f}c\u{8}d\u{84}e", 50), "abcde");
    }

    #[test]
    fn line_breaks_and_their_indentation_become_one_space() {
        assert_eq!(plain("\n if x;\r\n\t  then y\n\n\nfi \n", 50), "if x; then y fi");
        assert_eq!(plain("a\tb  c", 50), "a b  c");
    }

    #[test]
    fn a_block_keeps_its_lines() {
        assert_eq!(plain_block("a\r\n\tb\u{1b}[0m\rc\n\n", 50), "a\n\tb\nc");
    }

    #[test]
    fn a_cut_text_says_so() {
        assert_eq!(plain("12345", 5), "12345");
        assert_eq!(plain("123456", 5), "1234…");
        assert_eq!(plain("123 56", 5), "123…");
        assert_eq!(plain("1", 0), "");
    }

    proptest! {
        #[test]
        fn nothing_dangerous_is_left(text in "(\\PC|[\u{0}-\u{9f}]|\u{1b}[\\[\\]PX0-9;]{0,5}|\u{202e}|\n){0,60}", max in 0usize..40) {
            let line = plain(&text, max);
            prop_assert!(line.chars().count() <= max);
            prop_assert!(!line.chars().any(|char| char.is_control() || super::is_invisible(char)));
            prop_assert_eq!(plain(&line, max), line);
        }
    }
}
