//! Language Server Protocol framing and JSON-RPC envelopes.

use std::io;

use areyouj_protocol::{ErrorData, Notification, rpc};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

use super::outbox::Frame;
use areyouj_core::orchestrator::Problem;

/// Largest body of one message. The largest sensible one is a session with a few messages of 1 MiB.
const MAX_BODY: usize = 32 << 20;

/// Longest id of a request, in bytes.
const MAX_ID: usize = 256;

/// Longest header line; the header has two at most.
const MAX_HEADER_LINE: u64 = 1_024;

/// Header lines of one message; more is not this protocol.
const MAX_HEADER_LINES: usize = 16;

/// The next message's body; none at the end of the stream.
///
/// # Errors
/// Anything that is not this framing: there is no way to find the next message after it.
pub(crate) async fn read_body(input: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Vec<u8>>> {
    let mut length = None;
    for line_number in 0.. {
        let mut line = Vec::new();
        let read = (&mut *input).take(MAX_HEADER_LINE).read_until(b'\n', &mut line).await?;
        if read == 0 && line_number == 0 {
            return Ok(None);
        }
        let malformed = || io::Error::new(io::ErrorKind::InvalidData, "the header of a message is malformed");
        // As strict as clients are: what both ends take must be the same message to both.
        let line = line.strip_suffix(b"\r\n").ok_or_else(malformed)?;
        if line.is_empty() {
            break;
        }
        if line_number >= MAX_HEADER_LINES {
            return Err(malformed());
        }
        if let Some((name, value)) = String::from_utf8_lossy(line).split_once(':')
            && name.trim().eq_ignore_ascii_case("content-length")
            && length.replace(value.trim().parse::<usize>().ok()).is_some()
        {
            return Err(malformed());
        }
    }
    let length = length.flatten().filter(|length| *length <= MAX_BODY).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, "a message has no usable Content-Length")
    })?;
    let mut body = vec![0; length];
    input.read_exact(&mut body).await?;
    Ok(Some(body))
}

/// A request or notification from a client.
#[derive(Deserialize)]
pub(crate) struct Incoming {
    /// There for requests.
    #[serde(default, deserialize_with = "request_id")]
    pub(crate) id: Option<Value>,
    /// There for requests and notifications; answers have none.
    #[serde(default)]
    pub(crate) method: Option<String>,
    #[serde(default)]
    pub(crate) params: Option<Box<RawValue>>,
}

/// A request's id, which is kept until the answer: a number or a short string.
fn request_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(id) if id.len() <= MAX_ID => Ok(Some(id.into())),
        Value::Number(id) => Ok(Some(id.into())),
        _ => Err(D::Error::custom(format!("an id is a number or a string of at most {MAX_ID} bytes"))),
    }
}

/// The answer to a request.
pub(crate) fn result_frame(id: &Value, result: &impl Serialize) -> Frame {
    #[derive(Serialize)]
    struct Response<'a, T> {
        jsonrpc: &'static str,
        id: &'a Value,
        result: &'a T,
    }
    frame(&Response { jsonrpc: "2.0", id, result })
}

/// The refusal of a request.
pub(crate) fn error_frame(id: &Value, code: i32, problem: &Problem, retryable: bool) -> Frame {
    let data = ErrorData { code: problem.code.clone(), hint: Some(problem.hint.clone()), retryable };
    frame(&json!({
        "jsonrpc": "2.0",
        "id": id,
        "error": { "code": code, "message": problem.message, "data": data },
    }))
}

/// A notification.
pub(super) fn notification_frame<N: Notification>(params: &N::Params) -> Frame {
    #[derive(Serialize)]
    struct Message<'a, T> {
        jsonrpc: &'static str,
        method: &'static str,
        params: &'a T,
    }
    frame(&Message { jsonrpc: "2.0", method: N::METHOD, params })
}

/// Any message.
pub(super) fn frame(message: &impl Serialize) -> Frame {
    // The types on the wire have string keys only, so this cannot fail; an empty object is refused by any client.
    let body = serde_json::to_vec(message).unwrap_or_else(|_| b"{}".to_vec());
    let mut frame = format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes();
    frame.extend_from_slice(&body);
    frame.into()
}

/// The JSON-RPC code that goes with one of our codes.
pub(crate) fn rpc_code(problem: &Problem) -> i32 {
    match problem.code.as_str() {
        "invalid_params" => rpc::INVALID_PARAMS,
        "unknown_method" => rpc::METHOD_NOT_FOUND,
        "invalid_request" => rpc::INVALID_REQUEST,
        "not_initialized" => rpc::SERVER_NOT_INITIALIZED,
        "request_cancelled" => rpc::REQUEST_CANCELLED,
        _ => rpc::REFUSED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn bodies(mut input: &[u8]) -> Vec<Result<Option<Vec<u8>>, io::ErrorKind>> {
        let mut bodies = Vec::new();
        loop {
            let body = read_body(&mut input).await.map_err(|error| error.kind());
            let done = !matches!(body, Ok(Some(_)));
            bodies.push(body);
            if done {
                return bodies;
            }
        }
    }

    #[tokio::test]
    async fn messages_come_one_after_the_other() {
        let input = b"Content-Length: 2\r\n\r\n{}content-length:3\r\nContent-Type: x\r\n\r\n[1]";
        assert_eq!(bodies(input).await, [Ok(Some(b"{}".to_vec())), Ok(Some(b"[1]".to_vec())), Ok(None)]);
    }

    #[tokio::test]
    async fn what_is_not_this_framing_ends_the_connection() {
        for input in [
            &b"GET / HTTP/1.1\r\n\r\n"[..],
            b"Content-Length: -1\r\n\r\n",
            b"Content-Length: 99999999999\r\n\r\n",
            b"Content-Length: 5\r\n\r\n{}",
            b"\xff\xff\xff\xff",
            b"Content-Length: 2\n\n{}",
            b"Content-Length: 2\n\r\n{}",
            b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
            b"Content-Length: 2\r\n",
            &[b'x'; 4096],
        ] {
            assert!(bodies(input).await.last().is_some_and(Result::is_err), "{}", input.escape_ascii());
        }
    }
}
