//! The permission requests of one session: made, answered once, withdrawn.

use std::collections::BTreeMap;

use serde_json::Value;

use super::choices;
use super::plans::Plans;
use crate::orchestrator::context::StepContext;
use crate::orchestrator::{
    Answer, Change, EntryBody, ErrorCode, Input, Notification, PermissionId, PermissionKind,
    PermissionRequest, PermissionRow, PermissionState, Problem, Remedy, SessionId, SessionRow, ToolInput,
};
use crate::text::always;

/// How many of the newest requests are kept in every state; the store has all requests.
const SETTLED_KEPT: u32 = 16;

/// The author of an answer in the terminal.
const BY_TERMINAL: &str = "the terminal";

/// The permission requests of the current launch. The caller must add the returned [`EntryBody`] values to the
/// transcript.
#[derive(Debug)]
pub(in crate::orchestrator) struct PermissionRequests {
    session: SessionId,
    requests: BTreeMap<u32, PermissionRow>,
    plans: Plans,
    /// The number of the newest request.
    newest: u32,
    /// A request was persisted since the last [`PermissionRequests::take_persisted`].
    persisted: bool,
}

impl PermissionRequests {
    /// From the session's row, without requests.
    pub(super) fn restore(row: &SessionRow) -> PermissionRequests {
        PermissionRequests {
            session: row.id,
            requests: BTreeMap::new(),
            plans: Plans::default(),
            newest: row.permissions,
            persisted: false,
        }
    }

    /// Adds a request from the store.
    pub(super) fn restore_request(&mut self, row: PermissionRow) {
        self.requests.insert(row.id.number, row);
    }

    pub(super) fn take_persisted(&mut self) -> bool {
        std::mem::take(&mut self.persisted)
    }

    /// The number of the newest request.
    pub(super) fn newest(&self) -> u32 {
        self.newest
    }

    pub(in crate::orchestrator) fn get(&self, number: u32) -> Option<&PermissionRow> {
        self.requests.get(&number)
    }

    /// Requests that wait for an answer, the oldest first.
    pub(in crate::orchestrator) fn open(&self) -> impl Iterator<Item = &PermissionRow> {
        self.requests.values().filter(|row| row.state == PermissionState::Open)
    }

    /// Whether Claude waits for an answer.
    pub(super) fn is_asking(&self) -> bool {
        self.open().next().is_some()
    }

    /// Answers that the journal does not show as written to Claude of this launch.
    pub(super) fn undelivered(&self, launch: u32) -> impl Iterator<Item = Input> {
        self.requests.values().filter_map(move |row| {
            let current = is_undelivered(row) && row.launch == launch && !is_trust(row);
            row.answer.clone().filter(|_| current).map(|answer| input(row, answer))
        })
    }

    /// The number of the open request to run this tool with this input.
    pub(super) fn about(&self, tool: &str, input: &ToolInput) -> Option<u32> {
        let about = |row: &&PermissionRow| row.request.tool == tool && row.request.input == *input;
        self.open().find(about).map(|row| row.id.number)
    }

    /// Claude calls a tool, with a request to follow if it needs one.
    pub(super) fn tool_called(&mut self, id: &str, tool: &str, input: &Value) {
        self.plans.called(id, tool, input);
    }

    /// Claude makes a request. A known request changes nothing: Claude lists open requests again.
    pub(super) fn add(
        &mut self,
        step: &mut StepContext,
        launch: u32,
        mut request: PermissionRequest,
    ) -> Option<EntryBody> {
        self.forget_settled();
        let known =
            |row: &PermissionRow| row.launch == launch && row.request.request_id == request.request_id;
        if self.requests.values().any(known) {
            return None;
        }
        self.plans.complete(&mut request);
        self.newest += 1;
        let number = self.newest;
        let (permission_kind, tool, title) = (request.kind, request.tool.clone(), request.title.clone());
        let row = PermissionRow {
            id: PermissionId { session: self.session, number },
            launch,
            request,
            created_at: step.now.wall,
            state: PermissionState::Open,
            answered_by: None,
            answer: None,
            delivered: false,
        };
        self.requests.insert(number, row);
        self.persist(step, number);
        Some(EntryBody::Permission { permission: number, permission_kind, tool, title })
    }

    /// Forgets settled requests except the newest ones: Claude can list a request as open that has just been answered.
    fn forget_settled(&mut self) {
        let oldest = self.newest.saturating_sub(SETTLED_KEPT);
        self.requests.retain(|number, row| {
            *number > oldest || row.state == PermissionState::Open || is_undelivered(row)
        });
    }

    /// Claude listed its open requests: others are withdrawn, unknown ones are new.
    pub(super) fn reconcile(
        &mut self,
        step: &mut StepContext,
        launch: u32,
        pending: Vec<PermissionRequest>,
    ) -> Vec<EntryBody> {
        let is_stale = |row: &&PermissionRow| {
            !pending.iter().any(|request| request.request_id == row.request.request_id)
        };
        let stale: Vec<u32> = self.open().filter(is_stale).map(|row| row.id.number).collect();
        let mut entries: Vec<_> =
            stale.into_iter().filter_map(|number| self.withdraw(step, number)).collect();
        for request in pending {
            entries.extend(self.add(step, launch, request));
        }
        entries
    }

    /// Claude withdraws a request.
    pub(super) fn withdrawn(&mut self, step: &mut StepContext, request_id: &str) -> Option<EntryBody> {
        let number = self.number_of(request_id)?;
        self.withdraw(step, number)
    }

    /// Claude does not wait for any answer now.
    pub(super) fn withdraw_open(&mut self, step: &mut StepContext) -> Vec<EntryBody> {
        let open: Vec<u32> = self.open().map(|row| row.id.number).collect();
        open.into_iter().filter_map(|number| self.withdraw(step, number)).collect()
    }

    /// Claude has exited, which withdraws its requests.
    pub(super) fn withdraw_all(&mut self, step: &mut StepContext) -> Vec<EntryBody> {
        let all = self.requests.values().filter(|row| !is_allowed_trust(row));
        let all: Vec<u32> = all.map(|row| row.id.number).collect();
        let entries = all.into_iter().filter_map(|number| self.withdraw(step, number)).collect();
        self.requests.retain(|_, row| is_allowed_trust(row));
        entries
    }

    /// What a person has allowed to run in the directory, and did not run yet: the text of the request's input.
    pub(super) fn allowed_trust(&self) -> Option<String> {
        let allowed = self.requests.values().find(|row| is_allowed_trust(row));
        allowed.map(|row| row.request.input.text().into_owned())
    }

    /// What a person allowed runs. Returns the directory, and who allowed it.
    pub(super) fn use_allowed_trust(&mut self, step: &mut StepContext) -> Option<(String, String)> {
        let row = self.requests.values_mut().find(|row| is_allowed_trust(row))?;
        row.delivered = true;
        let (number, directory) = (row.id.number, directory_of(row).to_owned());
        let by = row.answered_by.clone().unwrap_or_default();
        self.persist(step, number);
        Some((directory, by))
    }

    /// What a person allowed is not what would run now.
    pub(super) fn forget_allowed_trust(&mut self, step: &mut StepContext) -> Option<EntryBody> {
        let number = self.requests.values().find(|row| is_allowed_trust(row)).map(|row| row.id.number)?;
        self.withdraw(step, number)
    }

    /// Withdraws open requests for trust.
    pub(super) fn withdraw_trust(&mut self, step: &mut StepContext) -> Vec<EntryBody> {
        let open: Vec<u32> = self.open().filter(|row| is_trust(row)).map(|row| row.id.number).collect();
        open.into_iter().filter_map(|number| self.withdraw(step, number)).collect()
    }

    fn withdraw(&mut self, step: &mut StepContext, number: u32) -> Option<EntryBody> {
        let row = self.requests.get_mut(&number)?;
        if row.state != PermissionState::Open && !is_undelivered(row) {
            return None;
        }
        row.state = PermissionState::Withdrawn;
        self.persist(step, number);
        let outcome = "withdrawn".to_owned();
        Some(EntryBody::PermissionEnd { permission: number, outcome, by: None, message: None })
    }

    /// The journal shows that an answer was written to Claude.
    pub(super) fn answer_written(&mut self, step: &mut StepContext, request_id: &str) {
        if let Some(number) = self.number_of(request_id)
            && let Some(row) = self.requests.get_mut(&number)
            && is_undelivered(row)
        {
            row.delivered = true;
            self.persist(step, number);
        }
    }

    /// A person answers the request with this digest. Returns what must be written to Claude, too.
    ///
    /// # Errors
    ///
    /// The request is not open or was displayed differently, or the answer does not fit it.
    pub(super) fn answer(
        &mut self,
        step: &mut StepContext,
        number: u32,
        digest: &str,
        answer: Answer,
        by: &str,
    ) -> Result<(EntryBody, Input), Problem> {
        let Some(row) = self.requests.get_mut(&number) else {
            return Err(Problem::permission_not_found(&number.to_string()));
        };
        if row.state != PermissionState::Open {
            return Err(Problem::already_answered(row.state, row.answered_by.as_deref()));
        }
        if row.displayed().digest != digest {
            return Err(Problem::digest_mismatch(row.id.session));
        }
        check_answer(&row.request, &answer, row.id)?;
        row.state = PermissionState::Answered;
        row.answered_by = Some(by.to_owned());
        row.answer = Some(answer.clone());
        // A denied request for trust has had its effect.
        row.delivered = is_trust(row) && !is_allowed_trust(row);
        let input = input(row, answer.clone());
        let granted = row.granted().join("; ");
        self.persist(step, number);
        let (outcome, message) = match answer {
            Answer::Allow => ("allowed", None),
            Answer::AllowAlways { .. } => ("allowedAlways", Some(granted)),
            Answer::Deny { message } => ("denied", message),
            Answer::Choose { choices } => (
                "answered",
                Some(choices.iter().map(|labels| labels.join(", ")).collect::<Vec<_>>().join("; ")),
            ),
        };
        let (outcome, by) = (outcome.to_owned(), Some(by.to_owned()));
        Ok((EntryBody::PermissionEnd { permission: number, outcome, by, message }, input))
    }

    /// A person answered in the terminal. Returns what releases the hook, too.
    pub(super) fn answered_in_terminal(
        &mut self,
        step: &mut StepContext,
        number: u32,
    ) -> Option<(EntryBody, Input)> {
        let row = self.requests.get_mut(&number)?;
        row.state = PermissionState::Answered;
        row.answered_by = Some(BY_TERMINAL.to_owned());
        row.delivered = true;
        let request_id = row.request.request_id.clone();
        self.persist(step, number);
        let (outcome, by) = ("answered".to_owned(), Some(BY_TERMINAL.to_owned()));
        let entry = EntryBody::PermissionEnd { permission: number, outcome, by, message: None };
        Some((entry, Input::ReleaseHook { request_id }))
    }

    fn number_of(&self, request_id: &str) -> Option<u32> {
        let row = self.requests.values().find(|row| row.request.request_id == request_id);
        row.map(|row| row.id.number)
    }

    /// Persists a request as it is now, and notifies clients.
    fn persist(&mut self, step: &mut StepContext, number: u32) {
        if let Some(row) = self.requests.get(&number) {
            step.persist(Change::Permission(Box::new(row.clone())));
            step.publish(Notification::Permission(Box::new(row.clone())));
            self.persisted = true;
        }
    }
}

fn is_undelivered(row: &PermissionRow) -> bool {
    row.state == PermissionState::Answered && !row.delivered
}

/// The directory of a request for trust, free of symbolic links.
pub(super) fn directory_of(row: &PermissionRow) -> &str {
    row.request.input.shown().get("directory").and_then(Value::as_str).unwrap_or_default()
}

fn is_trust(row: &PermissionRow) -> bool {
    row.request.kind == PermissionKind::Trust
}

/// Whether a person allowed what would run in the directory, and it did not run yet.
fn is_allowed_trust(row: &PermissionRow) -> bool {
    is_trust(row) && is_undelivered(row) && row.answer == Some(Answer::Allow)
}

fn input(row: &PermissionRow, answer: Answer) -> Input {
    Input::Answer { request: Box::new(row.request.clone()), answer }
}

fn check_answer(request: &PermissionRequest, answer: &Answer, id: PermissionId) -> Result<(), Problem> {
    match (answer, request.kind) {
        (Answer::Deny { .. }, _)
        | (Answer::Allow, PermissionKind::Tool | PermissionKind::Plan | PermissionKind::Trust) => Ok(()),
        (Answer::AllowAlways { .. } | Answer::Choose { .. }, PermissionKind::Trust) => {
            Err(Problem::answer_invalid(
                "A directory is trusted or not: the request can be allowed or denied.",
                Remedy::AllowOrDeny { permission_id: id.to_string() },
            ))
        }
        (Answer::Allow | Answer::AllowAlways { .. }, PermissionKind::Question) => {
            Err(Problem::answer_invalid(
                "This is a question, which needs a choice.",
                Remedy::AnswerQuestion { permission_id: id.to_string() },
            ))
        }
        (Answer::Choose { .. }, PermissionKind::Tool | PermissionKind::Plan) => Err(Problem::answer_invalid(
            "This is not a question: it can be allowed or denied.",
            Remedy::AllowOrDeny { permission_id: id.to_string() },
        )),
        (Answer::AllowAlways { suggestions }, PermissionKind::Tool | PermissionKind::Plan) => {
            check_always(request, suggestions.as_deref(), id)
        }
        (Answer::Choose { choices }, PermissionKind::Question) => {
            choices::check(request.input.shown(), choices, id)
        }
    }
}

/// "Always" needs a rule of Claude's, and is never for a request that would control AreYouJ.
fn check_always(
    request: &PermissionRequest,
    chosen: Option<&[usize]>,
    id: PermissionId,
) -> Result<(), Problem> {
    let not_offered = |message: &str| {
        let remedy = Remedy::AllowOrDeny { permission_id: id.to_string() };
        Err(Problem::new(ErrorCode::AlwaysNotOffered, message, remedy))
    };
    if request.controls_areyouj() {
        return not_offered("The request would control AreYouJ, so it can only be allowed once.");
    }
    match (always::applied(&request.suggestions, chosen), chosen) {
        (Some(_), _) => Ok(()),
        (None, None) => not_offered("Claude offers no rule for \"always\" here."),
        (None, Some(_)) => Err(Problem::answer_invalid(
            "The permission request has no such suggestion.",
            format!(
                "Suggestions are counted from 0; the permission request has {}.",
                request.suggestions.len()
            ),
        )),
    }
}
