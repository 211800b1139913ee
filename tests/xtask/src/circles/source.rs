//! Source text in which only code is left.

/// How a language writes comments and texts.
pub(super) struct Syntax {
    /// Begins a comment to the end of the line.
    pub(super) line: &'static str,
    /// Begin and end what can hold anything: a longer comment, a raw text, a quote as a character.
    pub(super) blocks: &'static [(&'static str, &'static str)],
    /// Each begins and ends a text in which a backslash escapes.
    pub(super) quotes: &'static str,
    /// Whether a text can be longer than its line.
    pub(super) long_texts: bool,
    /// Whether texts are left as they are, because they name modules.
    pub(super) keep_texts: bool,
}

/// The source with comments as blanks, and texts too unless they are kept. Every byte stays at its place.
pub(super) fn code(source: &str, syntax: &Syntax) -> String {
    let mut code = source.as_bytes().to_vec();
    let mut at = 0;
    while at < source.len() {
        let rest = &source.as_bytes()[at..];
        let block = syntax.blocks.iter().find(|(begin, _)| rest.starts_with(begin.as_bytes()));
        let (length, keep) = if let Some((begin, end)) = block {
            (until(rest, begin.len(), end.as_bytes()), false)
        } else if rest.starts_with(syntax.line.as_bytes()) {
            (rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()), false)
        } else if syntax.quotes.as_bytes().contains(&rest[0]) {
            (text(rest, syntax.long_texts), syntax.keep_texts)
        } else {
            (1, true)
        };
        if !keep {
            let blanked = code[at..at + length].iter_mut();
            blanked.filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
        }
        at += length;
    }
    String::from_utf8_lossy(&code).into_owned()
}

/// The number of bytes to the end of what ends with this, or of everything.
fn until(rest: &[u8], start: usize, end: &[u8]) -> usize {
    let found = rest[start..].windows(end.len()).position(|window| window == end);
    found.map_or(rest.len(), |found| start + found + end.len())
}

/// The number of bytes of a text that begins here. A quote that nothing ends is a character of its own.
fn text(rest: &[u8], long: bool) -> usize {
    let mut escaped = false;
    for (at, byte) in rest.iter().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'\n' if !long => return 1,
            byte if *byte == rest[0] => return at + 1,
            _ => {}
        }
    }
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUST: Syntax = Syntax {
        line: "//",
        blocks: &[("/*", "*/"), ("r#\"", "\"#"), ("'\"", "'")],
        quotes: "\"",
        long_texts: true,
        keep_texts: false,
    };

    #[test]
    fn comments_and_texts_are_blanked_at_their_places() {
        let source = "a // crate::b\n/* super\n*/ \"crate::\\\"x\" c";
        assert_eq!(code(source, &RUST), "a            \n        \n                c");
    }

    #[test]
    fn a_quote_in_a_raw_text_or_a_character_begins_no_text() {
        assert_eq!(code("a(r#\"\"\"#, '\"') b", &RUST), "a(      ,    ) b");
    }

    #[test]
    fn texts_can_be_kept() {
        let lua = Syntax { line: "--", blocks: &[], quotes: "\"'", long_texts: false, keep_texts: true };
        assert_eq!(code("require(\"a -- b\") -- c", &lua), "require(\"a -- b\")     ");
    }
}
