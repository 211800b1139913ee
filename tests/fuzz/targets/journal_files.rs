//! Any bytes as the files of a journal: what is read holds, reading ends, and a writer goes on from there.
//!
//! The first byte says where reading begins. Then come the segments, each with the distance from where the one before
//! started (two bytes), its form (one byte) and its contents (their size in two bytes, then they).

#![no_main]

use std::fs;
use std::io::ErrorKind;

use areyouj_fuzz::input::Input;
use areyouj_fuzz::journal::{self, RECORD_HEADER, SEGMENT_HEADER};
use areyouj_fuzz::scratch;
use areyouj_journal::{Kind, Record, Writer};
use libfuzzer_sys::fuzz_target;

/// More tell nothing new.
const SEGMENTS: usize = 4;

/// The contents do not bring their own segment header.
const WITH_HEADER: u8 = 1;
/// The segment starts near the end of all offsets.
const FAR: u8 = 2;
/// The name is no segment's, though nearly.
const ODD_NAME: u8 = 4;

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let from = input.byte();
    let directory = scratch::emptied();
    let mut start = 0;
    for _ in 0..SEGMENTS {
        if input.is_empty() {
            break;
        }
        let distance = input.short() as u64;
        let form = input.byte();
        start = if form & FAR == 0 { start + distance } else { u64::MAX - distance };
        let header = if form & WITH_HEADER == 0 { Vec::new() } else { journal::segment_header(start) };
        let mut path = journal::segment(directory, start);
        if form & ODD_NAME != 0 {
            path.set_file_name(format!("+{start:019}.log"));
        }
        fs::write(path, [&header[..], input.sized()].concat()).expect("a segment can be written");
        if form & FAR != 0 {
            break;
        }
    }

    let segments = journal::segments(directory);
    let Ok(records) = journal::read(directory, 0) else { return };
    for record in &records {
        assert!(journal::holds(&segments, record), "nobody wrote {record:?}");
    }
    let from = match from {
        0 => 0,
        // Where a record is.
        1..=127 if !records.is_empty() => records[usize::from(from) % records.len()].offset,
        _ => u64::from(from) * 3,
    };
    for record in journal::read(directory, from).unwrap_or_default() {
        assert!(journal::holds(&segments, &record), "nobody wrote {record:?}, read from {from}");
    }

    let floor = if from == 0 { 0 } else { records.last().map_or(from, |record| record.next) };
    let mut writer = match Writer::open(directory, floor) {
        Ok(writer) => writer,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
            assert_eq!(journal::segments(directory), segments, "what a newer program wrote is left alone");
            return;
        }
    };
    let offset = writer.end();
    assert!(offset >= floor, "the journal goes on at {offset}, below {floor}");
    let Ok(next) = writer.append(Kind::Input, b"new") else { return };
    assert_eq!(next, offset + (RECORD_HEADER + 3) as u64);
    drop(writer);
    let after = journal::read(directory, 0).expect("a journal that was read can be read");
    // Files of a writer do not overlap.
    let mut neighbours = segments.iter().zip(segments.keys().skip(1));
    if neighbours.all(|((start, bytes), next)| start + bytes.len().max(SEGMENT_HEADER) as u64 - 16 <= *next) {
        let (new, kept) = after.split_last().expect("the new record is there");
        assert_eq!(kept, records, "a writer takes nothing away that can be read");
        let expected =
            Record { offset, next, time_us: new.time_us, kind: Kind::Input, payload: b"new".to_vec() };
        assert_eq!(*new, expected);
    }
});
