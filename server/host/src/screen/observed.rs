//! Every observable property of a screen, to compare two screens: for tests and fuzzing only.

use super::cell::{Cell, Style};
use super::{Grid, Screen, State};

impl Screen {
    /// The content of the screen, line by line, with links and colours in full, then the cursors, the pen and all
    /// modes. Not the character that a repetition would repeat, which a repaint cannot set without printing it; nor
    /// the cursor of the screen that is not shown: a repaint puts it where the cursor of the other screen is, or was
    /// saved.
    pub(crate) fn observed(&self) -> Vec<String> {
        let state = &self.state;
        let row = |grid: &Grid, row| {
            let cells = grid.row(row).iter().filter(|cell| !cell.is_empty());
            let cells: Vec<String> = cells.map(|cell| state.observed_cell(*cell)).collect();
            format!("row {row}: {cells:?}")
        };
        let saved = state.grid.saved.as_ref().map(|saved| {
            let (pen, extra) = (state.observed_style(saved.pen.style), &saved.pen.extra);
            format!("{:?} {pen} {extra:?} {:?} {}", saved.cursor, saved.charsets, saved.origin)
        });
        let mut lines = self.rows_text();
        lines.extend((0..state.size.rows).map(|number| row(&state.grid, number)));
        if let Some(primary) = &state.primary {
            lines.extend((0..state.size.rows).map(|number| format!("primary {}", row(primary, number))));
        }
        lines.extend([
            format!("cursor {:?}, saved {saved:?}, region {:?}", state.grid.cursor, state.grid.region),
            format!(
                "pen {} {:?} {:?}",
                state.observed_style(state.pen.style),
                state.pen.extra,
                state.charsets
            ),
            format!("{:?}", state.modes),
            format!("{:?}", state.keyboard),
            format!("{:?}", state.strings),
            format!("{:?}", state.tabs),
            format!("unfinished {:?}", self.unfinished()),
        ]);
        lines
    }

    /// Makes a repetition repeat what it would on the other screen.
    pub(crate) fn repeat_as(&mut self, other: &Screen) {
        self.state.last = other.state.last;
    }
}

impl State {
    fn observed_cell(&self, cell: Cell) -> String {
        let mut text = String::new();
        self.tables.write_text(cell, &mut text);
        format!("{text:?} {}", self.observed_style(cell.style))
    }

    fn observed_style(&self, style: Style) -> String {
        let extra = self.tables.extra(style).cloned().unwrap_or_default();
        format!("{:?} {:?} {:x} {extra:?}", style.foreground, style.background, style.look)
    }
}
