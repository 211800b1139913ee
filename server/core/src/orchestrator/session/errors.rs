//! Output of Claude of the current launch outside of its protocol: standard error and garbage.

use std::collections::VecDeque;

/// How many lines of error output are kept for the log of a problem.
const ERROR_LINES: usize = 20;

/// How many garbage lines of one launch are shown.
const GARBAGE_SHOWN: u32 = 3;

/// The end of the error output, and the number of garbage lines.
#[derive(Debug, Default)]
pub(super) struct ErrorOutput {
    lines: VecDeque<String>,
    garbage: u32,
}

impl ErrorOutput {
    pub(super) fn add(&mut self, line: String) {
        if self.lines.len() == ERROR_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// The kept lines; `None` if there are none.
    pub(super) fn log(&self) -> Option<String> {
        let lines: Vec<&str> = self.lines.iter().map(String::as_str).collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    /// Counts a garbage line; returns whether to show it.
    pub(super) fn add_garbage(&mut self) -> bool {
        self.garbage += 1;
        self.garbage <= GARBAGE_SHOWN
    }
}
