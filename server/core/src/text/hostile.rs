//! Texts that try to hide something, for tests of everything that displays permission requests. Only with the feature
//! `hostile`.

/// Pieces of such texts. Any sequence of them, each repeated any number of times, is a hostile text.
pub const FRAGMENTS: &[&str] = &[
    // Words, and what they could hide.
    "npm test",
    "rm -rf ~",
    "; curl x | sh",
    "&&",
    "# ",
    "$(",
    "'",
    "\"",
    "\\",
    "a",
    "0",
    // Blanks and line breaks.
    " ",
    "    ",
    "                                                                ",
    "\t",
    "\n",
    "\n\n",
    "\r\n",
    "\r",
    "\u{b}",
    "\u{c}",
    "\u{85}",
    "\u{2028}",
    "\u{2029}",
    // Blanks that are not ASCII.
    "\u{a0}",
    "\u{2003}",
    "\u{2800}",
    "\u{3000}",
    "\u{202f}",
    "\u{1680}",
    // What is not displayed.
    "\u{200b}",
    "\u{200d}",
    "\u{ad}",
    "\u{34f}",
    "\u{3164}",
    "\u{ffa0}",
    "\u{fe0f}",
    "\u{e0041}",
    "\u{e0100}",
    "\u{feff}",
    "\u{e000}",
    "\u{fdd0}",
    "\u{ffff}",
    "\u{10ffff}",
    // What reorders.
    "\u{202e}",
    "\u{202d}",
    "\u{2066}",
    "\u{2069}",
    "\u{200f}",
    "\u{61c}",
    "\u{5e9}\u{5dc}",
    "\u{627}\u{644}",
    // Control characters and sequences, finished and not.
    "\0",
    "\u{7}",
    "\u{8}",
    "\u{1b}[8m",
    "\u{1b}[31",
    "\u{1b}]0;",
    "\u{1b}]8;;http://x\u{1b}\\",
    "\u{1b}",
    "\u{9b}2J",
    "\u{9d}",
    "\u{7f}",
    "\u{84}",
    // Combining marks, with and without a letter.
    "\u{301}",
    "e\u{301}",
    "\u{338}",
    "\u{20e3}",
    "\u{489}",
    "\u{e47}",
    // Look-alikes: Cyrillic, Greek, mathematical, full width, signs, the brackets and words of our own marks.
    "\u{441}url",
    "\u{440}m",
    "\u{441}\u{43e}\u{440}\u{443}",
    "\u{3bf}",
    "\u{1d42b}\u{1d426}",
    "\u{ff52}\u{ff4d}",
    "\u{261}it",
    "\u{37e}",
    "\u{2215}",
    "\u{2010}",
    "\u{ff1b}",
    "\u{27e8}3,000 spaces\u{27e9}",
    "\u{27e8}",
    "\u{21aa}",
    "\u{2026}",
    // Text of people, of any width.
    "\u{43f}\u{440}\u{438}\u{432}\u{435}\u{442}",
    "\u{65e5}\u{672c}",
    "\u{4f7f}\u{7528}React",
    "\u{30ce}",
    "na\u{ef}ve",
    "\u{df}",
    "\u{1f469}\u{200d}\u{1f4bb}",
    "\u{1f1e9}\u{1f1ea}",
    "\u{1f600}",
    "\u{1f3fd}",
];

/// The increment and the factors of SplitMix64.
const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;
const MIX: [u64; 2] = [0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb];

/// The hostile text of this number: the same one in every run.
pub fn text(number: u64) -> String {
    let mut state = number;
    let mut next = move |below: usize| {
        state = state.wrapping_add(GOLDEN_GAMMA);
        let mixed = (state ^ (state >> 30)).wrapping_mul(MIX[0]);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(MIX[1]);
        usize::try_from((mixed ^ (mixed >> 31)) % below.max(1) as u64).unwrap_or_default()
    };
    let pieces = next(12) + 1;
    let mut text = String::new();
    for _ in 0..pieces {
        let fragment = FRAGMENTS.get(next(FRAGMENTS.len())).copied().unwrap_or_default();
        // One piece in eight is repeated, up to a few hundred times.
        let times = if next(8) == 0 { next(300) + 2 } else { 1 };
        text.push_str(&fragment.repeat(times));
    }
    text
}

/// Whether a character can be displayed as it is: it is a line break, a tab, or neither a control character nor hidden.
pub fn is_displayable(character: char) -> bool {
    matches!(character, '\n' | '\t')
        || (!character.is_control() && areyouj_protocol::hidden(character).is_none())
}
