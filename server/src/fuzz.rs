//! The doors through which the fuzz targets (`tests/fuzz`) reach what is private otherwise.
//!
//! Only with the feature `fuzzing`, which no program of the product turns on: each door opens onto the product's own
//! code and has nothing to test in itself.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use serde_json::Value;
use tokio::io::BufReader;

use crate::daemon::framing::{self, Incoming};
use areyouj_core::orchestrator::Problem;

/// The bodies that the daemon finds in what a client sent, and whether it then broke off the connection. The bytes
/// arrive in pieces of this size.
pub fn daemon_bodies(sent: &[u8], piece: usize) -> (Vec<Vec<u8>>, bool) {
    let mut input = BufReader::with_capacity(piece.max(1), sent);
    let mut bodies = Vec::new();
    loop {
        // Bytes in memory are there at once, so there is nobody to be woken.
        match pin!(framing::read_body(&mut input)).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(Some(body))) => bodies.push(body),
            Poll::Ready(Ok(None)) => return (bodies, false),
            Poll::Ready(Err(_)) | Poll::Pending => return (bodies, true),
        }
    }
}

/// The id of the request that the daemon takes this body for, and its answer and refusal, both framed; none if it is
/// no request.
pub fn daemon_answers(body: &[u8]) -> Option<(Value, [Vec<u8>; 2])> {
    let incoming: Incoming = serde_json::from_slice(body).ok()?;
    let (id, method) = (incoming.id?, incoming.method?);
    let params = incoming.params.map(|params| params.get().to_owned());
    let problem =
        Problem { code: "unknown_method".to_owned(), message: method, hint: String::new(), log: None };
    let refusal = framing::error_frame(&id, framing::rpc_code(&problem), &problem, false);
    let answer = framing::result_frame(&id, &params);
    Some((id, [answer.to_vec(), refusal.to_vec()]))
}
