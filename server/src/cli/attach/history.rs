//! The lines that scrolled off the screen. They are read from the session's journal, so no process keeps them in memory.

use std::collections::VecDeque;
use std::path::Path;

use areyouj_host::screen::{Screen, Size};
use areyouj_host::terminal_size;
use areyouj_journal::{Kind, latest_output};

/// Bytes of output that are usually enough for a thousand lines.
const USUAL_BYTES: u64 = 256 << 10;

/// The most bytes of output that are read. They take a few milliseconds.
const MAX_BYTES: u64 = 2 << 20;

/// The newest lines of history, at most this many, as bytes for a terminal. Empty if there is no journal.
pub(super) fn latest(journal: &Path, lines: usize) -> Vec<u8> {
    let output = if lines == 0 { VecDeque::new() } else { latest_output(journal, MAX_BYTES) };
    let mut screen = screen_after(&output, USUAL_BYTES, lines);
    if screen.history().count() < lines {
        screen = screen_after(&output, MAX_BYTES, lines);
    }
    screen.history().flat_map(|line| [line, b"\r\n"]).flatten().copied().collect()
}

/// A screen after about this many of the last bytes of output.
fn screen_after(output: &VecDeque<(Kind, Vec<u8>)>, bytes: u64, lines: usize) -> Screen {
    let (columns, rows) = terminal_size();
    let mut screen = Screen::with_history(Size::new(columns, rows), lines);
    let mut left: u64 = output.iter().map(|(_, bytes)| bytes.len() as u64).sum();
    for (kind, payload) in output {
        match (kind, &payload[..]) {
            (Kind::Resized, &[a, b, c, d, ..]) => {
                screen.resize(Size::new(u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d])));
            }
            (Kind::Output, _) if left <= bytes => screen.feed(payload),
            _ => {}
        }
        left -= payload.len() as u64;
    }
    screen
}

#[cfg(test)]
mod tests {
    use super::*;
    use areyouj_journal::Writer;

    #[test]
    fn only_lines_that_scrolled_off_the_screen_are_history() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(latest(directory.path(), 10), b"");
        let mut writer = Writer::open(directory.path(), 0).unwrap();
        writer.append(Kind::Resized, &[20, 0, 3, 0]).unwrap();
        writer.append(Kind::Output, b"one\r\ntwo\r\n\x1b[31mthr").unwrap();
        writer.append(Kind::Typed, b"not this").unwrap();
        writer.append(Kind::Output, b"ee\x1b[m\r\nfour\r\nfive\r\nsix").unwrap();
        assert_eq!(latest(directory.path(), 10), b"one\r\ntwo\r\n\x1b[0;31mthree\x1b[0m\r\n");
        assert_eq!(latest(directory.path(), 1), b"\x1b[0;31mthree\x1b[0m\r\n");
        assert_eq!(latest(directory.path(), 0), b"");
    }
}
