//! The key of a launch: the daemon that knows it can give orders to the launch's host.

use std::fmt;
use std::io::{self, ErrorKind, Read};

/// Bytes of a key.
pub const KEY_BYTES: usize = 32;

/// A key. The daemon hands it to the host at start over the host's standard input, so that it is in no file that a host
/// reads, and in no arguments or environment.
#[derive(Clone)]
pub struct Key([u8; KEY_BYTES]);

impl Key {
    /// The key of these bytes.
    pub fn new(bytes: [u8; KEY_BYTES]) -> Key {
        Key(bytes)
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// Reads a key to the last byte, and nothing after it. `None` if there is nothing to read: a daemon of an earlier
    /// version has no key to give.
    ///
    /// # Errors
    /// The input ends within the key, or cannot be read.
    pub(crate) fn read(input: impl Read) -> io::Result<Option<Key>> {
        let mut bytes = Vec::with_capacity(KEY_BYTES);
        input.take(KEY_BYTES as u64).read_to_end(&mut bytes)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        bytes.try_into().map(|bytes| Some(Key(bytes))).map_err(|_| ErrorKind::UnexpectedEof.into())
    }
}

/// Takes the same time wherever the keys differ, so that an attempt reveals nothing about the right key.
impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        let differences = self.0.iter().zip(&other.0).fold(0, |all, (one, other)| all | (one ^ other));
        std::hint::black_box(differences) == 0
    }
}

impl Eq for Key {}

/// No log can hold a key.
impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Key(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_whole_or_not_at_all() {
        let bytes: Vec<u8> = (0..40).collect();
        let mut input = &bytes[..];
        let key = Key::read(&mut input).unwrap().unwrap();
        assert_eq!((&key.bytes()[..], input), (&bytes[..KEY_BYTES], &bytes[KEY_BYTES..]));
        assert_eq!(Key::read(&b""[..]).unwrap(), None);
        assert_eq!(Key::read(&bytes[..31]).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }

    #[test]
    fn keys_are_equal_in_every_bit_or_not_equal() {
        let key = Key::new([7; KEY_BYTES]);
        assert_eq!(key, Key::new([7; KEY_BYTES]));
        for bit in 0..KEY_BYTES * 8 {
            let mut other = [7; KEY_BYTES];
            other[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(key, Key::new(other));
        }
    }

    #[test]
    fn a_key_is_never_printed() {
        assert_eq!(format!("{:?}", Key::new([7; KEY_BYTES])), "Key(…)");
    }
}
