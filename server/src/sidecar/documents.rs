//! What is open in the editor, as it stands there: a selection is sent with what the person sees, saved or not.

use std::collections::HashMap;
use std::fs;

use serde_json::Value;

/// Bytes of one document that is kept; of a larger one the file is read.
const MAX_DOCUMENT: usize = 4 << 20;

/// Documents that are kept. An editor with more open ones gets the files of the others.
const MAX_DOCUMENTS: usize = 256;

/// Bytes of all documents that are kept.
const MAX_BYTES: usize = 64 << 20;

/// The open documents, by URI.
#[derive(Default)]
pub(super) struct Documents {
    texts: HashMap<String, String>,
    bytes: usize,
}

impl Documents {
    /// Takes in a notification about a document; false if it is about something else.
    pub(super) fn take(&mut self, method: &str, params: &Value) -> bool {
        let document = &params["textDocument"];
        let Some(uri) = document["uri"].as_str() else { return false };
        match method {
            "textDocument/didOpen" => {
                if let Some(text) = document["text"].as_str() {
                    self.keep(uri, text.to_owned());
                }
            }
            "textDocument/didChange" => {
                let Some(mut text) = self.remove(uri) else { return true };
                let known = params["contentChanges"].as_array().into_iter().flatten().all(|change| {
                    let Some(new) = change["text"].as_str() else { return false };
                    match &change["range"] {
                        Value::Null => new.clone_into(&mut text),
                        range => match bytes_of(&text, range) {
                            Some(bytes) => text.replace_range(bytes, new),
                            None => return false,
                        },
                    }
                    true
                });
                // What does not fit was misunderstood by one of us: rather the file than something else.
                if known {
                    self.keep(uri, text);
                }
            }
            "textDocument/didClose" => drop(self.remove(uri)),
            _ => return false,
        }
        true
    }

    fn keep(&mut self, uri: &str, text: String) {
        self.remove(uri);
        let room = self.texts.len() < MAX_DOCUMENTS && self.bytes + text.len() <= MAX_BYTES;
        if text.len() <= MAX_DOCUMENT && room {
            self.bytes += text.len();
            self.texts.insert(uri.to_owned(), text);
        }
    }

    fn remove(&mut self, uri: &str) -> Option<String> {
        let text = self.texts.remove(uri)?;
        self.bytes -= text.len();
        Some(text)
    }

    /// The text in a range of a document, of its file if it is not open.
    pub(super) fn text(&self, uri: &str, range: &Value) -> Option<String> {
        let file;
        let text = match self.texts.get(uri) {
            Some(text) => text,
            None => {
                let path = crate::lsp::path_of_uri(uri)?;
                let length = fs::metadata(&path).ok().filter(fs::Metadata::is_file)?.len();
                if length > MAX_DOCUMENT as u64 {
                    return None;
                }
                file = fs::read_to_string(path).ok()?;
                &file
            }
        };
        Some(text[bytes_of(text, range)?].to_owned())
    }
}

/// The bytes that a range of lines and UTF-16 units covers. Beyond the end of a line means its end, as the protocol has it.
fn bytes_of(text: &str, range: &Value) -> Option<std::ops::Range<usize>> {
    let start = byte_of(text, &range["start"])?;
    let end = byte_of(text, &range["end"])?;
    (start <= end).then_some(start..end)
}

fn byte_of(text: &str, position: &Value) -> Option<usize> {
    let line = usize::try_from(position["line"].as_u64()?).ok()?;
    let units = usize::try_from(position["character"].as_u64()?).ok()?;
    let mut begin = 0;
    for _ in 0..line {
        // Behind the last line there is the end.
        let Some(length) = text[begin..].find('\n') else { return Some(text.len()) };
        begin += length + 1;
    }
    let rest = &text[begin..];
    let line = rest.split('\n').next().unwrap_or_default();
    let line = line.strip_suffix('\r').unwrap_or(line);
    let mut passed = 0;
    for (offset, character) in line.char_indices() {
        if passed >= units {
            return Some(begin + offset);
        }
        passed += character.len_utf16();
    }
    Some(begin + line.len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const URI: &str = "file:///a.rs";

    fn range(from: (u32, u32), to: (u32, u32)) -> Value {
        let position = |(line, character)| json!({ "line": line, "character": character });
        json!({ "start": position(from), "end": position(to) })
    }

    fn open(text: &str) -> Documents {
        let mut documents = Documents::default();
        assert!(
            documents.take("textDocument/didOpen", &json!({ "textDocument": { "uri": URI, "text": text } }))
        );
        documents
    }

    fn change(documents: &mut Documents, changes: &Value) {
        let params = json!({ "textDocument": { "uri": URI }, "contentChanges": changes });
        assert!(documents.take("textDocument/didChange", &params));
    }

    #[test]
    fn a_document_is_what_the_editor_made_of_it() {
        let mut documents = open("one\r\ntwo \u{1F980} three\nfour");
        let all = range((0, 0), (99, 0));
        assert_eq!(documents.text(URI, &range((1, 4), (1, 6))).as_deref(), Some("\u{1F980}"));
        assert_eq!(documents.text(URI, &range((0, 1), (0, 99))).as_deref(), Some("ne"));
        change(
            &mut documents,
            &json!([{ "range": range((1, 4), (1, 6)), "text": "2\n" }, { "range": range((0, 0), (0, 3)), "text": "" }]),
        );
        assert_eq!(documents.text(URI, &all).as_deref(), Some("\r\ntwo 2\n three\nfour"));
        change(&mut documents, &json!([{ "text": "anew" }]));
        assert_eq!(documents.text(URI, &all).as_deref(), Some("anew"));
        assert!(documents.take("textDocument/didClose", &json!({ "textDocument": { "uri": URI } })));
        assert_eq!(documents.text(URI, &all), None);
        assert!(!documents.take("initialized", &json!({})));
    }

    #[test]
    fn no_more_is_kept_than_there_is_room_for() {
        let mut documents = Documents::default();
        let text = "x".repeat(MAX_DOCUMENT);
        let tell = |documents: &mut Documents, method: &str, number: usize| {
            let document = json!({ "uri": format!("file:///{number}"), "text": text });
            documents.take(method, &json!({ "textDocument": document }));
        };
        let most = MAX_BYTES / MAX_DOCUMENT;
        (0..most + 2).for_each(|number| tell(&mut documents, "textDocument/didOpen", number));
        assert_eq!((documents.texts.len(), documents.bytes), (most, MAX_BYTES));
        tell(&mut documents, "textDocument/didClose", 0);
        tell(&mut documents, "textDocument/didOpen", most);
        assert_eq!((documents.texts.len(), documents.bytes), (most, MAX_BYTES));
    }

    #[test]
    fn what_is_not_open_or_not_understood_is_read_from_its_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a b.rs");
        fs::write(&path, "saved").unwrap();
        let uri = format!("file://{}", path.to_str().unwrap().replace(' ', "%20"));
        let mut documents = Documents::default();
        let whole = range((0, 0), (9, 0));
        assert_eq!(documents.text(&uri, &whole).as_deref(), Some("saved"));
        let opened = json!({ "textDocument": { "uri": uri, "text": "seen" } });
        assert!(documents.take("textDocument/didOpen", &opened));
        assert_eq!(documents.text(&uri, &whole).as_deref(), Some("seen"));
        let backwards = json!({ "textDocument": { "uri": uri }, "contentChanges": [{ "range": range((0, 3), (0, 1)), "text": "" }] });
        assert!(documents.take("textDocument/didChange", &backwards));
        assert_eq!(documents.text(&uri, &whole).as_deref(), Some("saved"));
        assert_eq!(documents.text("file:///none", &whole), None);
        assert_eq!(documents.text("untitled:1", &whole), None);
    }
}
