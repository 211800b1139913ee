//! Words and signs that look like others, by Unicode's tables (Unicode Technical Standard 39).

use unicode_normalization::char::is_combining_mark;
use unicode_script::{Script, UnicodeScript};
use unicode_security::mixed_script::AugmentedScriptSet;
use unicode_security::{MixedScript, skeleton};

/// The most characters of a word that its mark names.
const MAX_NAMED: usize = 4;

/// How a text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// A program reads it: every look-alike counts.
    Code,
    /// People read it, in any language: typographic signs are usual, and words of a script count only if nothing else is
    /// written in it. Russian has many words of letters that all look Latin.
    Prose,
}

/// The mark of a word that looks like another one.
pub(super) struct Mark {
    /// The mark, to be written behind the word: it names the odd characters.
    pub(super) text: String,
    /// The one script of a word that only looks like an ASCII word; `None` for a word of several scripts.
    pub(super) script: Option<Script>,
}

/// Whether a character belongs to a word, at its beginning too.
pub(super) fn in_word(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

/// The mark of a word, if it needs one.
pub(super) fn word(word: &str) -> Option<Mark> {
    let poses = poses_as_ascii(word);
    if is_of_one_script(word) {
        if !poses {
            return None;
        }
        let script = word.chars().map(|letter| letter.script()).find(|script| !is_shared(*script));
        return Some(Mark { text: mark(word.chars().filter(|letter| !letter.is_ascii())), script });
    }
    let latin = word.chars().any(|letter| letter.is_ascii_alphabetic());
    let first = word.chars().map(|letter| letter.script()).find(|script| !is_shared(*script));
    let usual = if latin { Script::Latin } else { first.unwrap_or(Script::Common) };
    let odd = |letter: &char| letter.script() != usual && !is_shared(letter.script());
    Some(Mark { text: mark(word.chars().filter(odd)), script: None })
}

/// The mark of a sign outside words, if it looks like one of ASCII.
pub(super) fn sign(sign: char) -> Option<String> {
    let mut text = [0; 4];
    let text = sign.encode_utf8(&mut text);
    (!text.is_ascii() && poses_as_ascii(text)).then(|| mark([sign]))
}

/// The script of a word that cannot be taken for an ASCII word; `None` if it can, or has several scripts.
pub(super) fn script_of(word: &str) -> Option<Script> {
    let script = word.chars().map(|letter| letter.script()).find(|script| !is_shared(*script))?;
    (!poses_as_ascii(word) && word.is_single_script()).then_some(script)
}

/// Whether a word that is not ASCII looks like one that is.
fn poses_as_ascii(word: &str) -> bool {
    skeleton(word).all(|letter| letter.is_ascii())
}

/// Whether the letters of a word belong together. Chinese, Japanese and Korean text has no spaces around Latin words,
/// unless a letter looks like ASCII.
fn is_of_one_script(word: &str) -> bool {
    if word.is_single_script() {
        return true;
    }
    let others = word.chars().filter(|letter| letter.script() != Script::Latin);
    let mut set = AugmentedScriptSet::default();
    for letter in others.clone() {
        set.intersect_with(letter.into());
    }
    let east_asian = set.hanb || set.jpan || set.kore;
    let mut text = [0; 4];
    east_asian
        && !others
            .into_iter()
            .any(|letter| !letter.is_ascii() && poses_as_ascii(letter.encode_utf8(&mut text)))
}

/// Whether characters of a script belong to words of every script.
fn is_shared(script: Script) -> bool {
    matches!(script, Script::Common | Script::Inherited | Script::Unknown)
}

/// Names characters, each once. Combining marks are named without being displayed.
fn mark(characters: impl IntoIterator<Item = char>) -> String {
    let mut distinct: Vec<char> = Vec::new();
    for character in characters {
        if !distinct.contains(&character) && distinct.len() <= MAX_NAMED {
            distinct.push(character);
        }
    }
    let more = if distinct.len() > MAX_NAMED { ", \u{2026}" } else { "" };
    let named = |character: &char| {
        let script = character.script();
        let script = if is_shared(script) || is_combining_mark(*character) { "" } else { script.full_name() };
        format!("U+{:04X} {script}", u32::from(*character)).trim_end().to_owned()
    };
    let names: Vec<String> = distinct.iter().take(MAX_NAMED).map(named).collect();
    format!("\u{27e8}{}{more}\u{27e9}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(text: &str) -> Option<String> {
        word(text).map(|mark| mark.text)
    }

    #[test]
    fn a_word_of_mixed_scripts_names_the_odd_letters() {
        assert_eq!(marked("\u{441}url").as_deref(), Some("\u{27e8}U+0441 Cyrillic\u{27e9}"));
        assert_eq!(
            marked("p\u{430}yp\u{430}l\u{3bf}").as_deref(),
            Some("\u{27e8}U+0430 Cyrillic, U+03BF Greek\u{27e9}")
        );
        assert_eq!(marked("\u{43f}\u{440}\u{3b1}").as_deref(), Some("\u{27e8}U+03B1 Greek\u{27e9}"));
    }

    #[test]
    fn a_word_that_looks_like_ascii_is_marked_in_any_script() {
        assert_eq!(
            marked("\u{441}\u{43e}\u{440}\u{443}").as_deref(),
            Some("\u{27e8}U+0441 Cyrillic, U+043E Cyrillic, U+0440 Cyrillic, U+0443 Cyrillic\u{27e9}")
        );
        assert_eq!(marked("\u{261}it").as_deref(), Some("\u{27e8}U+0261 Latin\u{27e9}"));
        assert_eq!(marked("\u{1d42b}\u{1d426}").as_deref(), Some("\u{27e8}U+1D42B, U+1D426\u{27e9}"));
    }

    #[test]
    fn words_of_people_are_not_marked() {
        for word in [
            "na\u{ef}ve",
            "\u{43f}\u{440}\u{438}\u{432}\u{435}\u{442}",
            "gr\u{fc}\u{df}e",
            "\u{65e5}\u{672c}\u{8a9e}\u{306e}",
            "\u{4f7f}\u{7528}React\u{7ec4}\u{4ef6}",
            "\u{3b1}\u{3b2}\u{3b3}",
            "\u{5e9}\u{5dc}\u{5d5}\u{5dd}",
        ] {
            assert_eq!(marked(word), None, "{word}");
        }
    }

    #[test]
    fn a_sign_that_looks_like_ascii_is_marked() {
        assert_eq!(sign('\u{37e}').as_deref(), Some("\u{27e8}U+037E\u{27e9}"));
        assert_eq!(sign('\u{2215}').as_deref(), Some("\u{27e8}U+2215\u{27e9}"));
        assert_eq!(sign(';'), None);
        assert_eq!(sign('\u{20ac}'), None);
    }
}
