//! Removes everything except code from source text.

/// The syntax of comments and strings in a language.
pub(super) struct Syntax {
    /// The start of a line comment.
    pub(super) line: &'static str,
    /// The start and the end of other blocks: block comments, raw strings, quotes as characters.
    pub(super) blocks: &'static [(&'static str, &'static str)],
    /// The quotes of strings with backslash escapes.
    pub(super) quotes: &'static str,
    /// Whether a string can span lines.
    pub(super) long_texts: bool,
    /// Whether strings are kept, because they name modules.
    pub(super) keep_texts: bool,
}

/// Replaces comments, and strings unless they are kept, by blanks. Every byte keeps its offset.
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

/// The number of bytes up to and including this end, or to the end of the text.
fn until(rest: &[u8], start: usize, end: &[u8]) -> usize {
    let found = rest[start..].windows(end.len()).position(|window| window == end);
    found.map_or(rest.len(), |found| start + found + end.len())
}

/// The number of bytes of the string that starts here. An unterminated quote is a single character.
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
    fn comments_and_strings_are_replaced_by_blanks() {
        let source = "a // crate::b\n/* super\n*/ \"crate::\\\"x\" c";
        assert_eq!(code(source, &RUST), "a            \n        \n                c");
    }

    #[test]
    fn a_quote_in_a_raw_string_or_a_character_does_not_start_a_string() {
        assert_eq!(code("a(r#\"\"\"#, '\"') b", &RUST), "a(      ,    ) b");
    }

    #[test]
    fn strings_can_be_kept() {
        let lua = Syntax { line: "--", blocks: &[], quotes: "\"'", long_texts: false, keep_texts: true };
        assert_eq!(code("require(\"a -- b\") -- c", &lua), "require(\"a -- b\")     ");
    }
}
