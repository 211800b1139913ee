//! Standard output and standard error of a command: colours, width, JSON.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};

use areyouj_protocol::{ErrorCode, hidden};
use serde::Serialize;
use serde_json::json;

use super::{CommandError, plain, remedy};
use crate::client::Failure;

/// The narrowest terminal that a layout supports, in columns.
const MIN_WIDTH: usize = 20;

/// The terminal's own colours, whose shades its user chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colour {
    Red,
    Green,
    Yellow,
    Magenta,
    Cyan,
    Bold,
    Dim,
    /// Foreground and background exchanged.
    Reverse,
}

impl Colour {
    const fn code(self) -> &'static str {
        match self {
            Colour::Red => "31",
            Colour::Green => "32",
            Colour::Yellow => "33",
            Colour::Magenta => "35",
            Colour::Cyan => "36",
            Colour::Bold => "1",
            Colour::Dim => "2",
            Colour::Reverse => "7",
        }
    }
}

/// Whether a stream is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paint(pub(crate) bool);

impl Paint {
    /// The text in this colour.
    pub(crate) fn paint(self, colour: Colour, text: &str) -> String {
        if self.0 && !text.is_empty() {
            format!("\u{1b}[{}m{text}\u{1b}[0m", colour.code())
        } else {
            text.to_owned()
        }
    }

    fn of(terminal: bool, get: impl Fn(&str) -> Option<std::ffi::OsString>) -> Paint {
        let set = |name| get(name).is_some_and(|value| !value.is_empty());
        let forced = get("CLICOLOR_FORCE").is_some_and(|value| !value.is_empty() && value != "0");
        let dumb = get("TERM").is_some_and(|value| value == "dumb");
        Paint(forced || (terminal && !set("NO_COLOR") && !dumb))
    }
}

/// The output streams of a command and their format.
#[derive(Clone, Debug)]
pub(crate) struct Screen {
    /// Whether the output is JSON instead of text.
    pub(crate) json: bool,
    /// Whether standard output is coloured.
    pub(crate) out: Paint,
    /// Whether standard error is coloured.
    pub(crate) err: Paint,
    /// Whether standard output is a terminal.
    pub(crate) out_terminal: bool,
    /// Whether standard error is a terminal.
    pub(crate) err_terminal: bool,
    /// The width of the terminal in columns; `None` if standard output is not a terminal.
    pub(crate) width: Option<usize>,
    /// The height of the terminal in rows; `None` if standard output is not a terminal.
    pub(crate) height: Option<usize>,
    /// A person reads the output and can answer.
    pub(crate) interactive: bool,
    /// The terminal displays only ASCII.
    pub(crate) ascii: bool,
}

impl Screen {
    /// The streams of this process.
    pub(crate) fn of_process(json: bool) -> Screen {
        let (out_terminal, err_terminal) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        let get = |name: &str| std::env::var_os(name);
        let size = terminal_size::terminal_size_of(io::stdout()).filter(|_| out_terminal);
        let width = size.map(|(width, _)| usize::from(width.0)).filter(|width| *width > 0);
        let height = size.map(|(_, height)| usize::from(height.0)).filter(|height| *height > 0);
        Screen {
            json,
            out: Paint::of(out_terminal, get),
            err: Paint::of(err_terminal, get),
            out_terminal,
            err_terminal,
            width: width.map(|width| width.max(MIN_WIDTH)),
            height,
            interactive: !json && out_terminal && io::stdin().is_terminal(),
            ascii: out_terminal && is_ascii(get),
        }
    }

    /// Prints the text and, if it has none, a final newline.
    pub(crate) fn text(&self, text: &str) -> Result<(), CommandError> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        if !text.is_empty() && !text.ends_with('\n') {
            stdout.write_all(b"\n")?;
        }
        Ok(stdout.flush()?)
    }

    /// Prints a part of a text, without adding a newline.
    pub(crate) fn part(&self, text: &str) -> Result<(), CommandError> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        Ok(stdout.flush()?)
    }

    /// Prints a value as one line of JSON.
    pub(crate) fn value(&self, value: &impl Serialize) -> Result<(), CommandError> {
        let json = serde_json::to_string(value).map_err(|error| {
            Failure::new(
                ErrorCode::Internal,
                format!("cannot format the result as JSON: {error}"),
                "Report this with the output of `areyouj doctor --report`.",
            )
        })?;
        self.text(&visible_json(&json))
    }

    /// Prints the value as JSON with `--json`, otherwise the text.
    pub(crate) fn show(
        &self,
        value: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<(), CommandError> {
        if self.json { self.value(value) } else { self.text(&text()) }
    }

    /// Prints a warning on standard error.
    pub(crate) fn warn(&self, message: &str) {
        let warning = self.err.paint(Colour::Yellow, "warning:");
        write_stderr(&format!("{warning} {}\n", plain::line(message)));
    }

    /// Reports on standard error why the command failed.
    pub(crate) fn fail(&self, failure: &Failure) {
        write_stderr(&if self.json { failure_json(failure) } else { failure_text(failure, self.err) });
    }
}

/// Whether the locale names another encoding than UTF-8. Without a locale, the terminal is expected to know UTF-8.
fn is_ascii(get: impl Fn(&str) -> Option<std::ffi::OsString>) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(get).find(|value| !value.is_empty());
    locale.is_some_and(|locale| {
        let locale = locale.to_string_lossy().to_ascii_lowercase();
        !locale.contains("utf-8") && !locale.contains("utf8")
    })
}

/// Text in ASCII: every other character is named, and the brackets of marks become those of ASCII.
pub(crate) fn ascii(text: &str) -> String {
    let mut ascii = String::with_capacity(text.len());
    for next in text.chars() {
        match next {
            '\u{27e8}' => ascii.push('<'),
            '\u{27e9}' | '\u{21aa}' => ascii.push('>'),
            '\u{d7}' => ascii.push('x'),
            '\u{2026}' => ascii.push_str("..."),
            _ if next.is_ascii() => ascii.push(next),
            _ => {
                let _ = write!(ascii, "<U+{:04X}>", u32::from(next));
            }
        }
    }
    ascii
}

/// Writes to standard error. An error is ignored: there is no other place to report it.
pub(crate) fn write_stderr(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

/// The same JSON value with escapes for characters that a terminal obeys or that hide something. The JSON writer escapes
/// the other control characters. Outside of strings JSON has no such characters.
pub(crate) fn visible_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for next in json.chars() {
        if matches!(next, '\u{7f}'..='\u{9f}') || hidden(next).is_some() {
            for unit in next.encode_utf16(&mut [0; 2]) {
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(next);
        }
    }
    shown
}

fn hint(failure: &Failure) -> Option<String> {
    failure.remedy.as_ref().map(remedy::hint).filter(|hint| !hint.is_empty())
}

pub(crate) fn failure_json(failure: &Failure) -> String {
    let error = json!({"code": failure.code, "message": failure.message, "hint": hint(failure)});
    format!("{}\n", visible_json(&json!({"error": error}).to_string()))
}

pub(crate) fn failure_text(failure: &Failure, paint: Paint) -> String {
    let mut text = format!("{} {}\n", paint.paint(Colour::Red, "error:"), plain::line(&failure.message));
    for line in failure.log.iter().flat_map(|log| log.lines()) {
        let _ = writeln!(text, "    {}", paint.paint(Colour::Dim, &plain::line(line)));
    }
    if let Some(hint) = hint(failure) {
        let _ = writeln!(text, "  {} {}", paint.paint(Colour::Cyan, "hint:"), plain::line(&hint));
    }
    text
}

#[cfg(test)]
impl Screen {
    /// Streams without a terminal and without colours.
    pub(crate) fn bare(width: Option<usize>) -> Screen {
        Screen {
            json: false,
            out: Paint(false),
            err: Paint(false),
            out_terminal: false,
            err_terminal: false,
            width,
            height: None,
            interactive: false,
            ascii: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paint(terminal: bool, variables: &[(&str, &str)]) -> bool {
        Paint::of(terminal, |name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
        })
        .0
    }

    #[test]
    fn only_terminals_are_coloured_unless_a_variable_says_otherwise() {
        assert!(paint(true, &[]));
        assert!(paint(true, &[("NO_COLOR", "")]));
        assert!(!paint(true, &[("NO_COLOR", "1")]));
        assert!(!paint(true, &[("TERM", "dumb")]));
        assert!(!paint(false, &[]));
        assert!(paint(false, &[("CLICOLOR_FORCE", "1")]));
        assert!(!paint(false, &[("CLICOLOR_FORCE", "0")]));
    }

    #[test]
    fn a_terminal_without_utf_8_gets_ascii() {
        let is = |variables: &[(&str, &str)]| {
            is_ascii(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into()))
        };
        assert!(is(&[("LANG", "C")]));
        assert!(is(&[("LC_ALL", "POSIX"), ("LANG", "en_US.UTF-8")]));
        assert!(!is(&[("LANG", "de_DE.utf8")]) && !is(&[("LC_ALL", ""), ("LANG", "C.UTF-8")]) && !is(&[]));
        assert_eq!(ascii("a\u{27e8}U+00A0 \u{d7}3\u{27e9} \u{e9}"), "a<U+00A0 x3> <U+00E9>");
    }

    #[test]
    fn json_has_no_character_that_a_terminal_obeys_or_that_hides_something() {
        let raw = "a\u{1b}[2J\u{9b}31m\u{202e}b\u{200b}\u{e0041}\u{7f} é 日本 🦀";
        let value = json!({"text": raw, raw: [1]});
        let json = visible_json(&value.to_string());
        assert!(json.chars().all(|next| !next.is_control() && hidden(next).is_none()), "{json}");
        assert!(json.contains(r"\u009b31m\u202eb\u200b\udb40\udc41\u007f é 日本 🦀"), "{json}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap(), value);
        let failure = failure_json(&Failure::new(ErrorCode::QueueFull, raw, raw));
        assert!(failure.trim_end().chars().all(|next| !next.is_control() && hidden(next).is_none()));
    }

    #[test]
    fn a_failure_is_printed_with_its_log_and_hint() {
        let failure = Failure::new(ErrorCode::QueueFull, "the queue\u{1b}[2J is full", "Wait.")
            .with_log(Some("one\ntwo".to_owned()));
        assert_eq!(
            failure_text(&failure, Paint(false)),
            "error: the queue is full\n    one\n    two\n  hint: Wait.\n"
        );
        assert_eq!(
            failure_json(&Failure::new(ErrorCode::QueueFull, "full", "Wait.")),
            "{\"error\":{\"code\":\"queue_full\",\"message\":\"full\",\"hint\":\"Wait.\"}}\n"
        );
    }
}
