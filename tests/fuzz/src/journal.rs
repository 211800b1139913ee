//! The files of a journal, and its records as found by a reader that skips all damage.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use areyouj_journal::{JournalError, Kind, Reader, Record};

/// The length of a segment's header, in bytes.
pub const SEGMENT_HEADER_BYTES: usize = 16;

/// The length of a record's header, in bytes.
pub const RECORD_HEADER_BYTES: usize = 17;

/// The path of the segment that starts at this offset.
pub fn segment(directory: &Path, start: u64) -> PathBuf {
    directory.join(format!("{start:020}.log"))
}

/// The header of the segment that starts at this offset.
pub fn segment_header(start: u64) -> Vec<u8> {
    [&b"AYJJ\x01\0\0\0"[..], &start.to_le_bytes()].concat()
}

/// All segments by the offset at which they start.
pub fn segments(directory: &Path) -> BTreeMap<u64, Vec<u8>> {
    let mut segments = BTreeMap::new();
    for entry in fs::read_dir(directory).expect("the journal can be listed") {
        let path = entry.expect("an entry").path();
        let start = path.file_stem().and_then(|name| name.to_str()).and_then(|name| name.parse().ok());
        // Files with similar names are not segments.
        let start = start.filter(|start| segment(directory, *start) == path);
        segments.extend(start.map(|start| (start, fs::read(&path).expect("a segment can be read"))));
    }
    segments
}

/// Every readable record from `from` on, after skipping all damage. Panics if reading does not end, goes back, or is
/// inconsistent.
///
/// # Errors
/// Errors of reading the files.
pub fn read(directory: &Path, from: u64) -> io::Result<Vec<Record>> {
    let segments = segments(directory);
    let bytes: usize = segments.values().map(Vec::len).sum();
    // Each step is a record, a gap, damage or the end.
    let mut steps = bytes / RECORD_HEADER_BYTES + 3 * segments.len() + 3;
    let mut reader = Reader::open(directory, from)?;
    let mut records: Vec<Record> = Vec::new();
    let mut offset = from;
    loop {
        steps = steps.checked_sub(1).expect("reading ends");
        assert_eq!(reader.offset(), offset, "the reader is at its reported offset");
        match reader.next() {
            Ok(None) => return Ok(records),
            Ok(Some(record)) => {
                assert_eq!(record.offset, offset, "a record starts at the end of the previous one");
                let length = (RECORD_HEADER_BYTES + record.payload.len()) as u64;
                assert_eq!(record.next - record.offset, length, "a record is as long as its bytes");
                offset = record.next;
                records.push(record);
            }
            Err(JournalError::Gap { resume_at }) => {
                assert!(resume_at > offset, "a gap from {offset} to {resume_at}");
                offset = resume_at;
            }
            Err(JournalError::Corrupt { offset: damaged }) => {
                assert_eq!(damaged, offset, "damage is reported at its offset");
                let Some(next) = reader.skip_corrupt()? else { return Ok(records) };
                assert!(next >= offset, "after damage at {offset}, the reader goes back to {next}");
                offset = next;
            }
            Err(JournalError::Io(error)) => return Err(error),
        }
    }
}

/// Whether one of these segments contains this record at its offset, with a valid checksum.
pub fn holds(segments: &BTreeMap<u64, Vec<u8>>, record: &Record) -> bool {
    segments.range(..=record.offset).any(|(start, bytes)| {
        let Ok(at) = usize::try_from(record.offset - start) else { return false };
        let Some(found) = at.checked_add(SEGMENT_HEADER_BYTES).and_then(|at| bytes.get(at..)) else {
            return false;
        };
        let Some((header, rest)) = found.split_first_chunk::<RECORD_HEADER_BYTES>() else { return false };
        let Some(payload) = rest.get(..record.payload.len()) else { return false };
        let length = (payload.len() as u32).to_le_bytes();
        let checksum = crc32fast::hash(&found[8..RECORD_HEADER_BYTES + payload.len()]).to_le_bytes();
        header[..4] == length
            && header[4..8] == checksum
            && header[8] == byte(record.kind)
            && header[9..] == record.time_us.to_le_bytes()
            && payload == record.payload
    })
}

/// The kinds of records, each with its byte.
pub const KINDS: [(u8, Kind); 7] = [
    (1, Kind::Output),
    (2, Kind::ErrorOutput),
    (3, Kind::Input),
    (4, Kind::Started),
    (5, Kind::Exited),
    (6, Kind::Signalled),
    (7, Kind::SpawnFailed),
];

fn byte(kind: Kind) -> u8 {
    match kind {
        Kind::Unknown(byte) => byte,
        known => KINDS.iter().find(|(_, kind)| *kind == known).map_or(0, |(byte, _)| *byte),
    }
}
