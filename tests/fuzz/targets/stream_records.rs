//! The ingest: however output is cut into records, and wherever reading ends and goes on, the facts are the same.
//!
//! The first byte is the length of the longest line, the second a size of pieces, the third after how many records
//! reading ends; then come the records, each with its kind (one byte) and payload (its size in two bytes, then it).

#![no_main]

use areyouj_core::driver::ingest::RecordKind;
use areyouj_core::driver::stream::decode;
use areyouj_core::orchestrator::{Exit, Fact};
use areyouj_core::text::plain::short_line;
use areyouj_fuzz::input::Input;
use areyouj_fuzz::stream::{Piece, Records, check};
use libfuzzer_sys::fuzz_target;

/// More tell nothing new, and what ends after each record reads each line as often as it has records.
const RECORDS: usize = 64;

/// Bytes of a line that is no JSON, and characters of them that are told.
const GARBAGE: (usize, usize) = (3200, 200);

fn record(input: &mut Input<'_>) -> Piece {
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

/// The same output and standard error in pieces of this size.
fn cut(pieces: &[Piece], size: usize) -> Vec<Piece> {
    let cut = |(kind, payload): &Piece| -> Vec<Piece> {
        match kind {
            RecordKind::Output | RecordKind::ErrorOutput => {
                payload.chunks(size).map(|piece| (kind.clone(), piece.to_vec())).collect()
            }
            _ => vec![(kind.clone(), payload.clone())],
        }
    };
    pieces.iter().flat_map(cut).collect()
}

/// The same with pieces of output that follow each other put together.
fn join(pieces: &[Piece]) -> Vec<Piece> {
    let mut joined: Vec<Piece> = Vec::new();
    for (kind, payload) in pieces {
        match joined.last_mut() {
            Some((RecordKind::Output, before)) if *kind == RecordKind::Output => before.extend(payload),
            _ => joined.push((kind.clone(), payload.clone())),
        }
    }
    joined
}

/// What Claude's output says, read in the simplest way.
fn of_output(pieces: &[Piece], longest: usize) -> Vec<Fact> {
    let decode = |line: &[u8]| match line.get(..=longest) {
        None => decode(line),
        Some(_) => {
            let beginning = String::from_utf8_lossy(&line[..longest.min(GARBAGE.0)]);
            vec![Fact::Garbage(short_line(&beginning, GARBAGE.1))]
        }
    };
    let mut facts = Vec::new();
    let mut text = Vec::new();
    for (kind, payload) in pieces {
        match kind {
            RecordKind::Output => text.extend_from_slice(payload),
            RecordKind::Started { .. } | RecordKind::Exited { .. } | RecordKind::SpawnFailed { .. } => {
                facts.extend(text.split(|byte| *byte == b'\n').flat_map(decode));
                text.clear();
            }
            _ => {}
        }
    }
    // The last line is not at its end, unless it is too long anyway.
    let mut lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    lines.pop_if(|last| last.len() <= longest);
    facts.extend(lines.into_iter().flat_map(decode));
    facts
}

/// Whether output says it.
fn says_output(fact: &Fact) -> bool {
    !matches!(
        fact,
        Fact::ErrorLine(_)
            | Fact::Written(_)
            | Fact::Started { .. }
            | Fact::Exited { .. }
            | Fact::SpawnFailed { .. }
    )
}

/// Of standard error only whole lines survive an end.
fn surviving(facts: Vec<Fact>) -> Vec<Fact> {
    facts.into_iter().filter(|fact| !matches!(fact, Fact::ErrorLine(_))).collect()
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let longest = 1 + 16 * usize::from(input.byte());
    let (size, ends) = (1 + usize::from(input.byte()), 1 + usize::from(input.byte()));
    let mut pieces = Vec::new();
    while !input.is_empty() && pieces.len() < RECORDS {
        pieces.push(record(&mut input));
    }

    let records = Records::new(pieces.iter().cloned());
    let facts = records.facts(longest, []);
    facts.iter().for_each(check);
    assert_eq!(Records::new(cut(&pieces, size)).facts(longest, []), facts, "cut into pieces");
    assert_eq!(Records::new(join(&pieces)).facts(longest, []), facts, "put together");
    let said: Vec<Fact> = facts.iter().filter(|fact| says_output(fact)).cloned().collect();
    assert_eq!(said, of_output(&pieces, longest), "line by line");

    let facts = surviving(facts);
    let every = vec![1; pieces.len()];
    assert_eq!(surviving(records.facts(longest, every)), facts, "ended after every record");
    let now_and_then = vec![ends; pieces.len() / ends];
    assert_eq!(surviving(records.facts(longest, now_and_then)), facts, "ended after {ends} records");
});
