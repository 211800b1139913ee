//! Which keys are for Claude, and which leave: Ctrl-\ and then d.

/// Ctrl-\, as terminals send it: plainly, by the kitty keyboard protocol, and with xterm's modifyOtherKeys.
const PREFIXES: &[&[u8]] = &[b"\x1c", b"\x1b[92;5u", b"\x1b[27;5;92~"];

/// d, in the same ways.
const LEAVES: &[&[u8]] = &[b"d", b"\x1b[100u", b"\x1b[100;1u"];

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
            let beginning = |known: &&&'static [u8]| rest.starts_with(known);
            let prefix = PREFIXES.iter().find(beginning).copied();
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
                    rest = &rest[1..];
                }
            }
        }
        pressed
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
}
