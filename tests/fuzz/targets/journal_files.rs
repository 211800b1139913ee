//! Any bytes as the files of a journal: records that are read are valid, reading ends, and a writer continues.
//!
//! The first byte determines where reading starts. Then come the segments, each with the distance from the start of the
//! previous one (two bytes), its flags (one byte), and its contents (length in two bytes, then the bytes).

#![no_main]

use std::fs;
use std::io::ErrorKind;

use areyouj_fuzz::input::Input;
use areyouj_fuzz::journal::{self, RECORD_HEADER_BYTES, SEGMENT_HEADER_BYTES};
use areyouj_fuzz::scratch;
use areyouj_journal::{Kind, Record, Writer};
use libfuzzer_sys::fuzz_target;

/// More find nothing new.
const SEGMENTS_MAX: usize = 4;

/// Add a segment header before the contents.
const WITH_HEADER: u8 = 1;
/// The segment starts near the maximum offset.
const FAR: u8 = 2;
/// The name is similar to that of a segment, but invalid.
const ODD_NAME: u8 = 4;

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let from = input.byte();
    let directory = scratch::emptied();
    let mut start = 0;
    for _ in 0..SEGMENTS_MAX {
        if input.is_empty() {
            break;
        }
        let distance = input.short() as u64;
        let flags = input.byte();
        start = if flags & FAR == 0 { start + distance } else { u64::MAX - distance };
        let header = if flags & WITH_HEADER == 0 { Vec::new() } else { journal::segment_header(start) };
        let mut path = journal::segment(directory, start);
        if flags & ODD_NAME != 0 {
            path.set_file_name(format!("+{start:019}.log"));
        }
        fs::write(path, [&header[..], input.sized()].concat()).expect("a segment can be written");
        if flags & FAR != 0 {
            break;
        }
    }

    let segments = journal::segments(directory);
    let Ok(records) = journal::read(directory, 0) else { return };
    for record in &records {
        assert!(journal::holds(&segments, record), "no segment contains {record:?}");
    }
    let from = match from {
        0 => 0,
        // The offset of a record.
        1..=127 if !records.is_empty() => records[usize::from(from) % records.len()].offset,
        _ => u64::from(from) * 3,
    };
    for record in journal::read(directory, from).unwrap_or_default() {
        assert!(journal::holds(&segments, &record), "no segment contains {record:?}, read from {from}");
    }

    let floor = if from == 0 { 0 } else { records.last().map_or(from, |record| record.next) };
    let mut writer = match Writer::open(directory, floor) {
        Ok(writer) => writer,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
            assert_eq!(journal::segments(directory), segments, "a journal of a newer program is not changed");
            return;
        }
    };
    let offset = writer.end();
    assert!(offset >= floor, "the journal continues at {offset}, below {floor}");
    let Ok(next) = writer.append(Kind::Input, b"new") else { return };
    assert_eq!(next, offset + (RECORD_HEADER_BYTES + 3) as u64);
    drop(writer);
    let after = journal::read(directory, 0).expect("a journal that was read can be read again");
    // The segments of a writer do not overlap.
    let mut neighbours = segments.iter().zip(segments.keys().skip(1));
    if neighbours
        .all(|((start, bytes), next)| start + bytes.len().max(SEGMENT_HEADER_BYTES) as u64 - 16 <= *next)
    {
        let (new, kept) = after.split_last().expect("the new record exists");
        assert_eq!(kept, records, "a writer deletes no readable record");
        let expected =
            Record { offset, next, time_us: new.time_us, kind: Kind::Input, payload: b"new".to_vec() };
        assert_eq!(*new, expected);
    }
});
