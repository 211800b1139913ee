//! The journal in pieces, with and without crashes.

use super::*;
use crate::orchestrator::Written;
use proptest::prelude::*;
use uuid::Uuid;

/// Small, so that some lines exceed it.
const LIMIT: usize = 400;

const IDLE: &[u8] = br#"{"type":"system","subtype":"session_state_changed","state":"idle"}"#;

struct Journal(Vec<(u64, u64, RecordKind, Vec<u8>)>);

impl Journal {
    fn new(records: impl IntoIterator<Item = (RecordKind, Vec<u8>)>) -> Journal {
        let mut end = 0;
        let place = |(kind, payload): (RecordKind, Vec<u8>)| {
            let offset = end;
            end += 17 + payload.len() as u64;
            (offset, end, kind, payload)
        };
        Journal(records.into_iter().map(place).collect())
    }

    /// Reads from the start of the ingest, at most `count` records that are new to it.
    fn feed(&self, ingest: &mut Ingest, count: usize) -> Vec<Fact> {
        let (start, next) = (ingest.start(), ingest.position().next);
        assert!(start <= next);
        let mut facts = Vec::new();
        let mut left = count;
        for (offset, next_offset, kind, payload) in self.0.iter().filter(|record| record.0 >= start) {
            if *offset >= next {
                if left == 0 {
                    break;
                }
                left -= 1;
            }
            ingest.take(
                &JournalRecord { offset: *offset, next: *next_offset, kind: kind.clone(), payload },
                &mut facts,
            );
        }
        facts
    }

    fn read(&self) -> Vec<Fact> {
        self.feed(&mut Ingest::with_limit(Position::default(), LIMIT), usize::MAX)
    }
}

fn output(payload: &[u8]) -> (RecordKind, Vec<u8>) {
    (RecordKind::Output, payload.to_vec())
}

fn errors(payload: &[u8]) -> (RecordKind, Vec<u8>) {
    (RecordKind::ErrorOutput, payload.to_vec())
}

fn exited() -> (RecordKind, Vec<u8>) {
    (RecordKind::Exited { launch: 1, exit: Exit::Signal(9) }, Vec::new())
}

fn idle() -> Fact {
    Fact::Activity(crate::orchestrator::Activity::Idle)
}

fn error(line: &str) -> Fact {
    Fact::ErrorLine(line.to_owned())
}

#[test]
fn a_line_cut_across_records_is_one_line() {
    let journal = Journal::new([output(&IDLE[..20]), output(&IDLE[20..]), output(b"\n")]);
    assert_eq!(journal.read(), [idle()]);
}

#[test]
fn the_position_points_at_the_unfinished_line() {
    let journal = Journal::new([
        output(&[IDLE, b"\n{"].concat()),
        output(b"\"type\""),
        errors(b"x\n"),
        output(b":0}\n"),
    ]);
    let mut ingest = Ingest::with_limit(Position::default(), LIMIT);
    let ends: Vec<u64> = journal.0.iter().map(|record| record.1).collect();
    let skip = IDLE.len() as u32 + 1;
    for end in &ends[..3] {
        journal.feed(&mut ingest, 1);
        assert_eq!(ingest.position(), Position { next: *end, line_start: 0, line_skip: skip });
        assert_eq!(ingest.start(), 0);
    }
    journal.feed(&mut ingest, 1);
    assert_eq!(ingest.position(), Position { next: ends[3], line_start: ends[3], line_skip: 0 });
}

#[test]
fn records_that_were_ingested_give_no_facts_again() {
    let started = (RecordKind::Started { launch: 1, pid: 7 }, Vec::new());
    let journal =
        Journal::new([started, output(&IDLE[..20]), errors(b"warn\n"), output(&IDLE[20..]), output(b"\n")]);
    let mut first = Ingest::with_limit(Position::default(), LIMIT);
    assert_eq!(journal.feed(&mut first, 3), [Fact::Started { launch: 1, pid: 7 }, error("warn")]);
    let mut second = Ingest::with_limit(first.position(), LIMIT);
    assert_eq!(journal.feed(&mut second, usize::MAX), [idle()]);
}

#[test]
fn a_gap_in_the_journal_lies_before_the_next_unfinished_line() {
    let mut ingest = Ingest::new(Driver::Stream, Position::default());
    let record = JournalRecord { offset: 500, next: 520, kind: RecordKind::Output, payload: b"{" };
    ingest.take(&record, &mut Vec::new());
    assert_eq!(ingest.position(), Position { next: 520, line_start: 500, line_skip: 0 });
}

#[test]
fn an_exit_ends_the_unfinished_line() {
    let launch = (RecordKind::Started { launch: 2, pid: 8 }, Vec::new());
    let journal =
        Journal::new([output(b"{\"type\":\"us"), exited(), launch, output(&[IDLE, b"\n"].concat())]);
    let expected = [
        Fact::Garbage("{\"type\":\"us".to_owned()),
        Fact::Exited { launch: 1, exit: Exit::Signal(9) },
        Fact::Started { launch: 2, pid: 8 },
        idle(),
    ];
    assert_eq!(journal.read(), expected);
}

#[test]
fn a_whole_last_line_counts_without_its_newline_and_a_blank_one_never() {
    let end = Fact::Exited { launch: 1, exit: Exit::Signal(9) };
    assert_eq!(Journal::new([output(IDLE), exited()]).read(), [idle(), end.clone()]);
    assert_eq!(Journal::new([output(b" \r"), exited()]).read(), [end]);
}

#[test]
fn a_line_beyond_the_limit_is_garbage_once() {
    let journal = Journal::new([
        output(&[b'x'; 300]),
        output(&[b'x'; 300]),
        output(b"xx\n"),
        output(&[IDLE, b"\n"].concat()),
    ]);
    let cut = format!("{}…", "x".repeat(199));
    assert_eq!(journal.read(), [Fact::Garbage(cut), idle()]);
}

#[test]
fn lines_of_standard_error_are_joined_and_cleaned() {
    let journal = Journal::new([errors(b"\x1b[31mbad"), errors(b" news\x1b[0m\r\n\nmore"), exited()]);
    assert_eq!(journal.read()[..2], [error("bad news"), error("more")]);
}

#[test]
fn a_long_line_of_standard_error_is_truncated() {
    let journal = Journal::new([errors(&[b'e'; ERROR_LINE_BYTES + 9]), errors(b"e\nnext\n")]);
    assert_eq!(journal.read(), [error(&"e".repeat(ERROR_LINE_BYTES)), error("next")]);
}

#[test]
fn written_input_is_reported_line_by_line() {
    let id = Uuid::from_u128(5);
    let lines = format!("{{\"type\":\"user\",\"uuid\":\"{id}\"}}\n{{\"type\":\"control_request\"}}\n");
    let journal = Journal::new([(RecordKind::Input, lines.into_bytes())]);
    let facts = journal.read();
    assert!(matches!(facts[0], Fact::InputRecorded { harmless: false, .. }));
    assert_eq!(facts[1..], [Fact::Written(Written::Message(id)), Fact::Written(Written::Other)]);
}

#[test]
fn a_failed_start_is_reported() {
    let failed = RecordKind::SpawnFailed { launch: 3, message: "no such file\n".to_owned() };
    let expected = Fact::SpawnFailed { launch: 3, message: "no such file".to_owned() };
    assert_eq!(Journal::new([(RecordKind::Other, b"?".to_vec()), (failed, Vec::new())]).read(), [expected]);
}

fn a_record() -> impl Strategy<Value = (RecordKind, Vec<u8>)> {
    let transcript = include_str!("../fixtures/steer.jsonl");
    let lines: Vec<&'static str> = transcript.lines().filter_map(|line| line.strip_prefix("<< ")).collect();
    let stream = proptest::collection::vec(
        prop_oneof![
            6 => proptest::sample::select(lines).prop_map(|line| format!("{line}\n").into_bytes()),
            2 => Just([IDLE, b"\r\n"].concat()),
            1 => Just(b"\n".to_vec()),
            1 => Just(vec![b'x'; 700]),
            1 => Just(b"no json\n".to_vec()),
        ],
        0..3,
    );
    let cut = (stream, 0usize..900, 0usize..900).prop_map(|(lines, from, to)| {
        let bytes = lines.concat();
        let from = from.min(bytes.len());
        output(&bytes[from..to.clamp(from, bytes.len())])
    });
    prop_oneof![
        8 => cut,
        1 => Just(errors(b"some\nwords")),
        1 => Just((RecordKind::Input, b"{\"type\":\"control_request\"}\n".to_vec())),
        1 => Just(exited()),
        1 => Just((RecordKind::Started { launch: 2, pid: 9 }, Vec::new())),
        1 => Just((RecordKind::Other, b"\n".to_vec())),
    ]
}

proptest! {
    /// Only whole lines of standard error survive a crash; everything else is the same in every case.
    #[test]
    fn a_crash_after_any_record_changes_nothing(
        records in proptest::collection::vec(a_record(), 0..25),
        crashes in proptest::collection::vec(1usize..6, 0..12),
    ) {
        let journal = Journal::new(records);
        let mut facts = Vec::new();
        let mut position = Position::default();
        for count in crashes.into_iter().chain([usize::MAX]) {
            let mut ingest = Ingest::with_limit(position, LIMIT);
            facts.extend(journal.feed(&mut ingest, count));
            position = ingest.position();
        }
        let known = |facts: Vec<Fact>| -> Vec<Fact> {
            facts.into_iter().filter(|fact| !matches!(fact, Fact::ErrorLine(_))).collect()
        };
        prop_assert_eq!(known(facts), known(journal.read()));
    }
}
