//! Parses the fuzzer's bytes from the front.
//!
//! The format is simple, because files of a corpus are written by hand and by programs, and a flipped byte should
//! change one thing.

/// The rest of the fuzzer's bytes.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a>(pub &'a [u8]);

impl<'a> Input<'a> {
    /// Whether no bytes are left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte; 0 at the end.
    pub fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or(0)
    }

    /// The next two bytes as a number, little endian.
    pub fn short(&mut self) -> usize {
        usize::from(u16::from_le_bytes([self.byte(), self.byte()]))
    }

    /// The next `count` bytes, or fewer at the end.
    pub fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// A length (two bytes), then that many bytes.
    pub fn sized(&mut self) -> &'a [u8] {
        let size = self.short();
        self.bytes(size)
    }
}
