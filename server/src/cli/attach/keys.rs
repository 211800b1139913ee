//! Separates the keys for Claude from the keys that detach: Ctrl-\ and then d. A paste goes to Claude with every byte.

/// Ctrl-\, as terminals send it: as a control character, by the kitty keyboard protocol, and with xterm's modifyOtherKeys.
const PREFIXES: &[&[u8]] = &[b"\x1c", b"\x1b[92;5u", b"\x1b[27;5;92~"];

/// d, in the same encodings.
const DETACH_KEYS: &[&[u8]] = &[b"d", b"\x1b[100u", b"\x1b[100;1u"];

/// The marks that a terminal writes before and after a paste, if Claude's screen requested them. Without them a paste looks
/// like typed keys.
const PASTE_BEGIN: &[u8] = b"\x1b[200~";
const PASTE_END: &[u8] = b"\x1b[201~";

/// The longest report of a terminal, in bytes. Longer keys are not one.
const MAX_REPORT: usize = 1_024;

/// What to do with the keys that were read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pressed {
    /// The bytes for Claude.
    pub(super) forward: Vec<u8>,
    /// Whether the person detaches. Keys after that are discarded.
    pub(super) detach: bool,
}

/// The state between reads.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// The bytes of a pressed Ctrl-\, whose meaning depends on the next key.
    prefix: Option<&'static [u8]>,
    /// The beginning of a report of the terminal that came after a pressed Ctrl-\.
    report: Vec<u8>,
    /// Whether a paste has begun and not ended.
    in_paste: bool,
    /// How many bytes of the next mark, which begins or ends a paste, have been read.
    matched_bytes: usize,
}

impl Keys {
    /// Whether Ctrl-\ waits for the next key.
    pub(super) fn is_waiting(&self) -> bool {
        self.prefix.is_some()
    }

    /// Returns the waiting Ctrl-\ and what followed it, because no key did and it is meant for Claude.
    pub(super) fn take_prefix(&mut self) -> Vec<u8> {
        [self.prefix.take().unwrap_or_default(), &std::mem::take(&mut self.report)].concat()
    }

    /// Processes the bytes of one read.
    pub(super) fn press(&mut self, keys: &[u8]) -> Pressed {
        let mut pressed = Pressed::default();
        let keys = [&std::mem::take(&mut self.report), keys].concat();
        let mut rest = &keys[..];
        while !rest.is_empty() {
            let beginning = |known: &&&'static [u8]| !self.in_paste && rest.starts_with(known);
            let prefix = PREFIXES.iter().find(beginning).copied();
            if prefix.is_some() {
                self.matched_bytes = 0;
            }
            match (self.prefix.take(), prefix) {
                (None, Some(prefix)) => {
                    self.prefix = Some(prefix);
                    rest = &rest[prefix.len()..];
                }
                // A second Ctrl-\ sends one to Claude.
                (Some(_), Some(prefix)) => {
                    pressed.forward.extend_from_slice(prefix);
                    rest = &rest[prefix.len()..];
                }
                (Some(_), None) if DETACH_KEYS.iter().any(|known| rest.starts_with(known)) => {
                    pressed.detach = true;
                    return pressed;
                }
                (Some(prefix), None) if matches!(report(rest), Report::Whole(_) | Report::Incomplete) => {
                    // A program whose queries the terminal answers all the time cannot keep a person from detaching.
                    self.prefix = Some(prefix);
                    let Report::Whole(length) = report(rest) else {
                        self.report = rest.to_vec();
                        return pressed;
                    };
                    pressed.forward.extend_from_slice(&rest[..length]);
                    rest = &rest[length..];
                }
                (prefix, None) => {
                    pressed.forward.extend_from_slice(prefix.unwrap_or_default());
                    pressed.forward.push(rest[0]);
                    self.track_paste(rest[0]);
                    rest = &rest[1..];
                }
            }
        }
        pressed
    }

    /// Tracks where pastes begin and end, byte by byte, because a read can end anywhere.
    fn track_paste(&mut self, byte: u8) {
        let mark = if self.in_paste { PASTE_END } else { PASTE_BEGIN };
        if byte != mark[self.matched_bytes] {
            // Escape occurs only as the first byte of a mark.
            self.matched_bytes = usize::from(byte == mark[0]);
            return;
        }
        self.matched_bytes += 1;
        if self.matched_bytes == mark.len() {
            self.in_paste = !self.in_paste;
            self.matched_bytes = 0;
        }
    }
}

/// Whether keys begin with a report of the terminal, which nobody pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Report {
    /// They do, with so many bytes.
    Whole(usize),
    /// The next read decides.
    Incomplete,
    None,
}

/// Finds a report at the beginning of these keys: an answer to a query, the focus, or the mouse.
fn report(keys: &[u8]) -> Report {
    let length = match keys {
        [0x1b, b'[', rest @ ..] => {
            let Some(end) = rest.iter().position(|byte| !matches!(byte, b' '..=b'?')) else {
                return unfinished(keys);
            };
            let is_report = match (rest.first(), rest[end]) {
                (Some(b'<'), last) => matches!(last, b'M' | b'm'),
                (Some(b'?'), last) => matches!(last, b'c' | b'n' | b'R' | b'u' | b'y'),
                (_, last) => matches!(last, b'c' | b'n' | b'R' | b'y' | b't' | b'x' | b'I' | b'O'),
            };
            is_report.then_some(end + 3)
        }
        [0x1b, b']' | b'P' | b'_', rest @ ..] => {
            let Some(end) = rest.iter().position(|byte| matches!(byte, 0x07 | 0x1b)) else {
                return unfinished(keys);
            };
            match &rest[end..] {
                [0x07, ..] => Some(end + 3),
                [_, b'\\', ..] => Some(end + 4),
                [_] => return unfinished(keys),
                _ => None,
            }
        }
        [0x1b] => return Report::Incomplete,
        _ => None,
    };
    length.map_or(Report::None, Report::Whole)
}

fn unfinished(keys: &[u8]) -> Report {
    if keys.len() < MAX_REPORT { Report::Incomplete } else { Report::None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pressed(pieces: &[&[u8]]) -> (Vec<u8>, bool) {
        let mut keys = Keys::default();
        let mut forward = Vec::new();
        for piece in pieces {
            let pressed = keys.press(piece);
            forward.extend(pressed.forward);
            if pressed.detach {
                return (forward, true);
            }
        }
        (forward, false)
    }

    #[test]
    fn control_backslash_and_d_detach_in_every_encoding() {
        for prefix in PREFIXES {
            for detach in DETACH_KEYS {
                assert_eq!(pressed(&[b"x", prefix, detach]), (b"x".to_vec(), true));
                assert_eq!(pressed(&[&[b"x", *prefix, detach, b"never"].concat()]), (b"x".to_vec(), true));
            }
        }
    }

    #[test]
    fn every_other_key_is_for_claude_at_once() {
        for keys in [&b"hello\r"[..], b"\x1b[A\x1b", "中".as_bytes(), b"d"] {
            assert_eq!(pressed(&[keys]), (keys.to_vec(), false));
        }
    }

    #[test]
    fn control_backslash_is_sent_when_doubled_or_followed_by_another_key_or_by_none() {
        assert_eq!(pressed(&[b"\x1c\x1cd"]), (b"\x1cd".to_vec(), false));
        assert_eq!(pressed(&[b"\x1c", b"x"]), (b"\x1cx".to_vec(), false));
        assert_eq!(pressed(&[b"\x1b[92;5u", b"x"]), (b"\x1b[92;5ux".to_vec(), false));
        let mut keys = Keys::default();
        assert_eq!(keys.press(b"\x1c"), Pressed::default());
        assert!(keys.is_waiting());
        assert_eq!(keys.take_prefix(), b"\x1c");
        assert_eq!(keys.press(b"d").forward, b"d");
    }

    #[test]
    fn reports_of_the_terminal_between_the_keys_do_not_keep_a_person_attached() {
        let reports = b"\x1b[?1;2c\x1b[5;7R\x1b]11;rgb:0/0/0\x07\x1bP>|tmux\x1b\\\x1b[?2026;2$y\x1b[<35;1;1M\x1b[I\x1b[?1u";
        let whole = [b"\x1c", &reports[..], b"d"].concat();
        for cut in 1..whole.len() {
            assert_eq!(pressed(&[&whole[..cut], &whole[cut..]]), (reports.to_vec(), true), "{cut}");
        }
        assert_eq!(pressed(&whole.chunks(1).collect::<Vec<_>>()), (reports.to_vec(), true));
        // Keys that a person pressed are not reports, and nothing is lost.
        for keys in [&b"\x1b[A"[..], b"\x1b[1;5C", b"\x1bx", b"\x1b[97;5u"] {
            let all = [b"\x1c", keys, b"d"].concat();
            assert_eq!(pressed(&[&all]), (all.clone(), false));
            assert_eq!(pressed(&all.chunks(1).collect::<Vec<_>>()), (all, false));
        }
        let mut keys = Keys::default();
        assert_eq!(keys.press(b"\x1c\x1b"), Pressed::default());
        assert_eq!((keys.is_waiting(), keys.take_prefix()), (true, b"\x1c\x1b".to_vec()));
        let long = [&b"\x1c\x1b]"[..], &[b'x'; MAX_REPORT]].concat();
        assert_eq!(pressed(&[&long]), (long, false));
    }

    #[test]
    fn a_paste_is_for_claude_wherever_a_read_ends() {
        for inside in [
            &b"\x1cd"[..],
            b"a\x1c\x1cdtouch x\r",
            b"\x1b[92;5ud",
            b"\x1b[200~\x1cd",
            b"\x1b[20\x1b\x1b[201\x1cd",
        ] {
            let paste = [PASTE_BEGIN, inside, PASTE_END].concat();
            let whole = [b"x", &paste[..], &paste, b"y\x1cd"].concat();
            let expected = ([b"x", &paste[..], &paste, b"y"].concat(), true);
            assert_eq!(pressed(&[&whole]), expected);
            for cut in 0..whole.len() {
                assert_eq!(pressed(&[&whole[..cut], &whole[cut..]]), expected, "{cut}");
                let bytes: Vec<&[u8]> = whole.chunks(cut + 1).collect();
                assert_eq!(pressed(&bytes), expected, "pieces of {}", cut + 1);
            }
        }
    }

    #[test]
    fn a_paste_that_follows_control_backslash_is_for_claude() {
        let paste = [b"\x1c", PASTE_BEGIN, b"d\x1cd", PASTE_END].concat();
        assert_eq!(pressed(&[&paste]), (paste.clone(), false));
        assert_eq!(pressed(&[&paste, b"\x1cd"]), (paste, true));
    }

    #[test]
    fn an_incomplete_mark_begins_no_paste() {
        for keys in [&b"\x1b[200"[..], b"\x1b[201~", b"\x1b[20", b"\x1b\x1b[2000~"] {
            assert_eq!(pressed(&[keys, b"\x1cd"]), (keys.to_vec(), true));
        }
    }
}
