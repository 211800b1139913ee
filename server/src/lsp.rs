//! Terms of the Language Server Protocol that the sidecar and the daemon share.

use std::path::Path;

use serde_json::{Value, json};

/// The command that sends a selection to a session. The sidecar, which knows what is in the editor, adds the text.
pub const SEND_SELECTION: &str = "areyouj.lsp.sendSelection";

/// The command that sends diagnostics to a session.
pub const SEND_DIAGNOSTICS: &str = "areyouj.lsp.sendDiagnostics";

/// The command that sends a text to a session.
pub const SEND: &str = "areyouj.lsp.send";

/// The command that creates a session.
pub const NEW_SESSION: &str = "areyouj.lsp.newSession";

/// The command that breaks off a session's turn.
pub const INTERRUPT: &str = "areyouj.lsp.interrupt";

/// The command that ends a session.
pub const TERMINATE: &str = "areyouj.lsp.terminate";

/// All of them.
pub const COMMANDS: &[&str] = &[NEW_SESSION, SEND, SEND_SELECTION, SEND_DIAGNOSTICS, INTERRUPT, TERMINATE];

/// Whether a client speaks AreYouJ's own part of the protocol: an editor that does announces it, and what announces no
/// capabilities at all is no editor.
pub fn is_native(capabilities: &Value) -> bool {
    !capabilities.is_object() || capabilities["experimental"]["areyouj"].is_object()
}

/// Adds and removes workspace folders in the parameters of `initialize`, as `workspace/didChangeWorkspaceFolders` tells.
pub fn change_folders(params: &mut Value, event: &Value) {
    let of = |list: &Value| list.as_array().cloned().unwrap_or_default();
    let removed = of(&event["removed"]);
    let mut folders = of(&params["workspaceFolders"]);
    folders.retain(|folder| removed.iter().all(|removed| removed["uri"] != folder["uri"]));
    folders.extend(of(&event["added"]));
    params["workspaceFolders"] = json!(folders);
}

/// The path of a `file:` URI.
pub fn path_of_uri(uri: &str) -> Option<String> {
    let path = uri.strip_prefix("file://").filter(|path| path.starts_with('/'))?;
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    let path = String::from_utf8(bytes).ok()?;
    let trimmed = path.trim_end_matches('/');
    Path::new(&path)
        .is_absolute()
        .then(|| if trimmed.is_empty() { "/".to_owned() } else { trimmed.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_editor_says_whether_it_knows_our_own_part() {
        assert!(is_native(&Value::Null));
        assert!(is_native(&json!({ "experimental": { "areyouj": {} } })));
        assert!(!is_native(&json!({})));
        assert!(!is_native(&json!({ "experimental": { "areyouj": false } })));
    }

    #[test]
    fn folders_come_and_go() {
        let folder = |name: &str| json!({ "uri": format!("file:///{name}"), "name": name });
        let mut params = json!({ "workspaceFolders": [folder("a"), folder("b")] });
        change_folders(&mut params, &json!({ "added": [folder("c")], "removed": [folder("a")] }));
        assert_eq!(params["workspaceFolders"], json!([folder("b"), folder("c")]));
        let mut none = json!({ "workspaceFolders": null });
        change_folders(&mut none, &json!({ "added": [folder("a")], "removed": [] }));
        assert_eq!(none["workspaceFolders"], json!([folder("a")]));
    }

    #[test]
    fn a_file_uri_is_a_path_with_everything_in_it() {
        assert_eq!(path_of_uri("file:///a%20b/%C3%BC").as_deref(), Some("/a b/ü"));
        assert_eq!(path_of_uri("file:///a/").as_deref(), Some("/a"));
        assert_eq!(path_of_uri("file:///").as_deref(), Some("/"));
        for other in ["http://host/a", "file://host/a", "file:///%zz", "file:///%ff", "a"] {
            assert_eq!(path_of_uri(other), None, "{other}");
        }
    }
}
