//! A screen as bytes: a terminal that gets them shows the same screen.

use super::cell::{Cell, Color, Packed, Style, look};
use super::grid::{Cursor, Grid};
use super::pen::{Extra, Pen};
use super::{Charsets, Screen, State};

/// Resets everything that [`Screen::repaint`] can have set. The keyboard's flags are separate for each screen.
const FAREWELL: &[u8] = b"\x1b]8;;\x1b\\\x1b[0m\x1b(B\x1b)B\x0f\x1b[4l\x1b[20l\x1b[?6l\x1b[r\x1b[?7h\
    \x1b[?1000l\x1b[?1001l\x1b[?1002l\x1b[?1003l\x1b[?9l\x1b[?1004l\x1b[?1005l\x1b[?1006l\x1b[?1015l\x1b[?1016l\
    \x1b[?2004l\x1b[?2027l\x1b[?2031l\x1b[?2048l\x1b[?1l\x1b[?5l\x1b[?12l\x1b[?45l\x1b[?66l\x1b[?67l\x1b[?1042l\x1b[?1043l\x1b>\x1b[<16u\x1b[>4;0m\x1b[0 q\
    \x1b]104\x1b\\\x1b]110\x1b\\\x1b]111\x1b\\\x1b]112\x1b\\\x1b[?2026l\x1b[?1049l\x1b[<16u\x1b[?25h";

/// Resets state before a screen is painted. Leaving the alternate screen restores what was saved there.
const PROLOGUE: &str =
    "\x1b[?2026h\x1b[?1049l\x1b]8;;\x1b\\\x1b[0m\x1b(B\x1b)B\x0f\x1b[4l\x1b[20l\x1b[?6l\x1b[?7h\x1b[r";
const EPILOGUE: &str = "\x1b[?2026l";

impl Screen {
    /// Bytes that make any terminal of this or a larger size show this screen, with all its modes, and continue as
    /// this one would. The terminal shows it all at once, if it knows synchronized updates.
    pub fn repaint(&self) -> Vec<u8> {
        let mut out = String::from(PROLOGUE);
        self.state.write(&mut out);
        out.push_str(EPILOGUE);
        let mut out = out.into_bytes();
        // The next output completes it.
        out.extend_from_slice(self.unfinished());
        out
    }

    /// Bytes that give a terminal back to its owner: everything off that [`Screen::repaint`] may have set.
    pub fn farewell() -> &'static [u8] {
        FAREWELL
    }
}

impl State {
    fn write(&self, out: &mut String) {
        if let Some(primary) = &self.primary {
            self.write_cells(primary, out);
            self.keyboard.of_other().write(out);
            // To show the other screen saves the cursor of this one.
            self.write_saved(primary, out);
            out.push_str("\x1b[?1049h");
            out.push_str("\x1b[0m\x1b(B\x1b)B\x0f\x1b[?6l\x1b]8;;\x1b\\");
        }
        self.write_cells(&self.grid, out);
        if self.tabs_touched {
            out.push_str("\x1b[3g");
            for (column, _) in (1..).zip(&self.tabs).filter(|(_, stops)| **stops) {
                out.push_str(&format!("\x1b[1;{column}H\x1bH"));
            }
        }
        self.write_saved(&self.grid, out);
        out.push_str("\x1b7");
        if self.grid.saved.is_some() {
            out.push_str("\x1b[0m\x1b(B\x1b)B\x0f\x1b[?6l\x1b]8;;\x1b\\");
        }
        if !self.grid.scrolls_whole() {
            out.push_str(&format!("\x1b[{};{}r", self.grid.region.start + 1, self.grid.region.end));
        }
        if self.modes.origin {
            out.push_str("\x1b[?6h");
        }
        let first = if self.modes.origin { self.grid.region.start } else { 0 };
        self.write_cursor(&self.grid, self.grid.cursor, first, out);
        self.write_pen(&self.pen, out);
        self.charsets.write(out);
        for (on, sequence) in [
            (!self.modes.wraps, "\x1b[?7l"),
            (self.modes.inserts, "\x1b[4h"),
            (self.modes.feeds_lines, "\x1b[20h"),
        ] {
            if on {
                out.push_str(sequence);
            }
        }
        self.modes.write(out);
        self.keyboard.write(out);
        self.strings.write(out);
    }

    /// Writes the content of a screen.
    fn write_cells(&self, grid: &Grid, out: &mut String) {
        out.push_str("\x1b[0m\x1b[H\x1b[2J");
        for row in 0..grid.rows() {
            let cells = grid.row(row);
            let end = cells.iter().rposition(|cell| !cell.is_empty()).map_or(0, |last| last + 1);
            if end > 0 {
                out.push_str(&format!("\x1b[{};1H", row + 1));
                self.write_run(&cells[..end], out);
            }
        }
    }

    /// Writes cells one after the other; afterwards the terminal writes plain text again.
    fn write_run(&self, cells: &[Cell], out: &mut String) {
        let mut style = Style::default();
        for cell in cells.iter().filter(|cell| !cell.is_tail()) {
            let wanted = Style { look: cell.style.look & !look::SHAPE, ..cell.style };
            self.write_change(style, wanted, out);
            style = wanted;
            self.tables.write_text(*cell, out);
        }
        self.write_change(style, Style::default(), out);
    }

    /// A row by itself, for a history.
    pub(super) fn line(&self, row: u16) -> Vec<u8> {
        let cells = self.grid.row(row);
        let end = cells.iter().rposition(|cell| !cell.is_empty()).map_or(0, |last| last + 1);
        let mut out = String::new();
        self.write_run(&cells[..end], &mut out);
        out.into_bytes()
    }

    fn write_change(&self, from: Style, to: Style, out: &mut String) {
        if from == to {
            return;
        }
        let none = Extra::default();
        let [before, after] = [from, to].map(|style| self.tables.extra(style).unwrap_or(&none));
        write_style(to, after.underline, out);
        if before.link != after.link {
            write_link(after, out);
        }
    }

    fn write_pen(&self, pen: &Pen, out: &mut String) {
        if pen.style != Style::default() {
            write_style(pen.style, pen.extra.underline, out);
        }
        if pen.extra.link.is_some() {
            write_link(&pen.extra, out);
        }
    }

    /// Writes everything that is saved with a cursor, ready to be saved.
    fn write_saved(&self, grid: &Grid, out: &mut String) {
        let Some(saved) = &grid.saved else {
            out.push_str("\x1b[H");
            return;
        };
        // The region is set later, so rows are counted from the first one.
        if saved.origin {
            out.push_str("\x1b[?6h");
        }
        self.write_cursor(grid, saved.cursor, 0, out);
        self.write_pen(&saved.pen, out);
        saved.charsets.write(out);
    }

    /// Moves the cursor. A cursor that has just written the last column gets there only by writing it again. Rows are
    /// counted from `first`.
    fn write_cursor(&self, grid: &Grid, cursor: Cursor, first: u16, out: &mut String) {
        let row = cursor.row.saturating_sub(first) + 1;
        if !cursor.wrap_next {
            out.push_str(&format!("\x1b[{row};{}H", cursor.column + 1));
            return;
        }
        let cells = grid.row(cursor.row);
        let last = usize::from(cursor.column);
        let start = if cells[last].is_tail() { last - 1 } else { last };
        out.push_str(&format!("\x1b[{row};{}H", start + 1));
        self.write_run(&cells[start..=last], out);
    }
}

impl Charsets {
    fn write(self, out: &mut String) {
        for (lines, sequence) in self.lines.into_iter().zip(["\x1b(0", "\x1b)0"]) {
            if lines {
                out.push_str(sequence);
            }
        }
        if self.shifted {
            out.push('\x0e');
        }
    }
}

/// Writes a whole style, whatever was set before.
fn write_style(style: Style, underline: Color, out: &mut String) {
    out.push_str("\x1b[0");
    for (bit, code) in [
        (look::BOLD, 1),
        (look::DIM, 2),
        (look::ITALIC, 3),
        (look::BLINK, 5),
        (look::INVERSE, 7),
        (look::HIDDEN, 8),
        (look::STRIKE, 9),
        (look::OVERLINE, 53),
    ] {
        if style.look & bit != 0 {
            out.push_str(&format!(";{code}"));
        }
    }
    match (style.look & look::UNDERLINE) >> look::UNDERLINE_AT {
        0 => {}
        1 => out.push_str(";4"),
        other => out.push_str(&format!(";4:{other}")),
    }
    write_color(style.foreground, 30, out);
    write_color(style.background, 40, out);
    match underline {
        Color::Default => {}
        Color::Indexed(index) => out.push_str(&format!(";58:5:{index}")),
        Color::Rgb(red, green, blue) => out.push_str(&format!(";58:2::{red}:{green}:{blue}")),
    }
    out.push('m');
}

/// Writes a colour of text (`base` 30) or of its background (40).
fn write_color(color: Packed, base: u16, out: &mut String) {
    match Color::from(color) {
        Color::Default => {}
        Color::Indexed(index @ 0..=7) => out.push_str(&format!(";{}", base + u16::from(index))),
        Color::Indexed(index @ 8..=15) => out.push_str(&format!(";{}", base + 60 + u16::from(index) - 8)),
        Color::Indexed(index) => out.push_str(&format!(";{};5;{index}", base + 8)),
        Color::Rgb(red, green, blue) => out.push_str(&format!(";{};2;{red};{green};{blue}", base + 8)),
    }
}

fn write_link(extra: &Extra, out: &mut String) {
    out.push_str(&format!("\x1b]8;{}\x1b\\", extra.link.as_deref().unwrap_or(";")));
}
