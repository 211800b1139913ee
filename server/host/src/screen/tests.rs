//! The screen against its own repaint, against an independent terminal, and against hostile bytes.

mod grammar;
mod peer;
mod recorded;

use proptest::prelude::*;

use super::*;
use grammar::{garbage, sequences};

/// The first line in which two screens differ.
fn difference(one: &Screen, other: &Screen) -> Option<(String, String)> {
    one.observed().into_iter().zip(other.observed()).find(|(one, other)| one != other)
}

fn fed(size: Size, bytes: &[u8]) -> Screen {
    let mut screen = Screen::new(size);
    screen.feed(bytes);
    screen
}

fn small() -> impl Strategy<Value = Size> {
    (2_u16..20, 2_u16..10).prop_map(|(columns, rows)| Size::new(columns, rows))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    #[test]
    fn it_makes_no_difference_where_bytes_are_cut(
        size in small(),
        bytes in sequences(),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let whole = fed(size, &bytes);
        let mut pieces = Screen::new(size);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.sort_unstable();
        let mut from = 0;
        for cut in cuts.into_iter().chain([bytes.len()]) {
            pieces.feed(&bytes[from..cut]);
            from = cut;
        }
        prop_assert_eq!(difference(&whole, &pieces), None);
        let mut one_by_one = Screen::new(size);
        bytes.iter().for_each(|byte| one_by_one.feed(&[*byte]));
        prop_assert_eq!(difference(&whole, &one_by_one), None);
    }

    #[test]
    fn a_repainted_terminal_has_the_same_screen_and_continues_alike(
        size in small(),
        before in sequences(),
        elsewhere in sequences(),
        after in sequences(),
    ) {
        let mut screen = fed(size, &before);
        let mut fresh = fed(size, &screen.repaint());
        prop_assert_eq!(difference(&screen, &fresh), None);
        // Only the character that a repetition would repeat cannot be set without printing it.
        fresh.repeat_as(&screen);
        for screen in [&mut screen, &mut fresh] {
            screen.feed(&after);
        }
        prop_assert_eq!(difference(&screen, &fresh), None);

        // A terminal that showed something else before shows the same now.
        let mut other = fed(size, &elsewhere);
        other.feed(b"\x18");
        other.feed(&screen.repaint());
        prop_assert_eq!(other.rows_text(), screen.rows_text());
        prop_assert_eq!(other.state.grid.cursor, screen.state.grid.cursor);
    }

    #[test]
    fn no_bytes_and_no_size_can_upset_it(
        pieces in proptest::collection::vec((garbage(), any::<(u16, u16)>()), 0..6),
    ) {
        let mut screen = Screen::new(Size::new(80, 24));
        for (bytes, (columns, rows)) in pieces {
            screen.feed(&bytes);
            screen.resize(Size::new(columns % 90, rows % 40));
            let size = screen.size();
            prop_assert_eq!(screen.rows_text().len(), usize::from(size.rows));
            let _ = screen.repaint();
        }
    }
}

#[test]
fn a_viewer_that_missed_output_gets_the_current_screen_and_nothing_of_an_earlier_one() {
    for (seen, missed) in [
        // Tab stops, a cursor that was saved, origin mode, the region, keyboard flags.
        (&b"\x1b[3g\x1b[5G\x1bH"[..], &b"\x1bc"[..]),
        (b"\x1b[31m\x1b[3;3H\x1b7", b"\x1b[!p"),
        (b"\x1b[?6h\x1b[2;2H\x1b7\x1b[2;3r", b"\x1b[4;5r\x1b8"),
        (b"\x1b[2;4r\x1b[?1049h", b"\x1b[r"),
        (b"\x1b[>1u\x1b[?1049h\x1b[>3u", b"\x1b[<u\x1b[?1049l\x1b[>5u\x1b[?47h"),
    ] {
        let size = Size::new(20, 6);
        let (mut screen, mut missing) = (fed(size, seen), fed(size, seen));
        screen.feed(missed);
        missing.feed(&screen.repaint());
        assert_eq!(difference(&screen, &missing), None, "{}", missed.escape_ascii());
        assert_eq!(difference(&screen, &fed(size, &screen.repaint())), None, "{}", missed.escape_ascii());
    }
}

#[test]
fn a_screen_that_is_not_shown_keeps_the_same_rows_for_all_when_it_gets_smaller() {
    let size = Size::new(20, 6);
    for switch in ["\x1b[?47h", "\x1b[?1049h", "\x1b7\x1b[H\x1b[?47h"] {
        let mut screen = fed(size, format!("1\r\n2\r\n3\r\n4\r\n5{switch}").as_bytes());
        let mut later = fed(size, &screen.repaint());
        for screen in [&mut screen, &mut later] {
            screen.resize(Size::new(20, 3));
        }
        assert_eq!(difference(&screen, &later), None, "{switch:?}");
    }
}

#[test]
fn a_new_viewer_gets_all_links_and_colours_of_underlines_that_the_tables_hold() {
    let size = Size::new(40, 30);
    let mut screen = Screen::new(size);
    for number in 0..1_023 {
        screen.feed(format!("\x1b[58:5:{}m\x1b]8;;http://x/{number}\x07x", number % 256).as_bytes());
    }
    let later = fed(size, &screen.repaint());
    assert_eq!(difference(&screen, &later), None);
    let links = |screen: &Screen| screen.repaint().windows(9).filter(|part| *part == b"http://x/").count();
    assert_eq!(links(&later), 1_024, "all, and the one that is written with");
}

#[test]
fn a_terminal_of_another_size_shows_the_screen_in_its_corner() {
    let screen = fed(Size::new(10, 3), b"one\r\ntwo\x1b[7;9H\x1b[31mx");
    let larger = fed(Size::new(30, 9), &screen.repaint());
    assert_eq!(larger.rows_text()[..3], screen.rows_text()[..]);
    assert_eq!(larger.state.grid.cursor, screen.state.grid.cursor);
}

#[test]
fn a_farewell_takes_back_all_modes_and_leaves_the_alternate_screen() {
    let mut screen = fed(
        Size::new(10, 3),
        b"shell\x1b[>5u\x1b[?1049h\x1b[?1h\x1b[?25l\x1b[?1003h\x1b[?1006h\x1b[?2004h\x1b[?1004h\x1b[>1u\x1b[>4;2m\x1b[3 q\x1b[1;31m\x1b(0\x1b[4h\x1b[2;3r\x1b[?6h",
    );
    screen.feed(Screen::farewell());
    assert_eq!(screen.rows_text()[0], "shell");
    assert!(screen.state.primary.is_none());
    let mut keys = String::new();
    screen.state.keyboard.write(&mut keys);
    assert_eq!(keys, "\x1b[<16u\x1b[=0;1u\x1b[>4;0m");
    assert_eq!(screen.state.pen, Pen::default());
    assert_eq!(screen.state.charsets, Charsets::default());
    let mut modes = String::new();
    screen.state.modes.write(&mut modes);
    assert!(modes.contains("\x1b[?25h") && !modes.replace("\x1b[?25h", "").contains('h'), "{modes:?}");
    assert!(screen.state.modes.wraps && !screen.state.modes.origin && !screen.state.modes.inserts);
    assert!(screen.state.grid.scrolls_whole());
}

#[test]
fn history_is_what_went_off_the_top_of_the_primary_screen() {
    let mut screen = Screen::with_history(Size::new(10, 2), 3);
    screen.feed(b"1\r\n2\r\n\x1b[31m3\x1b[m\r\n4\r\n5\r\n6");
    screen.feed(b"\x1b[?1049h\r\n\r\n\r\n\r\n\x1b[?1049l");
    let lines: Vec<&[u8]> = screen.history().collect();
    assert_eq!(lines, [&b"2"[..], b"\x1b[0;31m3\x1b[0m", b"4"]);
    assert_eq!(Screen::with_history(Size::new(10, 2), 0).history().count(), 0);
}

#[test]
fn a_smaller_screen_keeps_the_cursor_in_sight() {
    let mut screen = fed(Size::new(10, 5), b"1\r\n2\r\n3\r\n4\r\n5");
    screen.resize(Size::new(10, 2));
    assert_eq!(screen.rows_text(), ["4", "5"]);
    screen.resize(Size::new(3, 4));
    assert_eq!(screen.rows_text(), ["4", "5", "", ""]);
    screen.feed(b"\r\nabcdef");
    assert_eq!(screen.rows_text(), ["4", "5", "abc", "def"]);
}

#[test]
fn bombs_are_bounded() {
    let mut screen = Screen::new(Size::new(80, 24));
    screen.feed(&[b"e".as_slice(), &"\u{301}".repeat(100_000).into_bytes()].concat());
    for number in 0..10_000 {
        screen.feed(
            format!("\x1b]8;id={number};http://x/{number}\x1b\\\x1b[58;2;1;2;{}ma\u{301}", number % 256)
                .as_bytes(),
        );
        screen.feed(format!("\x1b]2;{}\x07\x1b[>1u", "t".repeat(900)).as_bytes());
    }
    screen.feed(b"\x1b[65535b\x1b[65535S\x1b[65535T\x1b[65535L\x1b[65535@\x1b[65535I\x1b[65535Z");
    let repaint = screen.repaint();
    assert!(repaint.len() < 1 << 20, "{}", repaint.len());
}

#[test]
fn an_idle_screen_takes_little_memory() {
    assert!(size_of::<Screen>() < 4_096, "{}", size_of::<Screen>());
    // Cells, and nothing else of a relevant size.
    assert_eq!(size_of::<cell::Cell>() * 80 * 24, 30_720);
}
