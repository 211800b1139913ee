//! Reading a session's journal for its host connection.

use std::path::PathBuf;

use super::following::{Chunk, Progress, ReadState};
use crate::daemon::claude::status_poller::LastTurn;
use crate::daemon::journal_fact;
use areyouj_core::driver::ingest::Ingest;
use areyouj_core::orchestrator::{Driver, Fact, Position, Written};
use areyouj_journal::{JournalError, Reader};

/// Journal bytes to read before the facts in them are reported.
const READ_BYTES: u64 = 256 << 10;

/// Journal bytes to read again for the draft in a terminal's input: far more than a person types at a time.
const RECALL_BYTES: u64 = 1 << 20;

/// Reads the journal up to the end of one launch, because the next connection reads what follows.
pub(super) struct Reading {
    launch: u32,
    ingest: Ingest,
    journal: PathBuf,
    reader: Option<Reader>,
    /// No further record of this launch can be read.
    ended: bool,
    /// Damage hides the rest of this launch, and Claude's end with it.
    wedged: bool,
    turn: LastTurn,
}

impl Reading {
    /// Reads this journal from the position on.
    pub(super) fn new(launch: u32, driver: Driver, journal: PathBuf, position: Position) -> Reading {
        let mut reading = Reading {
            launch,
            ingest: Ingest::new(driver, position),
            journal,
            reader: None,
            ended: false,
            wedged: false,
            turn: LastTurn::Unknown,
        };
        if driver == Driver::Terminal {
            reading.recall(position.next);
        }
        reading
    }

    /// Finds out again what draft is in a terminal's input, from the journal before this offset.
    fn recall(&mut self, before: u64) {
        let Ok(mut latest) = Reader::open_latest(&self.journal, RECALL_BYTES) else { return };
        while let Ok(Some(record)) = latest.next()
            && record.offset < before
        {
            self.ingest.recall(&journal_fact::record(&record));
        }
    }

    /// The offset that reading begins at.
    pub(super) fn start(&self) -> u64 {
        self.ingest.start()
    }

    /// How far the journal was read, and what follows from it.
    pub(super) fn state(&self) -> ReadState {
        ReadState { position: self.ingest.position(), typed: self.ingest.typed(), turn: self.turn }
    }

    /// Whether the end of Claude was read.
    pub(super) fn has_end(&self) -> bool {
        self.ended && !self.wedged
    }

    /// Reads the next part of the journal, up to the length that a living host reported.
    pub(super) fn read(&mut self, end: Option<u64>) -> Chunk {
        let mut facts = Vec::new();
        let progress = self.read_into(end, &mut facts);
        Chunk { facts, progress, wedged: self.wedged, state: self.state() }
    }

    fn read_into(&mut self, end: Option<u64>, facts: &mut Vec<Fact>) -> Progress {
        let mut progress = Progress::End;
        let open = match self.reader.take() {
            Some(open) => Ok(open),
            None => Reader::open(&self.journal, self.ingest.start()),
        };
        let open = match open {
            Ok(open) => self.reader.insert(open),
            Err(error) => {
                tracing::warn!(%error, journal = %self.journal.display(), "the journal cannot be opened");
                return if self.journal.exists() { Progress::Failed } else { Progress::End };
            }
        };
        let mut read = 0;
        while read < READ_BYTES && !self.ended {
            let next = match end {
                Some(end) => open.next_below(end),
                None => open.next(),
            };
            match next {
                Ok(Some(record)) => {
                    read += record.next - record.offset;
                    progress = Progress::To(record.next);
                    let (before, time_us) = (facts.len(), record.time_us);
                    let record = journal_fact::record(&record);
                    self.ended = journal_fact::ends(&record, self.launch);
                    self.ingest.take(&record, facts);
                    for fact in &facts[before..] {
                        self.turn = turn_after(fact, time_us / 1_000).unwrap_or(self.turn);
                    }
                }
                Ok(None) => break,
                Err(JournalError::Gap { resume_at }) => {
                    facts.push(Fact::JournalGap { resume_at });
                    self.ingest.resume_at(resume_at);
                    progress = Progress::To(resume_at);
                }
                Err(JournalError::Corrupt { offset }) => {
                    let next = open.skip_corrupt().ok().flatten();
                    facts.push(Fact::JournalDamaged { offset, readable: next.is_some() });
                    match next {
                        Some(next) => {
                            self.ingest.resume_at(next);
                            progress = Progress::To(next);
                        }
                        // The rest of what this host records cannot be read: the next host truncates the journal here.
                        None => {
                            self.ended = true;
                            self.wedged = true;
                        }
                    }
                }
                Err(JournalError::Io(error)) => {
                    tracing::warn!(%error, journal = %self.journal.display(), "the journal cannot be read");
                    if matches!(progress, Progress::End) {
                        progress = Progress::Failed;
                    }
                    self.reader = None;
                    break;
                }
            }
        }
        progress
    }
}

/// What a fact of this time, in milliseconds since the epoch, says about the turn.
fn turn_after(fact: &Fact, at: u64) -> Option<LastTurn> {
    match fact {
        Fact::PromptSubmitted(_) => Some(LastTurn::Began(at)),
        Fact::Written(Written::Answer { .. }) => Some(LastTurn::Answered(at)),
        Fact::TurnEnded(_) => Some(LastTurn::Ended(at)),
        _ => None,
    }
}
