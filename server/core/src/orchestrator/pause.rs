//! Why a queue delivers no messages.

/// Whether and why a queue delivers no messages. By default it is not paused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pause {
    /// What paused it by itself.
    reason: Option<PauseReason>,
    /// A person paused it: only a person resumes it.
    held: bool,
}

/// What paused a queue by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PauseReason {
    /// A person interrupted the turn while messages waited.
    TurnInterrupted,
    /// A crash cut off a message in the middle of its turn: a person decides.
    CutOff,
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

    /// Every pause with the word that the store keeps for it.
    const WORDS: [(&str, Pause); 6] = [
        ("person", Pause::HELD),
        ("interrupt", Pause { reason: Some(PauseReason::TurnInterrupted), held: false }),
        ("interrupted", Pause { reason: Some(PauseReason::CutOff), held: false }),
        ("failed", Pause { reason: Some(PauseReason::Failed), held: false }),
        ("interrupted held", Pause { reason: Some(PauseReason::CutOff), held: true }),
        ("failed held", Pause { reason: Some(PauseReason::Failed), held: true }),
    ];

    /// The word that the store keeps; none if the queue is not paused.
    pub fn word(self) -> Option<&'static str> {
        Pause::WORDS.iter().find(|(_, pause)| *pause == self).map(|(word, _)| *word)
    }

    /// The pause that the store keeps this word for.
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
            Some(PauseReason::CutOff) => "a message was cut off: continue, send again or skip",
            Some(PauseReason::Failed) => "a message failed: send again or skip",
        };
        Some(format!("{why}{held}"))
    }

    /// What paused the queue by itself.
    pub fn reason(self) -> Option<PauseReason> {
        self.reason
    }

    /// The pause after a person pauses the queue, too. That takes the place of an interrupted turn.
    #[must_use]
    pub fn held(self) -> Pause {
        let reason = self.reason.filter(|reason| *reason != PauseReason::TurnInterrupted);
        Pause { reason, held: true }
    }

    /// The pause after a person resumes the queue, as far as that person had paused it.
    #[must_use]
    pub(super) fn released(self) -> Pause {
        Pause { held: false, ..self }
    }

    /// The pause after something else has paused the queue.
    #[must_use]
    pub(super) fn with_reason(self, reason: PauseReason) -> Pause {
        Pause { reason: Some(reason), ..self }
    }

    /// The pause without what had paused the queue by itself.
    #[must_use]
    pub(super) fn without_reason(self) -> Pause {
        Pause { reason: None, ..self }
    }

    /// Whether a message waits for a person's decision.
    pub(super) fn awaits_decision(self) -> bool {
        matches!(self.reason, Some(PauseReason::CutOff | PauseReason::Failed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_in_databases_mean_what_they_always_have() {
        let cut_off = Pause::because(PauseReason::CutOff);
        let failed = Pause::because(PauseReason::Failed);
        let interrupted = Pause::because(PauseReason::TurnInterrupted);
        for (word, pause) in [
            (Some("person"), Pause::HELD),
            (Some("interrupt"), interrupted),
            (Some("interrupted"), cut_off),
            (Some("failed"), failed),
            (Some("interrupted held"), cut_off.held()),
            (Some("failed held"), failed.held()),
            (Some("person"), interrupted.held()),
            (None, Pause::default()),
        ] {
            assert_eq!(pause.word(), word);
            assert_eq!(word.and_then(Pause::from_word).unwrap_or_default(), pause);
        }
    }
}
