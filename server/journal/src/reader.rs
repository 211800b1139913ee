//! Reads a journal, also while it is being written.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::segment::{self, Header};
use super::{JournalError, Parsed, RECORD_HEADER, Record, parse};

/// Bytes to read at a time: the size of a full record of output.
const PIECE: usize = 64 << 10;

/// Reads records in order and follows the journal from segment to segment as it grows.
pub struct Reader {
    directory: PathBuf,
    /// The offset of the next record.
    offset: u64,
    current: Option<Segment>,
    /// Bytes from `offset` on, after `used` bytes that were consumed.
    buffer: Vec<u8>,
    used: usize,
}

struct Segment {
    start: u64,
    file: File,
}

/// The next record, if there is one.
enum Found {
    Record(Record),
    /// The segment ends here, with this many bytes left over.
    End(usize),
    Damaged,
}

impl Reader {
    /// Opens the journal in this directory, which need not exist yet, to read from `from`: the offset of a record or
    /// the end.
    pub fn open(directory: &Path, from: u64) -> io::Result<Reader> {
        let directory = directory.to_owned();
        let mut reader = Reader { directory, offset: from, current: None, buffer: Vec::new(), used: 0 };
        reader.find_segment()?;
        Ok(reader)
    }

    /// Opens the journal in this directory to read at least its last `bytes`, if there are so many: from the
    /// beginning of a segment, the only place where a record is known to begin.
    pub fn open_latest(directory: &Path, bytes: u64) -> io::Result<Reader> {
        let starts = segment::list(directory)?;
        let last = starts.last().copied().unwrap_or_default();
        let end = match std::fs::metadata(segment::path(directory, last)) {
            Ok(metadata) => last + metadata.len().saturating_sub(segment::HEADER),
            Err(error) if error.kind() == ErrorKind::NotFound => last,
            Err(error) => return Err(error),
        };
        let wanted = end.saturating_sub(bytes);
        let from = starts.iter().rev().find(|start| **start <= wanted).or(starts.first());
        Reader::open(directory, from.copied().unwrap_or_default())
    }

    /// The offset of the next record.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The next record. `None`: there is no whole one yet; ask again once the journal has grown.
    // A growing journal is not an iterator: `None` is not its end.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Record>, JournalError> {
        if self.current.is_none() && !self.find_segment()? {
            return self.gap_or_end();
        }
        match self.read()? {
            Found::Record(record) => return Ok(Some(record)),
            Found::Damaged => return Err(JournalError::Corrupt { offset: self.offset }),
            Found::End(_) => {}
        }
        // The next segment is searched first, and only then this one again: it can have grown in between.
        let Some(next) = self.following()? else { return Ok(None) };
        match self.read()? {
            Found::Record(record) => Ok(Some(record)),
            Found::End(0) if next == self.offset => {
                self.go_to(next)?;
                self.next()
            }
            Found::End(0) => self.gap_or_end(),
            Found::End(_) | Found::Damaged => Err(JournalError::Corrupt { offset: self.offset }),
        }
    }

    /// The next record below `end`, which the host reported. A record that is not whole there is damaged;
    /// [`Reader::next`] would wait for its rest without a limit.
    pub fn next_below(&mut self, end: u64) -> Result<Option<Record>, JournalError> {
        if self.offset >= end {
            return Ok(None);
        }
        match self.next()? {
            None => Err(JournalError::Corrupt { offset: self.offset }),
            record => Ok(record),
        }
    }

    /// Moves to the segment after a damaged record and returns its start; `None` if there is none yet.
    pub fn skip_corrupt(&mut self) -> io::Result<Option<u64>> {
        let next = self.following()?;
        if let Some(next) = next {
            self.go_to(next)?;
        }
        Ok(next)
    }

    /// Reads up to the end of the last whole record and returns that offset.
    pub(super) fn last_whole(&mut self) -> io::Result<u64> {
        loop {
            match self.read()? {
                Found::Record(_) => {}
                Found::End(_) | Found::Damaged => return Ok(self.offset),
            }
        }
    }

    /// Opens the segment that holds the next record: the last that starts at or before it.
    fn find_segment(&mut self) -> io::Result<bool> {
        let starts = segment::list(&self.directory)?;
        let Some(start) = starts.into_iter().rev().find(|start| *start <= self.offset) else {
            return Ok(false);
        };
        self.enter(start)
    }

    /// Opens a segment. Returns false if it was deleted meanwhile.
    fn enter(&mut self, start: u64) -> io::Result<bool> {
        match File::open(segment::path(&self.directory, start)) {
            Ok(file) => self.current = Some(Segment { start, file }),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    /// Continues at the beginning of another segment.
    fn go_to(&mut self, start: u64) -> io::Result<()> {
        self.forget();
        self.current = None;
        self.offset = start;
        self.enter(start).map(|_| ())
    }

    /// The first segment after the current one that does not begin before the next record: offsets only grow,
    /// whatever files there are.
    fn following(&self) -> io::Result<Option<u64>> {
        let current = self.current.as_ref().map(|segment| segment.start);
        let follows = |start: &u64| *start >= self.offset && Some(*start) > current;
        Ok(segment::list(&self.directory)?.into_iter().find(follows))
    }

    /// The next part was deleted or lost, unless there is no further segment.
    fn gap_or_end(&mut self) -> Result<Option<Record>, JournalError> {
        match self.following()? {
            Some(resume_at) if resume_at > self.offset => {
                self.go_to(resume_at)?;
                Err(JournalError::Gap { resume_at })
            }
            _ => Ok(None),
        }
    }

    /// The next record of the current segment.
    fn read(&mut self) -> io::Result<Found> {
        let Some(current) = &self.current else { return Ok(Found::End(0)) };
        if self.offset == current.start {
            match segment::check_header(&current.file, current.start)? {
                Header::Good => {}
                Header::Damaged | Header::Newer => return Ok(Found::Damaged),
            }
        }
        let mut fresh = self.used == self.buffer.len();
        loop {
            match parse(&self.buffer[self.used..]) {
                Parsed::Whole(kind, time_us, length) => {
                    let offset = self.offset;
                    // A segment whose name puts it near the end of all offsets is not ours.
                    let Some(next) = offset.checked_add((RECORD_HEADER + length) as u64) else {
                        return Ok(Found::Damaged);
                    };
                    let begin = self.used + RECORD_HEADER;
                    let payload = self.buffer[begin..begin + length].to_vec();
                    self.used = begin + length;
                    self.offset = next;
                    return Ok(Found::Record(Record { offset, next, time_us, kind, payload }));
                }
                Parsed::Incomplete(needed) => {
                    if !self.fill(needed)? {
                        // A writer without space removes a record that it could not finish, so bytes of an incomplete
                        // record must be read again.
                        let left = self.buffer.len() - self.used;
                        self.forget();
                        return Ok(Found::End(left));
                    }
                }
                // For the same reason, damage counts only if the file still has it.
                Parsed::Damaged if fresh => {
                    self.forget();
                    return Ok(Found::Damaged);
                }
                Parsed::Damaged => {
                    self.forget();
                    fresh = true;
                }
            }
        }
    }

    /// Reads until so many bytes are there from the next record on. Returns false if the segment has no more.
    fn fill(&mut self, needed: usize) -> io::Result<bool> {
        let Some(current) = &self.current else { return Ok(false) };
        self.buffer.drain(..self.used);
        self.used = 0;
        while self.buffer.len() < needed {
            let filled = self.buffer.len();
            // In pieces, so that a damaged length cannot claim memory that the file does not fill.
            self.buffer.resize(filled + (needed - filled).clamp(PIECE, 16 * PIECE), 0);
            let position = (self.offset - current.start).saturating_add(segment::HEADER + filled as u64);
            let read = match current.file.read_at(&mut self.buffer[filled..], position) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {
                    self.buffer.truncate(filled);
                    continue;
                }
                result => result.inspect_err(|_| self.buffer.truncate(filled))?,
            };
            self.buffer.truncate(filled + read);
            if read == 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Drops what was read ahead, and releases its memory.
    fn forget(&mut self) {
        self.buffer = Vec::new();
        self.used = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, Writer};
    use std::fs;

    const PAYLOADS: [&[u8]; 4] = [b"one", b"", b"three and more", &[9; 40]];

    fn journal() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        let mut writer = Writer::open(directory.path(), 0).unwrap();
        for payload in PAYLOADS {
            writer.append(Kind::Output, payload).unwrap();
        }
        directory
    }

    #[test]
    fn the_latest_part_begins_with_a_segment() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(Reader::open_latest(directory.path(), 10).unwrap().next().unwrap(), None);
        let mut writer = Writer::open_sized(directory.path(), 7, 100, u64::MAX).unwrap();
        for _ in 0..10 {
            writer.append(Kind::Output, &[7; 83]).unwrap();
        }
        let first =
            |bytes| Reader::open_latest(directory.path(), bytes).unwrap().next().unwrap().unwrap().offset;
        assert_eq!([first(1), first(100), first(101), first(u64::MAX)], [907, 907, 807, 7]);
    }

    #[test]
    fn records_come_out_as_they_went_in() {
        let directory = journal();
        let mut reader = Reader::open(directory.path(), 0).unwrap();
        let mut offset = 0;
        for payload in PAYLOADS {
            let record = reader.next().unwrap().unwrap();
            assert_eq!((record.offset, record.kind, &record.payload[..]), (offset, Kind::Output, payload));
            assert!(record.time_us > 1_600_000_000_000_000);
            offset = record.next;
        }
        assert!(reader.next().unwrap().is_none());
        assert_eq!(reader.offset(), offset);
    }

    #[test]
    fn a_flipped_byte_anywhere_never_gives_a_wrong_record() {
        let directory = journal();
        let path = segment::path(directory.path(), 0);
        let bytes = fs::read(&path).unwrap();
        let end = bytes.len() as u64 - segment::HEADER;
        for position in 0..bytes.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut flipped = bytes.clone();
                flipped[position] ^= flip;
                fs::write(&path, &flipped).unwrap();
                let mut reader = Reader::open(directory.path(), 0).unwrap();
                let mut good = 0;
                let stopped = loop {
                    match reader.next_below(end) {
                        Ok(Some(record)) => assert_eq!(record.payload, PAYLOADS[good]),
                        other => break other,
                    }
                    good += 1;
                };
                assert!(matches!(stopped, Err(JournalError::Corrupt { .. })), "{position}: {stopped:?}");
                assert!(good < PAYLOADS.len());
            }
        }
    }

    #[test]
    fn damage_is_passed_by_going_to_the_next_segment() {
        let directory = journal();
        let path = segment::path(directory.path(), 0);
        let mut bytes = fs::read(&path).unwrap();
        bytes[segment::HEADER as usize + 5] ^= 1;
        let end = bytes.len() as u64 - segment::HEADER;
        fs::write(&path, &bytes).unwrap();

        let mut reader = Reader::open(directory.path(), 0).unwrap();
        assert!(matches!(reader.next(), Err(JournalError::Corrupt { offset: 0 })));
        assert_eq!(reader.skip_corrupt().unwrap(), None);
        assert!(matches!(reader.next(), Err(JournalError::Corrupt { offset: 0 })));

        let mut writer = Writer::open(directory.path(), end).unwrap();
        writer.append(Kind::Input, b"later").unwrap();
        // The writer truncated the damage; for a reader that is a gap.
        assert!(matches!(reader.next(), Err(JournalError::Gap { resume_at }) if resume_at == end));
        assert_eq!(reader.next().unwrap().unwrap().payload, b"later");

        let mut skipping = Reader::open(directory.path(), 0).unwrap();
        assert_eq!(skipping.skip_corrupt().unwrap(), Some(end));
        assert_eq!(skipping.next().unwrap().unwrap().payload, b"later");
    }

    #[test]
    fn an_unfinished_record_before_another_segment_is_damage() {
        let directory = journal();
        let path = segment::path(directory.path(), 0);
        let bytes = fs::read(&path).unwrap();
        let end = bytes.len() as u64 - segment::HEADER;
        segment::create(directory.path(), end).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        let mut reader = Reader::open(directory.path(), 0).unwrap();
        for payload in &PAYLOADS[..3] {
            assert_eq!(reader.next().unwrap().unwrap().payload, *payload);
        }
        assert!(matches!(reader.next(), Err(JournalError::Corrupt { .. })));
        assert_eq!(reader.skip_corrupt().unwrap(), Some(end));
    }

    #[test]
    fn a_segment_inside_of_another_is_passed_over() {
        let directory = journal();
        let end = segment::path(directory.path(), 0).metadata().unwrap().len() - segment::HEADER;
        segment::create(directory.path(), 40).unwrap();
        segment::create(directory.path(), end + 100).unwrap();
        Writer::open(directory.path(), 0).unwrap().append(Kind::Input, b"later").unwrap();
        let mut reader = Reader::open(directory.path(), 0).unwrap();
        for payload in PAYLOADS {
            assert_eq!(reader.next().unwrap().unwrap().payload, payload);
        }
        assert!(matches!(reader.next(), Err(JournalError::Gap { resume_at }) if resume_at == end + 100));
        assert_eq!(reader.next().unwrap().unwrap().payload, b"later");
    }

    #[test]
    fn a_segment_at_the_end_of_all_offsets_is_damage_that_nothing_follows() {
        let directory = journal();
        segment::create(directory.path(), u64::MAX).unwrap();
        assert_eq!(
            Writer::open(directory.path(), 0).unwrap().append(Kind::Input, b"x").unwrap_err().kind(),
            ErrorKind::StorageFull
        );
        let header = crate::record_header(Kind::Output, 1, b"").unwrap();
        let path = segment::path(directory.path(), u64::MAX);
        fs::write(&path, [&fs::read(&path).unwrap()[..], &header].concat()).unwrap();
        let mut reader = Reader::open(directory.path(), u64::MAX).unwrap();
        assert!(matches!(reader.next(), Err(JournalError::Corrupt { offset: u64::MAX })));
        assert_eq!(reader.skip_corrupt().unwrap(), None);
    }

    #[test]
    fn a_file_whose_name_is_nearly_that_of_a_segment_is_none() {
        let directory = journal();
        fs::write(directory.path().join("+0000000000000000500.log"), b"").unwrap();
        assert_eq!(segment::list(directory.path()).unwrap(), [0]);
        Writer::open(directory.path(), 0).unwrap();
    }

    #[test]
    fn a_reader_follows_a_journal_that_does_not_exist_yet() {
        let directory = tempfile::tempdir().unwrap();
        let journal = directory.path().join("journal");
        let mut reader = Reader::open(&journal, 0).unwrap();
        assert!(reader.next().unwrap().is_none());
        let mut writer = Writer::open(&journal, 0).unwrap();
        assert!(reader.next().unwrap().is_none());
        for number in 0..100_u8 {
            writer.append(Kind::Output, &[number]).unwrap();
            assert_eq!(reader.next().unwrap().unwrap().payload, [number]);
            assert!(reader.next().unwrap().is_none());
        }
    }

    #[test]
    fn a_reader_follows_rotation_while_the_journal_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().to_owned();
        let pieces = 700_u32;
        let writing = std::thread::spawn(move || {
            let mut writer = Writer::open(&path, 0).unwrap();
            for number in 0..pieces {
                writer.append(Kind::Output, &vec![number as u8; 64 << 10]).unwrap();
            }
        });
        let mut reader = Reader::open(directory.path(), 0).unwrap();
        let mut number = 0;
        while number < pieces {
            match reader.next().unwrap() {
                Some(record) => {
                    assert_eq!(record.payload, vec![number as u8; 64 << 10]);
                    number += 1;
                }
                None => std::thread::yield_now(),
            }
        }
        writing.join().unwrap();
        assert!(reader.next().unwrap().is_none());
        assert!(segment::list(directory.path()).unwrap().len() > 2);
    }

    #[test]
    fn a_record_taken_back_and_written_anew_is_read_as_it_is_now() {
        let directory = tempfile::tempdir().unwrap();
        let mut writer = Writer::open(directory.path(), 0).unwrap();
        let mut reader = Reader::open(directory.path(), 0).unwrap();
        let path = segment::path(directory.path(), 0);
        let half = crate::record_header(Kind::Output, 1, &[1; 900]).unwrap();
        let mut bytes = fs::read(&path).unwrap();
        bytes.extend(half);
        fs::write(&path, &bytes).unwrap();
        assert!(reader.next().unwrap().is_none());
        bytes.truncate(segment::HEADER as usize);
        fs::write(&path, &bytes).unwrap();
        writer.append(Kind::Input, b"instead").unwrap();
        assert_eq!(reader.next().unwrap().unwrap().payload, b"instead");
    }

    #[test]
    fn a_large_record_is_read_whole() {
        let directory = tempfile::tempdir().unwrap();
        let mut writer = Writer::open(directory.path(), 0).unwrap();
        let large: Vec<u8> = (0..5_000_000_u32).map(|n| n as u8).collect();
        writer.append(Kind::Input, &large).unwrap();
        writer.append(Kind::Input, b"after").unwrap();
        let mut reader = Reader::open(directory.path(), 0).unwrap();
        assert_eq!(reader.next().unwrap().unwrap().payload, large);
        assert_eq!(reader.next().unwrap().unwrap().payload, b"after");
    }
}
