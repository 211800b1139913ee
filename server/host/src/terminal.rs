//! The terminal of a session as people see it: its screen, and the viewers that display it.
//!
//! Claude's output is journaled first and shown then. The host never waits for a viewer that reads too slowly: that
//! viewer misses output, and gets the whole screen once it has read its backlog.

mod model;
mod queries;
mod viewer;

use std::path::Path;

use super::connection::Connection;
use super::launch::Sizing;
use super::screen;
use super::wire::{FromHost, Size};
use model::Model;
use queries::Queries;
use viewer::Viewer;

pub(super) use viewer::Request;

/// The size of a terminal that had no viewer yet.
pub(super) const SIZE: Size = Size { columns: 80, rows: 24 };

/// Maximum number of viewers of a session: a person's windows, and some scripts. Each can occupy a bounded piece of
/// memory.
const MAX_VIEWERS: usize = 32;

/// A terminal's screen and its viewers.
pub(super) struct Terminal {
    model: Model,
    viewers: Vec<Viewer>,
    queries: Queries,
    sizing: Sizing,
    /// Counts what viewers do, so that the viewer that acted last is known.
    acts: u64,
}

impl Terminal {
    pub(super) fn new(sizing: Sizing) -> Terminal {
        let model = Model::new(fit(SIZE));
        Terminal { model, viewers: Vec::new(), queries: Queries::new(), sizing, acts: 0 }
    }

    /// Shows Claude's output.
    pub(super) fn show(&mut self, bytes: &[u8], journal: &Path) {
        let typing = self.viewers.iter().filter(|viewer| viewer.counts());
        let newest = typing.max_by_key(|viewer| viewer.acted).map(|viewer| viewer.id);
        let answering = self.queries.answered_by(newest);
        // A single viewer, as nearly always, gets the bytes as they are.
        let others = self.viewers.iter().any(|viewer| Some(viewer.id) != answering);
        let without_queries = others.then(|| self.queries.without(bytes));
        if !others {
            self.queries.follow(bytes);
        }
        for viewer in &mut self.viewers {
            match &without_queries {
                Some(rest) if Some(viewer.id) != answering => viewer.show(rest),
                _ => viewer.show(bytes),
            }
        }
        self.model.feed(bytes, journal);
    }

    /// Adds a viewer, or sends it the reason why not. Returns the terminal's new size if it changes with that.
    pub(super) fn admit(
        &mut self,
        mut connection: Connection,
        size: Size,
        read_only: bool,
        journal: &Path,
    ) -> Option<Size> {
        if self.viewers.len() >= MAX_VIEWERS {
            connection
                .send(&FromHost::Refused(format!("{MAX_VIEWERS} viewers are attached already, the maximum")));
            return None;
        }
        self.acts += 1;
        let mut viewer = Viewer::new(connection, fit(size), read_only, self.acts);
        let wanted = self.wanted_with(Some(&viewer));
        if wanted.is_none() {
            viewer.paint(&mut self.model, journal);
        }
        self.viewers.push(viewer);
        wanted
    }

    /// The size that the viewers ask for, if the terminal has another one.
    fn wanted_with(&self, more: Option<&Viewer>) -> Option<Size> {
        let viewers = self.viewers.iter().chain(more).filter(|viewer| viewer.counts());
        let wanted = match self.sizing {
            Sizing::Latest => viewers.max_by_key(|viewer| viewer.acted).map(|viewer| viewer.size),
            Sizing::Smallest => viewers.map(|viewer| viewer.size).reduce(|one, other| Size {
                columns: one.columns.min(other.columns),
                rows: one.rows.min(other.rows),
            }),
        };
        wanted.filter(|size| *size != self.model.size())
    }

    /// The terminal has this size now: every viewer gets the whole screen.
    pub(super) fn resized(&mut self, size: Size, journal: &Path) {
        self.model.resize(size, journal);
        for viewer in &mut self.viewers {
            viewer.paint(&mut self.model, journal);
        }
    }

    /// Releases memory that is not needed while nothing is shown.
    pub(super) fn trim(&mut self, journal: &Path) {
        self.model.trim(journal);
    }

    /// The viewers, for their descriptors and backlogs.
    pub(super) fn viewers(&self) -> impl Iterator<Item = &Connection> {
        self.viewers.iter().map(|viewer| &viewer.connection)
    }

    /// Reads from every viewer, sends backlogs, and removes viewers that have left. Returns the keys to type, in
    /// order, and the terminal's new size if it changes. While `holds_keys`, nothing is read: Claude must read its waiting
    /// input first.
    pub(super) fn read(&mut self, holds_keys: bool, journal: &Path) -> (Vec<Vec<u8>>, Option<Size>) {
        let mut typed = Vec::new();
        for viewer in &mut self.viewers {
            viewer.catch_up(&mut self.model, journal);
            for request in viewer.read(holds_keys) {
                self.acts += 1;
                viewer.acted = self.acts;
                match request {
                    Request::Type(keys) => typed.push(keys),
                    Request::Resize(size) => viewer.size = fit(size),
                }
            }
        }
        self.viewers.retain(|viewer| !viewer.connection.is_over());
        (typed, self.wanted_with(None))
    }
}

/// The nearest size that a screen can have.
fn fit(size: Size) -> Size {
    let screen::Size { columns, rows } = screen::Size::new(size.columns, size.rows);
    Size { columns, rows }
}
