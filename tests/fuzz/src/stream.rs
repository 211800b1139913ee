//! What must be so of every fact, and a journal in memory for the ingest.

use areyouj_core::driver::ingest::{Ingest, JournalRecord, RecordKind};
use areyouj_core::fuzz::ingest;
use areyouj_core::orchestrator::{EntryBody, Fact, Position};
use areyouj_core::text::plain::short_line;

use crate::journal::RECORD_HEADER;

/// How much of a line that is no JSON is told, and how long a prompt's title may be, in characters.
const GARBAGE: usize = 200;
const TITLE: usize = 300;

/// Checks what is shown as it is: one line of bounded length, or a block, without anything that a terminal obeys.
pub fn check(fact: &Fact) {
    match fact {
        Fact::Garbage(text) | Fact::Unsupported { subtype: text, .. } => line(text, GARBAGE),
        Fact::PermissionRequested(ask) => line(&ask.title, TITLE),
        Fact::Ready { pending } => pending.iter().for_each(|ask| line(&ask.title, TITLE)),
        Fact::ErrorLine(text) | Fact::SpawnFailed { message: text, .. } => line(text, 4096),
        Fact::Entry(EntryBody::Notice { text, .. }) => block(text),
        Fact::ControlFailed { message, .. } => block(message),
        Fact::TurnEnded(end) => end.error.iter().for_each(|error| block(error)),
        _ => {}
    }
}

fn line(text: &str, most: usize) {
    assert!(text.chars().count() <= most, "{} characters: {text:?}", text.chars().count());
    assert!(!text.contains(char::is_control), "a control character in {text:?}");
    assert_eq!(short_line(text, most), text, "cleaned once is clean");
}

fn block(text: &str) {
    let obeyed = |char: char| char.is_control() && !matches!(char, '\n' | '\t');
    assert!(!text.contains(obeyed), "a control character in {text:?}");
}

/// A record of a journal.
pub type Piece = (RecordKind, Vec<u8>);

/// A journal in memory.
pub struct Records(Vec<(u64, u64, Piece)>);

impl Records {
    /// These records, from the beginning of a journal.
    pub fn new(pieces: impl IntoIterator<Item = Piece>) -> Records {
        let mut end = 0;
        let place = |piece: Piece| {
            let offset = end;
            end += (RECORD_HEADER + piece.1.len()) as u64;
            (offset, end, piece)
        };
        Records(pieces.into_iter().map(place).collect())
    }

    /// The facts, if what reads them ends after each of so many records and another goes on from its position. The
    /// last goes on to the end.
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

    /// Reads from where the ingest says, so many records that are new to it.
    fn feed(&self, ingest: &mut Ingest, count: usize, facts: &mut Vec<Fact>) {
        let (start, next) = (ingest.start(), ingest.position().next);
        assert!(start <= next, "what is read again lies before what is new");
        let first = self.0.partition_point(|record| record.0 < start);
        let first_new = self.0.partition_point(|record| record.0 < next);
        for (offset, next, (kind, payload)) in &self.0[first..first_new] {
            let before = facts.len();
            ingest.take(&JournalRecord { offset: *offset, next: *next, kind: kind.clone(), payload }, facts);
            assert_eq!(facts.len(), before, "what was told is not told again");
        }
        for (offset, next, (kind, payload)) in self.0[first_new..].iter().take(count) {
            ingest.take(&JournalRecord { offset: *offset, next: *next, kind: kind.clone(), payload }, facts);
            assert_eq!(ingest.position().next, *next, "the position is behind what was taken in");
        }
    }
}
