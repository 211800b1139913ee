//! A sign of life on standard error while a command waits, for people at a terminal only.

use std::time::Duration;

use super::screen::{Colour, Screen, say};
use super::{plain, table};

/// Ten frames a second: seen to move, and cheap.
const FRAME: Duration = Duration::from_millis(100);

const FRAMES: [char; 10] = [
    '\u{280b}', '\u{2819}', '\u{2839}', '\u{2838}', '\u{283c}', '\u{2834}', '\u{2826}', '\u{2827}',
    '\u{2807}', '\u{280f}',
];

const CLEAR_LINE: &str = "\r\u{1b}[K";

/// The width that the text may take where the terminal's is not known.
const USUAL_WIDTH: usize = 80;

/// Turns while something is waited for, and leaves nothing behind.
pub(crate) struct Spinner<'a> {
    screen: &'a Screen,
    frame: usize,
}

impl<'a> Spinner<'a> {
    /// One that has not been seen yet.
    pub(crate) fn new(screen: &'a Screen) -> Spinner<'a> {
        Spinner { screen, frame: 0 }
    }

    /// When it is to be turned next; never if nobody sees it.
    pub(crate) fn interval(&self) -> Option<Duration> {
        (self.screen.err_terminal && !self.screen.json).then_some(FRAME)
    }

    /// Shows the next frame with this text.
    pub(crate) fn turn(&mut self, text: &str) {
        if self.interval().is_none() {
            return;
        }
        self.frame += 1;
        let frame = FRAMES[self.frame % FRAMES.len()].to_string();
        let room = self.screen.width.unwrap_or(USUAL_WIDTH).saturating_sub(3);
        let text = table::shorten_end(&plain::line(text), room);
        say(&format!("{CLEAR_LINE}{} {text}", self.screen.err.paint(Colour::Cyan, &frame)));
    }
}

impl Drop for Spinner<'_> {
    fn drop(&mut self) {
        if self.frame > 0 {
            say(CLEAR_LINE);
        }
    }
}
