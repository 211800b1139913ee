//! A viewer of a session's terminal, with a terminal of its own.

use areyouj_host::launch::Sizing;
use areyouj_host::screen::{self, Screen};
use areyouj_host::wire::{CONTRACT, FromHost, Size, ToHost};

use crate::session::{Controller, Session};

/// The size of an ordinary terminal.
pub(crate) const SIZE: Size = Size { columns: 80, rows: 24 };

/// How much of what it received a viewer keeps.
const KEPT: usize = 64 << 10;

/// A session whose program has a terminal.
pub(crate) fn at_terminal(script: &str, sizing: Sizing) -> Session {
    let mut session = Session::shell(script);
    session.launch.terminal = Some(sizing);
    session.launch.environment.push(("TERM".into(), "xterm-256color".into()));
    session
}

/// A viewer, and what its own terminal shows.
pub(crate) struct Viewer {
    pub(crate) connection: Controller,
    pub(crate) screen: Screen,
    /// The program's latest output since the viewer attached, without what it missed.
    pub(crate) output: Vec<u8>,
    /// The length of all that output.
    pub(crate) received: usize,
    /// How often it got the whole screen.
    pub(crate) paints: usize,
    pub(crate) size: Size,
}

impl Viewer {
    pub(crate) fn of(session: &Session, size: Size, read_only: bool) -> Viewer {
        let mut viewer = Viewer::at(Viewer::connection(session, size, read_only), size);
        viewer.until(|viewer| viewer.paints > 0);
        viewer
    }

    /// A connection that asked for the screen and has read nothing yet.
    pub(crate) fn connection(session: &Session, size: Size, read_only: bool) -> Controller {
        let mut connection = session.connect_silently();
        connection.send(&ToHost::Attach { contract: CONTRACT, size, read_only });
        connection
    }

    /// A viewer at the other end of this connection.
    pub(crate) fn at(connection: Controller, size: Size) -> Viewer {
        let screen = Screen::new(screen::Size::new(size.columns, size.rows));
        Viewer { connection, screen, output: Vec::new(), received: 0, paints: 0, size }
    }

    /// Reads until it is enough. Returns false if the host closed the connection before.
    pub(crate) fn tries_until(&mut self, enough: impl Fn(&Viewer) -> bool) -> bool {
        while !enough(self) {
            match self.connection.receive() {
                Some(FromHost::Screen { size, bytes }) => {
                    self.paints += 1;
                    self.size = size;
                    self.screen.feed(&bytes);
                }
                Some(FromHost::Output(bytes)) => {
                    self.screen.feed(&bytes);
                    self.received += bytes.len();
                    self.output.extend_from_slice(&bytes);
                    self.output.drain(..self.output.len().saturating_sub(KEPT));
                }
                Some(other) => panic!("{other:?}"),
                None => return false,
            }
        }
        true
    }

    pub(crate) fn until(&mut self, enough: impl Fn(&Viewer) -> bool) {
        assert!(self.tries_until(enough), "the host hung up");
    }

    pub(crate) fn shows(&self, text: &str) -> bool {
        self.screen.rows_text().iter().any(|row| row.contains(text))
    }

    pub(crate) fn waits_for(&mut self, text: &str) {
        self.until(|viewer| viewer.shows(text));
    }

    pub(crate) fn types(&mut self, keys: &str) {
        self.connection.send(&ToHost::Typed(keys.into()));
    }
}
