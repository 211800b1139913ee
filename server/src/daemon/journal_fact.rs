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
        // The classes of keys are keys themselves, with the same effect on the draft.
        Kind::Typed | Kind::Keys => RecordKind::Typed,
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

#[cfg(test)]
mod tests {
    use areyouj_core::driver::terminal::Keys;
    use areyouj_host::key_classes::KeyClasses;
    use proptest::prelude::*;

    /// Keys and pieces of keys, so that most of them meet.
    fn keys() -> impl Strategy<Value = Vec<u8>> {
        let pieces: Vec<&[u8]> = vec![
            b"a",
            b"hello",
            b"\x1b",
            b"\x1b\x1b",
            b"[",
            b"]",
            b"P",
            b"O",
            b"\r",
            b"\n",
            b"\x03",
            b"\x15",
            b"\x13",
            b"\x7f",
            b"\x08",
            b"\x01",
            b"\x07",
            b"\x1b\\",
            b"\x1b[200~",
            b"\x1b[201~",
            b"\x1b[13u",
            b"\x1b[99;5u",
            b"\x1b[A",
            b"\x1b[97;5u",
            b"\xc3\xa4",
            b"\xbc",
            b"0;",
            b"~",
            b"u",
            b"\x1b]11;rgb:0/0/0\x07",
            &[b'y'; 70],
            &[b'1'; 700],
        ];
        let piece = prop_oneof![
            8 => proptest::sample::select(pieces).prop_map(<[u8]>::to_vec),
            1 => proptest::collection::vec(any::<u8>(), 0..4),
        ];
        proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn the_classes_of_keys_leave_the_same_draft_as_the_keys(
            presses in proptest::collection::vec(keys(), 0..6),
        ) {
            let (mut of_keys, mut of_classes) = (Keys::default(), Keys::default());
            let mut classes = KeyClasses::default();
            for keys in presses {
                of_keys.press(&keys);
                of_classes.press(&classes.of(&keys));
                prop_assert_eq!(of_keys.characters(), of_classes.characters());
            }
        }
    }
}
