//! Hidden characters, for every program that displays untrusted text. The tables of the extensions are generated from
//! this one.
//!
//! The table contains every character that Unicode classifies as default ignorable or white space, except the line
//! breaks, the tab and the space of ASCII. It does not contain control characters: every language can classify those.

/// How a character hides content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HiddenKind {
    /// It reorders the surrounding text, breaks its lines, or carries text that is not displayed. It is harmful in any
    /// text.
    Reorders,
    /// It is not displayed. Emoji and some scripts need a few of these.
    Invisible,
    /// It looks like a space.
    Blank,
}

impl HiddenKind {
    /// The name in the generated tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            HiddenKind::Reorders => "reorders",
            HiddenKind::Invisible => "invisible",
            HiddenKind::Blank => "blank",
        }
    }
}

/// A range of characters of the same kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HiddenRange {
    /// The first character.
    pub first: char,
    /// The last character.
    pub last: char,
    /// How they hide content.
    pub kind: HiddenKind,
}

const fn range(first: char, last: char, kind: HiddenKind) -> HiddenRange {
    HiddenRange { first, last, kind }
}

/// All ranges, in ascending order.
pub const HIDDEN: &[HiddenRange] = &[
    range('\u{a0}', '\u{a0}', HiddenKind::Blank),
    range('\u{ad}', '\u{ad}', HiddenKind::Invisible),
    range('\u{34f}', '\u{34f}', HiddenKind::Invisible),
    range('\u{61c}', '\u{61c}', HiddenKind::Reorders),
    range('\u{115f}', '\u{1160}', HiddenKind::Invisible),
    range('\u{1680}', '\u{1680}', HiddenKind::Blank),
    range('\u{17b4}', '\u{17b5}', HiddenKind::Invisible),
    range('\u{180b}', '\u{180f}', HiddenKind::Invisible),
    range('\u{2000}', '\u{200a}', HiddenKind::Blank),
    range('\u{200b}', '\u{200d}', HiddenKind::Invisible),
    range('\u{200e}', '\u{200f}', HiddenKind::Reorders),
    range('\u{2028}', '\u{202e}', HiddenKind::Reorders),
    range('\u{202f}', '\u{202f}', HiddenKind::Blank),
    range('\u{205f}', '\u{205f}', HiddenKind::Blank),
    range('\u{2060}', '\u{206f}', HiddenKind::Reorders),
    // Braille without dots.
    range('\u{2800}', '\u{2800}', HiddenKind::Blank),
    range('\u{3000}', '\u{3000}', HiddenKind::Blank),
    range('\u{3164}', '\u{3164}', HiddenKind::Invisible),
    range('\u{fe00}', '\u{fe0f}', HiddenKind::Invisible),
    range('\u{feff}', '\u{feff}', HiddenKind::Reorders),
    range('\u{ffa0}', '\u{ffa0}', HiddenKind::Invisible),
    range('\u{fff0}', '\u{fff8}', HiddenKind::Invisible),
    range('\u{fff9}', '\u{fffb}', HiddenKind::Reorders),
    range('\u{1bca0}', '\u{1bca3}', HiddenKind::Invisible),
    range('\u{1d173}', '\u{1d17a}', HiddenKind::Invisible),
    range('\u{e0000}', '\u{e007f}', HiddenKind::Reorders),
    range('\u{e0080}', '\u{e0fff}', HiddenKind::Invisible),
];

/// How this character hides content, or `None` if it does not.
pub fn hidden(character: char) -> Option<HiddenKind> {
    let next = HIDDEN.partition_point(|range| range.first <= character);
    let range = HIDDEN.get(next.checked_sub(1)?)?;
    (character <= range.last).then_some(range.kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_ascend_and_do_not_overlap() {
        assert!(HIDDEN.iter().all(|range| range.first <= range.last));
        assert!(HIDDEN.windows(2).all(|pair| pair[0].last < pair[1].first));
    }

    #[test]
    fn a_character_is_hidden_exactly_if_a_range_contains_it() {
        for character in '\0'..=char::MAX {
            let range = HIDDEN.iter().find(|range| (range.first..=range.last).contains(&character));
            assert_eq!(hidden(character), range.map(|range| range.kind), "{character:?}");
        }
    }

    #[test]
    fn all_white_space_is_hidden_except_ascii_and_the_next_line() {
        let known = |character: &char| character.is_ascii() || *character == '\u{85}';
        let spaces = ('\0'..=char::MAX).filter(|space| space.is_whitespace() && !known(space));
        for space in spaces {
            assert!(matches!(hidden(space), Some(HiddenKind::Blank | HiddenKind::Reorders)), "{space:?}");
        }
    }
}
