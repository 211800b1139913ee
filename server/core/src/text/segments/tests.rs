//! What every text becomes: the same bytes, and nothing hidden.

use proptest::prelude::*;

use super::*;
use crate::text::hostile::{FRAGMENTS, is_displayable};

fn parts(text: &str) -> Vec<(SegmentKind, String, Option<String>)> {
    let segments = segments(text, Reading::Code);
    segments.into_iter().map(|segment| (segment.kind, segment.text, segment.shown)).collect()
}

fn shown(text: &str) -> String {
    segments(text, Reading::Code).iter().map(DisplaySegment::displayed).collect()
}

fn prose(text: &str) -> String {
    segments(text, Reading::Prose).iter().map(DisplaySegment::displayed).collect()
}

#[test]
fn plain_text_is_one_segment() {
    let code = "fn main() {\n\tprintln!(\"a  b\");\n\n\n\n        // table:          b\n}\n";
    assert_eq!(parts(code), [(SegmentKind::Plain, code.to_owned(), None)]);
    assert_eq!(parts(""), []);
}

#[test]
fn a_long_run_of_blanks_is_a_count() {
    let blanks = " ".repeat(3_000);
    assert_eq!(
        parts(&format!("npm test{blanks}; rm")),
        [
            (SegmentKind::Plain, "npm test".to_owned(), None),
            (SegmentKind::Blanks, blanks.clone(), Some("\u{27e8}3,000 spaces\u{27e9}".to_owned())),
            (SegmentKind::Plain, "; rm".to_owned(), None),
        ]
    );
    assert_eq!(shown(&format!("a{}b", "\t".repeat(9))), "a\u{27e8}9 tabs\u{27e9}b");
    assert_eq!(shown(&format!("a{}\tb", " ".repeat(20))), "a\u{27e8}21 spaces and tabs\u{27e9}b");
    let (inner, indent) = (" ".repeat(MAX_INNER_BLANKS), " ".repeat(MAX_INDENT));
    assert_eq!(shown(&format!("a{inner}b\n{indent}c")), format!("a{inner}b\n{indent}c"));
    assert_eq!(shown(&format!("a {inner}b")), "a\u{27e8}17 spaces\u{27e9}b");
    assert_eq!(shown(&format!("a\n {indent}b")), "a\n\u{27e8}65 spaces\u{27e9}b");
}

#[test]
fn a_long_run_of_empty_lines_is_a_count() {
    let breaks = "\n".repeat(120);
    assert_eq!(
        parts(&format!("npm test{breaks}rm")),
        [
            (SegmentKind::Plain, "npm test\n".to_owned(), None),
            (SegmentKind::EmptyLines, "\n".repeat(118), Some("\u{27e8}119 empty lines\u{27e9}".to_owned())),
            (SegmentKind::Plain, "\nrm".to_owned(), None),
        ]
    );
    let padded = "\n   ".repeat(100);
    assert_eq!(shown(&format!("a{padded}\n  rm")), "a\n\u{27e8}100 empty lines\u{27e9}\n  rm");
    assert_eq!(shown("a\n\n\n\nb"), "a\n\n\n\nb");
}

#[test]
fn characters_that_hide_something_are_named() {
    assert_eq!(
        shown("a\u{202e}b\u{200b}\u{a0}"),
        "a\u{27e8}U+202E\u{27e9}b\u{27e8}U+200B\u{27e9}\u{27e8}U+00A0\u{27e9}"
    );
    assert_eq!(
        shown("\u{1b}[8m\r\n\0\u{9b}"),
        "\u{27e8}ESC\u{27e9}[8m\u{27e8}CR\u{27e9}\n\u{27e8}NUL\u{27e9}\u{27e8}U+009B\u{27e9}"
    );
    assert_eq!(shown(&"\u{a0}".repeat(3_000)), "\u{27e8}U+00A0 \u{d7}3,000\u{27e9}");
    assert_eq!(shown("\u{e000}\u{ffff}"), "\u{27e8}U+E000\u{27e9}\u{27e8}U+FFFF\u{27e9}");
}

#[test]
fn no_text_imitates_a_mark() {
    assert_eq!(shown("\u{27e8}3 spaces\u{27e9}"), "\u{27e8}U+27E8\u{27e9}3 spaces\u{27e8}U+27E9\u{27e9}");
}

#[test]
fn combining_marks_stay_with_their_letter() {
    assert_eq!(shown("e\u{301} \u{e01}\u{e49}"), "e\u{301} \u{e01}\u{e49}");
    assert_eq!(shown("\u{301}a"), "\u{27e8}U+0301\u{27e9}a");
    assert_eq!(shown("a \u{338}b"), "a \u{27e8}U+0338\u{27e9}b");
    assert_eq!(
        shown(&format!("=a{}", "\u{301}".repeat(9))),
        format!("=a{}\u{27e8}U+0301 \u{d7}5\u{27e9}", "\u{301}".repeat(4))
    );
    assert_eq!(
        shown(&format!("=>{}", "\u{338}".repeat(6))),
        format!("=>{}\u{27e8}U+0338 \u{d7}2\u{27e9}", "\u{338}".repeat(4))
    );
}

#[test]
fn words_that_pose_as_others_are_marked() {
    assert_eq!(shown("\u{441}url x"), "\u{441}url\u{27e8}U+0441 Cyrillic\u{27e9} x");
    assert_eq!(shown("ls \u{440}m"), "ls \u{440}m\u{27e8}U+0440 Cyrillic\u{27e9}");
    assert_eq!(shown("\u{430}-b"), "\u{430}\u{27e8}U+0430 Cyrillic\u{27e9}-b");
    assert_eq!(shown("ls\u{37e} rm"), "ls\u{37e}\u{27e8}U+037E\u{27e9} rm");
}

#[test]
fn prose_of_a_script_has_words_that_look_like_ascii() {
    let russian = "\u{43e}\u{442} \u{441} \u{434}\u{430} \u{430} \u{43e}";
    assert_eq!(prose(russian), russian);
    assert_eq!(prose("run \u{441}\u{43e}\u{440}\u{443}"), shown("run \u{441}\u{43e}\u{440}\u{443}"));
    assert_eq!(prose("\u{201c}yes\u{201d} \u{2013} \u{2026}"), "\u{201c}yes\u{201d} \u{2013} \u{2026}");
    assert_ne!(shown(russian), russian, "a command has no language");
}

#[test]
fn the_size_counts_lines_and_characters() {
    let size = |text: &str| (size(text).lines, size(text).characters);
    assert_eq!(size(""), (0, 0));
    assert_eq!(size("\u{e4}b"), (1, 2));
    assert_eq!(size("a\n"), (1, 2));
    assert_eq!(size("a\n\nb"), (3, 4));
    assert_eq!(counted(3_024), "3,024");
    assert_eq!([0, 12, 999, 1_000, 1_234_567].map(counted), ["0", "12", "999", "1,000", "1,234,567"]);
}

#[test]
fn the_number_of_segments_is_bounded() {
    let hostile = "a\u{200b}".repeat(100_000);
    let segments = segments(&hostile, Reading::Code);
    assert_eq!(segments.len(), MAX_SEGMENTS);
    assert_eq!(segments.last().map(|segment| segment.kind), Some(SegmentKind::Dense));
    let exact: String = segments.iter().map(|segment| segment.text.as_str()).collect();
    assert_eq!(exact, hostile);
    assert_eq!(
        segments.last().unwrap().displayed().matches("U+200B").count(),
        100_000 - MAX_SEGMENTS / 2 + 1
    );
}

#[test]
fn a_line_has_no_line_breaks() {
    assert_eq!(line("a\nb\tc\u{1b}"), "a\u{240a}b\u{2409}c\u{27e8}ESC\u{27e9}");
}

/// A text of hostile pieces and any other characters.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        12 => (prop::sample::select(FRAGMENTS), prop_oneof![9 => Just(1_usize), 1 => 2_usize..200])
            .prop_map(|(piece, times)| piece.repeat(times)),
        2 => any::<char>().prop_map(String::from),
        1 => "[\u{0}-\u{24f}]{0,3}",
    ];
    prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100_000))]

    #[test]
    fn every_text_is_shown_to_the_last_byte_with_nothing_hidden(text in hostile(), code in any::<bool>()) {
        let reading = if code { Reading::Code } else { Reading::Prose };
        let segments = segments(&text, reading);
        let exact: String = segments.iter().map(|segment| segment.text.as_str()).collect();
        prop_assert_eq!(&exact, &text);
        for segment in &segments {
            prop_assert!(!segment.text.is_empty());
            prop_assert_eq!(segment.kind == SegmentKind::Plain, segment.shown.is_none());
            prop_assert!(segment.displayed().chars().all(is_displayable), "{:?}", segment);
            if segment.kind == SegmentKind::Plain {
                prop_assert!(!segment.text.contains(['\u{27e8}', '\u{27e9}']), "{:?}", segment);
            } else if segment.kind != SegmentKind::Dense {
                prop_assert!(!segment.displayed().contains(['\n', '\t']), "{:?}", segment);
            }
        }
        let beside = segments.windows(2).all(|pair| {
            pair[0].kind != SegmentKind::Plain || pair[1].kind != SegmentKind::Plain
        });
        prop_assert!(beside, "plain text is not cut");
        // No blank area hides what follows.
        let shown: String = segments.iter().map(DisplaySegment::displayed).collect();
        prop_assert!(!shown.contains(&" ".repeat(MAX_INDENT + 1)));
        prop_assert!(!shown.contains(&"\n".repeat(MAX_EMPTY_LINES + 2)));
    }
}
