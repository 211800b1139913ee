//! The framing between clients and the daemon: the decoder, and the reader that uses it.
//!
//! The first byte is the number of bytes that arrive at a time, the rest is the input.

#![no_main]

use areyouj::fuzz::{bodies, daemon_answers};
use areyouj::rpc::frame::{Decoder, FrameError, encode};
use areyouj_fuzz::input::Input;
use libfuzzer_sys::fuzz_target;

/// The frames that the decoder finds in bytes that arrive in chunks.
fn decoded(sent: &[u8], chunk: usize) -> (Vec<Vec<u8>>, Option<FrameError>) {
    let mut decoder = Decoder::default();
    let mut bodies = Vec::new();
    for chunk in sent.chunks(chunk.max(1)) {
        decoder.push(chunk);
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
    let chunk = usize::from(input.byte()) + 1;
    let sent = input.0;

    let (found, error) = decoded(sent, sent.len());
    assert_eq!(decoded(sent, chunk), (found.clone(), error), "the decoder does not depend on the split");
    let read = bodies(sent, sent.len());
    assert_eq!(bodies(sent, chunk), read, "the reader does not depend on the split");
    assert_eq!(read.0, found, "the reader finds the same frames as the decoder");
    assert!(read.1 || error.is_none(), "the reader stops where the decoder does");

    let again: Vec<u8> = found.iter().flat_map(|body| encode(body)).collect();
    assert_eq!(decoded(&again, chunk), (found.clone(), None), "encoded frames are decoded");
    assert_eq!(bodies(&again, chunk), (found.clone(), false), "encoded frames are decoded");

    for (id, frames) in found.iter().filter_map(|body| daemon_answers(body)) {
        for frame in frames {
            let (answers, error) = decoded(&frame, chunk);
            assert_eq!((answers.len(), error), (1, None), "a response is one frame");
            let answer: serde_json::Value = serde_json::from_slice(&answers[0]).expect("a response is JSON");
            assert_eq!(answer["id"], id, "a response has the id of its request");
        }
    }
});
