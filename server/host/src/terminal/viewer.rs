//! One viewer of a terminal.

use std::path::Path;

use super::super::connection::Connection;
use super::super::wire::{FromHost, Size, ToHost};
use super::model::Model;

/// How far a viewer may be behind before it misses output: a burst that a viewer on a busy machine takes in a moment.
const MAX_BEHIND: usize = 2 << 20;

/// How much of a screen goes into one frame: that of a huge terminal may be more than a frame can be.
const PAINTED: usize = 1 << 20;

/// What a viewer asks for.
pub(in super::super) enum Request {
    /// Keys for Claude.
    Type(Vec<u8>),
    /// Its own terminal has this size now.
    Resize(Size),
}

/// A viewer.
pub(super) struct Viewer {
    pub(super) connection: Connection,
    pub(super) size: Size,
    read_only: bool,
    /// When it last did something, by the terminal's count.
    pub(super) acted: u64,
    /// It misses output, and is to be shown the whole screen.
    lagging: bool,
}

impl Viewer {
    pub(super) fn new(connection: Connection, size: Size, read_only: bool, acted: u64) -> Viewer {
        Viewer { connection, size, read_only, acted, lagging: false }
    }

    /// Whether the terminal's size is to suit it.
    pub(super) fn counts(&self) -> bool {
        !self.read_only
    }

    /// Sends it this output, unless it is too far behind.
    pub(super) fn show(&mut self, bytes: &[u8]) {
        if self.lagging {
            return;
        }
        if self.connection.unsent() + bytes.len() > MAX_BEHIND {
            self.lagging = true;
            return;
        }
        self.connection.send_parts(&FromHost::output_header(bytes.len()), bytes);
    }

    /// Sends it the whole screen, as soon as it has taken what waits.
    pub(super) fn paint(&mut self, model: &mut Model, journal: &Path) {
        self.lagging = true;
        self.catch_up(model, journal);
    }

    /// Sends what waits, and then the whole screen if it missed output.
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

    /// What it asked for since, if it may. A frame that is not a viewer's is passed over.
    pub(super) fn hear(&mut self, deaf: bool) -> Vec<Request> {
        let mut requests = Vec::new();
        if deaf {
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
