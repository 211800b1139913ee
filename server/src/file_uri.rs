//! `file:` URIs.

use std::path::Path;

/// The path of a `file:` URI, without a trailing slash.
pub(crate) fn path(uri: &str) -> Option<String> {
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
    fn a_file_uri_is_decoded_to_a_path() {
        assert_eq!(path("file:///a%20b/%C3%BC").as_deref(), Some("/a b/ü"));
        assert_eq!(path("file:///a/").as_deref(), Some("/a"));
        assert_eq!(path("file:///").as_deref(), Some("/"));
        for other in ["http://host/a", "file://host/a", "file:///%zz", "file:///%ff", "a"] {
            assert_eq!(path(other), None, "{other}");
        }
    }
}
