//! Claude's partial output, for clients that attach in the middle of an answer.

use crate::orchestrator::PartialOutput;

/// How many bytes of the end are kept at least: more than a screen holds. The finished entry has everything.
const KEPT_BYTES: usize = 64 * 1024;

/// The output since the newest transcript entry. Not stored: a restarted daemon knows only what follows.
#[derive(Debug, Default)]
pub(super) struct OutputSoFar {
    pieces: Vec<PartialOutput>,
    bytes: usize,
}

impl OutputSoFar {
    pub(super) fn add(&mut self, thinking: bool, text: &str) {
        if text.is_empty() {
            return;
        }
        self.bytes += text.len();
        match self.pieces.last_mut() {
            Some(last) if last.thinking == thinking => last.text.push_str(text),
            _ => self.pieces.push(PartialOutput { thinking, text: text.to_owned() }),
        }
        // Not for every piece, because removing the beginning moves the rest.
        if self.bytes > 2 * KEPT_BYTES {
            self.shorten();
        }
    }

    pub(super) fn clear(&mut self) {
        *self = OutputSoFar::default();
    }

    pub(super) fn pieces(&self) -> Vec<PartialOutput> {
        self.pieces.clone()
    }

    fn shorten(&mut self) {
        while self.bytes > KEPT_BYTES {
            let excess = self.bytes - KEPT_BYTES;
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
        let mut output = OutputSoFar::default();
        for (thinking, text) in [(true, "hm "), (true, "yes"), (false, ""), (false, "It "), (false, "is")] {
            output.add(thinking, text);
        }
        let piece = |thinking, text: &str| PartialOutput { thinking, text: text.to_owned() };
        assert_eq!(output.pieces(), [piece(true, "hm yes"), piece(false, "It is")]);
        output.clear();
        assert_eq!(output.pieces(), []);
    }

    #[test]
    fn the_end_of_something_endless_is_kept_in_whole_characters() {
        let mut output = OutputSoFar::default();
        output.add(true, &"t".repeat(KEPT_BYTES));
        for _ in 0..KEPT_BYTES {
            output.add(false, "€uro");
        }
        let pieces = output.pieces();
        assert_eq!(pieces.len(), 1, "thoughts before it are gone");
        assert!((KEPT_BYTES..=2 * KEPT_BYTES).contains(&pieces[0].text.len()));
        assert!("€uro€uro".contains(&pieces[0].text[..pieces[0].text.find('o').unwrap() + 1]));
        assert!(pieces[0].text.ends_with("€uro"));
    }
}
