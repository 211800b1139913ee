//! Which keys are for Claude, and which detach: Ctrl-\ and then d. What is pasted is for Claude, whatever it holds.

/// Ctrl-\, as terminals send it: plainly, by the kitty keyboard protocol, and with xterm's modifyOtherKeys.
const PREFIXES: &[&[u8]] = &[b"\x1c", b"\x1b[92;5u", b"\x1b[27;5;92~"];

/// d, in the same ways.
const LEAVES: &[&[u8]] = &[b"d", b"\x1b[100u", b"\x1b[100;1u"];

/// What a terminal writes before and after a paste, if Claude's screen asked for it. Without these nothing tells a paste from
/// typing.
const PASTE_BEGINS: &[u8] = b"\x1b[200~";
const PASTE_ENDS: &[u8] = b"\x1b[201~";

/// What is to be done with keys.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pressed {
    /// For Claude.
    pub(super) forward: Vec<u8>,
    /// The person leaves. Keys after that are nobody's.
    pub(super) leaves: bool,
}

/// Follows the keys.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// Ctrl-\ was pressed, and what follows decides: the bytes that it came as.
    prefix: Option<&'static [u8]>,
    /// A paste has begun and not ended.
    pastes: bool,
    /// How many bytes of the mark came last that begins a paste, or ends the one that has begun.
    marked: usize,
}

impl Keys {
    /// Whether Ctrl-\ waits for the key that follows.
    pub(super) fn is_waiting(&self) -> bool {
        self.prefix.is_some()
    }

    /// No key followed: Ctrl-\ was meant.
    pub(super) fn give_up(&mut self) -> Vec<u8> {
        self.prefix.take().map(<[u8]>::to_vec).unwrap_or_default()
    }

    /// Takes keys as they came.
    pub(super) fn press(&mut self, keys: &[u8]) -> Pressed {
        let mut pressed = Pressed::default();
        let mut rest = keys;
        while !rest.is_empty() {
            let beginning = |known: &&&'static [u8]| !self.pastes && rest.starts_with(known);
            let prefix = PREFIXES.iter().find(beginning).copied();
            if prefix.is_some() {
                self.marked = 0;
            }
            match (self.prefix.take(), prefix) {
                (None, Some(prefix)) => {
                    self.prefix = Some(prefix);
                    rest = &rest[prefix.len()..];
                }
                // Twice stands for itself.
                (Some(_), Some(prefix)) => {
                    pressed.forward.extend_from_slice(prefix);
                    rest = &rest[prefix.len()..];
                }
                (Some(_), None) if LEAVES.iter().any(|known| rest.starts_with(known)) => {
                    pressed.leaves = true;
                    return pressed;
                }
                (waited, None) => {
                    pressed.forward.extend_from_slice(waited.unwrap_or_default());
                    pressed.forward.push(rest[0]);
                    self.follow_paste(rest[0]);
                    rest = &rest[1..];
                }
            }
        }
        pressed
    }

    /// Follows where pastes begin and end, byte by byte: reads cut them anywhere.
    fn follow_paste(&mut self, byte: u8) {
        let mark = if self.pastes { PASTE_ENDS } else { PASTE_BEGINS };
        if byte != mark[self.marked] {
            // An Escape is only the first byte of a mark.
            self.marked = usize::from(byte == mark[0]);
            return;
        }
        self.marked += 1;
        if self.marked == mark.len() {
            self.pastes = !self.pastes;
            self.marked = 0;
        }
    }
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
            if pressed.leaves {
                return (forward, true);
            }
        }
        (forward, false)
    }

    #[test]
    fn control_backslash_and_d_leave_however_they_come() {
        for prefix in PREFIXES {
            for leave in LEAVES {
                assert_eq!(pressed(&[b"x", prefix, leave]), (b"x".to_vec(), true));
                assert_eq!(pressed(&[&[b"x", *prefix, leave, b"never"].concat()]), (b"x".to_vec(), true));
            }
        }
    }

    #[test]
    fn every_other_key_goes_to_claude_at_once() {
        for keys in [&b"hello\r"[..], b"\x1b[A\x1b", "中".as_bytes(), b"d"] {
            assert_eq!(pressed(&[keys]), (keys.to_vec(), false));
        }
    }

    #[test]
    fn control_backslash_stands_for_itself_when_doubled_followed_by_another_key_or_by_none() {
        assert_eq!(pressed(&[b"\x1c\x1cd"]), (b"\x1cd".to_vec(), false));
        assert_eq!(pressed(&[b"\x1c", b"x"]), (b"\x1cx".to_vec(), false));
        assert_eq!(pressed(&[b"\x1b[92;5u", b"x"]), (b"\x1b[92;5ux".to_vec(), false));
        let mut keys = Keys::default();
        assert_eq!(keys.press(b"\x1c"), Pressed::default());
        assert!(keys.is_waiting());
        assert_eq!(keys.give_up(), b"\x1c");
        assert_eq!(keys.press(b"d").forward, b"d");
    }

    #[test]
    fn what_is_pasted_is_for_claude_wherever_reads_cut_it() {
        for inside in [
            &b"\x1cd"[..],
            b"a\x1c\x1cdtouch x\r",
            b"\x1b[92;5ud",
            b"\x1b[200~\x1cd",
            b"\x1b[20\x1b\x1b[201\x1cd",
        ] {
            let paste = [PASTE_BEGINS, inside, PASTE_ENDS].concat();
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
        let paste = [b"\x1c", PASTE_BEGINS, b"d\x1cd", PASTE_ENDS].concat();
        assert_eq!(pressed(&[&paste]), (paste.clone(), false));
        assert_eq!(pressed(&[&paste, b"\x1cd"]), (paste, true));
    }

    #[test]
    fn what_only_looks_like_a_paste_is_none() {
        for keys in [&b"\x1b[200"[..], b"\x1b[201~", b"\x1b[20", b"\x1b\x1b[2000~"] {
            assert_eq!(pressed(&[keys, b"\x1cd"]), (keys.to_vec(), true));
        }
    }
}
