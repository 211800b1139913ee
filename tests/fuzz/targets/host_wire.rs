//! The frames between daemon and host, both directions.

#![no_main]

use std::fmt::Debug;

use areyouj_host::wire::{FromHost, MAX_FRAME, ToHost, WireError};
use libfuzzer_sys::fuzz_target;

/// The length of the smallest frame: a length and a kind.
const MIN_FRAME_BYTES: usize = 5;

/// The kinds with a text as payload: bytes that are not UTF-8 become the replacement character, which is longer.
const TEXTS: [u8; 2] = [132, 133];

type Decode<F> = fn(&[u8]) -> Result<Option<(F, usize)>, WireError>;

/// Decodes all frames, and checks the properties of each.
fn frames<F: Debug + PartialEq>(bytes: &[u8], decode: Decode<F>, encode: fn(&F, &mut Vec<u8>)) {
    let mut rest = bytes;
    loop {
        let (frame, taken) = match decode(rest) {
            Ok(Some(found)) => found,
            Ok(None) => {
                assert!(rest.len() < MAX_FRAME + MIN_FRAME_BYTES, "a frame that never becomes complete");
                return;
            }
            Err(error) => {
                let more = [rest, &[0; 64]].concat();
                assert_eq!(decode(&more), Err(error), "following bytes do not make an invalid frame valid");
                return;
            }
        };
        assert!((MIN_FRAME_BYTES..=rest.len()).contains(&taken), "a frame of {taken} bytes");
        assert_eq!(decode(&rest[..taken - 1]), Ok(None), "a frame without its last byte is incomplete");

        let mut encoded = Vec::new();
        encode(&frame, &mut encoded);
        let length = encoded.len();
        assert!(length <= taken || TEXTS.contains(&rest[4]), "a frame grew");
        assert_eq!(decode(&encoded), Ok(Some((frame, length))), "a frame survives a round trip");
        rest = &rest[taken..];
    }
}

fuzz_target!(|data: &[u8]| {
    frames(data, ToHost::decode, ToHost::encode);
    frames(data, FromHost::decode, FromHost::encode);
});
