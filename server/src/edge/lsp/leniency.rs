//! What editors send, made to fit the typed messages.
//!
//! The typed messages are stricter than editors: a `file:///a b.rs` is not a URI to them, and one unknown word among the
//! capabilities would refuse the whole introduction.

use std::str::FromStr;

use ls_types::Uri;
use serde_json::{Map, Value, json};
use tower_lsp_server::jsonrpc;

/// Members of any message that hold a URI.
const URI_MEMBERS: [&str; 4] = ["uri", "rootUri", "href", "targetUri"];

/// The scheme of a text that is not a URI even with everything unusual in it escaped. It names no file.
const NOT_A_URI: &str = "not-a-uri:";

/// Reads a request or a notification for the typed handlers; none if its id is neither a whole number nor a string.
pub(super) fn request(body: &[u8]) -> Option<jsonrpc::Request> {
    let mut message: Value = serde_json::from_slice(body).ok()?;
    let method = message["method"].as_str()?.to_owned();
    let mut params = message["params"].take();
    escape_uris(&mut params);
    let params = match method.as_str() {
        "initialize" => Some(introduction(params)),
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

/// The parameters of `initialize`, with the capabilities that something here reads.
fn introduction(mut params: Value) -> Value {
    let capabilities = params["capabilities"].take();
    let mut read = json!({
        "window": { "workDoneProgress": capabilities["window"]["workDoneProgress"] == true },
        "general": {},
        // A client that announces no capabilities at all is not an editor: it speaks AreYouJ's own methods.
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
    // The name is for people, and some editors leave it out.
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

/// The text as a URI; none if it is one.
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
    fn no_capability_that_nothing_reads_can_refuse_an_introduction() {
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
    fn an_id_is_a_whole_number_or_a_string() {
        let read = |id: &str| request(format!(r#"{{"id":{id},"method":"m"}}"#).as_bytes()).is_some();
        assert!(read("7") && read("\"a\"") && read("null"));
        assert!(!read("1.5") && !read("{}") && !read("[]"));
    }
}
