//! The plans that Claude presents. The request to approve a plan can lack it: then it is in the tool call alone, and a
//! person must see it all the same.

use std::collections::VecDeque;

use serde_json::Value;

use crate::orchestrator::{PermissionKind, PermissionRequest};
use crate::text::display::plan_title;

/// The tool that presents a plan, and the argument that is the plan.
const TOOL: &str = "ExitPlanMode";
const PLAN: &str = "plan";

/// How many calls are kept until their requests come: the calls in one message of Claude's.
const KEPT: usize = 8;

/// Calls whose requests may be still to come.
#[derive(Debug, Default)]
pub(super) struct Plans {
    /// The ids of the calls, and their plans.
    called: VecDeque<(String, String)>,
}

impl Plans {
    /// Claude calls a tool.
    pub(super) fn called(&mut self, id: &str, tool: &str, input: &Value) {
        let Some(plan) = input.get(PLAN).and_then(Value::as_str).filter(|_| tool == TOOL) else { return };
        if self.called.len() == KEPT {
            self.called.pop_front();
        }
        self.called.push_back((id.to_owned(), plan.to_owned()));
    }

    /// Adds the plan to a request that lacks it.
    pub(super) fn complete(&mut self, request: &mut PermissionRequest) {
        if request.kind != PermissionKind::Plan || request.input.shown()[PLAN].is_string() {
            return;
        }
        let call = self.called.iter().position(|(id, _)| Some(id) == request.tool_use_id.as_ref());
        let Some((_, plan)) = call.and_then(|call| self.called.remove(call)) else { return };
        if let Some(title) = plan_title(&plan) {
            request.title = title;
        }
        request.plan = Some(plan);
    }
}
