//! The state of a terminal's input: drafts, dialogs, and whether Claude accepted a paste.
//!
//! Messages are pasted into the terminal, and a hook confirms them. People type there, too. Claude's record of its
//! process completes the hooks, which do not report everything.

use std::collections::BTreeSet;

use super::queue::Queue;
use super::turn::Turn;
use crate::orchestrator::retry::{COMMAND_TIMEOUT_MS, CONFIRM_TIMEOUT_MS, REACTION_MS};
use crate::orchestrator::{MessageId, MessageRow, ProcessStatus};

/// The input of one launch's terminal. Not stored: a restarted daemon determines it again.
#[derive(Debug, Default)]
pub(super) struct TerminalInput {
    /// A dialog of Claude that waits for an answer.
    dialog: Option<String>,
    /// No key was pressed since this Claude started; false if that is unknown.
    untouched: bool,
    /// No key was pressed since this Claude started or a prompt was submitted; false if that is unknown.
    silent: bool,
    /// The input holds text that was not sent.
    drafting: bool,
    /// The number of characters in the input, derived from the keys, and how many of them answered a dialog.
    typed: usize,
    answered: usize,
    /// The input was sent or cleared. Claude reacts by this time.
    reacts_by: Option<u64>,
    /// Claude's record said "busy" last.
    busy: bool,
    /// Messages that were submitted while a turn ran. Their own turn follows.
    ahead: BTreeSet<MessageId>,
    /// A person submitted something while a turn ran.
    person_ahead: bool,
    /// A prompt was submitted, and its turn has not ended.
    in_turn: bool,
    /// Claude reported the end of the turn.
    stopped: bool,
    /// Claude's record has said "waiting" since the last permission request. Only then does "busy" mean that the
    /// request was answered, because hooks and record arrive in any order.
    waited: bool,
    /// When the turn began, in milliseconds since the epoch.
    began: u64,
    confirm: Option<Confirmation>,
    /// A person quit Claude in its terminal.
    quit: bool,
}

/// Claude should confirm what was pasted by this time.
#[derive(Debug)]
struct Confirmation {
    by: u64,
    tried_again: bool,
}

/// The state of the session on which its terminal input depends.
#[derive(Clone, Copy)]
pub(super) struct Surroundings<'a> {
    /// Claude waits for the answer to a permission request.
    pub(super) asking: bool,
    /// No turn runs.
    pub(super) idle: bool,
    /// The pasted message that is not confirmed.
    pub(super) unconfirmed: Option<&'a MessageRow>,
}

impl<'a> Surroundings<'a> {
    pub(super) fn of(asking: bool, turn: &Turn, queue: &'a Queue) -> Surroundings<'a> {
        Surroundings { asking, idle: turn.is_idle(), unconfirmed: queue.unconfirmed() }
    }
}

/// The origin of a submitted prompt.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Submitted {
    /// This message, and `joined` with something that a person had typed.
    Confirmed { message: MessageId, joined: bool },
    /// A person typed it.
    ByPerson,
    /// Nobody typed it.
    Unnoticed,
}

/// What the terminal input means for the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TerminalOutcome {
    /// Claude accepted one of its own commands. `over`: the command has ended, too.
    CommandTaken { message: MessageId, over: bool },
    /// Claude has not accepted the message: press Enter once more.
    PressEnter,
    /// Claude has not accepted the message.
    Unconfirmed(MessageId),
    /// A turn or a command runs. `answered`: a person answered every permission request in the terminal.
    Busy { answered: bool },
    /// No turn runs. `announced`: Claude reported the end of the turn.
    Idle { announced: bool },
}

impl TerminalInput {
    pub(super) fn of_new_claude() -> TerminalInput {
        TerminalInput { untouched: true, silent: true, ..TerminalInput::default() }
    }

    /// Whether a person can have pressed a key since this Claude started.
    pub(super) fn was_touched(&self) -> bool {
        !self.untouched
    }

    /// The description of the dialog that waits for an answer, for people.
    pub(super) fn dialog(&self) -> Option<&str> {
        self.dialog.as_deref()
    }

    /// A dialog waits for an answer.
    pub(super) fn open_dialog(&mut self, what: String) {
        self.dialog = Some(what);
    }

    /// No dialog waits for an answer.
    pub(super) fn close_dialog(&mut self) {
        self.dialog = None;
    }

    /// Whether the input holds text that was not sent.
    pub(super) fn is_drafting(&self) -> bool {
        self.drafting
    }

    /// Whether this message's own turn is still ahead.
    pub(super) fn is_ahead(&self, message: MessageId) -> bool {
        self.ahead.contains(&message)
    }

    /// How long the turn has taken, in milliseconds.
    pub(super) fn turn_ms(&self, now: u64) -> u64 {
        now.saturating_sub(self.began)
    }

    /// A person quit Claude in its terminal.
    pub(super) fn quit(&mut self) {
        self.quit = true;
    }

    /// Takes whether a person quit Claude in its terminal.
    pub(super) fn take_quit(&mut self) -> bool {
        std::mem::take(&mut self.quit)
    }

    /// The monotonic time at which something is due.
    pub(super) fn deadline(&self) -> Option<u64> {
        [self.confirm.as_ref().map(|confirm| confirm.by), self.reacts_by].into_iter().flatten().min()
    }

    /// Whether a paste and Enter are forbidden: either would answer a dialog, or send an unfinished draft.
    pub(super) fn is_taken(&self, asking: bool) -> bool {
        self.asks(asking) || self.drafting || self.reacts_by.is_some()
    }

    fn asks(&self, asking: bool) -> bool {
        self.dialog.is_some() || asking
    }

    /// A person typed; the input holds this many characters now. Text typed during a permission request is its answer.
    pub(super) fn typed(&mut self, now: u64, characters: usize, asking: bool) {
        self.untouched = false;
        self.silent = false;
        let more = characters.saturating_sub(self.typed);
        self.typed = characters;
        if self.asks(asking) {
            self.answered += more;
        }
        self.answered = self.answered.min(characters);
        let drafting = characters > self.answered;
        let was = std::mem::replace(&mut self.drafting, drafting);
        if was && !drafting {
            self.reacts_by = Some(now + REACTION_MS);
        }
    }

    /// Claude makes a permission request: earlier reports of its record do not concern it.
    pub(super) fn asked(&mut self) {
        self.waited = false;
    }

    /// This message was pasted: waits for its confirmation. One of Claude's own commands is confirmed only by its
    /// effect.
    pub(super) fn await_confirmation(&mut self, now: u64, message: &MessageRow) {
        let patience = if is_command(&message.text) { COMMAND_TIMEOUT_MS } else { CONFIRM_TIMEOUT_MS };
        self.confirm = Some(Confirmation { by: now + patience, tried_again: false });
    }

    /// A prompt was submitted: one of these pasted and unconfirmed messages, or a person's text.
    pub(super) fn submitted<'a>(
        &mut self,
        wall: u64,
        text: &str,
        mut pasted: impl Iterator<Item = &'a MessageRow>,
    ) -> Submitted {
        // Claude's record can already have said "busy" because of this prompt.
        let turn_ran = std::mem::replace(&mut self.in_turn, true);
        let silent = self.silent;
        // The keys of a prompt that is typed during a turn can be older than the report of the prompt before it.
        self.silent |= !turn_ran;
        if !turn_ran {
            self.began = wall;
        }
        self.dialog = None;
        self.drafting = false;
        (self.typed, self.answered) = (0, 0);
        self.reacts_by = None;
        self.stopped = false;
        let Some(message) = pasted.find(|message| holds(text, &message.text)) else {
            self.person_ahead |= turn_ran;
            return if silent { Submitted::Unnoticed } else { Submitted::ByPerson };
        };
        self.confirm = None;
        if turn_ran {
            self.ahead.insert(message.id);
        }
        Submitted::Confirmed { message: message.id, joined: !same(text, &message.text) }
    }

    /// Claude reported the end of the turn. Returns whether another one follows. A prompt that was submitted meanwhile
    /// has its own turn, or was part of this one: then Claude's record of its process says "idle".
    pub(super) fn turn_ended(&mut self) -> bool {
        let more = self.person_ahead || !self.ahead.is_empty();
        self.ahead.clear();
        self.person_ahead = false;
        self.stopped = true;
        self.in_turn = more;
        more
    }

    /// Notes the status in Claude's record, even before Claude is ready.
    pub(super) fn note_status(&mut self, status: &ProcessStatus) {
        self.busy = *status == ProcessStatus::Busy;
    }

    /// Applies the status in the record of a Claude that is ready.
    pub(super) fn status_read(
        &mut self,
        status: ProcessStatus,
        around: Surroundings<'_>,
    ) -> Option<TerminalOutcome> {
        match status {
            // A hook's question is shown as a permission request.
            ProcessStatus::Waiting(_) if around.asking => {
                self.waited = true;
                None
            }
            ProcessStatus::Waiting(what) => {
                self.dialog = Some(what);
                None
            }
            ProcessStatus::Idle => {
                self.dialog = None;
                self.in_turn = false;
                self.ahead.clear();
                self.person_ahead = false;
                Some(TerminalOutcome::Idle { announced: self.stopped })
            }
            ProcessStatus::Busy => {
                self.dialog = None;
                // No prompt was submitted: one of Claude's own commands, or the rest of a turn. No hook reports its
                // end.
                self.stopped |= around.idle;
                Some(TerminalOutcome::Busy { answered: std::mem::take(&mut self.waited) })
            }
        }
    }

    /// Time has passed. If Claude did not confirm a paste in time, AreYouJ presses Enter once more; then a person
    /// decides.
    pub(super) fn tick(&mut self, now: u64, around: Surroundings<'_>) -> Option<TerminalOutcome> {
        self.reacts_by.take_if(|by| *by <= now);
        let confirm = self.confirm.take_if(|confirm| confirm.by <= now)?;
        let message = around.unconfirmed?;
        if is_command(&message.text) {
            self.stopped = true;
            let over = around.idle && self.dialog.is_none();
            return Some(TerminalOutcome::CommandTaken { message: message.id, over });
        }
        let by = now + CONFIRM_TIMEOUT_MS;
        if self.busy || around.asking {
            // The message waits inside Claude until the turn ends; Enter could answer a dialog.
            self.confirm = Some(Confirmation { by, ..confirm });
            return None;
        }
        if confirm.tried_again || self.is_taken(around.asking) {
            return Some(TerminalOutcome::Unconfirmed(message.id));
        }
        self.confirm = Some(Confirmation { by, tried_again: true });
        Some(TerminalOutcome::PressEnter)
    }
}

/// Whether Claude interprets this text as one of its own commands. A path is not a command.
fn is_command(text: &str) -> bool {
    let word = text.split_whitespace().next().unwrap_or_default();
    word.strip_prefix('/').is_some_and(|name| !name.is_empty() && !name.contains(['/', '.']))
}

/// Whether the submitted text is this message, or contains it.
fn holds(submitted: &str, message: &str) -> bool {
    let message = bare(message);
    !message.is_empty() && bare(submitted).contains(&message)
}

/// Whether the submitted text is this message: Claude trims it, replaces tabs, drops control characters, and marks a
/// long one as pasted.
fn same(submitted: &str, message: &str) -> bool {
    let pasted = submitted.trim().strip_prefix("<pasted_content").and_then(|rest| {
        let (_, rest) = rest.split_once('>')?;
        Some(rest.rsplit_once("</pasted_content")?.0)
    });
    bare(pasted.unwrap_or(submitted)) == bare(message)
}

/// The text without the characters that a terminal changes: white space and control characters.
fn bare(text: &str) -> String {
    text.chars().filter(|character| !character.is_whitespace() && !character.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::{holds, is_command, same};

    #[test]
    fn a_path_is_no_command() {
        for (text, command) in [
            ("/help", true),
            ("/model opus", true),
            ("/home/me/x.rs is broken", false),
            ("/", false),
            ("say /help", false),
        ] {
            assert_eq!(is_command(text), command, "{text:?}");
        }
    }

    #[test]
    fn what_a_terminal_changes_in_a_message_does_not_count() {
        for (submitted, message) in [
            ("hello there\nsecond line", "hello there\nsecond line"),
            ("  lead and trail", "  lead and trail  "),
            ("tab    here", "tab\there"),
            ("x[31mred", "x\u{1b}[31mred"),
            ("\n\n<pasted_content id=\"136f\">\nmany\nlines\n</pasted_content id=\"136f\">\n", "many\nlines"),
            (" !echo", "!echo"),
        ] {
            assert!(same(submitted, message), "{submitted:?}");
        }
        assert!(!same("my draftqueued text", "queued text"));
        assert!(holds("my draftqueued text", "queued text"));
        assert!(!holds("something else", "queued text"));
        assert!(!holds("anything", " \n"));
    }
}
