//! JSON-RPC messages, read only as far as routing them needs.

use std::collections::BTreeMap;

use areyouj_protocol::{ErrorData, Notification};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tower_lsp_server::jsonrpc;

use crate::client::Failure;
use crate::rpc::envelope::{self, Envelope, shortest};

/// The message's envelope.
///
/// # Errors
/// The number of JSON-RPC for what is wrong with it, and the words.
pub(super) fn open(body: &[u8]) -> Result<Envelope<'_>, (i32, serde_json::Error)> {
    envelope::read(body)
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

/// A notification of AreYouJ's own.
pub(super) fn notification<N: Notification>(params: &N::Params) -> Vec<u8> {
    envelope::notification(N::METHOD, params)
}

/// An answer that refuses the request with this id, which is JSON.
pub(super) fn refusal(id: &str, code: i32, failure: &Failure) -> Vec<u8> {
    let id: Value = serde_json::from_str(id).unwrap_or_default();
    envelope::error(id, code, &failure.message, Some(&data(failure)))
}

/// The same failure as the answer of a handler.
pub(super) fn rpc_error(failure: &Failure) -> jsonrpc::Error {
    jsonrpc::Error {
        code: i64::from(envelope::rpc_code(&failure.code)).into(),
        message: failure.message.clone().into(),
        data: Some(json!(data(failure))),
    }
}

fn data(failure: &Failure) -> ErrorData {
    ErrorData { code: failure.code.clone(), hint: failure.hint.clone(), retryable: failure.retryable }
}
