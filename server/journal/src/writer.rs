//! The one writer of a journal.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, IoSlice, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::segment::{self, Header};
use super::{Kind, RECORD_HEADER, Reader, record_header};

/// Size of a segment: small enough to be checked in a moment at a start, large enough for few segments.
const SEGMENT_SIZE: u64 = 16 << 20;

/// How much ingested journal to keep: enough to find the cause of an error, little enough for many sessions.
const KEPT: u64 = 64 << 20;

/// Appends records to a journal. A journal has one writer at a time; the session's lock ensures that.
pub struct Writer {
    directory: PathBuf,
    file: File,
    /// The name of the current segment survives a power cut.
    settled: bool,
    /// Where the current segment starts.
    start: u64,
    end: u64,
    /// Where the oldest segment starts.
    oldest: u64,
    /// The daemon has ingested the part before this offset.
    ingested: u64,
    /// A failed append can have left bytes beyond `end`.
    torn: bool,
    segment_size: u64,
    kept: u64,
}

impl Writer {
    /// Opens the journal in this directory, creates it if necessary, and removes an incomplete record at its end.
    ///
    /// `floor` is the ingested offset. If a power cut took more from the journal, the journal continues there, so
    /// that no offset belongs to two different records. A journal of a newer program is an error of kind
    /// [`ErrorKind::Unsupported`].
    pub fn open(directory: &Path, floor: u64) -> io::Result<Writer> {
        Writer::open_sized(directory, floor, SEGMENT_SIZE, KEPT)
    }

    pub(crate) fn open_sized(
        directory: &Path,
        floor: u64,
        segment_size: u64,
        kept: u64,
    ) -> io::Result<Writer> {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        let starts = segment::list(directory)?;
        let (start, end, file) = match starts.last() {
            Some(start) => {
                let end = repair(directory, *start)?;
                (*start, end, segment::append_to(&segment::path(directory, *start))?)
            }
            // Nothing waits for the disk before there is a record to keep: a start is quicker by that.
            None => (floor, floor, segment::create(directory, floor)?),
        };
        let oldest = starts.first().copied().unwrap_or(start);
        let directory = directory.to_owned();
        let mut writer = Writer {
            directory,
            file,
            settled: false,
            start,
            end,
            oldest,
            ingested: floor,
            torn: false,
            segment_size,
            kept,
        };
        if writer.end < floor {
            writer.continue_at(floor)?;
        }
        Ok(writer)
    }

    /// The directory of its files.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The offset after the last record.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Appends a record, stamped with the time, and returns the new end.
    ///
    /// It survives the death of this process, not a power cut: see [`Writer::sync`]. After an error the journal is
    /// as it was before.
    pub fn append(&mut self, kind: Kind, payload: &[u8]) -> io::Result<u64> {
        let header = record_header(kind, now_us(), payload)?;
        let length = (RECORD_HEADER + payload.len()) as u64;
        let next = self.end.checked_add(length).ok_or(ErrorKind::StorageFull)?;
        if self.torn {
            self.cut()?;
        }
        if self.end - self.start >= self.segment_size {
            self.continue_at(self.end)?;
            self.delete_old();
        }
        if let Err(error) = write_both(&mut self.file, &header, payload) {
            self.torn = true;
            // If this fails too, the next append tries again before it writes.
            let _ = self.cut();
            return Err(error);
        }
        self.end = next;
        Ok(next)
    }

    /// Makes everything appended so far survive a power cut.
    pub fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()?;
        if !self.settled {
            segment::settle(&self.directory)?;
            self.settled = true;
        }
        Ok(())
    }

    /// Allows the deletion of the journal before this offset. The newest part is kept nevertheless.
    pub fn ingested(&mut self, offset: u64) {
        self.ingested = self.ingested.max(offset);
        self.delete_old();
    }

    fn cut(&mut self) -> io::Result<()> {
        self.file.set_len(segment::HEADER + (self.end - self.start))?;
        self.torn = false;
        Ok(())
    }

    /// Starts a new segment at `offset`, which is not below the end.
    fn continue_at(&mut self, offset: u64) -> io::Result<()> {
        self.sync()?;
        self.file = segment::create(&self.directory, offset)?;
        self.settled = false;
        self.start = offset;
        self.end = offset;
        Ok(())
    }

    /// Deletes the oldest segments that were ingested and need not be kept. A segment that cannot be deleted stays
    /// until the next time: nothing depends on it.
    fn delete_old(&mut self) {
        if self.end - self.oldest <= self.kept {
            return;
        }
        let Ok(starts) = segment::list(&self.directory) else { return };
        for pair in starts.windows(2) {
            let &[start, next] = pair else { return };
            let wanted = next > self.ingested || self.end.saturating_sub(next) < self.kept;
            if wanted || fs::remove_file(segment::path(&self.directory, start)).is_err() {
                return;
            }
            self.oldest = next;
        }
    }
}

/// Truncates the last segment after its last whole record and returns the journal's end.
fn repair(directory: &Path, start: u64) -> io::Result<u64> {
    let path = segment::path(directory, start);
    let file = OpenOptions::new().read(true).write(true).open(&path)?;
    match segment::check_header(&file, start)? {
        Header::Good => {}
        Header::Newer => {
            return Err(io::Error::new(ErrorKind::Unsupported, "a newer AreYouJ wrote the journal"));
        }
        Header::Damaged => {
            segment::renew(&file, start)?;
            return Ok(start);
        }
    }
    let mut reader = Reader::open(directory, start)?;
    let end = reader.last_whole()?;
    let length = segment::HEADER + (end - start);
    if file.metadata()?.len() > length {
        file.set_len(length)?;
    }
    Ok(end)
}

/// Writes header and payload without copying them together.
fn write_both(file: &mut File, header: &[u8], payload: &[u8]) -> io::Result<()> {
    let mut slices = [IoSlice::new(header), IoSlice::new(payload)];
    let mut rest = &mut slices[..];
    IoSlice::advance_slices(&mut rest, 0);
    while !rest.is_empty() {
        match file.write_vectored(rest) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut rest, written),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::JournalError;

    fn read_all(directory: &Path) -> Vec<(u64, Vec<u8>)> {
        let mut reader = Reader::open(directory, 0).unwrap();
        let mut records = Vec::new();
        loop {
            match reader.next() {
                Ok(Some(record)) => records.push((record.offset, record.payload)),
                Ok(None) => return records,
                Err(JournalError::Gap { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    #[test]
    fn a_tail_torn_at_any_byte_is_removed_and_the_journal_continues() {
        let whole = tempfile::tempdir().unwrap();
        let mut writer = Writer::open(whole.path(), 0).unwrap();
        let first = writer.append(Kind::Input, b"first").unwrap();
        let second = writer.append(Kind::Output, b"second").unwrap();
        let bytes = fs::read(segment::path(whole.path(), 0)).unwrap();

        for cut in 0..bytes.len() {
            let torn = tempfile::tempdir().unwrap();
            fs::write(segment::path(torn.path(), 0), &bytes[..cut]).unwrap();
            let mut writer = Writer::open(torn.path(), 0).unwrap();
            let survives = if cut as u64 >= segment::HEADER + first { first } else { 0 };
            assert_eq!(writer.end(), survives, "cut at {cut}");
            writer.append(Kind::Output, b"next").unwrap();
            let payloads: Vec<Vec<u8>> = read_all(torn.path()).into_iter().map(|(_, bytes)| bytes).collect();
            let expected: &[&[u8]] = if survives > 0 { &[b"first", b"next"] } else { &[b"next"] };
            assert_eq!(payloads, expected, "cut at {cut}");
        }
        assert_eq!(Writer::open(whole.path(), 0).unwrap().end(), second);
    }

    #[test]
    fn zeros_that_a_power_cut_left_at_the_end_are_removed() {
        let directory = tempfile::tempdir().unwrap();
        let end = Writer::open(directory.path(), 0).unwrap().append(Kind::Input, b"kept").unwrap();
        let path = segment::path(directory.path(), 0);
        let mut bytes = fs::read(&path).unwrap();
        bytes.extend([0; 5000]);
        fs::write(&path, bytes).unwrap();
        assert_eq!(Writer::open(directory.path(), 0).unwrap().end(), end);
        assert_eq!(fs::metadata(&path).unwrap().len(), segment::HEADER + end);
    }

    #[test]
    fn a_journal_shorter_than_its_ingested_part_continues_at_the_floor() {
        let directory = tempfile::tempdir().unwrap();
        let end = Writer::open(directory.path(), 0).unwrap().append(Kind::Input, b"old").unwrap();
        let mut writer = Writer::open(directory.path(), 1000).unwrap();
        assert_eq!(writer.end(), 1000);
        writer.append(Kind::Input, b"new").unwrap();

        let mut reader = Reader::open(directory.path(), end).unwrap();
        assert!(matches!(reader.next(), Err(JournalError::Gap { resume_at: 1000 })));
        assert_eq!(reader.next().unwrap().unwrap().payload, b"new");
        drop(writer);
        assert!(Writer::open(directory.path(), 1000).unwrap().end() > 1000);
    }

    #[test]
    fn an_empty_journal_starts_at_the_floor() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(Writer::open(&directory.path().join("new"), 77).unwrap().end(), 77);
    }

    #[test]
    fn only_ingested_segments_that_need_not_be_kept_are_deleted() {
        let directory = tempfile::tempdir().unwrap();
        let mut writer = Writer::open_sized(directory.path(), 0, 100, 300).unwrap();
        for _ in 0..20 {
            writer.append(Kind::Output, &[7; 83]).unwrap();
        }
        assert_eq!(segment::list(directory.path()).unwrap().len(), 20);
        writer.ingested(550);
        assert_eq!(segment::list(directory.path()).unwrap().first(), Some(&500));
        writer.ingested(u64::MAX);
        assert_eq!(segment::list(directory.path()).unwrap().first(), Some(&1700));
        let mut reader = Reader::open(directory.path(), 550).unwrap();
        assert!(matches!(reader.next(), Err(JournalError::Gap { resume_at: 1700 })));
        assert_eq!(reader.next().unwrap().unwrap().offset, 1700);
        // From now on each rotation deletes by itself.
        writer.append(Kind::Output, &[7; 83]).unwrap();
        assert_eq!(segment::list(directory.path()).unwrap().first(), Some(&1700));
        writer.append(Kind::Output, &[7; 83]).unwrap();
        assert_eq!(segment::list(directory.path()).unwrap().first(), Some(&1800));
    }

    #[test]
    fn a_journal_of_a_newer_program_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        Writer::open(directory.path(), 0).unwrap().append(Kind::Input, b"x").unwrap();
        let path = segment::path(directory.path(), 0);
        let mut bytes = fs::read(&path).unwrap();
        bytes[4] = 9;
        fs::write(&path, &bytes).unwrap();
        let refused = Writer::open(directory.path(), 0).map(|_| ()).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Unsupported);
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }

    #[test]
    fn a_record_beyond_the_limit_is_rejected() {
        let directory = tempfile::tempdir().unwrap();
        let mut writer = Writer::open(directory.path(), 0).unwrap();
        let huge = vec![0; crate::MAX_PAYLOAD + 1];
        assert_eq!(writer.append(Kind::Input, &huge).unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(writer.end(), 0);
    }
}
