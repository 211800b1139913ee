//! Exact text as segments for display: nothing is removed, and everything that hides, reorders or poses as something
//! else is replaced by a mark.
//!
//! A mark is written in the brackets `⟨` and `⟩`. The same brackets in the text are marked themselves, so that no text
//! can imitate a mark.

use areyouj_protocol::{DisplaySegment, DisplaySize, HiddenKind, SegmentKind, hidden};
use unicode_normalization::char::is_combining_mark;

use super::lookalike::{self, Reading};

/// The widest run of blanks inside a line that is displayed as it is, in columns: columns of tables and comments are
/// aligned by fewer.
const MAX_INNER_BLANKS: usize = 16;

/// The same at the beginning of a line. Eight levels of tabs are usual in deeply nested code, and text behind them is
/// still in sight on a screen of 80 columns.
const MAX_INDENT: usize = 64;

/// The columns of a tab, for the two bounds above.
const TAB_COLUMNS: usize = 8;

/// The most empty lines in a row that are displayed as they are: formatted code and Markdown have at most three.
const MAX_EMPTY_LINES: usize = 3;

/// The most combining marks on one character that are displayed: no orthography has more. Further ones only cover other
/// text.
const MAX_MARKS: usize = 4;

/// The most segments of a text. The rest of a text with more becomes one segment, so that hostile text of one megabyte
/// does not become a message of a hundred.
const MAX_SEGMENTS: usize = 4_096;

/// The segments of an exact text.
pub fn segments(text: &str, reading: Reading) -> Vec<DisplaySegment> {
    let mut found = Segments { text, reading, established: None, plain: 0, at: 0, segments: Vec::new() };
    while found.at < text.len() {
        found.step();
    }
    found.flush();
    let mut segments = found.segments;
    if segments.len() > MAX_SEGMENTS {
        let rest = segments.split_off(MAX_SEGMENTS - 1);
        let text = rest.iter().map(|segment| segment.text.as_str()).collect();
        let shown = rest.iter().map(DisplaySegment::displayed).collect();
        segments.push(DisplaySegment { kind: SegmentKind::Dense, text, shown: Some(shown) });
    }
    segments
}

/// An exact text as one line to display, with marks.
pub fn line(text: &str) -> String {
    let segments = segments(text, Reading::Code);
    let shown: String = segments.iter().map(DisplaySegment::displayed).collect();
    shown.replace('\n', "\u{240a}").replace('\t', "\u{2409}")
}

/// The size of an exact text.
pub fn size(text: &str) -> DisplaySize {
    let breaks = text.matches('\n').count();
    let unfinished = !text.is_empty() && !text.ends_with('\n');
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    DisplaySize { lines: count(breaks + usize::from(unfinished)), characters: count(text.chars().count()) }
}

/// A number with separated thousands.
pub fn counted(count: usize) -> String {
    let digits = count.to_string();
    let first = digits.len() % 3;
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.char_indices() {
        if index > 0 && index % 3 == first {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Whether a character is displayed by a mark wherever it is.
pub(super) fn special(character: char) -> Option<SegmentKind> {
    match character {
        '\n' | '\t' => None,
        '\u{27e8}' | '\u{27e9}' => Some(SegmentKind::Lookalike),
        // Characters of private use and those that are no characters have no agreed looks.
        '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}' | '\u{f0000}'.. => Some(SegmentKind::Invisible),
        _ if u32::from(character) & 0xfffe == 0xfffe => Some(SegmentKind::Invisible),
        _ if character.is_control() => Some(SegmentKind::Control),
        _ => hidden(character).map(|kind| match kind {
            HiddenKind::Reorders => SegmentKind::Reorders,
            HiddenKind::Invisible => SegmentKind::Invisible,
            HiddenKind::Blank => SegmentKind::BlankLookalike,
        }),
    }
}

/// A character by the name that people know it by.
fn name(character: char) -> String {
    let name = match character {
        '\0' => "NUL",
        '\u{7}' => "BEL",
        '\u{8}' => "BS",
        '\u{b}' => "VT",
        '\u{c}' => "FF",
        '\r' => "CR",
        '\u{1b}' => "ESC",
        '\u{7f}' => "DEL",
        _ => return format!("U+{:04X}", u32::from(character)),
    };
    name.to_owned()
}

/// A text on its way into segments.
struct Segments<'a> {
    text: &'a str,
    reading: Reading,
    /// The scripts that the text is really written in, once they are needed.
    established: Option<Vec<unicode_script::Script>>,
    /// Where the plain text that is not a segment yet begins.
    plain: usize,
    /// The position.
    at: usize,
    segments: Vec<DisplaySegment>,
}

impl Segments<'_> {
    /// Handles what is at the position and moves behind it.
    fn step(&mut self) {
        let rest = &self.text[self.at..];
        let Some(first) = rest.chars().next() else { return };
        match first {
            ' ' | '\t' => self.blanks(rest),
            '\n' => self.line_breaks(rest),
            _ if special(first).is_some() => self.repeated(rest, first),
            _ if is_combining_mark(first) => self.combining(rest, first),
            _ if lookalike::in_word(first) => self.word(rest),
            _ => match lookalike::sign(first).filter(|_| self.reading == Reading::Code) {
                Some(mark) => self.marked(first.len_utf8(), SegmentKind::Lookalike, format!("{first}{mark}")),
                None => self.at += first.len_utf8(),
            },
        }
    }

    fn blanks(&mut self, rest: &str) {
        let run = run(rest, |next| matches!(next, ' ' | '\t'));
        let tabs = run.matches('\t').count();
        let columns = run.len() + tabs * (TAB_COLUMNS - 1);
        let begins_line = self.at == 0 || self.text[..self.at].ends_with('\n');
        if columns <= if begins_line { MAX_INDENT } else { MAX_INNER_BLANKS } {
            self.at += run.len();
            return;
        }
        let what = match tabs {
            0 => "spaces",
            _ if tabs == run.len() => "tabs",
            _ => "spaces and tabs",
        };
        self.marked(run.len(), SegmentKind::Blanks, format!("\u{27e8}{} {what}\u{27e9}", counted(run.len())));
    }

    /// Line breaks with only blanks between them. The first one ends its line, and the last one stays in front of the
    /// next line: the empty lines between them can become a mark.
    fn line_breaks(&mut self, rest: &str) {
        let run = run(rest, |next| matches!(next, ' ' | '\t' | '\n'));
        let last = run.rfind('\n').unwrap_or_default();
        let empty = run[..last].matches('\n').count();
        self.at += 1;
        if empty > MAX_EMPTY_LINES {
            let shown = format!("\u{27e8}{} empty lines\u{27e9}", counted(empty));
            self.marked(last - 1, SegmentKind::EmptyLines, shown);
        }
    }

    /// A special character and its direct repetitions.
    fn repeated(&mut self, rest: &str, first: char) {
        let run = run(rest, |next| next == first);
        let kind = special(first).unwrap_or(SegmentKind::Invisible);
        self.repetition(run.len(), first, kind);
    }

    fn repetition(&mut self, length: usize, character: char, kind: SegmentKind) {
        let shown = match length / character.len_utf8() {
            1 => format!("\u{27e8}{}\u{27e9}", name(character)),
            count => format!("\u{27e8}{} \u{d7}{}\u{27e9}", name(character), counted(count)),
        };
        self.marked(length, kind, shown);
    }

    /// A combining mark outside a word: it belongs to the sign before it.
    fn combining(&mut self, rest: &str, first: char) {
        let before = &self.text[self.plain..self.at];
        let marks = before.chars().rev().take_while(|mark| is_combining_mark(*mark)).take(MAX_MARKS).count();
        let base = before.chars().rev().find(|next| !is_combining_mark(*next));
        if marks < MAX_MARKS && base.is_some_and(|base| !base.is_whitespace()) {
            self.at += first.len_utf8();
            return;
        }
        let run = run(rest, |next| next == first);
        self.repetition(run.len(), first, SegmentKind::Combining);
    }

    fn word(&mut self, rest: &str) {
        let word = word(rest);
        let mark = if word.is_ascii() { None } else { self.mark(word) };
        match mark {
            Some(mark) => self.marked(word.len(), SegmentKind::Lookalike, format!("{word}{mark}")),
            None => self.at += word.len(),
        }
    }

    fn mark(&mut self, word: &str) -> Option<String> {
        let mark = lookalike::word(word)?;
        if self.reading == Reading::Prose
            && let Some(script) = mark.script
        {
            let established = self.established.get_or_insert_with(|| established(self.text));
            if established.contains(&script) {
                return None;
            }
        }
        Some(mark.text)
    }

    /// Makes the next `length` bytes a segment that is displayed like this.
    fn marked(&mut self, length: usize, kind: SegmentKind, shown: String) {
        self.flush();
        let text = self.text[self.at..self.at + length].to_owned();
        self.segments.push(DisplaySegment { kind, text, shown: Some(shown) });
        self.at += length;
        self.plain = self.at;
    }

    /// Makes the plain text before the position a segment.
    fn flush(&mut self) {
        if self.plain < self.at {
            let text = self.text[self.plain..self.at].to_owned();
            self.segments.push(DisplaySegment { kind: SegmentKind::Plain, text, shown: None });
        }
        self.plain = self.at;
    }
}

/// The beginning of the text whose characters fit.
fn run(text: &str, fits: impl Fn(char) -> bool) -> &str {
    &text[..text.find(|next| !fits(next)).unwrap_or(text.len())]
}

/// The word at the beginning of the text, with at most [`MAX_MARKS`] marks on each of its letters.
fn word(text: &str) -> &str {
    let mut marks = 0;
    let end = text.char_indices().find(|(_, next)| {
        marks = if is_combining_mark(*next) { marks + 1 } else { 0 };
        let inside = lookalike::in_word(*next) || (1..=MAX_MARKS).contains(&marks);
        !inside || special(*next).is_some()
    });
    &text[..end.map_or(text.len(), |(at, _)| at)]
}

/// The scripts of the words that cannot be confused with others.
fn established(text: &str) -> Vec<unicode_script::Script> {
    let mut scripts = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let word = word(&text[at..]);
        if !word.is_ascii()
            && let Some(script) = lookalike::script_of(word)
            && !scripts.contains(&script)
        {
            scripts.push(script);
        }
        at += word.len().max(first.len_utf8());
    }
    scripts
}

#[cfg(test)]
mod tests;
