//! Start slots: how many Claudes start at the same time, and in which order.

use super::SessionId;
use super::context::StepContext;
use super::retry::head_start_ms;
use super::session::Session;
use super::state::State;

impl State {
    pub(super) fn give_start_slots(&mut self, step: &mut StepContext) {
        let waiting = self.sessions.values().filter(|session| session.waits_for_slot());
        let mut waiting: Vec<(Option<u64>, SessionId)> =
            waiting.map(|session| (session.start_requested(), session.id())).collect();
        waiting.sort_unstable();
        for (_, id) in waiting {
            if self.next_start().is_none_or(|at| at > step.now.monotonic) {
                return;
            }
            self.with(step, id, Session::begin_start);
            self.last_start = Some(step.now.monotonic);
        }
    }

    /// The monotonic time from which another start can begin; `None` while all start slots are in use. Half of the
    /// starts can begin together; each further start gives the one before it a head start.
    pub(super) fn next_start(&self) -> Option<u64> {
        let starting = self.sessions.values().filter(|session| session.holds_slot()).count();
        let most = usize::try_from(self.settings.max_starting).unwrap_or(usize::MAX);
        if starting >= most {
            return None;
        }
        let together = (most / 2).max(1);
        let after = self.last_start.filter(|_| starting >= together);
        Some(after.map_or(0, |at| at + head_start_ms(self.start_took)))
    }
}
