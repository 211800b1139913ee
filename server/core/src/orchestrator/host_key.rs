//! The key of a launch: only a daemon that has it can give orders to the launch's host.

use std::fmt;

use hmac_sha256::Hash;

use super::SessionId;

/// Bytes of a key.
pub const HOST_KEY_BYTES: usize = 32;

/// The secret of one step: random UUIDs, with more random bits together than a key has.
pub type StepSecret = [[u8; 16]; 3];

/// The beginning of what is hashed.
const PURPOSE: &[u8] = b"areyouj host key 1";

/// A key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HostKey(pub [u8; HOST_KEY_BYTES]);

impl HostKey {
    /// The key of this launch from the secret of one step. Several launches of one step get different keys, none of which
    /// tells another.
    pub(super) fn derive(secret: &StepSecret, session: SessionId, launch: u32) -> HostKey {
        let mut hash = Hash::new();
        for part in [PURPOSE, secret.as_flattened(), session.as_str().as_bytes(), &launch.to_le_bytes()] {
            hash.update(part);
        }
        HostKey(hash.finalize())
    }
}

/// No log can hold a key.
impl fmt::Debug for HostKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("HostKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_launch_has_its_own_key_which_is_never_printed() {
        let session = |text: &str| text.parse::<SessionId>().unwrap();
        let key = |secret: u8, id: &str, launch| HostKey::derive(&[[secret; 16]; 3], session(id), launch);
        let keys =
            [key(1, "AAAAAAAA", 1), key(2, "AAAAAAAA", 1), key(1, "BBBBBBBB", 1), key(1, "AAAAAAAA", 2)];
        for (index, one) in keys.iter().enumerate() {
            assert!(keys[index + 1..].iter().all(|other| one != other));
        }
        assert_eq!(format!("{:?}", keys[0]), "HostKey(…)");
    }
}
