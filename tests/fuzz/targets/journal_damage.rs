//! A written journal with damage: exactly the records before the damage of each segment are read, and a writer
//! continues after them.
//!
//! The first two bytes are the size of segments and the amount to keep, the third is the number of writer actions. Then
//! come the actions and the damage, each a byte for its kind, followed by its arguments.

#![no_main]

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use areyouj_fuzz::input::Input;
use areyouj_fuzz::journal::{self, KINDS, SEGMENT_HEADER_BYTES};
use areyouj_fuzz::scratch;
use areyouj_journal::fuzz::writer;
use areyouj_journal::{Reader, Record, Writer};
use libfuzzer_sys::fuzz_target;

/// More find nothing new and are slow: each can create a file.
const ACTIONS_MAX: u8 = 40;
const DAMAGES_MAX: usize = 8;

/// Executes the writer actions, with a reader that follows. Returns every record, and the offset up to which records
/// can have been deleted.
fn write(input: &mut Input<'_>, directory: &Path) -> (Vec<Record>, u64) {
    let (segment_size, kept) = (1 + 4 * u64::from(input.byte()), 16 * u64::from(input.byte()));
    let open = |floor| writer(directory, floor, segment_size, kept).expect("an intact journal can be opened");
    let mut writer = open(0);
    let mut reader = Reader::open(directory, 0).expect("an intact journal can be read");
    let mut appended = Vec::new();
    let mut records: Vec<Record> = Vec::new();
    let mut ingested = 0;
    for _ in 0..input.byte().min(ACTIONS_MAX) {
        match input.byte() {
            action @ ..200 => {
                let (kind, payload) = (KINDS[usize::from(action) % KINDS.len()].1, input.sized());
                let offset = writer.end();
                let next = writer.append(kind, payload).expect("a record can be written");
                appended.push((offset, next, kind, payload));
            }
            200..225 => {
                while let Some(record) = reader.next().expect("an intact journal can be followed") {
                    records.push(record);
                }
                if input.byte().is_multiple_of(2) {
                    ingested = reader.offset();
                    writer.ingested(ingested);
                }
            }
            _ => {
                let end = writer.end();
                drop(writer);
                writer = open(ingested);
                assert_eq!(writer.end(), end, "a normal close loses nothing");
            }
        }
    }
    while let Some(record) = reader.next().expect("an intact journal can be followed") {
        records.push(record);
    }
    let seen = records.iter().map(|record| (record.offset, record.next, record.kind, &record.payload[..]));
    assert!(seen.eq(appended), "a following reader reads all written records");
    (records, ingested)
}

/// Damages files according to the input.
fn damage(input: &mut Input<'_>, directory: &Path) {
    for _ in 0..DAMAGES_MAX {
        if input.is_empty() {
            break;
        }
        let segments = journal::segments(directory);
        let (kind, which, at) = (input.byte(), usize::from(input.byte()), input.short());
        let Some((start, bytes)) = segments.iter().nth(which % segments.len().max(1)) else { return };
        let (start, mut bytes) = (*start, bytes.clone());
        let path = journal::segment(directory, start);
        let at = if bytes.is_empty() { 0 } else { at % bytes.len() };
        match kind % 5 {
            0 => bytes.truncate(at),
            1 => bytes[at..].iter_mut().take(1).for_each(|byte| *byte ^= kind | 1),
            2 => bytes[at..].iter_mut().take(usize::from(kind)).for_each(|byte| *byte = 0),
            3 => bytes.extend(vec![kind; at]),
            _ => {
                fs::remove_file(path).expect("a segment can be removed");
                continue;
            }
        }
        fs::write(path, bytes).expect("a segment can be written");
    }
}

/// The records before the first difference in their segment.
fn undamaged(
    records: &[Record],
    before: &BTreeMap<u64, Vec<u8>>,
    after: &BTreeMap<u64, Vec<u8>>,
) -> Vec<Record> {
    let survives = |record: &&Record| {
        let Some((start, intact)) = before.range(..=record.offset).next_back() else { return false };
        let Some(found) = after.get(start) else { return false };
        let same = intact.iter().zip(found).take_while(|(intact, found)| intact == found).count();
        same >= SEGMENT_HEADER_BYTES && record.next - start <= (same - SEGMENT_HEADER_BYTES) as u64
    };
    records.iter().filter(survives).cloned().collect()
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let directory = scratch::emptied();
    let (records, ingested) = write(&mut input, directory);
    let end = records.last().map_or(0, |record| record.next);

    let before = journal::segments(directory);
    let oldest = before.keys().next().copied().unwrap_or(0);
    let mut deleted = records.iter().filter(|record| record.offset < oldest);
    assert!(deleted.all(|record| record.next <= ingested), "records that were not ingested are kept");
    let present: Vec<Record> = records.into_iter().filter(|record| record.offset >= oldest).collect();
    assert_eq!(journal::read(directory, 0).expect("an intact journal can be read"), present);

    damage(&mut input, directory);
    let after = journal::segments(directory);
    let mut expected = undamaged(&present, &before, &after);
    assert_eq!(journal::read(directory, 0).expect("a damaged journal can be read"), expected);

    let mut writer = match Writer::open(directory, end) {
        Ok(writer) => writer,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
            assert_eq!(journal::segments(directory), after, "a journal of a newer program is not changed");
            return;
        }
    };
    assert!(writer.end() >= end, "no offset is used for two records");
    for (_, kind) in KINDS {
        let offset = writer.end();
        let next = writer.append(kind, b"new").expect("a record can be written");
        expected.push(Record { offset, next, time_us: 0, kind, payload: b"new".to_vec() });
    }
    let mut found = journal::read(directory, 0).expect("a repaired journal can be read");
    found.iter_mut().rev().take(KINDS.len()).for_each(|record| record.time_us = 0);
    assert_eq!(found, expected, "a writer continues after the readable records");
});
