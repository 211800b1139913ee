//! The documents that are open in the editor, saved or not: a selection is sent as the editor displays it.

use std::collections::HashMap;
use std::fs;

use ls_types::{Position, PositionEncodingKind, Range, TextDocumentContentChangeEvent};

use crate::file_uri;

/// The maximum size in bytes of a stored document; a larger one is read from its file.
const MAX_DOCUMENT_BYTES: usize = 4 << 20;

/// The maximum number of stored documents; the others are read from their files.
const MAX_DOCUMENTS: usize = 256;

/// The maximum total size in bytes of stored documents.
const MAX_TOTAL_BYTES: usize = 64 << 20;

/// The unit of the character in a position.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Encoding {
    /// Bytes of UTF-8.
    Utf8,
    /// Units of UTF-16, which every editor supports.
    #[default]
    Utf16,
    /// Characters.
    Utf32,
}

impl Encoding {
    /// The first supported encoding in the editor's order of preference.
    pub(super) fn choose(offered: &[PositionEncodingKind]) -> Encoding {
        let known = offered.iter().find_map(|kind| match kind.as_str() {
            "utf-8" => Some(Encoding::Utf8),
            "utf-16" => Some(Encoding::Utf16),
            "utf-32" => Some(Encoding::Utf32),
            _ => None,
        });
        known.unwrap_or_default()
    }

    /// The name in the protocol.
    pub(super) fn kind(self) -> PositionEncodingKind {
        match self {
            Encoding::Utf8 => PositionEncodingKind::UTF8,
            Encoding::Utf16 => PositionEncodingKind::UTF16,
            Encoding::Utf32 => PositionEncodingKind::UTF32,
        }
    }

    fn units(self, character: char) -> usize {
        match self {
            Encoding::Utf8 => character.len_utf8(),
            Encoding::Utf16 => character.len_utf16(),
            Encoding::Utf32 => 1,
        }
    }
}

/// The open documents, by URI.
#[derive(Default)]
pub(super) struct Documents {
    encoding: Encoding,
    texts: HashMap<String, String>,
    bytes: usize,
}

impl Documents {
    /// No documents, with positions in this encoding.
    pub(super) fn new(encoding: Encoding) -> Documents {
        Documents { encoding, ..Documents::default() }
    }

    /// Stores an opened document.
    pub(super) fn open(&mut self, uri: &str, text: String) {
        self.close(uri);
        let room = self.texts.len() < MAX_DOCUMENTS && self.bytes + text.len() <= MAX_TOTAL_BYTES;
        if text.len() <= MAX_DOCUMENT_BYTES && room {
            self.bytes += text.len();
            self.texts.insert(uri.to_owned(), text);
        }
    }

    /// Applies changes to a document. A document with an invalid change is dropped: its file is better than a wrong
    /// text.
    pub(super) fn change(&mut self, uri: &str, changes: Vec<TextDocumentContentChangeEvent>) {
        let Some(mut text) = self.close(uri) else { return };
        for change in changes {
            match change.range {
                None => text = change.text,
                Some(range) => match self.bytes_of(&text, range) {
                    Some(bytes) => text.replace_range(bytes, &change.text),
                    None => return,
                },
            }
        }
        self.open(uri, text);
    }

    /// Removes a closed document. Returns its text, if it was stored.
    pub(super) fn close(&mut self, uri: &str) -> Option<String> {
        let text = self.texts.remove(uri)?;
        self.bytes -= text.len();
        Some(text)
    }

    /// The text in a range of a document, or of its file if the document is not stored.
    pub(super) fn text(&self, uri: &str, range: Range) -> Option<String> {
        let file;
        let text = match self.texts.get(uri) {
            Some(text) => text,
            None => {
                let path = file_uri::path(uri)?;
                let length = fs::metadata(&path).ok().filter(fs::Metadata::is_file)?.len();
                if length > MAX_DOCUMENT_BYTES as u64 {
                    return None;
                }
                file = fs::read_to_string(path).ok()?;
                &file
            }
        };
        Some(text[self.bytes_of(text, range)?].to_owned())
    }

    fn bytes_of(&self, text: &str, range: Range) -> Option<std::ops::Range<usize>> {
        let (start, end) = (self.byte_of(text, range.start), self.byte_of(text, range.end));
        (start <= end).then_some(start..end)
    }

    /// The byte offset of a position. A position beyond the end of a line means its end, beyond the last line the end
    /// of the text.
    fn byte_of(&self, text: &str, position: Position) -> usize {
        let mut begin = 0;
        for _ in 0..position.line {
            let Some(length) = text[begin..].find('\n') else { return text.len() };
            begin += length + 1;
        }
        let line = text[begin..].split('\n').next().unwrap_or_default();
        let line = line.strip_suffix('\r').unwrap_or(line);
        let mut passed = 0;
        for (offset, character) in line.char_indices() {
            if passed >= position.character as usize {
                return begin + offset;
            }
            passed += self.encoding.units(character);
        }
        begin + line.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URI: &str = "file:///a.rs";

    fn range(from: (u32, u32), to: (u32, u32)) -> Range {
        Range::new(Position::new(from.0, from.1), Position::new(to.0, to.1))
    }

    fn open(text: &str) -> Documents {
        let mut documents = Documents::default();
        documents.open(URI, text.to_owned());
        documents
    }

    fn edit(range: Option<Range>, text: &str) -> TextDocumentContentChangeEvent {
        TextDocumentContentChangeEvent { range, range_length: None, text: text.to_owned() }
    }

    #[test]
    fn a_document_has_the_editors_changes() {
        let mut documents = open("one\r\ntwo \u{1F980} three\nfour");
        let all = range((0, 0), (99, 0));
        assert_eq!(documents.text(URI, range((1, 4), (1, 6))).as_deref(), Some("\u{1F980}"));
        assert_eq!(documents.text(URI, range((0, 1), (0, 99))).as_deref(), Some("ne"));
        let edits = vec![edit(Some(range((1, 4), (1, 6))), "2\n"), edit(Some(range((0, 0), (0, 3))), "")];
        documents.change(URI, edits);
        assert_eq!(documents.text(URI, all).as_deref(), Some("\r\ntwo 2\n three\nfour"));
        documents.change(URI, vec![edit(None, "replaced")]);
        assert_eq!(documents.text(URI, all).as_deref(), Some("replaced"));
        documents.close(URI);
        assert_eq!(documents.text(URI, all), None);
    }

    #[test]
    fn characters_are_counted_in_the_editors_encoding() {
        for (offered, chosen, crab, behind) in [
            (&[][..], Encoding::Utf16, (4, 6), 7),
            (&["utf-7", "utf-8", "utf-16"], Encoding::Utf8, (4, 8), 10),
            (&["utf-16", "utf-8"], Encoding::Utf16, (4, 6), 7),
            (&["utf-32"], Encoding::Utf32, (4, 5), 6),
        ] {
            let offered: Vec<PositionEncodingKind> =
                offered.iter().copied().map(PositionEncodingKind::from).collect();
            let encoding = Encoding::choose(&offered);
            assert_eq!(encoding, chosen);
            let mut documents = Documents::new(encoding);
            documents.open(URI, "two \u{1F980}\u{E9} three".to_owned());
            assert_eq!(documents.text(URI, range((0, crab.0), (0, crab.1))).as_deref(), Some("\u{1F980}"));
            documents.change(URI, vec![edit(Some(range((0, crab.1), (0, behind))), "")]);
            assert_eq!(documents.text(URI, range((0, 0), (1, 0))).as_deref(), Some("two \u{1F980} three"));
        }
    }

    #[test]
    fn the_size_of_stored_documents_is_limited() {
        let mut documents = Documents::default();
        let text = "x".repeat(MAX_DOCUMENT_BYTES);
        let uri = |number: usize| format!("file:///{number}");
        let most = MAX_TOTAL_BYTES / MAX_DOCUMENT_BYTES;
        (0..most + 2).for_each(|number| documents.open(&uri(number), text.clone()));
        assert_eq!((documents.texts.len(), documents.bytes), (most, MAX_TOTAL_BYTES));
        documents.close(&uri(0));
        documents.open(&uri(most), text);
        assert_eq!((documents.texts.len(), documents.bytes), (most, MAX_TOTAL_BYTES));
    }

    #[test]
    fn a_document_that_is_not_open_or_has_an_invalid_change_is_read_from_its_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a b.rs");
        fs::write(&path, "saved").unwrap();
        let uri = format!("file://{}", path.to_str().unwrap().replace(' ', "%20"));
        let mut documents = Documents::default();
        let whole = range((0, 0), (9, 0));
        assert_eq!(documents.text(&uri, whole).as_deref(), Some("saved"));
        documents.open(&uri, "seen".to_owned());
        assert_eq!(documents.text(&uri, whole).as_deref(), Some("seen"));
        documents.change(&uri, vec![edit(Some(range((0, 3), (0, 1))), "")]);
        assert_eq!(documents.text(&uri, whole).as_deref(), Some("saved"));
        assert_eq!(documents.text("file:///none", whole), None);
        assert_eq!(documents.text("untitled:1", whole), None);
    }
}
