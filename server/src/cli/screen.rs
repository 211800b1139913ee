//! The two streams that people and scripts read: colours, width, JSON.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};

use areyouj_protocol::ErrorCode;
use serde::Serialize;
use serde_json::json;

use super::{CommandError, plain};
use crate::client::Failure;

/// The narrowest terminal that a layout is made for.
const NARROWEST: usize = 20;

/// Colours by their meaning in a terminal: people choose the shades.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colour {
    Red,
    Green,
    Yellow,
    Magenta,
    Cyan,
    Bold,
    Dim,
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
        }
    }
}

/// Whether a stream gets colours.
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

/// Where a command's output goes, and in which form.
#[derive(Clone, Debug)]
pub(crate) struct Screen {
    /// One JSON value on standard output rather than text.
    pub(crate) json: bool,
    /// Colours of standard output.
    pub(crate) out: Paint,
    /// Colours of standard error.
    pub(crate) err: Paint,
    /// Standard output is a terminal.
    pub(crate) out_terminal: bool,
    /// Standard error is a terminal.
    pub(crate) err_terminal: bool,
    /// The width of the terminal; none if standard output is something else.
    pub(crate) width: Option<usize>,
}

impl Screen {
    /// What this process was started with.
    pub(crate) fn of_process(json: bool) -> Screen {
        let (out_terminal, err_terminal) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        let get = |name: &str| std::env::var_os(name);
        let width = terminal_size::terminal_size_of(io::stdout())
            .map(|(width, _)| usize::from(width.0))
            .filter(|width| out_terminal && *width > 0);
        Screen {
            json,
            out: Paint::of(out_terminal, get),
            err: Paint::of(err_terminal, get),
            out_terminal,
            err_terminal,
            width: width.map(|width| width.max(NARROWEST)),
        }
    }

    /// Prints text as it is, ended by a newline if it has none.
    pub(crate) fn text(&self, text: &str) -> Result<(), CommandError> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        if !text.is_empty() && !text.ends_with('\n') {
            stdout.write_all(b"\n")?;
        }
        Ok(stdout.flush()?)
    }

    /// Prints a piece of text that others follow.
    pub(crate) fn piece(&self, text: &str) -> Result<(), CommandError> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        Ok(stdout.flush()?)
    }

    /// Prints a value as one line of JSON.
    pub(crate) fn value(&self, value: &impl Serialize) -> Result<(), CommandError> {
        let json = serde_json::to_string(value).map_err(|error| {
            Failure::new(ErrorCode::Internal, format!("cannot print as JSON: {error}"), "Report this.")
        })?;
        self.text(&json)
    }

    /// Prints the value as JSON if that was asked for, or else what `human` says.
    pub(crate) fn show(
        &self,
        value: &impl Serialize,
        human: impl FnOnce() -> String,
    ) -> Result<(), CommandError> {
        if self.json { self.value(value) } else { self.text(&human()) }
    }

    /// Tells people something beside the result.
    pub(crate) fn warn(&self, message: &str) {
        let warning = self.err.paint(Colour::Yellow, "warning:");
        say(&format!("{warning} {}\n", plain::line(message)));
    }

    /// Tells why the command failed.
    pub(crate) fn fail(&self, failure: &Failure) {
        say(&if self.json { failure_json(failure) } else { failure_text(failure, self.err) });
    }
}

/// Writes to standard error; there is nobody left to tell if that fails.
pub(crate) fn say(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

pub(crate) fn failure_json(failure: &Failure) -> String {
    let error = json!({"code": failure.code, "message": failure.message, "hint": failure.hint});
    format!("{}\n", json!({"error": error}))
}

pub(crate) fn failure_text(failure: &Failure, paint: Paint) -> String {
    let mut text = format!("{} {}\n", paint.paint(Colour::Red, "error:"), plain::line(&failure.message));
    for line in failure.log.iter().flat_map(|log| log.lines()) {
        let _ = writeln!(text, "    {}", paint.paint(Colour::Dim, &plain::line(line)));
    }
    if let Some(hint) = failure.hint.as_deref().filter(|hint| !hint.is_empty()) {
        let _ = writeln!(text, "  {} {}", paint.paint(Colour::Cyan, "hint:"), plain::line(hint));
    }
    text
}

#[cfg(test)]
impl Screen {
    /// No terminal, no colours.
    pub(crate) fn bare(width: Option<usize>) -> Screen {
        Screen {
            json: false,
            out: Paint(false),
            err: Paint(false),
            out_terminal: false,
            err_terminal: false,
            width,
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
    fn colours_are_for_terminals_unless_people_say_otherwise() {
        assert!(paint(true, &[]));
        assert!(paint(true, &[("NO_COLOR", "")]));
        assert!(!paint(true, &[("NO_COLOR", "1")]));
        assert!(!paint(true, &[("TERM", "dumb")]));
        assert!(!paint(false, &[]));
        assert!(paint(false, &[("CLICOLOR_FORCE", "1")]));
        assert!(!paint(false, &[("CLICOLOR_FORCE", "0")]));
    }

    #[test]
    fn a_failure_says_what_happened_and_what_to_do() {
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
