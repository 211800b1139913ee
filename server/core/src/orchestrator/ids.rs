//! The ids of clients, sessions, messages and permission requests, and the randomness for new ones.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use super::{HostKey, StepSecret};

/// A connection of a client.
pub type ClientId = u64;

/// A request of a client that waits for its answer.
pub type ReplyId = u64;

/// The letters of a session id, without letters that look alike.
pub const SESSION_ID_ALPHABET: &[u8; 30] = b"ABCDEFGHJKMNPQRSTVWXYZ23456789";

/// The number of letters in a session id.
pub const SESSION_ID_LENGTH: usize = 8;

/// A session's id: eight letters of [`SESSION_ID_ALPHABET`], never reused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId([u8; SESSION_ID_LENGTH]);

impl SessionId {
    /// The id from these random bytes. Bytes of 240 and above are skipped, so that every letter is equally likely;
    /// `None` if too few bytes remain.
    pub fn from_random(random: &[u8]) -> Option<SessionId> {
        let letters = SESSION_ID_ALPHABET.len() as u8;
        let mut usable = random.iter().filter(|byte| **byte < u8::MAX / letters * letters);
        let mut id = [0; SESSION_ID_LENGTH];
        for letter in &mut id {
            *letter = SESSION_ID_ALPHABET[usize::from(usable.next()? % letters)];
        }
        Some(SessionId(id))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        // The letters are always ASCII.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The session that a client means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionRef {
    /// The one with this id, or with an id that begins like this.
    Id(String),
    /// The newest live session of one of these directories (the caller's workspace folders).
    Newest {
        /// Absolute paths.
        directories: Vec<String>,
    },
}

/// The text is not an id of this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id of this kind")]
pub struct NotAnId;

impl FromStr for SessionId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<SessionId, NotAnId> {
        let letters: [u8; SESSION_ID_LENGTH] = text.as_bytes().try_into().map_err(|_| NotAnId)?;
        let known = letters.iter().all(|letter| SESSION_ID_ALPHABET.contains(letter));
        if known { Ok(SessionId(letters)) } else { Err(NotAnId) }
    }
}

/// Randomness for one step. The rules have no other source of it, so that they can be replayed.
#[derive(Clone, Copy)]
pub struct Entropy {
    halves: [u64; 2],
    secret: StepSecret,
}

/// The increment and the factors of SplitMix64.
const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;
const MIX: [u64; 2] = [0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb];

impl Entropy {
    /// Randomness from this seed. Every step needs a new random seed.
    pub fn new(seed: u128) -> Entropy {
        Entropy { halves: [(seed >> 64) as u64, seed as u64], secret: StepSecret::default() }
    }

    /// With a secret for the keys of hosts: who knows the ids of a step must not know its keys.
    #[must_use]
    pub fn with_secret(self, secret: StepSecret) -> Entropy {
        Entropy { secret, ..self }
    }

    /// The key of a launch that is ordered in this step.
    pub(super) fn host_key(&self, session: SessionId, launch: u32) -> HostKey {
        HostKey::derive(&self.secret, session, launch)
    }

    /// A random UUID.
    pub(super) fn uuid(&mut self) -> Uuid {
        uuid::Builder::from_random_bytes(self.bytes()).into_uuid()
    }

    /// A random session id.
    pub(super) fn session_id(&mut self) -> SessionId {
        loop {
            if let Some(id) = SessionId::from_random(&self.bytes()) {
                return id;
            }
        }
    }

    /// The next 16 bytes. Each half of the seed is a generator of its own (SplitMix64), so that no two seeds give the
    /// same first bytes.
    fn bytes(&mut self) -> [u8; 16] {
        let mut bytes = [0; 16];
        for (half, place) in self.halves.iter_mut().zip(bytes.chunks_exact_mut(8)) {
            *half = half.wrapping_add(GOLDEN_GAMMA);
            let mixed = (*half ^ (*half >> 30)).wrapping_mul(MIX[0]);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(MIX[1]);
            place.copy_from_slice(&(mixed ^ (mixed >> 31)).to_be_bytes());
        }
        bytes
    }
}

/// The beginning of the ids of our control requests. It distinguishes Claude's responses from echoes of our own.
pub const REQUEST_PREFIX: &str = "areyouj-";

/// The beginning of the ids of our `initialize` requests.
pub const INITIALIZE_PREFIX: &str = "areyouj-init-";

/// A message's id: the UUID that the client chose, and the `uuid` of Claude's user message.
pub type MessageId = Uuid;

/// A permission request's id: the session's and a number that counts up in it, `K7M2Q9XD-3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PermissionId {
    /// The session whose Claude made it.
    pub session: SessionId,
    /// 1, 2, 3 … in the session.
    pub number: u32,
}

impl fmt::Display for PermissionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.session, self.number)
    }
}

impl FromStr for PermissionId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<PermissionId, NotAnId> {
        let (session, number) = text.split_once('-').ok_or(NotAnId)?;
        Ok(PermissionId { session: session.parse()?, number: number.parse().map_err(|_| NotAnId)? })
    }
}
