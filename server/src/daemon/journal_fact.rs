//! Journal records in the driver's terms.

use crate::driver::ingest::{JournalRecord, RecordKind};
use crate::host::journal::{Ended, Kind, Record};
use crate::orchestrator::Exit;

/// A record as the driver takes it in. One whose payload is not of its kind's shape is passed over.
pub(super) fn record(record: &Record) -> JournalRecord<'_> {
    let kind = match record.kind {
        Kind::Output => RecordKind::Output,
        Kind::ErrorOutput => RecordKind::ErrorOutput,
        Kind::Input => RecordKind::Input,
        Kind::Started | Kind::Exited | Kind::SpawnFailed | Kind::Signalled | Kind::Unknown(_) => RecordKind::Other,
    };
    JournalRecord { offset: record.offset, next: record.next, kind, payload: &record.payload }
}
