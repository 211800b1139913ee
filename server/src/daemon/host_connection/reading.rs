//! Reading a session's journal for its link.

use std::path::PathBuf;

use crate::daemon::claude::status_poller::LastTurn;
use crate::daemon::journal_fact;
use areyouj_core::driver::ingest::Ingest;
use areyouj_core::orchestrator::{Fact, Written};
use areyouj_journal::{JournalError, Reader};

/// Journal bytes that are read before the facts in them are passed on.
const READ_BYTES: u64 = 256 << 10;

/// Journal bytes that are read again for what stands in a terminal's input: far more than somebody types at a time.
const RECALL_BYTES: u64 = 1 << 20;

/// How far reading came.
pub(super) enum Progress {
    /// After a record.
    To(u64),
    /// There is no further record.
    End,
    /// It cannot be read now.
    Failed,
}

/// How a link reads: no further than the end of its launch, because what follows is for the next link.
pub(super) struct Reading {
    pub(super) launch: u32,
    pub(super) ingest: Ingest,
    pub(super) journal: PathBuf,
    pub(super) reader: Option<Reader>,
    /// No further record of this launch can be read.
    pub(super) ended: bool,
    /// That is because of damage: Claude's end will not be read either.
    pub(super) wedged: bool,
    /// What was told last of a turn at a terminal.
    pub(super) turn: LastTurn,
    /// What stands in a terminal's input was found out again, and not told yet.
    pub(super) recalled: bool,
}

impl Reading {
    /// Finds out again what stands in a terminal's input, from what the journal holds before this offset.
    pub(super) fn recall(&mut self, before: u64) {
        if !self.recalled {
            return;
        }
        let Ok(mut latest) = Reader::open_latest(&self.journal, RECALL_BYTES) else { return };
        while let Ok(Some(record)) = latest.next()
            && record.offset < before
        {
            self.ingest.recall(&journal_fact::record(&record));
        }
    }

    /// Reads on in the journal, up to where a living host says that it goes; returns the facts, and how far it came.
    pub(super) fn take_in(&mut self, end: Option<u64>) -> (Vec<Fact>, Progress) {
        let mut facts = Vec::new();
        let mut progress = Progress::End;
        let open = match self.reader.take() {
            Some(open) => Ok(open),
            None => Reader::open(&self.journal, self.ingest.start()),
        };
        let open = match open {
            Ok(open) => self.reader.insert(open),
            Err(error) => {
                tracing::warn!(%error, journal = %self.journal.display(), "the journal cannot be opened");
                let progress = if self.journal.exists() { Progress::Failed } else { Progress::End };
                return (facts, progress);
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
                    let (told, time_us) = (facts.len(), record.time_us);
                    let record = journal_fact::record(&record);
                    self.ended = journal_fact::ends(&record, self.launch);
                    self.ingest.take(&record, &mut facts);
                    for fact in &facts[told..] {
                        match fact {
                            Fact::PromptSubmitted(_) => self.turn = LastTurn::Began(time_us / 1_000),
                            Fact::Written(Written::Answer { .. }) => {
                                self.turn = LastTurn::Answered(time_us / 1_000);
                            }
                            Fact::TurnEnded(_) => self.turn = LastTurn::Ended(time_us / 1_000),
                            _ => {}
                        }
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
                        // The rest of what this host records cannot be read: the next one cuts the damage off.
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
        (facts, progress)
    }
}
