//! What Claude is saying right now, for whoever begins to watch in the middle of it.

/// A piece of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Thoughts rather than words.
    pub thinking: bool,
    /// The text.
    pub text: String,
}

/// Bytes that are kept at least, of the end: more than a screen holds. The finished entry has everything.
const KEPT: usize = 64 * 1024;

/// What was said since the newest entry. Not stored: a daemon that was restarted meanwhile has the rest only.
#[derive(Debug, Default)]
pub(super) struct Saying {
    pieces: Vec<Said>,
    bytes: usize,
}

impl Saying {
    pub(super) fn add(&mut self, thinking: bool, text: &str) {
        if text.is_empty() {
            return;
        }
        self.bytes += text.len();
        match self.pieces.last_mut() {
            Some(last) if last.thinking == thinking => last.text.push_str(text),
            _ => self.pieces.push(Said { thinking, text: text.to_owned() }),
        }
        // Not at every piece: what stays is moved.
        if self.bytes > 2 * KEPT {
            self.shorten();
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Saying::default();
    }

    pub(super) fn so_far(&self) -> Vec<Said> {
        self.pieces.clone()
    }

    fn shorten(&mut self) {
        while self.bytes > KEPT {
            let excess = self.bytes - KEPT;
            let first = &mut self.pieces[0];
            if first.text.len() <= excess {
                self.bytes -= first.text.len();
                self.pieces.remove(0);
            } else {
                let cut = first.text.floor_char_boundary(excess);
                first.text.drain(..cut);
                self.bytes -= cut;
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_a_kind_are_one_and_an_entry_ends_them() {
        let mut saying = Saying::default();
        for (thinking, text) in [(true, "hm "), (true, "yes"), (false, ""), (false, "It "), (false, "is")] {
            saying.add(thinking, text);
        }
        let said = |thinking, text: &str| Said { thinking, text: text.to_owned() };
        assert_eq!(saying.so_far(), [said(true, "hm yes"), said(false, "It is")]);
        saying.clear();
        assert_eq!(saying.so_far(), []);
    }

    #[test]
    fn the_end_of_something_endless_is_kept_in_whole_characters() {
        let mut saying = Saying::default();
        saying.add(true, &"t".repeat(KEPT));
        for _ in 0..KEPT {
            saying.add(false, "€uro");
        }
        let said = saying.so_far();
        assert_eq!(said.len(), 1, "thoughts before it are gone");
        assert!((KEPT..=2 * KEPT).contains(&said[0].text.len()));
        assert!("€uro€uro".contains(&said[0].text[..said[0].text.find('o').unwrap() + 1]));
        assert!(said[0].text.ends_with("€uro"));
    }
}
