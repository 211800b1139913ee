//! The cells of one screen, its cursor, and operations that move them.

use std::ops::Range;

use super::cell::{Cell, Packed};
use super::pen::Pen;
use super::{Charsets, Size};

/// One screen.
#[derive(Debug)]
pub(super) struct Grid {
    size: Size,
    cells: Vec<Cell>,
    /// The row of `cells` at the top: scrolling the whole screen moves no cells.
    top: u16,
    pub(super) cursor: Cursor,
    /// `None` if it would equal the initial state.
    pub(super) saved: Option<Box<Saved>>,
    /// The scroll region, end not included.
    pub(super) region: Range<u16>,
}

/// Where the next character goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) row: u16,
    pub(super) column: u16,
    /// The last column was written: the next character begins a new line.
    pub(super) wrap_next: bool,
}

/// What DECSC saves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Saved {
    pub(super) cursor: Cursor,
    pub(super) pen: Pen,
    pub(super) charsets: Charsets,
    pub(super) origin: bool,
}

impl Grid {
    pub(super) fn new(size: Size) -> Grid {
        let cells = vec![Cell::default(); usize::from(size.columns) * usize::from(size.rows)];
        Grid { size, cells, top: 0, cursor: Cursor::default(), saved: None, region: 0..size.rows }
    }

    pub(super) fn columns(&self) -> u16 {
        self.size.columns
    }

    pub(super) fn rows(&self) -> u16 {
        self.size.rows
    }

    pub(super) fn row(&self, row: u16) -> &[Cell] {
        &self.cells[self.place(row)]
    }

    pub(super) fn row_mut(&mut self, row: u16) -> &mut [Cell] {
        let place = self.place(row);
        &mut self.cells[place]
    }

    pub(super) fn cells_mut(&mut self) -> impl Iterator<Item = &mut Cell> {
        self.cells.iter_mut()
    }

    fn place(&self, row: u16) -> Range<usize> {
        let columns = usize::from(self.size.columns);
        let mut row = usize::from(self.top) + usize::from(row);
        if row >= usize::from(self.size.rows) {
            row -= usize::from(self.size.rows);
        }
        row * columns..(row + 1) * columns
    }

    /// Whether scrolling concerns the whole screen.
    pub(super) fn scrolls_whole(&self) -> bool {
        self.region == (0..self.size.rows)
    }

    /// Erases these columns of a row, and the other half of a wide character at either edge.
    pub(super) fn erase(&mut self, row: u16, columns: Range<u16>, background: Packed) {
        let end = columns.end.min(self.size.columns);
        let start = columns.start.min(end);
        self.mend(row, start);
        self.mend(row, end);
        self.row_mut(row)[usize::from(start)..usize::from(end)].fill(Cell::blank(background));
    }

    /// If a wide character crosses the left edge of this column, both its halves become spaces of the same style.
    pub(super) fn mend(&mut self, row: u16, column: u16) {
        let column = usize::from(column);
        let cells = self.row_mut(row);
        if column > 0 && column < cells.len() && cells[column].is_tail() {
            for cell in &mut cells[column - 1..=column] {
                *cell = cell.emptied();
            }
        }
    }

    pub(super) fn erase_rows(&mut self, rows: Range<u16>, background: Packed) {
        for row in rows.start..rows.end.min(self.size.rows) {
            self.row_mut(row).fill(Cell::blank(background));
        }
    }

    /// Moves the content of these rows up; blank rows come from below.
    pub(super) fn scroll_up(&mut self, rows: Range<u16>, count: u16, background: Packed) {
        let count = count.min(rows.end - rows.start);
        if rows == (0..self.size.rows) {
            self.top = (self.top + count) % self.size.rows;
        } else {
            for row in rows.start..rows.end - count {
                self.copy_row(row + count, row);
            }
        }
        self.erase_rows(rows.end - count..rows.end, background);
    }

    /// Moves the content of these rows down; blank rows come from above.
    pub(super) fn scroll_down(&mut self, rows: Range<u16>, count: u16, background: Packed) {
        let count = count.min(rows.end - rows.start);
        if rows == (0..self.size.rows) {
            self.top = (self.top + self.size.rows - count) % self.size.rows;
        } else {
            for row in (rows.start + count..rows.end).rev() {
                self.copy_row(row - count, row);
            }
        }
        self.erase_rows(rows.start..rows.start + count, background);
    }

    fn copy_row(&mut self, from: u16, to: u16) {
        let (from, to) = (self.place(from), self.place(to));
        self.cells.copy_within(from, to.start);
    }

    /// Moves the rest of the row to the right from here; cells beyond its end are lost.
    pub(super) fn insert_blanks(&mut self, row: u16, column: u16, count: u16, background: Packed) {
        let columns = self.size.columns;
        let count = count.min(columns - column);
        self.mend(row, column);
        let cells = self.row_mut(row);
        cells.copy_within(usize::from(column)..usize::from(columns - count), usize::from(column + count));
        let last = cells.len() - 1;
        if cells[last].is_wide() {
            cells[last] = Cell::blank(cells[last].style.background);
        }
        cells[usize::from(column)..usize::from(column + count)].fill(Cell::blank(background));
    }

    /// Moves the rest of the row to the left, over these cells.
    pub(super) fn delete_cells(&mut self, row: u16, column: u16, count: u16, background: Packed) {
        let columns = self.size.columns;
        let count = count.min(columns - column);
        self.mend(row, column);
        self.mend(row, column + count);
        let cells = self.row_mut(row);
        cells.copy_within(usize::from(column + count).., usize::from(column));
        cells[usize::from(columns - count)..].fill(Cell::blank(background));
    }

    /// Changes its size. Removes rows at the top if the cursor would be lost, otherwise at the bottom.
    pub(super) fn resize(&mut self, size: Size) {
        let old = self.size;
        let lost = (self.cursor.row + 1).saturating_sub(size.rows);
        let mut cells = vec![Cell::default(); usize::from(size.columns) * usize::from(size.rows)];
        let columns = usize::from(old.columns.min(size.columns));
        for row in 0..size.rows.min(old.rows - lost) {
            let from = &self.row(row + lost)[..columns];
            let start = usize::from(row) * usize::from(size.columns);
            let to = &mut cells[start..start + columns];
            to.copy_from_slice(from);
            if let Some(last) = to.last_mut()
                && last.is_wide()
            {
                *last = Cell::blank(last.style.background);
            }
        }
        self.cells = cells;
        self.size = size;
        self.top = 0;
        self.region = 0..size.rows;
        let fit = |cursor: &mut Cursor| {
            cursor.wrap_next = cursor.wrap_next && cursor.column + 1 == size.columns;
            cursor.row = cursor.row.min(size.rows - 1);
            cursor.column = cursor.column.min(size.columns - 1);
        };
        self.cursor.row -= lost;
        fit(&mut self.cursor);
        if let Some(saved) = &mut self.saved {
            fit(&mut saved.cursor);
        }
    }
}
