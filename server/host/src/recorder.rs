//! The journal as the host uses it: what cannot be written is kept and tried again, in order.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use super::log;
use areyouj_journal::{Kind, Writer};

/// How long after a failed write the next is tried: a full disk is noticed soon after it has room again.
const RETRY: Duration = Duration::from_secs(1);

/// Records, and keeps what could not be recorded yet. The host reads nothing from Claude meanwhile, so that what is
/// kept are a piece of output and what it does itself.
pub(super) struct Recorder {
    writer: Writer,
    backlog: VecDeque<(Kind, Vec<u8>)>,
    stall: Option<Stall>,
    telling_end: u64,
}

/// The journal cannot be written.
struct Stall {
    why: String,
    retry_at: Instant,
}

impl Recorder {
    pub(super) fn new(writer: Writer) -> Recorder {
        Recorder { telling_end: writer.end(), writer, backlog: VecDeque::new(), stall: None }
    }

    /// The end of the journal.
    pub(super) fn end(&self) -> u64 {
        self.writer.end()
    }

    /// Where the journal went to when it last got a record other than output.
    pub(super) fn telling_end(&self) -> u64 {
        self.telling_end
    }

    /// Where the journal's files are.
    pub(super) fn directory(&self) -> &Path {
        self.writer.directory()
    }

    /// When to call [`Recorder::retry`]; none while everything is recorded.
    pub(super) fn retry_at(&self) -> Option<Instant> {
        self.stall.as_ref().map(|stall| stall.retry_at)
    }

    /// Something could not be recorded yet.
    pub(super) fn is_stuck(&self) -> bool {
        self.stall.is_some()
    }

    /// Why something could not be recorded yet.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.stall.as_ref().map(|stall| stall.why.as_str())
    }

    /// Records what has happened, now or as soon as it can be.
    pub(super) fn record(&mut self, kind: Kind, payload: &[u8]) {
        if self.is_stuck() {
            self.backlog.push_back((kind, payload.to_vec()));
        } else if let Err(error) = self.append(kind, payload) {
            self.backlog.push_back((kind, payload.to_vec()));
            self.stalled(&error, Instant::now());
        }
    }

    /// Records what is about to be done; on an error it must not be done. [`Recorder::is_stuck`] says whether it may be
    /// tried again.
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

    /// Records what is kept, if it is time to try; true if that worked.
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
            self.telling_end = end;
        }
        Ok(end)
    }

    fn stalled(&mut self, error: &io::Error, now: Instant) {
        let why = error.to_string();
        if self.trouble() != Some(&why) {
            log(&format!("cannot write the journal: {why}"));
        }
        self.stall = Some(Stall { why, retry_at: now + RETRY });
    }

    /// Makes everything recorded survive a power cut.
    pub(super) fn sync(&mut self) {
        if let Err(error) = self.writer.sync() {
            log(&format!("cannot bring the journal to disk: {error}"));
        }
    }

    /// What lies before this offset may be deleted.
    pub(super) fn ingested(&mut self, offset: u64) {
        self.writer.ingested(offset);
    }
}
