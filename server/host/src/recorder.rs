//! The journal as the host uses it: keeps records that cannot be written, and tries them again in order.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use super::log;
use areyouj_journal::{Kind, Writer};

/// Between two attempts after a failed write: a full disk is noticed soon after it has room again.
const RETRY: Duration = Duration::from_secs(1);

/// Records, and keeps the records that cannot be written yet. The host reads nothing from Claude meanwhile, so it
/// keeps a piece of output and records of its own actions at most.
pub(super) struct Recorder {
    writer: Writer,
    backlog: VecDeque<(Kind, Vec<u8>)>,
    stall: Option<Stall>,
    notable_end: u64,
}

/// The journal cannot be written.
struct Stall {
    why: String,
    retry_at: Instant,
}

impl Recorder {
    pub(super) fn new(writer: Writer) -> Recorder {
        Recorder { notable_end: writer.end(), writer, backlog: VecDeque::new(), stall: None }
    }

    /// The end of the journal.
    pub(super) fn end(&self) -> u64 {
        self.writer.end()
    }

    /// The length of the journal when it last got a record other than output.
    pub(super) fn notable_end(&self) -> u64 {
        self.notable_end
    }

    /// Where the journal's files are.
    pub(super) fn directory(&self) -> &Path {
        self.writer.directory()
    }

    /// When to call [`Recorder::retry`]; `None` while everything is recorded.
    pub(super) fn retry_at(&self) -> Option<Instant> {
        self.stall.as_ref().map(|stall| stall.retry_at)
    }

    /// A record is not written yet.
    pub(super) fn is_stuck(&self) -> bool {
        self.stall.is_some()
    }

    /// Why a record is not written yet.
    pub(super) fn error(&self) -> Option<&str> {
        self.stall.as_ref().map(|stall| stall.why.as_str())
    }

    /// Records what has happened, now or as soon as possible.
    pub(super) fn record(&mut self, kind: Kind, payload: &[u8]) {
        if self.is_stuck() {
            self.backlog.push_back((kind, payload.to_vec()));
        } else if let Err(error) = self.append(kind, payload) {
            self.backlog.push_back((kind, payload.to_vec()));
            self.stalled(&error, Instant::now());
        }
    }

    /// Records an action before it is taken; after an error the caller must not take it. [`Recorder::is_stuck`] says
    /// whether a later attempt can succeed.
    pub(super) fn record_first(&mut self, kind: Kind, payload: &[u8]) -> io::Result<()> {
        if self.is_stuck() {
            return Err(io::Error::other("the journal cannot be written"));
        }
        let recorded = self.append(kind, payload);
        if let Err(error) = &recorded {
            self.stalled(error, Instant::now());
        }
        recorded.map(|_| ())
    }

    /// Writes the kept records, if an attempt is due. Returns true if that worked.
    pub(super) fn retry(&mut self, now: Instant) -> bool {
        if self.retry_at().is_none_or(|at| now < at) {
            return false;
        }
        while let Some((kind, payload)) = self.backlog.pop_front() {
            if let Err(error) = self.append(kind, &payload) {
                self.backlog.push_front((kind, payload));
                self.stalled(&error, now);
                return false;
            }
        }
        self.backlog = VecDeque::new();
        self.stall = None;
        true
    }

    fn append(&mut self, kind: Kind, payload: &[u8]) -> io::Result<u64> {
        let end = self.writer.append(kind, payload)?;
        if kind != Kind::Output {
            self.notable_end = end;
        }
        Ok(end)
    }

    fn stalled(&mut self, error: &io::Error, now: Instant) {
        let why = error.to_string();
        if self.error() != Some(&why) {
            log(&format!("cannot write the journal: {why}"));
        }
        self.stall = Some(Stall { why, retry_at: now + RETRY });
    }

    /// Makes everything recorded survive a power cut.
    pub(super) fn sync(&mut self) {
        if let Err(error) = self.writer.sync() {
            log(&format!("cannot sync the journal: {error}"));
        }
    }

    /// Allows the deletion of the journal before this offset.
    pub(super) fn ingested(&mut self, offset: u64) {
        self.writer.ingested(offset);
    }
}
