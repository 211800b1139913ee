//! JSON-RPC messages, looked at only as far as passing them on needs.

use std::collections::BTreeMap;

use areyouj_protocol::{ErrorCode, ErrorData, Notification, rpc};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::client::Failure;
use crate::lsp;

/// What a message is, and whose.
#[derive(Deserialize)]
pub(super) struct Envelope<'a> {
    /// As it stands in the message: there for requests and answers.
    #[serde(borrow, default)]
    pub(super) id: Option<&'a RawValue>,
    /// There for requests and notifications.
    #[serde(default)]
    pub(super) method: Option<String>,
    /// There for answers that say no.
    #[serde(borrow, default)]
    pub(super) error: Option<&'a RawValue>,
}

/// An id as the daemon writes it, whose text need not be the editor's: `"\u0061"` comes back as `"a"`.
pub(super) fn shortest(id: &RawValue) -> String {
    serde_json::from_str::<Value>(id.get()).map_or_else(|_| id.get().to_owned(), |id| id.to_string())
}

/// A notification of the Language Server Protocol itself.
pub(super) fn notice(method: &str, params: &Value) -> Vec<u8> {
    json!({ "jsonrpc": "2.0", "method": method, "params": params }).to_string().into_bytes()
}

/// The message's envelope.
///
/// # Errors
/// The number of JSON-RPC for what is wrong with it, and the words.
pub(super) fn open(body: &[u8]) -> Result<Envelope<'_>, (i32, serde_json::Error)> {
    lsp::message(body)
}

/// The same message under another id.
pub(super) fn renamed(body: &[u8], id: &str) -> Vec<u8> {
    changed(body, |message| message["id"] = json!(id))
}

/// The same message with the environment in its parameters, if it names none.
pub(super) fn with_environment(body: &[u8], environment: &BTreeMap<String, String>) -> Vec<u8> {
    changed(body, |message| {
        let named = message["params"]["environment"].as_object().is_some_and(|named| !named.is_empty());
        if message["params"].is_object() && !named {
            message["params"]["environment"] = json!(environment);
        }
    })
}

/// The same message after a change.
pub(super) fn changed(body: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let Ok(mut message) = serde_json::from_slice::<Value>(body) else { return body.to_vec() };
    change(&mut message);
    message.to_string().into_bytes()
}

/// An answer with this result.
pub(super) fn result(id: &RawValue, result: &Value) -> Vec<u8> {
    json!({ "jsonrpc": "2.0", "id": id, "result": result }).to_string().into_bytes()
}

/// An answer that says no.
pub(super) fn refusal(id: &Value, code: i32, failure: &Failure) -> Vec<u8> {
    let data =
        ErrorData { code: failure.code.clone(), hint: failure.hint.clone(), retryable: failure.retryable };
    let error = json!({ "code": code, "message": failure.message, "data": data });
    json!({ "jsonrpc": "2.0", "id": id, "error": error }).to_string().into_bytes()
}

/// A notification of our own.
pub(super) fn announcement<N: Notification>(params: &N::Params) -> Vec<u8> {
    json!({ "jsonrpc": "2.0", "method": N::METHOD, "params": params }).to_string().into_bytes()
}

/// What is said of requests that cannot be carried out now.
pub(super) fn away() -> Failure {
    Failure {
        retryable: true,
        ..Failure::new(
            ErrorCode::DaemonUnavailable,
            "The connection to the daemon was lost before the answer came.",
            "Send the same request again; a repeat changes nothing twice.",
        )
    }
}

/// The number of JSON-RPC for a failure.
pub(super) fn rpc_code(failure: &Failure) -> i32 {
    match failure.code.as_str() {
        "invalid_request" => rpc::INVALID_REQUEST,
        "not_initialized" => rpc::SERVER_NOT_INITIALIZED,
        _ => rpc::REFUSED,
    }
}
