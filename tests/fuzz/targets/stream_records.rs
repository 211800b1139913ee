//! The ingest: the facts depend neither on the split of the output into records nor on interruptions of reading.
//!
//! The first byte is the maximum length of a line, the second a chunk size, the third the number of records after which
//! reading stops. Then come the records, each with its kind (one byte) and payload (length in two bytes, then the
//! bytes).

#![no_main]

use areyouj_core::driver::ingest::RecordKind;
use areyouj_core::driver::stream::decode;
use areyouj_core::orchestrator::{Exit, Fact};
use areyouj_core::text::plain::short_line;
use areyouj_fuzz::input::Input;
use areyouj_fuzz::stream::{RawRecord, Records, check};
use libfuzzer_sys::fuzz_target;

/// More find nothing new, and stopping after each record reads each line as often as it has records.
const RECORDS_MAX: usize = 64;

/// The maximum number of bytes that are read of a line that is not JSON, and of characters that are reported.
const GARBAGE: (usize, usize) = (3200, 200);

fn record(input: &mut Input<'_>) -> RawRecord {
    let kind = match input.byte() {
        1 | 8.. => RecordKind::Output,
        2 => RecordKind::ErrorOutput,
        3 => RecordKind::Input,
        4 => RecordKind::Started { launch: 1, pid: 2 },
        5 => RecordKind::Exited { launch: 1, exit: Exit::Signal(9) },
        7 => RecordKind::SpawnFailed {
            launch: 1,
            message: String::from_utf8_lossy(input.sized()).into_owned(),
        },
        0 | 6 => RecordKind::Other,
    };
    (kind, input.sized().to_vec())
}

/// The same records, with output and standard error split into chunks of this size.
fn split(raw: &[RawRecord], size: usize) -> Vec<RawRecord> {
    let split = |(kind, payload): &RawRecord| -> Vec<RawRecord> {
        match kind {
            RecordKind::Output | RecordKind::ErrorOutput => {
                payload.chunks(size).map(|chunk| (kind.clone(), chunk.to_vec())).collect()
            }
            _ => vec![(kind.clone(), payload.clone())],
        }
    };
    raw.iter().flat_map(split).collect()
}

/// The same records, with consecutive records of output joined.
fn join(raw: &[RawRecord]) -> Vec<RawRecord> {
    let mut joined: Vec<RawRecord> = Vec::new();
    for (kind, payload) in raw {
        match joined.last_mut() {
            Some((RecordKind::Output, before)) if *kind == RecordKind::Output => before.extend(payload),
            _ => joined.push((kind.clone(), payload.clone())),
        }
    }
    joined
}

/// The facts of Claude's output, read in the simplest way.
fn of_output(raw: &[RawRecord], longest: usize) -> Vec<Fact> {
    let decode = |line: &[u8]| match line.get(..=longest) {
        None => decode(line),
        Some(_) => {
            let beginning = String::from_utf8_lossy(&line[..longest.min(GARBAGE.0)]);
            vec![Fact::Garbage(short_line(&beginning, GARBAGE.1))]
        }
    };
    let mut facts = Vec::new();
    let mut text = Vec::new();
    for (kind, payload) in raw {
        match kind {
            RecordKind::Output => text.extend_from_slice(payload),
            RecordKind::Started { .. } | RecordKind::Exited { .. } | RecordKind::SpawnFailed { .. } => {
                facts.extend(text.split(|byte| *byte == b'\n').flat_map(decode));
                text.clear();
            }
            _ => {}
        }
    }
    // The last line is incomplete, unless it is already too long.
    let mut lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    lines.pop_if(|last| last.len() <= longest);
    facts.extend(lines.into_iter().flat_map(decode));
    facts
}

/// Whether the fact comes from output.
fn is_from_output(fact: &Fact) -> bool {
    !matches!(
        fact,
        Fact::ErrorLine(_)
            | Fact::Written(_)
            | Fact::InputRecorded { .. }
            | Fact::Started { .. }
            | Fact::Exited { .. }
            | Fact::SpawnFailed { .. }
    )
}

/// Standard error is compared only without interruptions, which lose incomplete lines.
fn surviving(facts: Vec<Fact>) -> Vec<Fact> {
    facts.into_iter().filter(|fact| !matches!(fact, Fact::ErrorLine(_))).collect()
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let longest = 1 + 16 * usize::from(input.byte());
    let (size, ends) = (1 + usize::from(input.byte()), 1 + usize::from(input.byte()));
    let mut raw = Vec::new();
    while !input.is_empty() && raw.len() < RECORDS_MAX {
        raw.push(record(&mut input));
    }

    let records = Records::new(raw.iter().cloned());
    let facts = records.facts(longest, []);
    facts.iter().for_each(check);
    assert_eq!(Records::new(split(&raw, size)).facts(longest, []), facts, "split into chunks");
    assert_eq!(Records::new(join(&raw)).facts(longest, []), facts, "joined");
    let from_output: Vec<Fact> = facts.iter().filter(|fact| is_from_output(fact)).cloned().collect();
    assert_eq!(from_output, of_output(&raw, longest), "line by line");

    let facts = surviving(facts);
    let singles = vec![1; raw.len()];
    assert_eq!(surviving(records.facts(longest, singles)), facts, "stopped after every record");
    let counts = vec![ends; raw.len() / ends];
    assert_eq!(surviving(records.facts(longest, counts)), facts, "stopped after {ends} records");
});
