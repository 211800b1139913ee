//! The screen of a terminal, proof against defects of its parser.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::super::log;
use super::super::screen::{self, Screen};
use super::super::wire::Size;
use areyouj_journal::{Kind, latest_output};

/// How much of the journal rebuilds a screen: Claude paints all of it within far less.
const REBUILD_BYTES: u64 = 1 << 20;

/// How much output can wait to be parsed: no viewer sees every line of a flood, so most of it never needs parsing,
/// see [`Screen::feed`].
const WAITING_BYTES: usize = 64 << 10;

/// A parser of escape sequences; only a test has another one than [`Screen`].
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
    /// Later output that is not parsed yet.
    waiting: Vec<u8>,
    size: Size,
}

impl<E: Emulator> Model<E> {
    pub(super) fn new(size: Size) -> Model<E> {
        Model { emulator: E::with_size(size), waiting: Vec::new(), size }
    }

    pub(super) fn size(&self) -> Size {
        self.size
    }

    /// Bytes that make any terminal show the screen. Empty if producing them panics: the next output is shown.
    pub(super) fn repaint(&mut self, journal: &Path) -> Vec<u8> {
        self.settle(journal);
        catch_unwind(AssertUnwindSafe(|| self.emulator.repaint())).unwrap_or_default()
    }

    /// Adds output of Claude's, which is at the end of this journal.
    pub(super) fn feed(&mut self, bytes: &[u8], journal: &Path) {
        self.waiting.reserve_exact(WAITING_BYTES.saturating_sub(self.waiting.len()));
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= WAITING_BYTES {
            self.settle(journal);
        }
    }

    /// Parses the waiting output and releases its memory.
    pub(super) fn trim(&mut self, journal: &Path) {
        self.settle(journal);
        self.waiting = Vec::new();
    }

    /// Parses the waiting output.
    fn settle(&mut self, journal: &Path) {
        if catch_unwind(AssertUnwindSafe(|| self.emulator.feed(&self.waiting))).is_err() {
            self.rebuild(journal);
        }
        self.waiting.clear();
    }

    pub(super) fn resize(&mut self, size: Size, journal: &Path) {
        self.settle(journal);
        self.size = size;
        if catch_unwind(AssertUnwindSafe(|| self.emulator.resize(size))).is_err() {
            self.rebuild(journal);
        }
    }

    /// Rebuilds the screen from the journal, without the records that make the parser panic.
    fn rebuild(&mut self, journal: &Path) {
        log("a sequence broke the screen model, which is rebuilt from the journal");
        self.emulator = E::with_size(self.size);
        for (_, bytes) in
            latest_output(journal, REBUILD_BYTES).into_iter().filter(|(kind, _)| *kind == Kind::Output)
        {
            let fed = catch_unwind(AssertUnwindSafe(|| self.emulator.feed(&bytes)));
            if fed.is_err() {
                self.emulator = E::with_size(self.size);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use areyouj_journal::Writer;

    /// Shows what it was fed, and panics at an exclamation mark.
    struct Brittle(Vec<u8>);

    impl Emulator for Brittle {
        fn with_size(_: Size) -> Brittle {
            Brittle(Vec::new())
        }

        fn feed(&mut self, bytes: &[u8]) {
            assert!(!bytes.contains(&b'!'), "it breaks");
            self.0.extend_from_slice(bytes);
        }

        fn resize(&mut self, size: Size) {
            assert!(size.columns > 9, "it breaks");
        }

        fn repaint(&self) -> Vec<u8> {
            assert!(!self.0.contains(&b'?'), "it breaks");
            self.0.clone()
        }
    }

    #[test]
    fn a_screen_that_breaks_is_made_anew_from_the_journal_without_what_broke_it() {
        let journal = tempfile::tempdir().unwrap();
        let mut writer = Writer::open(journal.path(), 0).unwrap();
        let size = Size { columns: 80, rows: 24 };
        let mut model = Model::<Brittle>::new(size);
        for piece in [&b"lost with what broke it "[..], b"bad!", b"good "] {
            writer.append(Kind::Output, piece).unwrap();
            model.feed(piece, journal.path());
            model.trim(journal.path());
        }
        assert_eq!(model.repaint(journal.path()), b"good ");
        model.resize(Size { columns: 5, rows: 5 }, journal.path());
        assert_eq!((model.repaint(journal.path()), model.size().columns), (b"good ".to_vec(), 5));
        model.feed(b"?", journal.path());
        assert_eq!(model.repaint(journal.path()), b"");
    }

    /// A screen that panics at an exclamation mark.
    struct Fragile(Screen);

    impl Emulator for Fragile {
        fn with_size(size: Size) -> Fragile {
            Fragile(Screen::with_size(size))
        }

        fn feed(&mut self, bytes: &[u8]) {
            assert!(!bytes.contains(&b'!'), "it breaks");
            Screen::feed(&mut self.0, bytes);
        }

        fn resize(&mut self, size: Size) {
            Emulator::resize(&mut self.0, size);
        }

        fn repaint(&self) -> Vec<u8> {
            Screen::repaint(&self.0)
        }
    }

    #[test]
    fn a_screen_of_any_size_is_rebuilt_and_continues() {
        for (columns, rows) in
            [(0, 0), (1, 1), (2, 2), (1, 1_000), (80, 24), (1_000, 1), (u16::MAX, u16::MAX)]
        {
            let size = Size { columns, rows };
            let journal = tempfile::tempdir().unwrap();
            let mut writer = Writer::open(journal.path(), 0).unwrap();
            let mut model = Model::<Fragile>::new(size);
            let mut never_broke = Screen::with_size(size);
            for piece in ["bad!", "\x1b[2J\x1b[31mgood 中文\r\n", "\x1b[9;9H\x1b[?25l"] {
                writer.append(Kind::Output, piece.as_bytes()).unwrap();
                model.feed(piece.as_bytes(), journal.path());
                model.settle(journal.path());
                if !piece.contains('!') {
                    Screen::feed(&mut never_broke, piece.as_bytes());
                }
            }
            assert!(model.repaint(journal.path()) == never_broke.repaint(), "{size:?}");
            for (columns, rows) in [(1, 1), (3, 2), (0, 500), (80, 24)] {
                let size = Size { columns, rows };
                model.resize(size, journal.path());
                Emulator::resize(&mut never_broke, size);
                assert!(model.repaint(journal.path()) == never_broke.repaint(), "{size:?}");
            }
        }
    }
}
