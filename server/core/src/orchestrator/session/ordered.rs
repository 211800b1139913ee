//! The inputs that AreYouJ ordered for Claude, and those in the journal that it did not.
//!
//! Only a daemon with the key can order an input. If one gets into the journal that this daemon did not order, somebody has
//! the key, or the host has none; then a person must know what was ordered in AreYouJ's name.

use std::collections::VecDeque;

use super::Session;
use crate::orchestrator::context::StepContext;
use crate::orchestrator::{Input, InputDigest, NoticeLevel};

/// Ordered inputs that the journal does not hold yet: the core orders far fewer at a time. Beyond this number the oldest
/// is forgotten: its order was lost.
const MAX_ORDERED: usize = 256;

/// The inputs of the current launch.
#[derive(Debug, Default)]
pub(super) struct Ordered {
    digests: VecDeque<InputDigest>,
    /// This daemon knows everything that was ordered: an earlier one ordered nothing that it has not read.
    complete: bool,
    /// The last input in the journal was not ordered.
    foreign: bool,
}

impl Ordered {
    /// Of a launch that this daemon orders.
    pub(super) fn of_launch() -> Ordered {
        Ordered { complete: true, ..Ordered::default() }
    }

    /// Everything that an earlier daemon ordered was read.
    pub(super) fn synced(&mut self) {
        self.complete = true;
    }

    /// Whether the last input in the journal was not ordered, so that it settles nothing.
    pub(super) fn is_foreign(&self) -> bool {
        self.foreign
    }

    fn add(&mut self, digest: InputDigest) {
        if self.digests.len() == MAX_ORDERED {
            self.digests.pop_front();
        }
        self.digests.push_back(digest);
    }

    fn take(&mut self, digest: InputDigest) -> bool {
        let found = self.digests.iter().position(|ordered| *ordered == digest);
        found.map(|index| self.digests.remove(index)).is_some()
    }
}

impl Session {
    /// Notes an order to write this to Claude.
    pub(super) fn note_order(&mut self, step: &StepContext, input: &Input) {
        if let Some(digest) = (step.settings.digest.0)(self.spec.driver, input) {
            self.ordered.add(digest);
        }
    }

    /// The journal holds an input. If AreYouJ did not order it, a notice says so.
    pub(super) fn input_recorded(
        &mut self,
        step: &mut StepContext,
        digest: InputDigest,
        harmless: bool,
        beginning: &str,
    ) {
        let known = self.ordered.take(digest)
            || !self.ordered.complete && (harmless || self.earlier_order(step, digest));
        self.ordered.foreign = !known;
        if !known {
            let text = format!(
                "Claude received something that AreYouJ did not send: {beginning}\n\
                 Another program gave this order to the session. What Claude does now can follow from it."
            );
            self.loud_notice(step, NoticeLevel::Error, text);
        }
    }

    /// Whether an earlier daemon must have ordered this: a message or an answer that the journal did not show before.
    fn earlier_order(&self, step: &StepContext, digest: InputDigest) -> bool {
        let mut inputs = self.undelivered();
        inputs.any(|input| (step.settings.digest.0)(self.spec.driver, &input) == Some(digest))
    }
}
