//! The screen of a terminal session: its cells, and the modes that its programs have set.
//!
//! Only the screen is kept, for viewers that attach later; history is in the journal. The parser is `vte`. The screen
//! over it is our own, because every host has one: 16 bytes a cell, the second screen only while it is in use, and
//! plain text bypasses the parser.

mod boundary;
mod cell;
mod dispatch;
mod flood;
mod grid;
mod keyboard;
mod modes;
#[cfg(any(test, feature = "fuzzing"))]
mod observed;
mod operations;
mod pen;
mod repaint;
mod strings;
mod tables;

use boundary::Boundary;
use grid::Grid;
use keyboard::Keyboard;
use modes::Modes;
use pen::Pen;
use strings::Strings;
use tables::Tables;

/// The size of a screen, in cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Its width.
    pub columns: u16,
    /// Its height.
    pub rows: u16,
}

impl Size {
    /// The smallest width and height: room for a wide character, and for a line to scroll to.
    pub const MIN: u16 = 2;
    /// The largest width and height: sixteen megabytes of cells, far beyond any display.
    pub const MAX: u16 = 1_000;

    /// The nearest size that a screen can have.
    pub fn new(columns: u16, rows: u16) -> Size {
        Size { columns: columns.clamp(Size::MIN, Size::MAX), rows: rows.clamp(Size::MIN, Size::MAX) }
    }
}

/// A screen.
pub struct Screen {
    /// Without `std` it keeps no more than 1,024 bytes of a string.
    parser: vte::Parser,
    boundary: Boundary,
    /// The beginning of an incomplete character.
    partial: Partial,
    state: State,
}

/// Up to three bytes of a character whose rest has not come.
#[derive(Clone, Copy, Debug, Default)]
struct Partial {
    bytes: [u8; 4],
    length: usize,
}

/// Everything but the parser.
#[derive(Debug)]
struct State {
    size: Size,
    /// The primary screen, or the alternate one while it is shown.
    grid: Grid,
    /// The primary screen while the alternate one is shown.
    primary: Option<Grid>,
    pen: Pen,
    tables: Tables,
    charsets: Charsets,
    modes: Modes,
    keyboard: Keyboard,
    strings: Strings,
    /// Columns of the tab stops.
    tabs: Vec<bool>,
    /// Whether a program ever changed the tab stops.
    tabs_touched: bool,
    /// The last printed character, for its repetition.
    last: Option<char>,
    history: Option<Box<History>>,
}

/// Character sets G0 and G1: whether each draws lines instead of letters; and which is in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Charsets {
    lines: [bool; 2],
    shifted: bool,
}

/// Lines that scrolled off the top of the primary screen.
#[derive(Debug)]
struct History {
    lines: std::collections::VecDeque<Vec<u8>>,
    most: usize,
}

impl Screen {
    /// An empty screen.
    pub fn new(size: Size) -> Screen {
        Screen {
            parser: vte::Parser::new(),
            boundary: Boundary::default(),
            partial: Partial::default(),
            state: State::new(size),
        }
    }

    /// An empty screen that keeps up to `most` lines that scroll off its top: see [`Screen::history`].
    pub fn with_history(size: Size, most: usize) -> Screen {
        let mut screen = Screen::new(size);
        screen.state.history = Some(Box::new(History { lines: std::collections::VecDeque::new(), most }));
        screen
    }

    /// The lines that scrolled off the top of the primary screen, the oldest first: text with its colours, each
    /// complete by itself.
    pub fn history(&self) -> impl Iterator<Item = &[u8]> {
        self.state.history.iter().flat_map(|history| history.lines.iter().map(Vec::as_slice))
    }

    /// Its size.
    pub fn size(&self) -> Size {
        self.state.size
    }

    /// Applies output: any bytes, split anywhere.
    pub fn feed(&mut self, mut bytes: &[u8]) {
        if self.boundary.is_text() && self.partial.length == 0 {
            bytes = &bytes[self.state.skip_lines(bytes)..];
        }
        while !bytes.is_empty() {
            let taken =
                if self.boundary.is_text() { self.take_text(bytes) } else { self.take_sequence(bytes) };
            bytes = &bytes[taken..];
        }
    }

    /// Changes its size, as xterm does: lines are truncated, not wrapped again, and the cursor's line stays in sight.
    pub fn resize(&mut self, size: Size) {
        self.state.resize(size);
    }

    /// The text of each row, without blanks at its end.
    pub fn rows_text(&self) -> Vec<String> {
        (0..self.state.size.rows).map(|row| self.state.row_text(row)).collect()
    }

    /// Passes bytes to the parser up to the end of a control sequence.
    fn take_sequence(&mut self, bytes: &[u8]) -> usize {
        let taken = self.boundary.take(bytes);
        self.parser.advance(&mut dispatch::Performer { state: &mut self.state }, &bytes[..taken]);
        taken
    }

    /// The incomplete sequence or character at the end.
    fn unfinished(&self) -> &[u8] {
        if self.boundary.is_text() {
            &self.partial.bytes[..self.partial.length]
        } else {
            self.boundary.unfinished()
        }
    }

    /// Applies plain text, up to the next control sequence.
    fn take_text(&mut self, bytes: &[u8]) -> usize {
        let first = bytes[0];
        if self.partial.length > 0 {
            return self.finish_partial(bytes);
        }
        match first {
            0x1b => {
                self.boundary.begin();
                self.parser.advance(&mut dispatch::Performer { state: &mut self.state }, &bytes[..1]);
                1
            }
            b' '..=b'~' => {
                let end = bytes.iter().position(|byte| !matches!(byte, b' '..=b'~')).unwrap_or(bytes.len());
                self.state.print_ascii(&bytes[..end]);
                end
            }
            0x80.. => self.take_characters(bytes),
            control => {
                self.state.control(control);
                1
            }
        }
    }

    /// Applies text that is not plain ASCII.
    fn take_characters(&mut self, bytes: &[u8]) -> usize {
        let end = bytes.iter().position(|byte| matches!(byte, 0..0x20 | 0x7f)).unwrap_or(bytes.len());
        let mut chunks = bytes[..end].utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            chunk.valid().chars().for_each(|character| self.state.print(character));
            let cut = |rest| std::str::from_utf8(rest).is_err_and(|error| error.error_len().is_none());
            match chunk.invalid() {
                [] => {}
                // The rest of the character can come with the next bytes, or a control character comes first.
                rest if chunks.peek().is_none() && cut(rest) => {
                    self.partial.bytes[..rest.len()].copy_from_slice(rest);
                    self.partial.length = rest.len();
                }
                _ => self.state.print(char::REPLACEMENT_CHARACTER),
            }
        }
        end
    }

    /// Continues an incomplete character. Returns how many of these bytes belong to it.
    fn finish_partial(&mut self, bytes: &[u8]) -> usize {
        let Partial { bytes: mut whole, mut length } = self.partial;
        let mut taken = 0;
        while taken < bytes.len() && length < whole.len() {
            whole[length] = bytes[taken];
            let found = match std::str::from_utf8(&whole[..=length]) {
                Ok(text) => text.chars().next(),
                Err(error) if error.error_len().is_none() => None,
                // This byte does not belong to the character.
                Err(_) => break,
            };
            length += 1;
            taken += 1;
            if let Some(character) = found {
                self.partial = Partial::default();
                self.state.print(character);
                return taken;
            }
        }
        if taken == bytes.len() && length < whole.len() {
            self.partial = Partial { bytes: whole, length };
            return taken;
        }
        self.partial = Partial::default();
        self.state.print(char::REPLACEMENT_CHARACTER);
        taken
    }
}

impl State {
    fn new(size: Size) -> State {
        State {
            size,
            grid: Grid::new(size),
            primary: None,
            pen: Pen::default(),
            tables: Tables::default(),
            charsets: Charsets::default(),
            modes: Modes::default(),
            keyboard: Keyboard::default(),
            strings: Strings::default(),
            tabs: default_tabs(size.columns),
            tabs_touched: false,
            last: None,
            history: None,
        }
    }

    fn resize(&mut self, size: Size) {
        let old = self.size;
        self.size = size;
        self.grid.resize(size);
        if let Some(primary) = &mut self.primary {
            primary.resize(size);
        }
        let defaults = default_tabs(size.columns);
        let kept = usize::from(old.columns.min(size.columns));
        self.tabs.resize(defaults.len(), false);
        self.tabs[kept..].copy_from_slice(&defaults[kept..]);
    }

    fn row_text(&self, row: u16) -> String {
        let mut text = String::new();
        for cell in self.grid.row(row) {
            if !cell.is_tail() {
                self.tables.write_text(*cell, &mut text);
            }
        }
        text.truncate(text.trim_end_matches(' ').len());
        text
    }
}

/// A tab stop in every eighth column.
fn default_tabs(columns: u16) -> Vec<bool> {
    (0..columns).map(|column| column > 0 && column % 8 == 0).collect()
}

#[cfg(test)]
mod tests;
