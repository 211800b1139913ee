//! Reading messages for routing, and responses of the edge itself.

use std::collections::BTreeMap;

use areyouj_protocol::ErrorData;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tower_lsp_server::jsonrpc;

use crate::client::Failure;
use crate::rpc::envelope::{self, canonical_id, rpc_code};

/// The id of the request that a `$/cancelRequest` with these parameters cancels.
pub(super) fn cancelled(params: Option<&RawValue>) -> Option<String> {
    #[derive(Deserialize)]
    struct Params<'a> {
        #[serde(borrow)]
        id: &'a RawValue,
    }
    let params: Params<'_> = serde_json::from_str(params?.get()).ok()?;
    Some(canonical_id(params.id))
}

/// The same message with the environment added to its parameters, unless they have one.
pub(super) fn with_environment(body: &[u8], environment: &BTreeMap<String, String>) -> Vec<u8> {
    envelope::changed(body, |message| {
        let named = message["params"]["environment"].as_object().is_some_and(|named| !named.is_empty());
        if message["params"].is_object() && !named {
            message["params"]["environment"] = json!(environment);
        }
    })
}

/// The error response to the request with this id, which is JSON.
pub(super) fn refusal(id: &str, code: i32, failure: &Failure) -> Vec<u8> {
    let id: Value = serde_json::from_str(id).unwrap_or_default();
    envelope::error(id, code, &failure.message, Some(&data(failure)))
}

/// A failure as the result of a handler.
pub(super) fn rpc_error(failure: &Failure) -> jsonrpc::Error {
    jsonrpc::Error {
        code: i64::from(rpc_code(&failure.code)).into(),
        message: failure.message.clone().into(),
        data: Some(json!(data(failure))),
    }
}

fn data(failure: &Failure) -> ErrorData {
    ErrorData::new(&failure.code, failure.remedy.as_ref(), failure.retryable)
}
