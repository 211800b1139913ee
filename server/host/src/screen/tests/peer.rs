//! The same bytes to an independent terminal: both show the same.

use alacritty_terminal::event::VoidListener;
use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::cell::Flags;
use alacritty_terminal::term::{Config, Term};
use alacritty_terminal::vte::ansi::{Color as PeerColor, NamedColor, Processor};
use proptest::prelude::*;

use super::super::cell::{Color, look};
use super::super::{Screen, Size};
use super::grammar::{narrow_sequences, wide_sequences};

struct Dimension(Size);

impl Dimensions for Dimension {
    fn total_lines(&self) -> usize {
        self.0.rows.into()
    }

    fn screen_lines(&self) -> usize {
        self.0.rows.into()
    }

    fn columns(&self) -> usize {
        self.0.columns.into()
    }
}

pub(super) struct Peer {
    term: Term<VoidListener>,
    parser: Processor,
    size: Size,
}

impl Peer {
    pub(super) fn new(size: Size) -> Peer {
        let config = Config { scrolling_history: 0, ..Config::default() };
        Peer { term: Term::new(config, &Dimension(size), VoidListener), parser: Processor::new(), size }
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.parser.advance(&mut self.term, bytes);
    }

    fn cells(&self) -> Vec<Vec<String>> {
        let row = |row: u16| {
            let line = &self.term.grid()[Line(row.into())];
            (0..self.size.columns).map(|column| cell(&line[Column(column.into())])).collect()
        };
        (0..self.size.rows).map(row).collect()
    }

    fn cursor(&self) -> (u16, u16) {
        let point = self.term.grid().cursor.point;
        (point.line.0 as u16, point.column.0 as u16)
    }
}

fn cell(cell: &alacritty_terminal::term::cell::Cell) -> String {
    let known = Flags::BOLD | Flags::DIM | Flags::ITALIC | Flags::INVERSE | Flags::HIDDEN | Flags::STRIKEOUT;
    let names = [
        (Flags::BOLD, look::BOLD),
        (Flags::DIM, look::DIM),
        (Flags::ITALIC, look::ITALIC),
        (Flags::INVERSE, look::INVERSE),
        (Flags::HIDDEN, look::HIDDEN),
        (Flags::STRIKEOUT, look::STRIKE),
    ];
    let flags = cell.flags & known;
    let look = names.iter().filter(|(flag, _)| flags.contains(*flag)).fold(0, |look, (_, bit)| look | bit);
    let wide = cell.flags.contains(Flags::WIDE_CHAR);
    let tail = cell.flags.contains(Flags::WIDE_CHAR_SPACER);
    // A space that a wide character did not fit into is a space.
    let character = if tail || cell.flags.contains(Flags::LEADING_WIDE_CHAR_SPACER) { ' ' } else { cell.c };
    let character = if character == '\t' { ' ' } else { character };
    let over: String = cell.zerowidth().into_iter().flatten().collect();
    format!("{character}{over} {look:x} {wide} {tail} {:?} {:?}", color(cell.fg), color(cell.bg))
}

fn color(color: PeerColor) -> Color {
    match color {
        PeerColor::Named(NamedColor::Foreground | NamedColor::Background) => Color::Default,
        PeerColor::Named(named) => Color::Indexed(named as u8),
        PeerColor::Indexed(index) => Color::Indexed(index),
        PeerColor::Spec(rgb) => Color::Rgb(rgb.r, rgb.g, rgb.b),
    }
}

fn cells(screen: &Screen) -> Vec<Vec<String>> {
    let known = look::BOLD | look::DIM | look::ITALIC | look::INVERSE | look::HIDDEN | look::STRIKE;
    let state = &screen.state;
    let cell = |cell: &super::super::cell::Cell| {
        let mut text = String::new();
        state.tables.write_text(*cell, &mut text);
        let (foreground, background) =
            (Color::from(cell.style.foreground), Color::from(cell.style.background));
        let look = cell.style.look & known;
        format!("{text} {look:x} {} {} {foreground:?} {background:?}", cell.is_wide(), cell.is_tail())
    };
    (0..screen.size().rows).map(|row| state.grid.row(row).iter().map(cell).collect()).collect()
}

/// Checks that both show the same.
#[track_caller]
pub(super) fn assert_alike(screen: &Screen, peer: &Peer, after: &[u8]) {
    let after = after.escape_ascii().to_string();
    for (row, (ours, theirs)) in cells(screen).into_iter().zip(peer.cells()).enumerate() {
        let differing = ours.into_iter().zip(theirs).enumerate().find(|(_, (ours, theirs))| ours != theirs);
        assert_eq!(differing, None, "row {row} after {after}");
    }
    let cursor = screen.state.grid.cursor;
    assert_eq!((cursor.row, cursor.column), peer.cursor(), "after {after}");
}

fn compare(size: Size, bytes: &[u8]) {
    let (mut screen, mut peer) = (Screen::new(size), Peer::new(size));
    screen.feed(bytes);
    peer.feed(bytes);
    assert_alike(&screen, &peer, bytes);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    #[test]
    fn random_sequences_show_the_same_on_both(bytes in narrow_sequences()) {
        compare(Size::new(14, 8), &bytes);
    }

    #[test]
    fn wide_characters_show_the_same_on_both(bytes in wide_sequences()) {
        compare(Size::new(14, 8), &bytes);
    }
}

#[test]
fn the_tests_that_terminals_are_tested_by_show_the_same_on_both() {
    let frame: String = (1..=80).map(|column| format!("\x1b[1;{column}H*\x1b[24;{column}H*")).collect();
    let wrap = "\x1b[3;21r\x1b[?6h".to_owned()
        + &(b'A'..=b'Z')
            .map(|letter| {
                let letter = char::from(letter);
                format!("\x1b[19;1H{letter}\x1b[19;80H{letter}\r\n\x1b[18;80Ha{letter}\x08 {letter}\x08 \r\n")
            })
            .collect::<String>();
    let tabs = "\x1b[3g\x1b[1;1H".to_owned()
        + &"\x1b[3C\x1bH".repeat(20)
        + "\x1b[1;4H\x1b[0g\x1b[1;1H"
        + &"\t*".repeat(13);
    let cases: Vec<String> = vec![
        // Border of the screen, then a smaller one within.
        frame + "\x1b[10;20H\x1b[1J\x1b[10;61H\x1b[0J\x1b[9;10H\x1bD\x1bM",
        wrap,
        tabs,
        // Scrolling up and down in regions, with lines inserted and deleted.
        "\x1b[5;10r".to_owned()
            + &"line\r\n".repeat(30)
            + "\x1b[6;1H\x1b[2L\x1b[8;1H\x1b[3M\x1bM\x1bM\x1bM\x1bM",
        "\x1b[2;5r\x1b[5;1Hx\n\n\x1b[2;1H\x1bM\x1b[2S\x1b[1T\x1b[r".to_owned(),
        // Insert and delete characters; insert mode.
        "abcdefgh\x1b[1;3H\x1b[2@XY\x1b[3P\x1b[4hINS\x1b[4l\x1b[2X".to_owned(),
        // The last column: written, wrapped, backspaced, erased.
        format!("{}\x08x\r\n{}y\x1b[K{}\x1b[2Dz", "a".repeat(80), "b".repeat(80), "c".repeat(79)),
        // Wide characters at the margin, overwritten by halves.
        format!("{}中文\r\n\n中文中文\x1b[3;2Hx\x1b[3;7Hy", "a".repeat(79)),
        // Combining marks.
        "e\u{301}a\u{300}\u{323}\r\n中\u{301}".to_owned(),
        // Line drawing.
        "\x1b(0lqqqk\r\nx   x\r\nmqqqj\x1b(Bqqq\x0e\x1b)0q\x0fq".to_owned(),
        // Saved cursors, both screens.
        "one\x1b7\x1b[5;5H\x1b[31mtwo\x1b8three\x1b[?1049hfour\x1b[2;2H\x1b[?1049lfive".to_owned(),
        // Colours erase with themselves.
        "\x1b[44mblue\x1b[K\r\n\x1b[2J\x1b[41m\x1b[3;3r\x1b[3;6r\x1b[6;1H\n\n\x1b[m".to_owned(),
        "\x1b[1;2;3;4;7;8;9mall\x1b[22;23;24;27;28;29mnone\x1b[38;5;9ma\x1b[38;2;1;2;3mb\x1b[48;5;240mc"
            .to_owned(),
    ];
    for case in cases {
        compare(Size::new(80, 24), case.as_bytes());
    }
}
