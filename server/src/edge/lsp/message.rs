//! JSON-RPC messages, read only as far as routing them needs.

use std::borrow::Cow;
use std::collections::BTreeMap;

use areyouj_protocol::{ErrorCode, ErrorData, Notification, rpc};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tower_lsp_server::jsonrpc;

use crate::client::Failure;
use crate::lsp;

/// The outside of a message; its parts are as they were sent.
#[derive(Deserialize)]
pub(super) struct Envelope<'a> {
    /// Requests and answers have one.
    #[serde(borrow, default)]
    pub(super) id: Option<&'a RawValue>,
    /// Requests and notifications have one.
    #[serde(borrow, default)]
    pub(super) method: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) params: Option<&'a RawValue>,
    /// Answers have this or an error; a result that is `null` reads as none.
    #[serde(borrow, default)]
    pub(super) result: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) error: Option<&'a RawValue>,
}

/// The message's envelope.
///
/// # Errors
/// The number of JSON-RPC for what is wrong with it, and the words.
pub(super) fn open(body: &[u8]) -> Result<Envelope<'_>, (i32, serde_json::Error)> {
    lsp::message(body)
}

/// An id in its shortest form, by which it is known: the editor can write `"\u0061"` where the daemon writes `"a"`.
pub(super) fn shortest(id: &RawValue) -> String {
    serde_json::from_str::<Value>(id.get()).map_or_else(|_| id.get().to_owned(), |id| id.to_string())
}

/// The id of the request that a `$/cancelRequest` with these parameters cancels.
pub(super) fn cancelled(params: Option<&RawValue>) -> Option<String> {
    #[derive(Deserialize)]
    struct Params<'a> {
        #[serde(borrow)]
        id: &'a RawValue,
    }
    let params: Params<'_> = serde_json::from_str(params?.get()).ok()?;
    Some(shortest(params.id))
}

/// The same message with the environment in its parameters, unless they name one.
pub(super) fn with_environment(body: Vec<u8>, environment: &BTreeMap<String, String>) -> Vec<u8> {
    let Ok(mut message) = serde_json::from_slice::<Value>(&body) else { return body };
    let named = message["params"]["environment"].as_object().is_some_and(|named| !named.is_empty());
    if message["params"].is_object() && !named {
        message["params"]["environment"] = json!(environment);
    }
    message.to_string().into_bytes()
}

/// A request of the edge's own.
pub(super) fn request(id: &str, method: &str, params: &Value) -> Vec<u8> {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string().into_bytes()
}

/// A notification of AreYouJ's own.
pub(super) fn notification<N: Notification>(params: &N::Params) -> Vec<u8> {
    json!({ "jsonrpc": "2.0", "method": N::METHOD, "params": params }).to_string().into_bytes()
}

/// An answer that refuses the request with this id, which is JSON.
pub(super) fn refusal(id: &str, code: i32, failure: &Failure) -> Vec<u8> {
    let id: Value = serde_json::from_str(id).unwrap_or_default();
    let error = json!({ "code": code, "message": failure.message, "data": data(failure) });
    json!({ "jsonrpc": "2.0", "id": id, "error": error }).to_string().into_bytes()
}

/// The same failure as the answer of a handler.
pub(super) fn rpc_error(failure: &Failure) -> jsonrpc::Error {
    jsonrpc::Error {
        code: i64::from(rpc_code(failure)).into(),
        message: failure.message.clone().into(),
        data: Some(json!(data(failure))),
    }
}

fn data(failure: &Failure) -> ErrorData {
    ErrorData { code: failure.code.clone(), hint: failure.hint.clone(), retryable: failure.retryable }
}

/// The number of JSON-RPC for a failure.
pub(super) fn rpc_code(failure: &Failure) -> i32 {
    match ErrorCode::parse(&failure.code) {
        Some(ErrorCode::InvalidRequest) => rpc::INVALID_REQUEST,
        Some(ErrorCode::InvalidParams) => rpc::INVALID_PARAMS,
        Some(ErrorCode::UnknownMethod) => rpc::METHOD_NOT_FOUND,
        Some(ErrorCode::NotInitialized) => rpc::SERVER_NOT_INITIALIZED,
        Some(ErrorCode::RequestCancelled) => rpc::REQUEST_CANCELLED,
        _ => rpc::REFUSED,
    }
}
