//! The trust in a session's directory: Claude starts only where a person trusts what would run.

use std::path::Path;

use super::Session;
use super::lifecycle::EndStep;
use super::permissions::directory_of;
use super::start::End;
use crate::orchestrator::context::StepContext;
use crate::orchestrator::{Answer, NoticeLevel, PermissionKind, PermissionRequest, PermissionRow, WouldRun};

/// The tool's name in a request for trust. None of Claude's tools has this name.
const TOOL: &str = "Trust";

impl Session {
    /// The launch has no host, because nobody trusts the directory: asks whether a person does.
    pub(in crate::orchestrator) fn untrusted(&mut self, step: &mut StepContext, would_run: WouldRun) {
        // What a person allowed is not what would run now.
        let outdated = self.permissions.forget_allowed_trust(step);
        if outdated.is_some() {
            let text =
                "What would run in this directory has changed since the answer, so nothing was started.";
            self.add_notice(step, NoticeLevel::Warning, text);
        }
        self.add_entries(step, outdated);
        match self.launch_ended(step, End::NotStarted) {
            EndStep::Settled => return,
            EndStep::Restart => {
                self.request_start(step);
                return;
            }
            EndStep::StartFailed(_) | EndStep::NeverReady | EndStep::Quit | EndStep::Crashed => {}
        }
        self.ask_for_trust(step, would_run);
    }

    /// Asks whether a person trusts the directory.
    pub(super) fn ask_for_trust(&mut self, step: &mut StepContext, WouldRun { title, input }: WouldRun) {
        self.lifecycle.await_trust();
        let request = PermissionRequest {
            request_id: format!("trust-{}", self.permissions.newest() + 1),
            kind: PermissionKind::Trust,
            tool: TOOL.to_owned(),
            input,
            title,
            suggestions: Vec::new(),
            tool_use_id: None,
            plan: None,
        };
        let entry = self.permissions.add(step, self.lifecycle.launch(), request);
        self.add_entries(step, entry);
    }

    /// A person answered a request for trust. Claude never sees the answer.
    pub(super) fn trust_answered(&mut self, step: &mut StepContext, answer: &Answer) {
        if *answer == Answer::Allow {
            self.lifecycle.forget_failures(step.now);
            self.request_start(step);
            return;
        }
        let text = "The directory is not trusted: nothing ran, and the session ends.";
        self.add_notice(step, NoticeLevel::Info, text);
        self.terminate(step);
    }

    /// Claude runs, so what a person allowed is what runs: from now on the directory is trusted.
    pub(super) fn trust_took_effect(&mut self, step: &mut StepContext) {
        if let Some((directory, by)) = self.permissions.use_allowed_trust(step) {
            self.audit_own(step, "directory/trust", &format!("{directory}, allowed by {by}"));
            step.trust(directory, by);
        }
    }

    /// Withdraws the request for trust: a start that is requested now asks again if it must.
    pub(super) fn withdraw_trust(&mut self, step: &mut StepContext) {
        let withdrawn = self.permissions.withdraw_trust(step);
        self.add_entries(step, withdrawn);
    }

    /// Whether the session waits for trust in this directory or one below it.
    pub(in crate::orchestrator) fn awaits_trust_of(&self, directory: &str) -> bool {
        let inside = |row: &PermissionRow| Path::new(directory_of(row)).starts_with(directory);
        self.lifecycle.is_untrusted() && self.permissions.open().any(inside)
    }
}
