//! Random bytes that a terminal understands, and some that it does not.

use proptest::collection::vec;
use proptest::prelude::*;

fn number() -> impl Strategy<Value = u16> {
    prop_oneof![4 => 0_u16..12, 1 => 0_u16..300, 1 => any::<u16>()]
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => "[ -~]{1,12}",
        1 => "[a-zé中文🎉\u{301}\u{200d}ｱ_`q]{1,8}",
        1 => "x{1,40}",
    ]
    .prop_map(String::into_bytes)
}

fn control() -> impl Strategy<Value = Vec<u8>> {
    prop::sample::select(vec!["\r", "\n", "\r\n", "\t", "\x08", "\x0b", "\x0e", "\x0f", "\x07", "\0", "\x7f"])
        .prop_map(|text| text.as_bytes().to_vec())
}

fn moves() -> impl Strategy<Value = Vec<u8>> {
    let actions: Vec<char> = "ABCDEFGHIJKLMPSTXZ@`abdefgrsu".chars().collect();
    (vec(number(), 0..3), prop::sample::select(actions)).prop_map(|(numbers, action)| {
        let numbers: Vec<String> = numbers.iter().map(u16::to_string).collect();
        format!("\x1b[{}{action}", numbers.join(";")).into_bytes()
    })
}

fn looks() -> impl Strategy<Value = Vec<u8>> {
    let fixed = prop::sample::select(
        [
            "",
            "0",
            "1",
            "2",
            "3",
            "4",
            "4:3",
            "4:0",
            "5",
            "7",
            "8",
            "9",
            "22",
            "23",
            "24",
            "25",
            "27",
            "28",
            "29",
            "31",
            "42",
            "39",
            "49",
            "53",
            "55",
            "59",
            "93",
            "104",
            "1;4;31",
            "38;5;200",
            "48;5;9",
            "38;2;1;2;3",
            "48:2::4:5:6",
            "58:5:7",
            "58;2;9;8;7",
            "38;5",
            "38",
            "48;2;1;2",
        ]
        .to_vec(),
    );
    fixed.prop_map(|look| format!("\x1b[{look}m").into_bytes())
}

fn modes() -> impl Strategy<Value = Vec<u8>> {
    let modes = vec![
        1, 5, 6, 7, 12, 25, 47, 66, 1000, 1002, 1003, 1004, 1006, 1007, 1047, 1048, 1049, 2004, 2026, 2027,
        2031, 3, 4_711,
    ];
    prop_oneof![
        6 => (prop::sample::select(modes), any::<bool>())
            .prop_map(|(mode, on)| format!("\x1b[?{mode}{}", if on { 'h' } else { 'l' })),
        1 => (prop::sample::select(vec![4, 20]), any::<bool>())
            .prop_map(|(mode, on)| format!("\x1b[{mode}{}", if on { 'h' } else { 'l' })),
    ]
    .prop_map(String::into_bytes)
}

fn others() -> impl Strategy<Value = Vec<u8>> {
    prop::sample::select(
        [
            "\x1b7",
            "\x1b8",
            "\x1bD",
            "\x1bE",
            "\x1bH",
            "\x1bM",
            "\x1bc",
            "\x1b=",
            "\x1b>",
            "\x1b#8",
            "\x1b(0",
            "\x1b(B",
            "\x1b)0",
            "\x1b)B",
            "\x1b[!p",
            "\x1b[3 q",
            "\x1b[>1u",
            "\x1b[>5u",
            "\x1b[<u",
            "\x1b[=3;1u",
            "\x1b[=4;2u",
            "\x1b[>4;2m",
            "\x1b[>4m",
            "\x1b]2;title\x07",
            "\x1b]0;other\x1b\\",
            "\x1b]8;;http://x\x1b\\",
            "\x1b]8;id=1;http://y\x07",
            "\x1b]8;;\x1b\\",
            "\x1b]10;#ffffff\x1b\\",
            "\x1b]11;?\x1b\\",
            "\x1b]112\x07",
            "\x1b]4;1;red;2;?\x07",
            "\x1b]104;1\x07",
            "\x1b]104\x07",
            "\x1bP+q544e\x1b\\",
            "\x1b_ignored\x1b\\",
            "\x1b[21m",
            "\x1b[c",
            "\x1b[6n",
            "\x1b[3",
            "\x1b]2;cut",
            "\x18",
            "\x1b",
        ]
        .to_vec(),
    )
    .prop_map(|text| text.as_bytes().to_vec())
}

/// Sequences that a terminal understands, with some garbage.
pub(super) fn sequences() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        6 => text(),
        4 => control(),
        5 => moves(),
        3 => looks(),
        3 => modes(),
        2 => others(),
        1 => vec(any::<u8>(), 0..4),
    ];
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// What both terminals of a comparison know alike, in narrow characters.
pub(super) fn narrow_sequences() -> impl Strategy<Value = Vec<u8>> {
    let actions: Vec<char> = "CDGHJKLMSTX@`ad".chars().collect();
    let moves = (vec(0_u16..12, 0..3), prop::sample::select(actions)).prop_map(|(numbers, action)| {
        // What erases a scrollback, too, is left out; and of the display up to the cursor the peer leaves a row.
        let most = match action {
            'J' => 1,
            'K' => 3,
            _ => u16::MAX,
        };
        let numbers: Vec<String> = numbers.iter().map(|number| (number % most).to_string()).collect();
        // Terminals differ in where the cursor is after lines were inserted or deleted.
        let back = if matches!(action, 'L' | 'M') { "\r" } else { "" };
        // And in what erasing does after the last column was written.
        let before = if matches!(action, 'J' | 'K' | 'X' | '@') { "\x08" } else { "" };
        format!("{before}\x1b[{}{action}{back}", numbers.join(";")).into_bytes()
    });
    let text =
        prop_oneof![3 => "[ -~]{1,12}", 1 => "[a-zéß]{1,8}", 1 => "x{1,40}"].prop_map(String::into_bytes);
    let others = chosen(&[
        "\r\x1bD",
        "\x1bE",
        "\r\x1bM",
        "\x1b7",
        "\x1b8",
        "\x1b[2;6r",
        "\x1b[r",
        "\x1b[4h",
        "\x1b[4l",
        "\x1b[?1049h",
        "\x1b[?1049l",
        "\x1b(0",
        "\x1b(B",
        "\x1bH",
    ]);
    vec(prop_oneof![6 => text, 4 => plain_control(), 4 => moves, 3 => looks(), 2 => others], 0..40)
        .prop_map(|pieces| pieces.concat())
}

/// Wide characters and combining marks with what moves the cursor. Terminals differ in what is left of a wide
/// character when half of it is erased.
pub(super) fn wide_sequences() -> impl Strategy<Value = Vec<u8>> {
    let actions: Vec<char> = "ABCDEFGH".chars().collect();
    let moves = (vec(0_u16..12, 0..3), prop::sample::select(actions)).prop_map(|(numbers, action)| {
        let numbers: Vec<String> = numbers.iter().map(u16::to_string).collect();
        format!("\x1b[{}{action}", numbers.join(";")).into_bytes()
    });
    let text = "[a-c中文ｱ]{1,10}".prop_map(String::into_bytes);
    vec(prop_oneof![6 => text, 4 => plain_control(), 4 => moves, 3 => looks()], 0..40)
        .prop_map(|pieces| pieces.concat())
}

fn plain_control() -> impl Strategy<Value = Vec<u8>> {
    // Terminals differ in a tab or a line feed after the last column.
    chosen(&["\r", "\r\n", "\r\t", "\x08"])
}

fn chosen(from: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    prop::sample::select(from).prop_map(|text| text.as_bytes().to_vec())
}

/// Anything.
pub(super) fn garbage() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![vec(any::<u8>(), 0..300), sequences()]
}
