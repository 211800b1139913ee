//! The digest of what the host writes to Claude: an input in the journal that has no digest of an order was not ordered.

use hmac_sha256::Hash;

use super::{stream, terminal};
use crate::orchestrator::{Driver, Input, InputDigest};

/// The digest of an input that is written to Claude.
pub(super) fn of_input(bytes: &[u8]) -> InputDigest {
    InputDigest(Hash::hash(bytes))
}

/// The digest of the answer to a hook, as the journal holds it: the offset of the hook's record, then what the hook
/// prints.
pub(super) fn of_answer(payload: &[u8]) -> InputDigest {
    let mut hash = Hash::new();
    hash.update(b"hook");
    hash.update(payload);
    InputDigest(hash.finalize())
}

/// The digest that this order of the orchestrator has in the journal; `None` if it never gets there.
pub fn of(driver: Driver, input: &Input) -> Option<InputDigest> {
    match driver {
        Driver::Stream => {
            stream::encode(input).ok().filter(|bytes| !bytes.is_empty()).map(|bytes| of_input(&bytes))
        }
        Driver::Terminal => terminal::encode(input).ok()?.map(|order| match order {
            terminal::Order::Write(bytes) => of_input(&bytes),
            terminal::Order::AnswerHook { hook, bytes } => {
                of_answer(&[&hook.to_le_bytes()[..], &bytes].concat())
            }
        }),
    }
}
