//! The frames between daemon and host, both directions.

#![no_main]

use std::fmt::Debug;

use areyouj_host::wire::{FromHost, MAX_FRAME, ToHost, WireError};
use libfuzzer_sys::fuzz_target;

/// Bytes of the smallest frame: a length and a kind.
const SMALLEST: usize = 5;

/// Kinds whose payload is text: what is no UTF-8 in it becomes the replacement character, which is longer.
const TEXTS: [u8; 2] = [132, 133];

type Decode<F> = fn(&[u8]) -> Result<Option<(F, usize)>, WireError>;

/// Reads all frames there are, and checks what holds for each.
fn frames<F: Debug + PartialEq>(bytes: &[u8], decode: Decode<F>, encode: fn(&F, &mut Vec<u8>)) {
    let mut rest = bytes;
    loop {
        let (frame, taken) = match decode(rest) {
            Ok(Some(found)) => found,
            Ok(None) => {
                assert!(rest.len() < MAX_FRAME + SMALLEST, "a frame that never gets complete");
                return;
            }
            Err(error) => {
                let more = [rest, &[0; 64]].concat();
                assert_eq!(decode(&more), Err(error), "what follows does not make a bad frame good");
                return;
            }
        };
        assert!((SMALLEST..=rest.len()).contains(&taken), "a frame of {taken} bytes");
        assert_eq!(decode(&rest[..taken - 1]), Ok(None), "without its last byte it is not complete");

        let mut encoded = Vec::new();
        encode(&frame, &mut encoded);
        let length = encoded.len();
        assert!(length <= taken || TEXTS.contains(&rest[4]), "a frame grew");
        assert_eq!(decode(&encoded), Ok(Some((frame, length))), "a frame comes out as it went in");
        rest = &rest[taken..];
    }
}

fuzz_target!(|data: &[u8]| {
    frames(data, ToHost::decode, ToHost::encode);
    frames(data, FromHost::decode, FromHost::encode);
});
