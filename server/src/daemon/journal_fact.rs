//! Journal records in the driver's terms.

use areyouj_core::driver::ingest::{JournalRecord, RecordKind};
use areyouj_core::orchestrator::{Exit, Refusal, RefusedAttempt, RefusedPlace};
use areyouj_journal::{Exited, How, Kind, Origin, Record, Refused, SpawnFailed, Started, Tried};

/// A record for the driver. One whose payload has another form than its kind demands becomes [`RecordKind::Other`].
pub(super) fn record(record: &Record) -> JournalRecord<'_> {
    let mut payload = &record.payload[..];
    let kind = match record.kind {
        Kind::Output => RecordKind::Output,
        Kind::ErrorOutput => RecordKind::ErrorOutput,
        Kind::Input => RecordKind::Input,
        Kind::Started => Started::decode(&record.payload)
            .map_or(RecordKind::Other, |Started { launch, pid }| RecordKind::Started { launch, pid }),
        Kind::Exited => {
            Exited::decode(&record.payload).map_or(RecordKind::Other, |Exited { launch, how }| {
                RecordKind::Exited {
                    launch,
                    exit: match how {
                        How::Code(code) => Exit::Code(code),
                        How::Signal(signal) => Exit::Signal(signal),
                    },
                }
            })
        }
        Kind::SpawnFailed => SpawnFailed::decode(&record.payload).map_or(
            RecordKind::Other,
            |SpawnFailed { launch, reason }| RecordKind::SpawnFailed { launch, message: reason },
        ),
        Kind::Typed => RecordKind::Typed,
        Kind::Hook => {
            let (waits, told) = record.payload.split_first().unwrap_or((&0, &[]));
            payload = told;
            RecordKind::Hook { waits: *waits != 0 }
        }
        Kind::HookAnswered => {
            hook(record).map_or(RecordKind::Other, |hook| RecordKind::HookAnswered { hook })
        }
        Kind::HookGone => hook(record).map_or(RecordKind::Other, |hook| RecordKind::HookGone { hook }),
        Kind::Refused => Refused::decode(&record.payload)
            .map_or(RecordKind::Other, |refused| RecordKind::Refused(refusal(refused))),
        Kind::Resized | Kind::Signalled | Kind::Unknown(_) => RecordKind::Other,
    };
    JournalRecord { offset: record.offset, next: record.next, kind, payload }
}

/// What the host refused.
fn refusal(refused: Refused) -> Refusal {
    let Refused { origin, tried, pid, more, session, name } = refused;
    if more > 0 {
        return Refusal::More(more);
    }
    let place = match origin {
        Origin::OwnSession => RefusedPlace::ThisSession,
        Origin::OtherSession => RefusedPlace::OtherSession(Some(session)),
        Origin::Outside => RefusedPlace::Outside,
        Origin::Unknown => RefusedPlace::OtherSession(None),
    };
    let tried = match tried {
        Tried::Connect => RefusedAttempt::Connect,
        Tried::Orders => RefusedAttempt::Orders,
        Tried::WrongKey => RefusedAttempt::WrongKey,
        Tried::Attach => RefusedAttempt::Attach,
        Tried::Hook => RefusedAttempt::Hook,
    };
    Refusal::Process { pid, name, place, tried }
}

/// The offset of the hook's record that this one is about.
fn hook(record: &Record) -> Option<u64> {
    record.payload.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
}

/// Whether nothing of this launch follows.
pub(super) fn ends(record: &JournalRecord<'_>, of: u32) -> bool {
    match record.kind {
        RecordKind::Exited { launch, .. } | RecordKind::SpawnFailed { launch, .. } => launch == of,
        _ => false,
    }
}
