//! Why a queue delivers no messages.

/// Whether and why a queue delivers no messages. By default it is not paused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pause {
    /// Why it paused automatically.
    reason: Option<PauseReason>,
    /// A person paused it, and only a person resumes it.
    held: bool,
}

/// Why a queue paused automatically.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PauseReason {
    /// A person interrupted the turn while messages waited.
    TurnInterrupted,
    /// A crash interrupted the turn of a message: a person decides.
    MessageInterrupted,
    /// A message failed: a person decides.
    Failed,
}

impl Pause {
    /// A queue that a person paused.
    pub const HELD: Pause = Pause { reason: None, held: true };

    /// A queue that paused for this reason.
    pub fn because(reason: PauseReason) -> Pause {
        Pause { reason: Some(reason), held: false }
    }

    /// Every pause with its word in the store.
    const WORDS: [(&str, Pause); 6] = [
        ("person", Pause::HELD),
        ("interrupt", Pause { reason: Some(PauseReason::TurnInterrupted), held: false }),
        ("interrupted", Pause { reason: Some(PauseReason::MessageInterrupted), held: false }),
        ("failed", Pause { reason: Some(PauseReason::Failed), held: false }),
        ("interrupted held", Pause { reason: Some(PauseReason::MessageInterrupted), held: true }),
        ("failed held", Pause { reason: Some(PauseReason::Failed), held: true }),
    ];

    /// The word in the store; `None` if the queue is not paused.
    pub fn word(self) -> Option<&'static str> {
        Pause::WORDS.iter().find(|(_, pause)| *pause == self).map(|(word, _)| *word)
    }

    /// The pause with this word in the store.
    pub fn from_word(word: &str) -> Option<Pause> {
        Pause::WORDS.iter().find(|(known, _)| *known == word).map(|(_, pause)| *pause)
    }

    /// Whether the queue delivers no messages.
    pub fn is_paused(self) -> bool {
        self.held || self.reason.is_some()
    }

    /// Why the queue delivers no messages, for people.
    pub fn explanation(self) -> Option<String> {
        let held = if self.held { "; a person paused the queue too" } else { "" };
        let why = match self.reason {
            None => return self.held.then(|| "a person paused it".to_owned()),
            Some(PauseReason::TurnInterrupted) => "the turn was interrupted",
            Some(PauseReason::MessageInterrupted) => {
                "a message was interrupted: continue, send again or skip"
            }
            Some(PauseReason::Failed) => "a message failed: send again or skip",
        };
        Some(format!("{why}{held}"))
    }

    /// Why the queue paused automatically.
    pub fn reason(self) -> Option<PauseReason> {
        self.reason
    }

    /// The pause after a person pauses the queue, too. This replaces the reason of an interrupted turn.
    #[must_use]
    pub fn held(self) -> Pause {
        let reason = self.reason.filter(|reason| *reason != PauseReason::TurnInterrupted);
        Pause { reason, held: true }
    }

    /// The pause after a person resumes the queue: only the part that a person had paused ends.
    #[must_use]
    pub(super) fn released(self) -> Pause {
        Pause { held: false, ..self }
    }

    /// The pause after something else has paused the queue.
    #[must_use]
    pub(super) fn with_reason(self, reason: PauseReason) -> Pause {
        Pause { reason: Some(reason), ..self }
    }

    /// The pause without its automatic reason.
    #[must_use]
    pub(super) fn without_reason(self) -> Pause {
        Pause { reason: None, ..self }
    }

    /// Whether a message waits for a person's decision.
    pub(super) fn awaits_decision(self) -> bool {
        matches!(self.reason, Some(PauseReason::MessageInterrupted | PauseReason::Failed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_in_databases_keep_their_meaning() {
        let message_interrupted = Pause::because(PauseReason::MessageInterrupted);
        let failed = Pause::because(PauseReason::Failed);
        let interrupted = Pause::because(PauseReason::TurnInterrupted);
        for (word, pause) in [
            (Some("person"), Pause::HELD),
            (Some("interrupt"), interrupted),
            (Some("interrupted"), message_interrupted),
            (Some("failed"), failed),
            (Some("interrupted held"), message_interrupted.held()),
            (Some("failed held"), failed.held()),
            (Some("person"), interrupted.held()),
            (None, Pause::default()),
        ] {
            assert_eq!(pause.word(), word);
            assert_eq!(word.and_then(Pause::from_word).unwrap_or_default(), pause);
        }
    }
}
