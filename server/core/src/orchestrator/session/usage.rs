//! The cost of a session, and the use of Claude's context window.

use crate::orchestrator::SessionRow;

/// Cost in US dollars, context in tokens.
#[derive(Debug)]
pub(super) struct Usage {
    /// The cost of earlier launches.
    cost_before: f64,
    /// The cost of the current launch.
    cost_launch: f64,
    context_used: Option<u64>,
    context_max: Option<u64>,
}

impl Usage {
    pub(super) fn restore(row: &SessionRow) -> Usage {
        Usage {
            cost_before: row.cost_before,
            cost_launch: row.cost_launch,
            context_used: row.context_used,
            context_max: row.context_max,
        }
    }

    /// Writes its part of the session's row.
    pub(super) fn store(&self, row: &mut SessionRow) {
        row.cost_before = self.cost_before;
        row.cost_launch = self.cost_launch;
        row.context_used = self.context_used;
        row.context_max = self.context_max;
    }

    /// A new Claude counts its cost from zero.
    pub(super) fn launched(&mut self) {
        self.cost_before += std::mem::take(&mut self.cost_launch);
    }

    pub(super) fn context_used(&mut self, tokens: u64) {
        self.context_used = Some(tokens);
    }

    /// A turn has ended, and Claude reported the cost of all its turns. Returns the cost of this one.
    pub(super) fn turn_ended(&mut self, cost_total: f64, context_max: Option<u64>) -> f64 {
        let cost = (cost_total - self.cost_launch).max(0.0);
        self.cost_launch = cost_total.max(self.cost_launch);
        self.context_max = context_max.or(self.context_max);
        cost
    }
}
