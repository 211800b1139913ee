//! The framing between clients and the daemon: the decoder, and the reader around it.
//!
//! The first byte is how many bytes arrive at a time, the rest is what arrives.

#![no_main]

use areyouj::fuzz::{bodies, daemon_answers};
use areyouj::rpc::frame::{Decoder, FrameError, encode};
use areyouj_fuzz::input::Input;
use libfuzzer_sys::fuzz_target;

/// What the decoder finds in bytes that arrive in pieces.
fn decoded(sent: &[u8], piece: usize) -> (Vec<Vec<u8>>, Option<FrameError>) {
    let mut decoder = Decoder::default();
    let mut bodies = Vec::new();
    for piece in sent.chunks(piece.max(1)) {
        decoder.push(piece);
        loop {
            match decoder.next_frame() {
                Ok(Some(body)) => bodies.push(body),
                Ok(None) => break,
                Err(error) => return (bodies, Some(error)),
            }
        }
    }
    (bodies, None)
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let piece = usize::from(input.byte()) + 1;
    let sent = input.0;

    let (found, error) = decoded(sent, sent.len());
    assert_eq!(decoded(sent, piece), (found.clone(), error), "the same however it arrives");
    let read = bodies(sent, sent.len());
    assert_eq!(bodies(sent, piece), read, "the same to the reader however it arrives");
    assert_eq!(read.0, found, "the reader finds what the decoder finds");
    assert!(read.1 || error.is_none(), "the reader ends where the decoder does");

    let again: Vec<u8> = found.iter().flat_map(|body| encode(body)).collect();
    assert_eq!(decoded(&again, piece), (found.clone(), None), "what was written is read");
    assert_eq!(bodies(&again, piece), (found.clone(), false), "what was written is read");

    for (id, frames) in found.iter().filter_map(|body| daemon_answers(body)) {
        for frame in frames {
            let (answers, error) = decoded(&frame, piece);
            assert_eq!((answers.len(), error), (1, None), "an answer is one frame");
            let answer: serde_json::Value = serde_json::from_slice(&answers[0]).expect("an answer is JSON");
            assert_eq!(answer["id"], id, "an answer is to the request that was made");
        }
    }
});
