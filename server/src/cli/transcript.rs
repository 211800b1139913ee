//! Transcript entries as text, and Claude's partial output as it arrives.

use std::fmt::Write as _;

use areyouj_protocol::{Delta, EntryBody, Json, NoticeLevel};

use super::screen::{Colour, Paint};
use super::{plain, status, table, time};

/// Lines of a tool's output that are printed; `--json` prints all.
const RESULT_LINES: usize = 12;

/// Width of a tool call's summary, in columns.
const CALL_WIDTH: usize = 160;

/// The fields of a tool's input that describe the call best, the best first.
const SUMMARY_FIELDS: &[&str] =
    &["command", "file_path", "notebook_path", "pattern", "url", "query", "description", "prompt", "path"];

/// Formats entries and partial output. Remembers the partial output that is printed, so that the entry completes it.
pub(crate) struct Transcript {
    paint: Paint,
    /// The printed part of the entry that Claude is writing, and whether it is thinking.
    open: Option<(bool, String)>,
}

impl Transcript {
    /// A transcript that has printed nothing yet.
    pub(crate) fn new(paint: Paint) -> Transcript {
        Transcript { paint, open: None }
    }

    /// The text for the next piece of partial output.
    pub(crate) fn delta(&mut self, delta: &Delta) -> String {
        let mut text = match &self.open {
            Some((thinking, _)) if *thinking == delta.thinking => String::new(),
            _ => self.end(),
        };
        let (_, shown) = self.open.get_or_insert_with(|| (delta.thinking, String::new()));
        shown.push_str(&delta.text);
        text.push_str(&self.words(delta.thinking, &delta.text));
        text
    }

    /// The part of this partial output that is not printed yet; `None` if other output is open.
    pub(crate) fn unprinted(&self, whole: &Delta) -> Option<Delta> {
        let (thinking, shown) = self.open.as_ref().filter(|(thinking, _)| *thinking == whole.thinking)?;
        let rest = whole.text.strip_prefix(shown.as_str())?;
        Some(Delta { thinking: *thinking, text: rest.to_owned() })
    }

    /// The text of an entry. If part of it is printed already, this is the rest.
    pub(crate) fn entry(&mut self, body: &EntryBody) -> String {
        let words = match body {
            EntryBody::Text { text, parent_tool_use_id: None } => Some((false, text)),
            EntryBody::Thinking { text } => Some((true, text)),
            _ => None,
        };
        if let (Some((thinking, shown)), Some((entry_thinking, whole))) = (&self.open, words)
            && *thinking == entry_thinking
            && let Some(rest) = whole.strip_prefix(shown.as_str())
        {
            let rest = self.words(entry_thinking, rest.trim_end());
            return rest + &self.end();
        }
        self.end() + &render(body, self.paint)
    }

    /// Ends the open partial output.
    pub(crate) fn end(&mut self) -> String {
        match self.open.take() {
            Some(_) => "\n\n".to_owned(),
            None => String::new(),
        }
    }

    fn words(&self, thinking: bool, text: &str) -> String {
        let text = plain::text(text);
        if thinking { self.paint.paint(Colour::Dim, &text) } else { text }
    }
}

fn render(body: &EntryBody, paint: Paint) -> String {
    match body {
        EntryBody::User { text, .. } => {
            let text = plain::text(text);
            let mut shown = String::new();
            for (index, line) in text.trim_end().split('\n').enumerate() {
                let mark = if index == 0 { "> " } else { "  " };
                let _ = writeln!(shown, "{}", paint.paint(Colour::Cyan, &format!("{mark}{line}")));
            }
            shown + "\n"
        }
        EntryBody::Text { text, parent_tool_use_id: None } => format!("{}\n\n", plain::text(text).trim_end()),
        EntryBody::Text { text, parent_tool_use_id: Some(_) } => indent(text, "  | ", paint) + "\n",
        EntryBody::Thinking { text } => indent(text, "", paint) + "\n",
        EntryBody::ToolCall { tool, input, parent_tool_use_id, .. } => {
            let margin = if parent_tool_use_id.is_some() { "  | " } else { "" };
            let tool = paint.paint(Colour::Bold, &plain::line(tool));
            format!("{margin}* {tool} {}\n", summary(input))
        }
        EntryBody::ToolResult { is_error, text, truncated, .. } => result(*is_error, text, *truncated, paint),
        EntryBody::Permission { permission_id, title, .. } => {
            let (id, title) = (plain::line(permission_id), plain::line(title));
            format!("{} {title}\n", paint.paint(Colour::Yellow, &format!("? {id}")))
        }
        EntryBody::PermissionEnd { permission_id, outcome, by, message } => {
            let mut shown = format!("  {} {}", plain::line(permission_id), words_of(&plain::line(outcome)));
            if let Some(by) = by {
                let _ = write!(shown, " by {}", plain::line(by));
            }
            if let Some(message) = message {
                let _ = write!(shown, ": {}", plain::line(message));
            }
            format!("{}\n", paint.paint(Colour::Dim, &shown))
        }
        EntryBody::TurnEnd { ok, outcome, error, cost_usd, duration_ms, .. } => {
            let mut took = time::duration(*duration_ms);
            if *cost_usd > 0.0 {
                let _ = write!(took, ", {}", status::dollars(*cost_usd));
            }
            if *ok {
                format!("{}\n\n", paint.paint(Colour::Dim, &format!("-- done in {took}")))
            } else {
                let why = plain::line(error.as_deref().unwrap_or(outcome));
                format!("{}\n\n", paint.paint(Colour::Red, &format!("-- failed after {took}: {why}")))
            }
        }
        EntryBody::Notice { level, text } => {
            let colour = match level {
                NoticeLevel::Info => Colour::Dim,
                NoticeLevel::Warning => Colour::Yellow,
                NoticeLevel::Error => Colour::Red,
            };
            format!("{}\n", paint.paint(colour, &format!("-- {}", plain::line(text))))
        }
    }
}

fn indent(text: &str, margin: &str, paint: Paint) -> String {
    let mut shown = String::new();
    for line in plain::text(text).trim_end().split('\n') {
        let _ = writeln!(shown, "{}", paint.paint(Colour::Dim, &format!("{margin}{line}")));
    }
    shown
}

fn result(is_error: bool, text: &str, truncated: bool, paint: Paint) -> String {
    let text = plain::text(text);
    let lines: Vec<&str> = text.trim_end().split('\n').collect();
    let colour = if is_error { Colour::Red } else { Colour::Dim };
    let mut shown = String::new();
    for line in lines.iter().take(RESULT_LINES) {
        let _ = writeln!(shown, "{}", paint.paint(colour, &format!("    {line}")));
    }
    let hidden = lines.len().saturating_sub(RESULT_LINES);
    if hidden > 0 || truncated {
        let more = if truncated { ", and the rest was truncated" } else { "" };
        let _ =
            writeln!(shown, "{}", paint.paint(Colour::Dim, &format!("    ... {hidden} more lines{more}")));
    }
    shown + "\n"
}

/// One line that describes a tool call: the most telling field of its input, or all of the input.
fn summary(input: &Json) -> String {
    let field = SUMMARY_FIELDS.iter().find_map(|name| input.get(name).and_then(Json::as_str));
    let text = field.map_or_else(|| serde_json::to_string(input).unwrap_or_default(), str::to_owned);
    table::shorten_end(&plain::line(&text), CALL_WIDTH)
}

/// Splits a camel-case outcome into words: `allowedAlways` becomes `allowed always`.
fn words_of(outcome: &str) -> String {
    let mut words = String::new();
    for letter in outcome.chars() {
        if letter.is_uppercase() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> EntryBody {
        EntryBody::Text { text: text.to_owned(), parent_tool_use_id: None }
    }

    fn delta(thinking: bool, text: &str) -> Delta {
        Delta { thinking, text: text.to_owned() }
    }

    #[test]
    fn an_entry_completes_its_partial_output_without_repeating_it() {
        let mut transcript = Transcript::new(Paint(false));
        assert_eq!(transcript.delta(&delta(false, "Hel")), "Hel");
        assert_eq!(transcript.delta(&delta(false, "lo \u{1b}[31mthere")), "lo there");
        assert_eq!(transcript.entry(&text("Hello \u{1b}[31mthere, you")), ", you\n\n");
        assert_eq!(transcript.entry(&text("Next")), "Next\n\n");
    }

    #[test]
    fn partial_output_that_is_printed_is_not_printed_again() {
        let mut transcript = Transcript::new(Paint(false));
        assert_eq!(transcript.unprinted(&delta(false, "Hello")), None);
        assert_eq!(transcript.delta(&delta(false, "Hel")), "Hel");
        assert_eq!(transcript.unprinted(&delta(false, "Hello")), Some(delta(false, "lo")));
        assert_eq!(transcript.unprinted(&delta(true, "Hello")), None);
        assert_eq!(transcript.unprinted(&delta(false, "Other")), None);
    }

    #[test]
    fn an_entry_that_differs_from_the_partial_output_is_printed_completely() {
        let mut transcript = Transcript::new(Paint(false));
        assert_eq!(transcript.delta(&delta(false, "Hel")), "Hel");
        assert_eq!(transcript.entry(&text("Other")), "\n\nOther\n\n");
        assert_eq!(transcript.delta(&delta(true, "hm")), "hm");
        assert_eq!(transcript.delta(&delta(false, "so")), "\n\nso");
        assert_eq!(transcript.end(), "\n\n");
        assert_eq!(transcript.end(), "");
    }

    #[test]
    fn a_tool_call_is_printed_in_one_line_and_its_output_is_shortened() {
        let paint = Paint(false);
        let call = EntryBody::ToolCall {
            tool_use_id: "t".to_owned(),
            tool: "Bash".to_owned(),
            input: serde_json::from_str(r#"{"description":"List","command":"ls\n-l"}"#).unwrap(),
            parent_tool_use_id: None,
        };
        assert_eq!(render(&call, paint), "* Bash ls -l\n");
        let output = (1..=20).map(|line| format!("line {line}\n")).collect::<String>();
        let shown = result(false, &output, false, paint);
        assert!(shown.starts_with("    line 1\n") && shown.ends_with("    ... 8 more lines\n\n"), "{shown}");
    }

    #[test]
    fn ends_of_turns_and_permission_requests_are_printed_in_words() {
        let end = EntryBody::TurnEnd {
            message_id: None,
            ok: false,
            outcome: "error_during_execution".to_owned(),
            error: None,
            cost_usd: 0.5,
            duration_ms: 3_200,
        };
        assert_eq!(render(&end, Paint(false)), "-- failed after 3.2s, $0.50: error_during_execution\n\n");
        let permission = EntryBody::PermissionEnd {
            permission_id: "K7M2Q9XD-1".to_owned(),
            outcome: "allowedAlways".to_owned(),
            by: Some("areyouj-cli".to_owned()),
            message: None,
        };
        assert_eq!(render(&permission, Paint(false)), "  K7M2Q9XD-1 allowed always by areyouj-cli\n");
    }
}
