//! Tables of what is too large for a cell: combined characters, colours of underlines, and links.

use super::cell::{Cell, Content, Style};
use super::grid::Grid;
use super::pen::{Extra, Pen};

/// Combined characters to keep: more than a screen of ordinary size has cells.
const MAX_CLUSTERS: usize = 4_096;

/// Maximum length of a combined character in bytes; what a person takes for one character needs less.
const CLUSTER_BYTES: usize = 64;

/// Pairs of an underline's colour and a link to keep.
const MAX_EXTRAS: usize = 1_024;

/// How far each table can exceed its limit before `tidy`, which visits every cell, removes unused rows.
const SPARE: usize = 256;

/// Rows that cells refer to by index.
#[derive(Debug, Default)]
pub(super) struct Tables {
    clusters: Vec<Box<str>>,
    extras: Vec<Extra>,
    /// How often the tables can be found full before the next attempt to remove rows, after one that removed too few.
    patience: usize,
}

impl Tables {
    /// Writes the characters of a cell.
    pub(super) fn write_text(&self, cell: Cell, out: &mut String) {
        match cell.content() {
            Content::Character(character) => out.push(character),
            Content::Cluster(place) => out.push_str(self.clusters.get(place).map_or(" ", |cluster| cluster)),
        }
    }

    /// The underline's colour and the link of a cell.
    pub(super) fn extra(&self, style: Style) -> Option<&Extra> {
        self.extras.get(usize::from(style.extra).checked_sub(1)?)
    }

    /// Combines a character with the one in this cell, unless too many are combined already.
    pub(super) fn combine(&mut self, cell: &mut Cell, character: char) {
        let mut text = String::new();
        self.write_text(*cell, &mut text);
        if text.len() + character.len_utf8() > CLUSTER_BYTES || self.clusters.len() >= MAX_CLUSTERS + SPARE {
            return;
        }
        text.push(character);
        // Copies of a cell share its index, so a row never changes.
        cell.set_cluster(self.clusters.len() as u32);
        self.clusters.push(text.into_boxed_str());
    }

    /// Sets the index of the pen's colour and link in its style.
    pub(super) fn settle(&mut self, pen: &mut Pen) {
        pen.style.extra = 0;
        if pen.extra == Extra::default() {
            return;
        }
        let known = self.extras.iter().position(|extra| *extra == pen.extra);
        let place = match known {
            Some(place) => place,
            None if self.extras.len() < MAX_EXTRAS + SPARE => {
                self.extras.push(pen.extra.clone());
                self.extras.len() - 1
            }
            // A screen with so many links at once does without further ones.
            None => return,
        };
        pen.style.extra = (place + 1) as u16;
    }

    /// Whether unused rows must be removed before more fit.
    pub(super) fn are_full(&mut self) -> bool {
        let full = self.clusters.len() >= MAX_CLUSTERS + SPARE || self.extras.len() >= MAX_EXTRAS + SPARE;
        if full && self.patience > 0 {
            self.patience -= 1;
            return false;
        }
        full
    }

    /// Removes rows that no cell and no pen refers to.
    pub(super) fn tidy<'a>(
        &mut self,
        grids: impl Iterator<Item = &'a mut Grid>,
        pens: impl Iterator<Item = &'a mut Pen>,
    ) {
        let clusters = std::mem::take(&mut self.clusters);
        let extras = std::mem::take(&mut self.extras);
        let mut cluster_places = vec![None; clusters.len()];
        let mut extra_places = vec![0_u16; extras.len() + 1];
        let mut cells = 0;
        for cell in grids.flat_map(|grid| grid.cells_mut()) {
            cells += 1;
            if let Content::Cluster(old) = cell.content()
                && let Some(place) = cluster_places.get_mut(old)
            {
                let new = *place.get_or_insert_with(|| {
                    self.clusters.push(clusters[old].clone());
                    (self.clusters.len() - 1) as u32
                });
                cell.set_cluster(new);
            }
            let old = usize::from(cell.style.extra);
            if old > 0 && old < extra_places.len() {
                if extra_places[old] == 0 {
                    self.extras.push(extras[old - 1].clone());
                    extra_places[old] = self.extras.len() as u16;
                }
                cell.style.extra = extra_places[old];
            }
        }
        for pen in pens {
            self.settle(pen);
        }
        // The next visit of so many cells then comes after as many characters, however often it removes nothing.
        let in_vain = self.clusters.len() > MAX_CLUSTERS || self.extras.len() > MAX_EXTRAS;
        self.patience = if in_vain { cells } else { 0 };
    }

    /// Removes all rows.
    pub(super) fn clear(&mut self) {
        *self = Tables::default();
    }
}
