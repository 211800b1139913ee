//! The lines that went off the top of the screen, out of the session's journal: nobody keeps them in memory.

use std::path::Path;

use crate::host::journal::{Kind, latest_output};
use crate::host::screen::{Screen, Size};
use crate::host::terminal_size;

/// How much of the journal is looked at: thousands of lines, read in some milliseconds.
const BYTES: u64 = 4 << 20;

/// Up to this many lines, as a terminal takes them. Without a journal there are none.
pub(super) fn latest(journal: &Path, lines: usize) -> Vec<u8> {
    let mut out = Vec::new();
    if lines == 0 {
        return out;
    }
    let mut screen = Screen::with_history(Size::new(terminal_size().0, terminal_size().1), lines);
    for (kind, bytes) in latest_output(journal, BYTES) {
        match (kind, &bytes[..]) {
            (Kind::Resized, &[a, b, c, d, ..]) => {
                screen.resize(Size::new(u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d])));
            }
            _ => screen.feed(&bytes),
        }
    }
    for line in screen.history() {
        out.extend_from_slice(line);
        out.extend_from_slice(b"\r\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::journal::Writer;

    #[test]
    fn what_went_off_the_top_is_told_and_what_stands_there_is_not() {
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
