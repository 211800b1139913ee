//! The doors through which the fuzz targets (`tests/fuzz`) reach what is private otherwise.
//!
//! Only with the feature `fuzzing`, which no program of the product turns on: each door opens onto the product's own
//! code and has nothing to test in itself.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use areyouj_core::orchestrator::{ErrorCode, Problem};
use serde_json::Value;
use tokio::io::BufReader;

use crate::daemon::outbox::{error_frame, result_frame};
use crate::rpc::envelope::{self, Incoming};
use crate::rpc::frame::FrameReader;

/// The bodies that a reader finds in what a client sent, and whether it then broke off the connection. The bytes arrive in
/// pieces of this size.
pub fn bodies(sent: &[u8], piece: usize) -> (Vec<Vec<u8>>, bool) {
    let mut frames = FrameReader::new(BufReader::with_capacity(piece.max(1), sent));
    let mut bodies = Vec::new();
    loop {
        // Bytes in memory are there at once, so there is nobody to be woken.
        match pin!(frames.next()).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(Some(body))) => bodies.push(body),
            Poll::Ready(Ok(None)) => return (bodies, false),
            Poll::Ready(Err(_)) | Poll::Pending => return (bodies, true),
        }
    }
}

/// The id of the request that the daemon takes this body for, and its answer and refusal, both framed; none if it is
/// no request.
pub fn daemon_answers(body: &[u8]) -> Option<(Value, [Vec<u8>; 2])> {
    let incoming: Incoming = envelope::read(body).ok()?;
    let (id, method) = (incoming.id?, incoming.method?);
    let params = incoming.params.map(|params| params.get().to_owned());
    let problem = Problem { code: ErrorCode::UnknownMethod, message: method, remedy: None, log: None };
    let refusal = error_frame(&id, &problem, false);
    let answer = result_frame(&id, &params);
    Some((id, [answer.to_vec(), refusal.to_vec()]))
}
