//! Properties of every fact, and a journal in memory for the ingest.

use areyouj_core::driver::ingest::{Ingest, JournalRecord, RecordKind};
use areyouj_core::fuzz::ingest;
use areyouj_core::orchestrator::{EntryBody, Fact, Position};
use areyouj_core::text::plain::short_line;

use crate::journal::RECORD_HEADER_BYTES;

/// The maximum length of the reported part of a line that is not JSON, and of the title of a permission request, in
/// characters.
const GARBAGE_CHARACTERS: usize = 200;
const TITLE_CHARACTERS: usize = 300;

/// Checks displayed texts: each is a line of limited length, or a block, without control characters.
pub fn check(fact: &Fact) {
    match fact {
        Fact::Garbage(text) | Fact::Unsupported { subtype: text, .. } => line(text, GARBAGE_CHARACTERS),
        Fact::PermissionRequested(ask) => line(&ask.title, TITLE_CHARACTERS),
        Fact::Ready { pending } => pending.iter().for_each(|ask| line(&ask.title, TITLE_CHARACTERS)),
        Fact::ErrorLine(text) | Fact::SpawnFailed { message: text, .. } => line(text, 4096),
        Fact::Entry(EntryBody::Notice { text, .. }) => block(text),
        Fact::ControlFailed { message, .. } => block(message),
        Fact::TurnEnded(end) => end.error.iter().for_each(|error| block(error)),
        _ => {}
    }
}

fn line(text: &str, limit: usize) {
    assert!(text.chars().count() <= limit, "{} characters: {text:?}", text.chars().count());
    assert!(!text.contains(char::is_control), "a control character in {text:?}");
    assert_eq!(short_line(text, limit), text, "sanitizing is idempotent");
}

fn block(text: &str) {
    let obeyed = |char: char| char.is_control() && !matches!(char, '\n' | '\t');
    assert!(!text.contains(obeyed), "a control character in {text:?}");
}

/// A record of a journal: its kind and payload.
pub type RawRecord = (RecordKind, Vec<u8>);

/// A journal in memory.
pub struct Records(Vec<(u64, u64, RawRecord)>);

impl Records {
    /// A journal that starts with these records.
    pub fn new(raw: impl IntoIterator<Item = RawRecord>) -> Records {
        let mut end = 0;
        let locate = |raw_record: RawRecord| {
            let offset = end;
            end += (RECORD_HEADER_BYTES + raw_record.1.len()) as u64;
            (offset, end, raw_record)
        };
        Records(raw.into_iter().map(locate).collect())
    }

    /// The facts, if reading stops after each of these numbers of records, and another ingest continues at its
    /// position. The last one reads to the end.
    pub fn facts(&self, line_bytes: usize, ends: impl IntoIterator<Item = usize>) -> Vec<Fact> {
        let mut facts = Vec::new();
        let mut position = Position::default();
        for count in ends.into_iter().chain([usize::MAX]) {
            let mut ingest = ingest(position, line_bytes);
            self.feed(&mut ingest, count, &mut facts);
            position = ingest.position();
            if position.next == self.0.last().map_or(0, |last| last.1) {
                break;
            }
        }
        facts
    }

    /// Reads from the start offset of the ingest, and up to `count` records that are new to it.
    fn feed(&self, ingest: &mut Ingest, count: usize, facts: &mut Vec<Fact>) {
        let (start, next) = (ingest.start(), ingest.position().next);
        assert!(start <= next, "the start of reading is not after the position");
        let first = self.0.partition_point(|record| record.0 < start);
        let first_new = self.0.partition_point(|record| record.0 < next);
        for (offset, next, (kind, payload)) in &self.0[first..first_new] {
            let before = facts.len();
            ingest.take(&JournalRecord { offset: *offset, next: *next, kind: kind.clone(), payload }, facts);
            assert_eq!(facts.len(), before, "facts are not reported twice");
        }
        for (offset, next, (kind, payload)) in self.0[first_new..].iter().take(count) {
            ingest.take(&JournalRecord { offset: *offset, next: *next, kind: kind.clone(), payload }, facts);
            assert_eq!(ingest.position().next, *next, "the position is after the ingested record");
        }
    }
}
