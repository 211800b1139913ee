//! How programs want keys reported: the kitty keyboard protocol and xterm's modifyOtherKeys.

/// Maximum entries of a stack; kitty's own limit is of this order.
const MAX_DEPTH: usize = 16;

/// The requested keyboard modes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Keyboard {
    /// The flags of the screen that is shown, the base first; `None` if never set.
    shown: Vec<u8>,
    /// The flags of the other screen.
    other: Vec<u8>,
    /// modifyOtherKeys, if it was ever set.
    modify_other: Option<u16>,
}

impl Keyboard {
    fn stack(&mut self) -> &mut Vec<u8> {
        if self.shown.is_empty() {
            self.shown.push(0);
        }
        &mut self.shown
    }

    pub(super) fn push(&mut self, flags: u16) {
        let stack = self.stack();
        if stack.len() > MAX_DEPTH {
            stack.remove(1);
        }
        stack.push(flags as u8);
    }

    pub(super) fn pop(&mut self, count: u16) {
        let stack = self.stack();
        let left = stack.len().saturating_sub(usize::from(count.max(1)));
        if left == 0 {
            stack[0] = 0;
        }
        stack.truncate(left.max(1));
    }

    /// Sets the flags (1), or adds (2) or removes (3) some.
    pub(super) fn change(&mut self, flags: u16, how: u16) {
        let flags = flags as u8;
        if let Some(top) = self.stack().last_mut() {
            *top = match how {
                2 => *top | flags,
                3 => *top & !flags,
                _ => flags,
            };
        }
    }

    pub(super) fn modify_other(&mut self, how: u16) {
        self.modify_other = Some(how);
    }

    /// Shows the other screen, which has flags of its own. The alternate one starts without flags each time.
    pub(super) fn show(&mut self, alternate: bool) {
        std::mem::swap(&mut self.shown, &mut self.other);
        if !alternate {
            self.other.clear();
        }
    }

    pub(super) fn reset(&mut self) {
        for stack in [&mut self.shown, &mut self.other] {
            stack.truncate(1);
            stack.fill(0);
        }
        self.modify_other = self.modify_other.map(|_| 0);
    }

    /// Writes sequences that request the same of another keyboard, for the screen that is shown.
    pub(super) fn write(&self, out: &mut String) {
        if let Some((base, pushed)) = self.shown.split_first() {
            out.push_str(&format!("\x1b[<{MAX_DEPTH}u\x1b[={base};1u"));
            for flags in pushed {
                out.push_str(&format!("\x1b[>{flags}u"));
            }
        }
        if let Some(how) = self.modify_other {
            out.push_str(&format!("\x1b[>4;{how}m"));
        }
    }

    /// The flags of the screen that is not shown.
    pub(super) fn of_other(&self) -> Keyboard {
        Keyboard { shown: self.other.clone(), other: Vec::new(), modify_other: None }
    }
}
