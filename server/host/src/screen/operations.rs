//! The effects of characters and control sequences on the screen.

use unicode_width::UnicodeWidthChar;

use super::cell::{Cell, Packed, look};
use super::grid::{Grid, Saved};
use super::{Charsets, State, default_tabs};

/// Separates text from what is over or beside it.
const BELL_TO_SHIFT_IN: [u8; 9] = [0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f];

/// The characters that replace letters in the set of line drawings, from `_` on.
const LINES: [char; 32] = [
    ' ', '◆', '▒', '␉', '␌', '␍', '␊', '°', '±', '␤', '␋', '┘', '┐', '┌', '└', '┼', '⎺', '⎻', '─', '⎼', '⎽',
    '├', '┤', '┴', '┬', '│', '≤', '≥', 'π', '≠', '£', '·',
];

impl State {
    /// Prints a run of printable ASCII.
    pub(super) fn print_ascii(&mut self, mut text: &[u8]) {
        if self.charsets.draws_lines() || self.modes.inserts || !self.modes.wraps {
            text.iter().for_each(|byte| self.print(char::from(*byte)));
            return;
        }
        self.last = text.last().map(|byte| char::from(*byte)).or(self.last);
        let style = self.pen.style;
        while !text.is_empty() {
            self.wrap_if_due();
            let columns = self.grid.columns();
            let cursor = self.grid.cursor;
            let room = usize::from(columns - cursor.column);
            let (now, later) = text.split_at(room.min(text.len()));
            let end = cursor.column + now.len() as u16;
            self.grid.mend(cursor.row, cursor.column);
            self.grid.mend(cursor.row, end);
            let cells = &mut self.grid.row_mut(cursor.row)[usize::from(cursor.column)..usize::from(end)];
            for (cell, byte) in cells.iter_mut().zip(now) {
                *cell = Cell::new(char::from(*byte), style);
            }
            self.grid.cursor.column = end.min(columns - 1);
            self.grid.cursor.wrap_next = end == columns;
            text = later;
        }
    }

    /// Prints one character.
    pub(super) fn print(&mut self, character: char) {
        let character = self.charsets.drawn(character);
        let width = match character.width() {
            // Control characters of the upper half.
            None => return,
            Some(0) => return self.combine(character),
            Some(width) => width as u16,
        };
        self.last = Some(character);
        let columns = self.grid.columns();
        if width > columns {
            return;
        }
        self.wrap_if_due();
        if self.grid.cursor.column + width > columns {
            if !self.modes.wraps {
                return;
            }
            let (row, column) = (self.grid.cursor.row, self.grid.cursor.column);
            self.grid.mend(row, column);
            self.grid.row_mut(row)[usize::from(column)..].fill(Cell::new(' ', self.pen.style));
            self.grid.cursor.wrap_next = true;
            self.wrap_if_due();
        }
        let cursor = self.grid.cursor;
        if self.modes.inserts {
            self.grid.insert_blanks(cursor.row, cursor.column, width, self.pen.style.background);
        }
        self.grid.mend(cursor.row, cursor.column);
        self.grid.mend(cursor.row, cursor.column + width);
        let mut style = self.pen.style;
        let cells = self.grid.row_mut(cursor.row);
        if width == 2 {
            cells[usize::from(cursor.column) + 1] = Cell::tail(style);
            style.look |= look::WIDE;
        }
        cells[usize::from(cursor.column)] = Cell::new(character, style);
        let next = cursor.column + width;
        self.grid.cursor.column = next.min(columns - 1);
        self.grid.cursor.wrap_next = next == columns && self.modes.wraps;
    }

    /// Combines a character with the last printed one.
    fn combine(&mut self, character: char) {
        if self.tables.are_full() {
            self.tidy();
        }
        let cursor = self.grid.cursor;
        let Some(mut column) =
            (if cursor.wrap_next { Some(cursor.column) } else { cursor.column.checked_sub(1) })
        else {
            return;
        };
        let cells = self.grid.row_mut(cursor.row);
        if cells[usize::from(column)].is_tail() {
            column = column.saturating_sub(1);
        }
        self.tables.combine(&mut cells[usize::from(column)], character);
    }

    /// Removes table rows that no screen refers to.
    pub(super) fn tidy(&mut self) {
        let State { grid, primary, pen, tables, .. } = self;
        let mut saved: Vec<Box<Saved>> = Vec::new();
        let mut grids: Vec<&mut Grid> = std::iter::once(grid).chain(primary.as_mut()).collect();
        // Their pens refer to the tables too.
        let mut owners = Vec::new();
        for (index, grid) in grids.iter_mut().enumerate() {
            if let Some(one) = grid.saved.take() {
                owners.push(index);
                saved.push(one);
            }
        }
        let pens = saved.iter_mut().map(|saved| &mut saved.pen).chain([pen]);
        tables.tidy(grids.iter_mut().map(|grid| &mut **grid), pens);
        for (index, one) in owners.into_iter().zip(saved) {
            grids[index].saved = Some(one);
        }
    }

    fn wrap_if_due(&mut self) {
        if self.grid.cursor.wrap_next {
            self.grid.cursor.wrap_next = false;
            if self.modes.wraps {
                self.grid.cursor.column = 0;
                self.line_feed();
            }
        }
    }

    /// Applies a control character.
    pub(super) fn control(&mut self, byte: u8) {
        if !BELL_TO_SHIFT_IN.contains(&byte) {
            return;
        }
        match byte {
            0x08 => {
                self.grid.cursor.wrap_next = false;
                self.grid.cursor.column = self.grid.cursor.column.saturating_sub(1);
            }
            0x09 => self.tab_forward(1),
            0x0a..=0x0c => {
                self.grid.cursor.wrap_next = false;
                self.line_feed();
                if self.modes.feeds_lines {
                    self.grid.cursor.column = 0;
                }
            }
            0x0d => self.carriage_return(),
            0x0e => self.charsets.shifted = true,
            0x0f => self.charsets.shifted = false,
            _ => {}
        }
    }

    pub(super) fn carriage_return(&mut self) {
        self.grid.cursor.wrap_next = false;
        self.grid.cursor.column = 0;
    }

    /// Moves down one row, scrolling at the end of the region.
    pub(super) fn line_feed(&mut self) {
        let row = self.grid.cursor.row;
        if row + 1 == self.grid.region.end {
            self.scroll_up(1);
        } else if row + 1 < self.grid.rows() {
            self.grid.cursor.row += 1;
        }
    }

    /// Moves up one row, scrolling at the beginning of the region.
    pub(super) fn reverse_line_feed(&mut self) {
        self.grid.cursor.wrap_next = false;
        if self.grid.cursor.row == self.grid.region.start {
            self.scroll_down(1);
        } else {
            self.grid.cursor.row = self.grid.cursor.row.saturating_sub(1);
        }
    }

    pub(super) fn scroll_up(&mut self, count: u16) {
        if self.history.is_some() && self.primary.is_none() && self.grid.region.start == 0 {
            for row in 0..count.min(self.grid.region.end) {
                self.remember(row);
            }
        }
        let region = self.grid.region.clone();
        self.grid.scroll_up(region, count, self.pen.style.background);
    }

    pub(super) fn scroll_down(&mut self, count: u16) {
        let region = self.grid.region.clone();
        self.grid.scroll_down(region, count, self.pen.style.background);
    }

    fn remember(&mut self, row: u16) {
        let line = self.line(row);
        if let Some(history) = &mut self.history {
            if history.lines.len() >= history.most {
                history.lines.pop_front();
            }
            if history.most > 0 {
                history.lines.push_back(line);
            }
        }
    }

    pub(super) fn tab_forward(&mut self, count: u16) {
        self.grid.cursor.wrap_next = false;
        let last = self.grid.columns() - 1;
        for _ in 0..count.min(last + 1) {
            let from = self.grid.cursor.column + 1;
            let stop = (from..=last).find(|column| self.tabs[usize::from(*column)]);
            self.grid.cursor.column = stop.unwrap_or(last);
        }
    }

    pub(super) fn tab_back(&mut self, count: u16) {
        self.grid.cursor.wrap_next = false;
        for _ in 0..count.min(self.grid.columns()) {
            let before = 0..self.grid.cursor.column;
            let stop = before.rev().find(|column| self.tabs[usize::from(*column)]);
            self.grid.cursor.column = stop.unwrap_or(0);
        }
    }

    pub(super) fn set_tab(&mut self, stops: bool) {
        self.tabs_touched = true;
        self.tabs[usize::from(self.grid.cursor.column)] = stops;
    }

    pub(super) fn clear_tabs(&mut self) {
        self.tabs_touched = true;
        self.tabs.fill(false);
    }

    /// Moves to a column, counted from 0.
    pub(super) fn go_to_column(&mut self, column: u16) {
        self.grid.cursor.wrap_next = false;
        self.grid.cursor.column = column.min(self.grid.columns() - 1);
    }

    /// Moves to a row, counted from 0 of the screen, or of the region in origin mode.
    pub(super) fn go_to_row(&mut self, row: u16) {
        self.grid.cursor.wrap_next = false;
        let region = &self.grid.region;
        self.grid.cursor.row = if self.modes.origin {
            region.start.saturating_add(row).min(region.end - 1)
        } else {
            row.min(self.grid.rows() - 1)
        };
    }

    pub(super) fn go_to(&mut self, row: u16, column: u16) {
        self.go_to_row(row);
        self.go_to_column(column);
    }

    /// Moves up, not across the region's edge from inside it.
    pub(super) fn go_up(&mut self, count: u16) {
        self.grid.cursor.wrap_next = false;
        let row = self.grid.cursor.row;
        let least = if row >= self.grid.region.start { self.grid.region.start } else { 0 };
        self.grid.cursor.row = row.saturating_sub(count).max(least);
    }

    /// Moves down, not across the region's edge from inside it.
    pub(super) fn go_down(&mut self, count: u16) {
        self.grid.cursor.wrap_next = false;
        let row = self.grid.cursor.row;
        let end = if row < self.grid.region.end { self.grid.region.end } else { self.grid.rows() };
        self.grid.cursor.row = row.saturating_add(count).min(end - 1);
    }

    pub(super) fn go_right(&mut self, count: u16) {
        self.go_to_column(self.grid.cursor.column.saturating_add(count));
    }

    pub(super) fn go_left(&mut self, count: u16) {
        self.go_to_column(self.grid.cursor.column.saturating_sub(count));
    }

    fn background(&self) -> Packed {
        self.pen.style.background
    }

    pub(super) fn erase_in_display(&mut self, what: u16) {
        let (row, rows, background) = (self.grid.cursor.row, self.grid.rows(), self.background());
        match what {
            0 => {
                self.erase_in_line(0);
                self.grid.erase_rows(row + 1..rows, background);
            }
            1 => {
                self.erase_in_line(1);
                self.grid.erase_rows(0..row, background);
            }
            2 => self.grid.erase_rows(0..rows, background),
            _ => {}
        }
    }

    pub(super) fn erase_in_line(&mut self, what: u16) {
        let (row, column, columns) = (self.grid.cursor.row, self.grid.cursor.column, self.grid.columns());
        let range = match what {
            0 => column..columns,
            1 => 0..column + 1,
            2 => 0..columns,
            _ => return,
        };
        if what != 1 {
            self.grid.cursor.wrap_next = false;
        }
        self.grid.erase(row, range, self.background());
    }

    pub(super) fn erase_cells(&mut self, count: u16) {
        let (row, column) = (self.grid.cursor.row, self.grid.cursor.column);
        self.grid.cursor.wrap_next = false;
        self.grid.erase(row, column..column.saturating_add(count), self.background());
    }

    pub(super) fn insert_cells(&mut self, count: u16) {
        let (row, column) = (self.grid.cursor.row, self.grid.cursor.column);
        self.grid.cursor.wrap_next = false;
        self.grid.insert_blanks(row, column, count, self.background());
    }

    pub(super) fn delete_cells(&mut self, count: u16) {
        let (row, column) = (self.grid.cursor.row, self.grid.cursor.column);
        self.grid.cursor.wrap_next = false;
        self.grid.delete_cells(row, column, count, self.background());
    }

    /// Inserts or deletes rows, if the cursor is in the region.
    pub(super) fn move_lines(&mut self, count: u16, insert: bool) {
        let row = self.grid.cursor.row;
        if !self.grid.region.contains(&row) {
            return;
        }
        let rows = row..self.grid.region.end;
        let background = self.background();
        if insert {
            self.grid.scroll_down(rows, count, background);
        } else {
            self.grid.scroll_up(rows, count, background);
        }
        self.carriage_return();
    }

    pub(super) fn repeat_last(&mut self, count: u16) {
        let cells = u32::from(self.grid.columns()) * u32::from(self.grid.rows());
        if let Some(character) = self.last {
            for _ in 0..u32::from(count).min(cells) {
                self.print_drawn(character);
            }
        }
    }

    /// Prints a character after the translation by its character set.
    fn print_drawn(&mut self, character: char) {
        let charsets = std::mem::take(&mut self.charsets);
        self.print(character);
        self.charsets = charsets;
    }

    /// Sets the region, counted from 1, its last row included; the cursor goes home.
    pub(super) fn set_region(&mut self, first: u16, last: u16) {
        let rows = self.grid.rows();
        let first = first.max(1);
        let last = if last == 0 { rows } else { last.min(rows) };
        if first < last {
            self.grid.region = first - 1..last;
            self.go_to(0, 0);
        }
    }

    pub(super) fn save_cursor(&mut self) {
        let saved = Saved {
            cursor: self.grid.cursor,
            pen: self.pen.clone(),
            charsets: self.charsets,
            origin: self.modes.origin,
        };
        // If nothing was saved, the initial state is restored.
        self.grid.saved = (saved != Saved::default()).then(|| Box::new(saved));
    }

    pub(super) fn restore_cursor(&mut self) {
        let saved = self.grid.saved.as_deref().cloned().unwrap_or_default();
        self.grid.cursor = saved.cursor;
        self.grid.cursor.wrap_next &= self.modes.wraps;
        if saved.origin {
            let region = &self.grid.region;
            self.grid.cursor.row = saved.cursor.row.clamp(region.start, region.end - 1);
        }
        self.pen = saved.pen;
        self.charsets = saved.charsets;
        self.modes.origin = saved.origin;
    }

    /// Shows the alternate screen, which is empty, or the primary one again.
    pub(super) fn show_alternate(&mut self, alternate: bool) {
        if alternate == self.primary.is_some() {
            return;
        }
        let (cursor, region) = (self.grid.cursor, self.grid.region.clone());
        match self.primary.take() {
            None => {
                let mut primary = std::mem::replace(&mut self.grid, Grid::new(self.size));
                // Both screens share the cursor and the region. The hidden screen's cursor counts only when rows must
                // be removed: it is then where a repaint tells a new viewer that it is.
                primary.cursor = primary.saved.as_ref().map(|saved| saved.cursor).unwrap_or_default();
                primary.region = 0..self.size.rows;
                self.primary = Some(primary);
            }
            Some(primary) => self.grid = primary,
        }
        self.grid.cursor = cursor;
        self.grid.region = region;
        self.keyboard.show(alternate);
    }

    /// Sets a private mode.
    pub(super) fn set_private(&mut self, mode: u16, on: bool) {
        match mode {
            6 => {
                self.modes.origin = on;
                self.go_to(0, 0);
            }
            7 => {
                self.modes.wraps = on;
                self.grid.cursor.wrap_next &= on;
            }
            47 | 1047 => self.show_alternate(on),
            1048 if on => self.save_cursor(),
            1048 => self.restore_cursor(),
            1049 if on == self.primary.is_some() => {}
            1049 if on => {
                self.save_cursor();
                self.show_alternate(true);
                self.grid.erase_rows(0..self.size.rows, self.pen.style.background);
            }
            1049 => {
                self.show_alternate(false);
                self.restore_cursor();
            }
            mode => self.modes.set(mode, on),
        }
    }

    /// Sets an ANSI mode.
    pub(super) fn set_ansi(&mut self, mode: u16, on: bool) {
        match mode {
            4 => self.modes.inserts = on,
            20 => self.modes.feeds_lines = on,
            _ => {}
        }
    }

    /// Fills the screen with E, to adjust a display.
    pub(super) fn align(&mut self) {
        self.grid.region = 0..self.size.rows;
        self.modes.origin = false;
        self.go_to(0, 0);
        self.grid.cells_mut().for_each(|cell| *cell = Cell::new('E', super::cell::Style::default()));
    }

    /// Restores the initial state, except for the size.
    pub(super) fn reset(&mut self) {
        self.show_alternate(false);
        self.grid = Grid::new(self.size);
        self.pen = super::Pen::default();
        self.tables.clear();
        self.charsets = Charsets::default();
        self.modes.reset();
        self.keyboard.reset();
        self.tabs = default_tabs(self.size.columns);
        self.last = None;
    }

    pub(super) fn reset_softly(&mut self) {
        self.modes.reset_softly();
        self.grid.region = 0..self.size.rows;
        self.grid.saved = None;
        self.pen = super::Pen::default();
        self.charsets = Charsets::default();
    }
}

impl Charsets {
    fn draws_lines(self) -> bool {
        self.lines[usize::from(self.shifted)]
    }

    /// The replacement of this character.
    fn drawn(self, character: char) -> char {
        match character {
            '_'..='~' if self.draws_lines() => LINES[character as usize - '_' as usize],
            other => other,
        }
    }
}
