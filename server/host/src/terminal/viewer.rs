//! One viewer of a terminal.

use std::path::Path;

use super::super::connection::Connection;
use super::super::wire::{FromHost, Size, ToHost};
use super::model::Model;

/// How far a viewer can be behind before it misses output: a burst that a viewer on a busy machine reads in a moment.
const MAX_BEHIND: usize = 2 << 20;

/// How much of a screen goes into one frame: the screen of a huge terminal can exceed a frame.
const PAINTED: usize = 1 << 20;

/// A request of a viewer.
pub(in super::super) enum Request {
    /// Keys for Claude.
    Type(Vec<u8>),
    /// Its own terminal has this size now.
    Resize(Size),
}

/// A viewer.
pub(super) struct Viewer {
    /// Its number, by the terminal's count.
    pub(super) id: u64,
    pub(super) connection: Connection,
    pub(super) size: Size,
    read_only: bool,
    /// When it last acted, by the terminal's count.
    pub(super) acted: u64,
    /// It missed output, and must get the whole screen.
    lagging: bool,
}

impl Viewer {
    pub(super) fn new(connection: Connection, size: Size, read_only: bool, id: u64) -> Viewer {
        Viewer { id, connection, size, read_only, acted: id, lagging: false }
    }

    /// Whether the terminal's size must suit it.
    pub(super) fn counts(&self) -> bool {
        !self.read_only
    }

    /// Sends it this output, unless it is too far behind.
    pub(super) fn show(&mut self, bytes: &[u8]) {
        if self.lagging || bytes.is_empty() {
            return;
        }
        if self.connection.unsent() + bytes.len() > MAX_BEHIND {
            self.lagging = true;
            return;
        }
        self.connection.send_parts(&FromHost::output_header(bytes.len()), bytes);
    }

    /// Sends it the whole screen, as soon as it has read its backlog.
    pub(super) fn paint(&mut self, model: &mut Model, journal: &Path) {
        self.lagging = true;
        self.catch_up(model, journal);
    }

    /// Sends the backlog, and then the whole screen if the viewer missed output.
    pub(super) fn catch_up(&mut self, model: &mut Model, journal: &Path) {
        self.connection.flush();
        if self.lagging && !self.connection.has_unsent() {
            self.lagging = false;
            let screen = model.repaint(journal);
            let (first, rest) = screen.split_at(screen.len().min(PAINTED));
            let mut frame = Vec::new();
            FromHost::Screen { size: model.size(), bytes: first.to_vec() }.encode(&mut frame);
            self.connection.send_encoded(&frame);
            for piece in rest.chunks(PAINTED) {
                self.connection.send_parts(&FromHost::output_header(piece.len()), piece);
            }
        }
    }

    /// Its requests since the last call, as far as it has the right to them. Frames of other kinds are ignored.
    pub(super) fn read(&mut self, holds_keys: bool) -> Vec<Request> {
        let mut requests = Vec::new();
        if holds_keys {
            return requests;
        }
        self.connection.receive();
        while let Some(frame) = self.connection.next_frame() {
            match frame {
                ToHost::Typed(keys) if !self.read_only && !keys.is_empty() => {
                    requests.push(Request::Type(keys));
                }
                ToHost::Resize(size) => requests.push(Request::Resize(size)),
                _ => {}
            }
        }
        requests
    }
}
