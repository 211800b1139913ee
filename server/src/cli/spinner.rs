//! A progress spinner on standard error while a command waits. It is shown on a terminal only.

use std::time::Duration;

use super::screen::{Colour, Screen, write_stderr};
use super::{plain, table};

/// Ten frames a second are fast enough to look like motion, and cheap.
const FRAME_INTERVAL: Duration = Duration::from_millis(100);

const FRAMES: [char; 10] = [
    '\u{280b}', '\u{2819}', '\u{2839}', '\u{2838}', '\u{283c}', '\u{2834}', '\u{2826}', '\u{2827}',
    '\u{2807}', '\u{280f}',
];

const CLEAR_LINE: &str = "\r\u{1b}[K";

/// The assumed width of a terminal whose width is unknown, in columns.
const DEFAULT_WIDTH: usize = 80;

/// Turns while a command waits, and clears its line when dropped.
pub(crate) struct Spinner<'a> {
    screen: &'a Screen,
    frame: usize,
}

impl<'a> Spinner<'a> {
    /// A spinner that has shown no frame yet.
    pub(crate) fn new(screen: &'a Screen) -> Spinner<'a> {
        Spinner { screen, frame: 0 }
    }

    /// The time until the next frame; `None` if standard error is not a terminal or the output is JSON.
    pub(crate) fn interval(&self) -> Option<Duration> {
        (self.screen.err_terminal && !self.screen.json).then_some(FRAME_INTERVAL)
    }

    /// Shows the next frame with this text.
    pub(crate) fn turn(&mut self, text: &str) {
        if self.interval().is_none() {
            return;
        }
        self.frame += 1;
        let frame = FRAMES[self.frame % FRAMES.len()].to_string();
        let available = self.screen.width.unwrap_or(DEFAULT_WIDTH).saturating_sub(3);
        let text = table::shorten_end(&plain::line(text), available);
        write_stderr(&format!("{CLEAR_LINE}{} {text}", self.screen.err.paint(Colour::Cyan, &frame)));
    }
}

impl Drop for Spinner<'_> {
    fn drop(&mut self) {
        if self.frame > 0 {
            write_stderr(CLEAR_LINE);
        }
    }
}
