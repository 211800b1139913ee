//! What processes inside a session did with AreYouJ: notes that they added, and requests that it refused them.

use super::Session;
use crate::orchestrator::context::StepContext;
use crate::orchestrator::{
    ErrorCode, Insider, NoticeLevel, Principal, Problem, Process, Refusals, SessionRow,
};
use crate::text::plain::{short_block, short_line};

/// Longest note, in characters.
const MAX_NOTE_CHARS: usize = 2_000;

/// Notes of processes inside one session, at most: they cannot fill the transcript.
const MAX_NOTES: u32 = 200;

/// After a person has read of refusals, a further notice about new ones appears in the transcript only after this time.
const NOTICE_AGAIN_MS: u64 = 600_000;

/// Characters of the name of a client and of a program in a notice, at most.
const NAME_CHARS: usize = 60;

/// The part of a session that belongs to processes inside it.
#[derive(Debug)]
pub(super) struct Insiders {
    refusals: Option<Refusals>,
    notes: u32,
}

impl Insiders {
    pub(super) fn restore(row: &SessionRow) -> Insiders {
        Insiders { refusals: row.refusals.clone(), notes: row.notes }
    }

    pub(super) fn store(&self, row: &mut SessionRow) {
        (row.refusals, row.notes) = (self.refusals.clone(), self.notes);
    }

    /// A person has seen everything.
    pub(super) fn mark_read(&mut self) {
        if let Some(refusals) = &mut self.refusals {
            refusals.unread = false;
        }
    }
}

impl Session {
    /// AreYouJ refused an operation to a process inside this session. Returns whether a person must see it now: the
    /// first refusal, and the first one long after a person has read of the others.
    pub(in crate::orchestrator) fn refused(
        &mut self,
        step: &mut StepContext,
        operation: &str,
        process: &Process,
    ) -> bool {
        let now = step.now.wall;
        let before = self.insiders.refusals.take();
        let notice = before
            .as_ref()
            .is_none_or(|before| !before.unread && now.saturating_sub(before.noticed) >= NOTICE_AGAIN_MS);
        let refusals = Refusals {
            count: before.as_ref().map_or(0, |before| before.count) + 1,
            last: now,
            noticed: before.as_ref().filter(|_| !notice).map_or(now, |before| before.noticed),
            operation: operation.to_owned(),
            program: process.program.clone(),
            pid: process.pid,
            unread: notice || before.is_some_and(|before| before.unread),
        };
        if notice {
            self.add_notice(step, NoticeLevel::Warning, refusals.title());
        }
        self.insiders.refusals = Some(refusals);
        notice
    }

    /// Adds a note to the transcript.
    ///
    /// # Errors
    ///
    /// It has no text, too much, or the session has too many.
    pub(in crate::orchestrator) fn note_from(
        &mut self,
        step: &mut StepContext,
        principal: &Principal,
        text: &str,
    ) -> Result<(), Problem> {
        if text.chars().nth(MAX_NOTE_CHARS).is_some() {
            return Err(Problem::note_too_long());
        }
        let text = short_block(text, MAX_NOTE_CHARS);
        if text.trim().is_empty() {
            return Err(Problem::note_empty());
        }
        let author = match principal {
            Principal::Person { name } => format!("Note from a person ({})", short_line(name, NAME_CHARS)),
            Principal::Session(Insider { .. }) => {
                if self.insiders.notes >= MAX_NOTES {
                    return Err(Problem::too_many_notes());
                }
                self.insiders.notes += 1;
                format!("Note from a process inside session {}", self.id)
            }
        };
        self.add_notice(step, NoticeLevel::Info, format!("{author}: {text}"));
        Ok(())
    }
}

impl Refusals {
    /// The last one in a sentence, for people.
    pub fn title(&self) -> String {
        let name = self.program.rsplit('/').next().unwrap_or_default();
        let name = match short_line(name, NAME_CHARS) {
            name if name.is_empty() => String::new(),
            name => format!("{name}, "),
        };
        let what = in_words(&self.operation);
        format!("A process inside this session ({name}pid {}) tried to {what}. AreYouJ refused it.", self.pid)
    }
}

/// What a process tried, after "tried to".
fn in_words(operation: &str) -> &'static str {
    match operation {
        "session/create" => "create a session",
        "session/list" | "session/get" | "session/attach" | "session/detach" | "transcript/read" => {
            "read other sessions"
        }
        "session/terminate" => "terminate a session",
        "session/interrupt" => "interrupt a session",
        "session/restart" => "restart a session",
        "session/switch" => "switch the driver of a session",
        "session/rename" => "rename a session",
        "session/delete" => "delete a session",
        "session/read" => "mark a session as read",
        "session/note" => "add a note to another session",
        "queue/add" | "queue/steer" => "send a message",
        "queue/pause" => "pause a queue",
        "queue/resume" => "resume a queue",
        "queue/list" => "read a queue",
        "queue/edit" | "queue/remove" | "queue/move" | "queue/clear" | "queue/recover" => "change a queue",
        "permission/list" => "read permission requests",
        "permission/answer" => "answer a permission request",
        "directory/list" | "directory/validate" => "list directories through the daemon",
        "daemon/status" => "read the daemon's status",
        "daemon/stop" => "stop the daemon",
        "audit/list" => "read the audit trail",
        _ => "control AreYouJ",
    }
}

impl Problem {
    pub(in crate::orchestrator) fn note_empty() -> Problem {
        Problem::new(ErrorCode::MessageEmpty, "The note has no text.", "Write a text.")
    }

    pub(in crate::orchestrator) fn note_too_long() -> Problem {
        Problem::new(
            ErrorCode::MessageTooLarge,
            format!("The note is longer than {MAX_NOTE_CHARS} characters."),
            "Put the text into a file and name the file.",
        )
    }

    pub(in crate::orchestrator) fn too_many_notes() -> Problem {
        Problem::new(
            ErrorCode::TooManyNotes,
            format!(
                "Processes inside this session have added {MAX_NOTES} notes already, and that is the limit."
            ),
            "Write further ones into a file.",
        )
    }
}
