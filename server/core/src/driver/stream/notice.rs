//! Notices: one line or block of text for the transcript, at a bounded length.

use crate::orchestrator::{EntryBody, Fact, NoticeLevel};
use crate::text::plain::{short_block, short_line};

/// Most characters of an error's text; a status shows it, and the log has the rest.
pub(super) const ERROR_CHARS: usize = 2000;

/// Most characters that are kept of the output of one of Claude's own commands: a few screens.
const COMMAND_OUTPUT_CHARS: usize = 20_000;

/// A notice for information.
pub(super) fn info(text: &str) -> Fact {
    notice(NoticeLevel::Info, short_line(text, ERROR_CHARS))
}

/// A notice of text that is free of control characters.
pub(super) fn notice(level: NoticeLevel, text: String) -> Fact {
    Fact::Entry(EntryBody::Notice { level, text })
}

/// The output of one of Claude's own commands.
pub(super) fn command_output(level: NoticeLevel, output: &str) -> Option<Fact> {
    let output = short_block(output, COMMAND_OUTPUT_CHARS);
    (!output.is_empty()).then(|| notice(level, output))
}

/// A notice that something went wrong.
pub(super) fn warning(text: &str) -> Fact {
    notice(NoticeLevel::Warning, short_line(text, ERROR_CHARS))
}

/// A notice of several lines; none if the text is empty.
pub(super) fn block(level: NoticeLevel, text: &str) -> Vec<Fact> {
    let text = short_block(text, ERROR_CHARS);
    if text.is_empty() { Vec::new() } else { vec![notice(level, text)] }
}
