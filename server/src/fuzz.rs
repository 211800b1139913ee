//! Access to private code for the fuzz targets (`tests/fuzz`).
//!
//! It exists only with the feature `fuzzing`, which no program of the product enables. Each function only calls the
//! product's code.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use areyouj_core::orchestrator::{ErrorCode, Problem};
use serde_json::Value;
use tokio::io::BufReader;

use crate::daemon::outbox::{error_frame, result_frame};
use crate::rpc::envelope::{self, Incoming};
use crate::rpc::frame::{FrameReader, MAX_BODY};

/// The bodies that a reader finds in a client's bytes, and whether it then closed the connection. The bytes arrive in
/// chunks of this size.
pub fn bodies(sent: &[u8], chunk: usize) -> (Vec<Vec<u8>>, bool) {
    let mut frames = FrameReader::new(BufReader::with_capacity(chunk.max(1), sent), MAX_BODY);
    let mut bodies = Vec::new();
    loop {
        // Bytes in memory are always ready, so no task is ever woken.
        match pin!(frames.next()).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(Some(body))) => bodies.push(body),
            Poll::Ready(Ok(None)) => return (bodies, false),
            Poll::Ready(Err(_)) | Poll::Pending => return (bodies, true),
        }
    }
}

/// The id of the request in this body, and its response and error, both framed; `None` if it is not a request.
pub fn daemon_answers(body: &[u8]) -> Option<(Value, [Vec<u8>; 2])> {
    let incoming: Incoming = envelope::read(body).ok()?;
    let (id, method) = (incoming.id?, incoming.method?);
    let params = incoming.params.map(|params| params.get().to_owned());
    let problem = Problem { code: ErrorCode::UnknownMethod, message: method, remedy: None, log: None };
    let refusal = error_frame(&id, &problem, false);
    let answer = result_frame(&id, &params);
    Some((id, [answer.to_vec(), refusal.to_vec()]))
}
