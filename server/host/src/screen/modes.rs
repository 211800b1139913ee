//! Modes that a viewer's terminal must have too.

/// The private modes to keep, by number. Modes that change the screen's content (origin, wrapping, the alternate
/// screen) are kept elsewhere.
const KEPT: &[u16] = &[
    1, 5, 9, 12, 25, 45, 66, 67, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1015, 1016, 1034, 1035,
    1036, 1039, 1042, 1043, 2004, 2027, 2031, 2048,
];

/// The kept mode that is on at the beginning: the cursor is shown.
const CURSOR_SHOWN: u16 = 25;

/// Which kept modes were ever set or reset, and which are on. A mode that was never set or reset stays as the
/// viewer's terminal has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Modes {
    touched: u32,
    on: u32,
    /// Autowrap.
    pub(super) wraps: bool,
    /// Rows are counted from the scroll region's first.
    pub(super) origin: bool,
    /// Printing moves the rest of the row.
    pub(super) inserts: bool,
    /// A line feed also returns to the first column.
    pub(super) feeds_lines: bool,
    /// The keypad sends application codes.
    pub(super) keypad: Option<bool>,
    /// The shape of the cursor, as DECSCUSR counts them.
    pub(super) cursor_shape: Option<u8>,
}

const _: () = assert!(KEPT.len() <= 32);

impl Default for Modes {
    fn default() -> Modes {
        Modes {
            touched: 0,
            on: bit(CURSOR_SHOWN).unwrap_or_default(),
            wraps: true,
            origin: false,
            inserts: false,
            feeds_lines: false,
            keypad: None,
            cursor_shape: None,
        }
    }
}

fn bit(mode: u16) -> Option<u32> {
    KEPT.iter().position(|kept| *kept == mode).map(|place| 1 << place)
}

impl Modes {
    /// Sets or resets a private mode, if it is a kept one.
    pub(super) fn set(&mut self, mode: u16, on: bool) {
        let Some(bit) = bit(mode) else { return };
        self.touched |= bit;
        self.on = if on { self.on | bit } else { self.on & !bit };
    }

    /// Restores the initial state, but remembers which modes were ever set.
    pub(super) fn reset(&mut self) {
        *self = Modes {
            touched: self.touched,
            keypad: self.keypad.map(|_| false),
            cursor_shape: self.cursor_shape.map(|_| 0),
            ..Modes::default()
        };
    }

    /// Resets what a soft reset concerns.
    pub(super) fn reset_softly(&mut self) {
        for (mode, on) in [(1, false), (CURSOR_SHOWN, true)] {
            if bit(mode).is_some_and(|bit| self.touched & bit != 0) {
                self.set(mode, on);
            }
        }
        self.wraps = true;
        self.origin = false;
        self.inserts = false;
        self.keypad = self.keypad.map(|_| false);
    }

    /// Writes sequences that set the kept modes.
    pub(super) fn write(&self, out: &mut String) {
        for (on, end) in [(false, 'l'), (true, 'h')] {
            let modes: Vec<String> = KEPT
                .iter()
                .zip(0..)
                .filter(|(_, place)| self.touched >> place & 1 == 1 && (self.on >> place & 1 == 1) == on)
                .map(|(mode, _)| mode.to_string())
                .collect();
            // One by one: some terminals do not accept a list.
            for mode in modes {
                out.push_str(&format!("\x1b[?{mode}{end}"));
            }
        }
        if let Some(keypad) = self.keypad {
            out.push_str(if keypad { "\x1b=" } else { "\x1b>" });
        }
        if let Some(shape) = self.cursor_shape {
            out.push_str(&format!("\x1b[{shape} q"));
        }
    }
}
