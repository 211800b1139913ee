//! Adapts messages of editors to the typed messages.
//!
//! The typed messages are stricter than editors: they do not accept `file:///a b.rs` as a URI, and reject `initialize`
//! because of one unknown value in the capabilities.

use std::str::FromStr;

use ls_types::Uri;
use serde_json::{Map, Value, json};
use tower_lsp_server::jsonrpc;

/// The names of members with a URI.
const URI_MEMBERS: [&str; 4] = ["uri", "rootUri", "href", "targetUri"];

/// The scheme for a text that is not a URI even after escaping. It is not the URI of a file.
const NOT_A_URI: &str = "not-a-uri:";

/// Reads a request or a notification for the typed handlers, or `None` if its id is neither an integer nor a string.
pub(super) fn request(body: &[u8]) -> Option<jsonrpc::Request> {
    let mut message: Value = serde_json::from_slice(body).ok()?;
    let method = message["method"].as_str()?.to_owned();
    let mut params = message["params"].take();
    escape_uris(&mut params);
    let params = match method.as_str() {
        "initialize" => Some(initialize_params(params)),
        "initialized" => Some(json!({})),
        "shutdown" => None,
        _ => Some(params).filter(|params| !params.is_null()),
    };
    let mut request = jsonrpc::Request::build(method);
    if let Some(params) = params {
        request = request.params(params);
    }
    match message["id"].take() {
        Value::Null => Some(request.finish()),
        Value::String(id) => Some(request.id(id).finish()),
        Value::Number(id) => Some(request.id(id.as_i64()?).finish()),
        _ => None,
    }
}

/// The parameters of `initialize`, with only the capabilities that the edge reads.
fn initialize_params(mut params: Value) -> Value {
    let capabilities = params["capabilities"].take();
    let mut read = json!({
        "window": { "workDoneProgress": capabilities["window"]["workDoneProgress"] == true },
        "general": {},
        // A client without any capabilities is not an editor: it uses AreYouJ's own methods.
        "experimental": if capabilities.is_object() { capabilities["experimental"].clone() } else { json!({ "areyouj": {} }) },
    });
    if let Some(encodings) = capabilities["general"]["positionEncodings"].as_array() {
        let encodings: Vec<&Value> = encodings.iter().filter(|encoding| encoding.is_string()).collect();
        read["general"]["positionEncodings"] = json!(encodings);
    }
    let mut kept = Map::from_iter([("capabilities".to_owned(), read)]);
    for name in ["clientInfo", "workspaceFolders"] {
        kept.insert(name.to_owned(), params[name].take());
    }
    // The name is only for display, and some editors omit it.
    for folder in kept["workspaceFolders"].as_array_mut().into_iter().flatten() {
        if folder.is_object() && !folder["name"].is_string() {
            folder["name"] = json!("");
        }
    }
    Value::Object(kept)
}

fn escape_uris(value: &mut Value) {
    match value {
        Value::Array(elements) => elements.iter_mut().for_each(escape_uris),
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) if URI_MEMBERS.contains(&name.as_str()) => {
                        if let Some(uri) = escaped(text) {
                            *text = uri;
                        }
                    }
                    _ => escape_uris(member),
                }
            }
        }
        _ => {}
    }
}

/// The escaped URI, or `None` if the text is already a URI.
fn escaped(text: &str) -> Option<String> {
    let is_uri = |text: &str| Uri::from_str(text).is_ok();
    if is_uri(text) {
        return None;
    }
    let bytes = text.as_bytes();
    let mut escaped = String::with_capacity(text.len() + 8);
    for (at, byte) in bytes.iter().enumerate() {
        let is_escape = *byte == b'%'
            && matches!(bytes.get(at + 1..at + 3), Some(digits) if digits.iter().all(u8::is_ascii_hexdigit));
        if is_escape || byte.is_ascii_alphanumeric() || b"-._~:/?#@!$&'()*+,;=".contains(byte) {
            escaped.push(char::from(*byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    if is_uri(&escaped) {
        return Some(escaped);
    }
    let opaque: String = bytes.iter().map(|byte| format!("%{byte:02X}")).collect();
    Some(format!("{NOT_A_URI}{opaque}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_not_a_uri_becomes_one_for_the_same_file() {
        for (text, uri) in [
            ("file:///a b/\u{fc}.rs", "file:///a%20b/%C3%BC.rs"),
            ("file:///a[1].rs", "file:///a%5B1%5D.rs"),
            ("file:///a%2.rs", "file:///a%252.rs"),
            ("untitled:Untitled 1", "untitled:Untitled%201"),
        ] {
            assert_eq!(escaped(text).as_deref(), Some(uri), "{text}");
        }
        for uri in ["file:///a%20b.rs", "untitled:1", "http://[::1]/a"] {
            assert_eq!(escaped(uri), None, "{uri}");
        }
        let other = escaped("a.rs").unwrap();
        assert!(Uri::from_str(&other).is_ok() && crate::file_uri::path(&other).is_none(), "{other}");
        assert_ne!(escaped("b.rs").unwrap(), other);
    }

    #[test]
    fn unused_capabilities_cannot_make_initialize_fail() {
        let params = json!({
            "processId": "none", "rootUri": 7,
            "capabilities": { "textDocument": 1, "window": { "workDoneProgress": true }, "general": { "positionEncodings": ["utf-8", 1] } },
            "workspaceFolders": [{ "uri": "file:///a b" }],
        });
        let message = json!({ "id": 1, "method": "initialize", "params": params }).to_string();
        let request = request(message.as_bytes()).unwrap();
        let params: ls_types::InitializeParams =
            serde_json::from_value(request.params().unwrap().clone()).unwrap();
        assert_eq!(params.workspace_folders.unwrap()[0].uri.as_str(), "file:///a%20b");
        assert_eq!(params.capabilities.window.unwrap().work_done_progress, Some(true));
        assert_eq!(params.capabilities.general.unwrap().position_encodings.unwrap().len(), 1);
        assert_eq!(params.capabilities.experimental, None);
    }

    #[test]
    fn an_id_is_an_integer_or_a_string() {
        let read = |id: &str| request(format!(r#"{{"id":{id},"method":"m"}}"#).as_bytes()).is_some();
        assert!(read("7") && read("\"a\"") && read("null"));
        assert!(!read("1.5") && !read("{}") && !read("[]"));
    }
}
