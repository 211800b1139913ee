//! The screen of a terminal, proof against defects of what reads it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::super::journal::{Kind, Reader};
use super::super::log;
use super::super::screen::{self, Screen};
use super::super::wire::Size;

/// How much of the journal makes a screen again: Claude paints the whole of it within far less.
const REBUILD_BYTES: u64 = 1 << 20;

/// What reads escape sequences; only a test has another one than [`Screen`].
pub(super) trait Emulator {
    fn with_size(size: Size) -> Self;
    fn feed(&mut self, bytes: &[u8]);
    fn resize(&mut self, size: Size);
    fn repaint(&self) -> Vec<u8>;
}

impl Emulator for Screen {
    fn with_size(size: Size) -> Screen {
        Screen::new(screen::Size::new(size.columns, size.rows))
    }

    fn feed(&mut self, bytes: &[u8]) {
        Screen::feed(self, bytes);
    }

    fn resize(&mut self, size: Size) {
        Screen::resize(self, screen::Size::new(size.columns, size.rows));
    }

    fn repaint(&self) -> Vec<u8> {
        Screen::repaint(self)
    }
}

/// The screen as it is now.
pub(super) struct Model<E = Screen> {
    emulator: E,
    size: Size,
}

impl<E: Emulator> Model<E> {
    pub(super) fn new(size: Size) -> Model<E> {
        Model { emulator: E::with_size(size), size }
    }

    pub(super) fn size(&self) -> Size {
        self.size
    }

    /// Bytes that make any terminal show the screen. Nothing, if that is what upsets it: the next output is shown.
    pub(super) fn repaint(&self) -> Vec<u8> {
        catch_unwind(AssertUnwindSafe(|| self.emulator.repaint())).unwrap_or_default()
    }

    /// Takes in what Claude wrote, which stands at the end of this journal.
    pub(super) fn feed(&mut self, bytes: &[u8], journal: &Path) {
        if catch_unwind(AssertUnwindSafe(|| self.emulator.feed(bytes))).is_err() {
            self.rebuild(journal);
        }
    }

    pub(super) fn resize(&mut self, size: Size, journal: &Path) {
        self.size = size;
        if catch_unwind(AssertUnwindSafe(|| self.emulator.resize(size))).is_err() {
            self.rebuild(journal);
        }
    }

    /// Makes the screen anew out of the journal, without the records that upset it.
    fn rebuild(&mut self, journal: &Path) {
        log("the screen met a sequence that it cannot take, and is made anew from the journal");
        self.emulator = E::with_size(self.size);
        for bytes in last_output(journal) {
            let fed = catch_unwind(AssertUnwindSafe(|| self.emulator.feed(&bytes)));
            if fed.is_err() {
                self.emulator = E::with_size(self.size);
            }
        }
    }
}

/// The latest pieces of output in this journal, in order; none if it cannot be read.
fn last_output(journal: &Path) -> Vec<Vec<u8>> {
    let mut pieces = std::collections::VecDeque::new();
    let mut kept = 0;
    let Ok(mut reader) = Reader::open_latest(journal, REBUILD_BYTES) else { return Vec::new() };
    while let Ok(Some(record)) = reader.next() {
        if record.kind == Kind::Output {
            kept += record.payload.len() as u64;
            pieces.push_back(record.payload);
        }
        while kept > REBUILD_BYTES
            && let Some(oldest) = pieces.pop_front()
        {
            kept -= oldest.len() as u64;
        }
    }
    pieces.into()
}
