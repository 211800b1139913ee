//! The framing between clients and the daemon, both ends of it.
//!
//! The first byte is how many bytes arrive at a time, the rest is what arrives.

#![no_main]

use areyouj::client::frame::{Decoder, FrameError, encode};
use areyouj::fuzz::{daemon_answers, daemon_bodies};
use areyouj_fuzz::input::Input;
use libfuzzer_sys::fuzz_target;

/// What the client's end finds in bytes that arrive in pieces.
fn client_bodies(sent: &[u8], piece: usize) -> (Vec<Vec<u8>>, Option<FrameError>) {
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

    let client = client_bodies(sent, sent.len());
    assert_eq!(client_bodies(sent, piece), client, "the client finds the same however it arrives");
    let daemon = daemon_bodies(sent, sent.len());
    assert_eq!(daemon_bodies(sent, piece), daemon, "the daemon finds the same however it arrives");
    // One end may refuse what the other takes; but what both take is the same to both.
    for (client, daemon) in client.0.iter().zip(&daemon.0) {
        assert_eq!(client, daemon, "both ends find the same body");
    }

    let bodies = daemon.0;
    let again: Vec<u8> = bodies.iter().flat_map(|body| encode(body)).collect();
    assert_eq!(client_bodies(&again, piece), (bodies.clone(), None), "the client reads what it wrote");
    assert_eq!(daemon_bodies(&again, piece), (bodies.clone(), false), "the daemon reads what a client wrote");

    for (id, frames) in bodies.iter().filter_map(|body| daemon_answers(body)) {
        for frame in frames {
            let (answers, error) = client_bodies(&frame, piece);
            assert_eq!((answers.len(), error), (1, None), "an answer is one frame");
            let answer: serde_json::Value = serde_json::from_slice(&answers[0]).expect("an answer is JSON");
            assert_eq!(answer["id"], id, "an answer is to the request that was made");
        }
    }
});
