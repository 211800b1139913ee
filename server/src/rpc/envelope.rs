//! Reading and writing requests, responses and notifications of JSON-RPC.

use std::borrow::Cow;

use areyouj_protocol::{ErrorData, rpc};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// The version of JSON-RPC in every message.
const VERSION: &str = "2.0";

/// The maximum length of a request id for the daemon, in bytes.
const MAX_ID_BYTES: usize = 256;

/// Reads a message.
///
/// # Errors
/// The JSON-RPC error code, and the error: the body is not JSON, or JSON of another shape.
pub(crate) fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, (i32, serde_json::Error)> {
    // Parsers of structures also accept arrays.
    let is_object = body.trim_ascii_start().starts_with(b"{");
    match serde_json::from_slice(body) {
        Ok(message) if is_object => Ok(message),
        Ok(_) => Err((rpc::INVALID_REQUEST, serde_json::Error::custom("it is not an object"))),
        Err(error) if error.is_data() => Err((rpc::INVALID_REQUEST, error)),
        Err(error) => Err((rpc::PARSE_ERROR, error)),
    }
}

/// The envelope of a message, for a process that forwards it; its parts are unparsed.
#[derive(Deserialize)]
pub(crate) struct Envelope<'a> {
    /// Present in requests and responses.
    #[serde(borrow, default)]
    pub(crate) id: Option<&'a RawValue>,
    /// Present in requests and notifications.
    #[serde(borrow, default)]
    pub(crate) method: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) params: Option<&'a RawValue>,
    /// Responses have this or an error; a result that is `null` is read as `None`.
    #[serde(borrow, default)]
    pub(crate) result: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) error: Option<&'a RawValue>,
}

/// A message from a client, for the process that executes it.
#[derive(Deserialize)]
pub(crate) struct Incoming {
    /// Present in requests and responses.
    #[serde(default, deserialize_with = "kept_id")]
    pub(crate) id: Option<Value>,
    /// Present in requests and notifications.
    #[serde(default)]
    pub(crate) method: Option<String>,
    #[serde(default)]
    pub(crate) params: Option<Box<RawValue>>,
}

/// The id of a request, which is stored until the response: a number or a short string.
fn kept_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(id) if id.len() <= MAX_ID_BYTES => Ok(Some(id.into())),
        Value::Number(id) => Ok(Some(id.into())),
        _ => Err(D::Error::custom(format!("an id is a number or a string of at most {MAX_ID_BYTES} bytes"))),
    }
}

/// Encodes a request. Absent parameters are omitted.
pub(crate) fn request(id: impl Serialize, method: &str, params: Option<&impl Serialize>) -> Vec<u8> {
    #[derive(Serialize)]
    struct Request<'a, I, P> {
        jsonrpc: &'static str,
        id: I,
        method: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        params: Option<&'a P>,
    }
    written(&Request { jsonrpc: VERSION, id, method, params })
}

/// Encodes a notification.
pub(crate) fn notification(method: &str, params: &impl Serialize) -> Vec<u8> {
    #[derive(Serialize)]
    struct Notification<'a, P> {
        jsonrpc: &'static str,
        method: &'a str,
        params: &'a P,
    }
    written(&Notification { jsonrpc: VERSION, method, params })
}

/// Encodes a response with a result.
pub(crate) fn result(id: impl Serialize, result: &impl Serialize) -> Vec<u8> {
    #[derive(Serialize)]
    struct Answer<'a, I, R> {
        jsonrpc: &'static str,
        id: I,
        result: &'a R,
    }
    written(&Answer { jsonrpc: VERSION, id, result })
}

/// Encodes a response with an error.
pub(crate) fn error(id: impl Serialize, code: i32, message: &str, data: Option<&ErrorData>) -> Vec<u8> {
    #[derive(Serialize)]
    struct Refusal<'a, I> {
        jsonrpc: &'static str,
        id: I,
        error: Error<'a>,
    }
    #[derive(Serialize)]
    struct Error<'a> {
        code: i32,
        message: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        data: Option<&'a ErrorData>,
    }
    written(&Refusal { jsonrpc: VERSION, id, error: Error { code, message, data } })
}

fn written(message: &impl Serialize) -> Vec<u8> {
    // The types on the wire have only string keys, so this cannot fail; every client rejects an empty object.
    serde_json::to_vec(message).unwrap_or_else(|_| b"{}".to_vec())
}

/// The message after a change, or unchanged if it is not JSON.
pub(crate) fn changed(body: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let Ok(mut message) = serde_json::from_slice::<Value>(body) else { return body.to_vec() };
    change(&mut message);
    written(&message)
}

/// An id in the canonical form, in which the daemon writes it: `"\u0061"` becomes `"a"`.
pub(crate) fn canonical_id(id: &RawValue) -> String {
    serde_json::from_str::<Value>(id.get()).map_or_else(|_| id.get().to_owned(), |id| id.to_string())
}

/// The JSON-RPC error code for one of our codes.
pub(crate) fn rpc_code(code: &str) -> i32 {
    match code {
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
    use serde_json::json;

    use super::*;

    #[test]
    fn invalid_json_and_invalid_messages_are_distinguished() {
        #[derive(Debug, Deserialize)]
        struct Envelope {
            id: u32,
        }
        let code = |body: &str| {
            read::<Envelope>(body.as_bytes()).map(|envelope| envelope.id).map_err(|(code, _)| code)
        };
        assert_eq!(code(" {\"id\":1}"), Ok(1));
        for body in ["[1]", "[{\"id\":1}]", "{\"id\":{}}", "7"] {
            assert_eq!(code(body), Err(rpc::INVALID_REQUEST), "{body}");
        }
        for body in ["", "{", "[1", "\u{0}"] {
            assert_eq!(code(body), Err(rpc::PARSE_ERROR), "{body}");
        }
    }

    #[test]
    fn messages_have_the_members_of_their_kind() {
        let text = |body: Vec<u8>| String::from_utf8(body).unwrap();
        assert_eq!(
            text(request(1, "m", Some(&json!({"a": 1})))),
            r#"{"jsonrpc":"2.0","id":1,"method":"m","params":{"a":1}}"#
        );
        assert_eq!(text(request("x", "m", None::<&()>)), r#"{"jsonrpc":"2.0","id":"x","method":"m"}"#);
        assert_eq!(text(notification("m", &json!([]))), r#"{"jsonrpc":"2.0","method":"m","params":[]}"#);
        assert_eq!(text(result(json!(null), &7)), r#"{"jsonrpc":"2.0","id":null,"result":7}"#);
        assert_eq!(
            text(error(1, rpc::REFUSED, "no", None)),
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"no"}}"#
        );
    }
}
