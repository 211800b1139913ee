//! The names of things: sessions, messages, permission prompts.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// The letters of a session id: none that is easily taken for another.
pub const SESSION_ID_ALPHABET: &[u8; 30] = b"ABCDEFGHJKMNPQRSTVWXYZ23456789";

/// The number of letters in a session id.
pub const SESSION_ID_LENGTH: usize = 8;

/// A session's id: eight letters of [`SESSION_ID_ALPHABET`], never reused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId([u8; SESSION_ID_LENGTH]);

impl SessionId {
    /// The id that these random bytes stand for. Bytes of 240 and above are skipped, so that every letter is equally
    /// likely; none if too few remain.
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
        // The letters are ASCII by construction.
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

/// A message's id: the UUID that the client chose, and the `uuid` of Claude's user message.
pub type MessageId = Uuid;

/// A permission prompt's id: the session's and a number that counts up in it, `K7M2Q9XD-3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PermissionId {
    /// The session that asks.
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
