//! The journal as the host uses it: what cannot be written is kept and tried again, in order.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use super::journal::{Kind, Writer};
use super::log;

/// How long after a failed write the next is tried: a full disk is noticed soon after it has room again.
const RETRY: Duration = Duration::from_secs(1);

/// Records, and keeps what could not be recorded yet. The host reads nothing from Claude meanwhile, so that what is
/// kept are a piece of output and what it does itself.
pub(super) struct Recorder {
    writer: Writer,
    backlog: VecDeque<(Kind, Vec<u8>)>,
    retry_at: Option<Instant>,
}

impl Recorder {
    pub(super) fn new(writer: Writer) -> Recorder {
        Recorder { writer, backlog: VecDeque::new(), retry_at: None }
    }

    /// The end of the journal.
    pub(super) fn end(&self) -> u64 {
        self.writer.end()
    }

    /// When to call [`Recorder::retry`]; none while everything is recorded.
    pub(super) fn retry_at(&self) -> Option<Instant> {
        self.retry_at
    }

    /// Something could not be recorded yet.
    pub(super) fn is_stuck(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// Records what has happened, now or as soon as it can be.
    pub(super) fn record(&mut self, kind: Kind, payload: &[u8]) {
        if self.is_stuck() {
            self.backlog.push_back((kind, payload.to_vec()));
        } else if let Err(error) = self.writer.append(kind, payload) {
            log(&format!("cannot write the journal: {error}"));
            self.backlog.push_back((kind, payload.to_vec()));
            self.retry_at = Some(Instant::now() + RETRY);
        }
    }

    /// Records what is about to be done; on an error it must not be done.
    pub(super) fn record_first(&mut self, kind: Kind, payload: &[u8]) -> io::Result<()> {
        if self.is_stuck() {
            return Err(io::Error::other("the journal cannot be written"));
        }
        self.writer.append(kind, payload).map(|_| ())
    }

    /// Records what is kept, if it is time to try.
    pub(super) fn retry(&mut self, now: Instant) {
        if self.retry_at.is_none_or(|at| now < at) {
            return;
        }
        while let Some((kind, payload)) = self.backlog.front() {
            if self.writer.append(*kind, payload).is_err() {
                self.retry_at = Some(now + RETRY);
                return;
            }
            self.backlog.pop_front();
        }
        self.backlog = VecDeque::new();
        self.retry_at = None;
        log("the journal can be written again");
    }

    /// Makes everything recorded survive a power cut.
    pub(super) fn sync(&self) {
        if let Err(error) = self.writer.sync() {
            log(&format!("cannot bring the journal to disk: {error}"));
        }
    }

    /// What lies before this offset may be deleted.
    pub(super) fn ingested(&mut self, offset: u64) {
        self.writer.ingested(offset);
    }
}
