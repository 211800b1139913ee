//! What is particular to a session whose Claude sits at a terminal: messages are pasted and have to be confirmed, people
//! type besides, and Claude's own record of its process corroborates what its hooks tell.

use std::collections::BTreeSet;

use super::retry::{COMMAND_TIMEOUT_MS, CONFIRM_TIMEOUT_MS, REACTION_MS};
use super::session::{Phase, Session, Step};
use super::{
    Activity, Driver, EntryBody, Input, MessageId, MessageRow, MessageState, NoticeLevel, Pause,
    PermissionState, Seen, ToolInput,
};

/// Who is said to have answered what was answered in the terminal.
const BY_TERMINAL: &str = "the terminal";

/// What is known of a terminal. Not stored: a restarted daemon finds it out again.
#[derive(Debug, Default)]
pub(super) struct AtTerminal {
    /// A screen of Claude's own that wants an answer.
    pub(super) dialog: Option<String>,
    /// Nobody has pressed a key since this Claude was started; false if that is not known.
    untouched: bool,
    /// Something that was not sent stands in the terminal's input.
    pub(super) drafting: bool,
    /// Characters in the terminal's input, as keys tell, and how many of them answered something that was asked.
    typed: usize,
    answered: usize,
    /// The input was sent or cleared: what Claude does about that shows by then.
    reacts_by: Option<u64>,
    /// Claude's record said last that it is busy.
    busy: bool,
    /// Messages that were submitted while a turn ran: their own turn follows.
    ahead: BTreeSet<MessageId>,
    /// A person submitted something while a turn ran.
    person_ahead: bool,
    /// A prompt was submitted, and its turn has not come to its end.
    in_turn: bool,
    /// Claude said that the turn came to its end.
    stopped: bool,
    /// Claude's record said that it waits since it asked last. Only then does it tell, by being busy, that it was answered:
    /// hooks and record come in no certain order.
    waited: bool,
    /// When the turn began, in milliseconds since the epoch.
    began: u64,
    confirm: Option<Confirm>,
    /// A person ended Claude from inside.
    pub(super) quit: bool,
}

/// What was pasted should show by then.
#[derive(Debug)]
struct Confirm {
    by: u64,
    tried_again: bool,
}

impl AtTerminal {
    pub(super) fn of_new_claude() -> AtTerminal {
        AtTerminal { untouched: true, ..AtTerminal::default() }
    }

    /// Whether this message's own turn is still to come.
    pub(super) fn is_ahead(&self, message: MessageId) -> bool {
        self.ahead.contains(&message)
    }

    /// How long the turn has taken, in milliseconds.
    pub(super) fn turn_ms(&self, now: u64) -> u64 {
        now.saturating_sub(self.began)
    }

    /// When something is due.
    pub(super) fn deadline(&self) -> Option<u64> {
        [self.confirm.as_ref().map(|confirm| confirm.by), self.reacts_by].into_iter().flatten().min()
    }
}

impl Session {
    pub(super) fn is_terminal(&self) -> bool {
        self.row.driver == Driver::Terminal
    }

    /// Whether a person may have changed the permission mode with a key before Claude reported it for the first time.
    pub(super) fn person_may_have_set_mode(&self) -> bool {
        self.is_terminal() && !self.terminal.untouched
    }

    /// Whether something in the terminal stands in the way of a paste, and of an Enter: it would be an answer, or send what
    /// somebody has not finished.
    pub(super) fn terminal_is_taken(&self) -> bool {
        let AtTerminal { drafting, reacts_by, .. } = self.terminal;
        self.is_terminal() && (self.asks_at_terminal() || drafting || reacts_by.is_some())
    }

    /// Whether Claude's screen wants an answer.
    fn asks_at_terminal(&self) -> bool {
        self.terminal.dialog.is_some() || self.open_prompts().next().is_some()
    }

    /// Somebody typed, and so many characters stand in the input now. What is typed while something is asked is the answer to
    /// that.
    pub(super) fn typed(&mut self, step: &Step, characters: usize) {
        self.terminal.untouched = false;
        let more = characters.saturating_sub(self.terminal.typed);
        self.terminal.typed = characters;
        if self.asks_at_terminal() {
            self.terminal.answered += more;
        }
        self.terminal.answered = self.terminal.answered.min(characters);
        let drafting = characters > self.terminal.answered;
        let was = std::mem::replace(&mut self.terminal.drafting, drafting);
        if was && !drafting {
            self.terminal.reacts_by = Some(step.now.monotonic + REACTION_MS);
        }
    }

    /// Nothing stands in the input: Claude has taken it.
    fn input_was_taken(&mut self) {
        self.terminal.drafting = false;
        (self.terminal.typed, self.terminal.answered) = (0, 0);
        self.terminal.reacts_by = None;
    }

    /// A message was pasted. A command of Claude's own is confirmed by nothing but what it does.
    pub(super) fn pasted(&mut self, step: &mut Step) {
        let unconfirmed = self.running().find(|message| !message.handed).map(|message| message.id);
        let Some(id) = unconfirmed else { return };
        self.message_written(step, id);
        self.await_confirmation(step);
    }

    /// A message that was pasted and not confirmed yet: nothing runs because of it.
    fn unconfirmed(&self) -> Option<&MessageRow> {
        self.running().find(|message| message.handed && !message.started)
    }

    /// Waits for the confirmation of a message that was pasted, if there is one.
    pub(super) fn await_confirmation(&mut self, step: &Step) {
        let Some(message) = self.unconfirmed() else { return };
        let patience = if is_command(&message.text) { COMMAND_TIMEOUT_MS } else { CONFIRM_TIMEOUT_MS };
        self.terminal.confirm = Some(Confirm { by: step.now.monotonic + patience, tried_again: false });
    }

    /// A prompt was submitted: ours, or that of a person who types.
    pub(super) fn prompted(&mut self, step: &mut Step, text: String) {
        // Claude's record may have said already that it is busy with this one.
        let turn_ran = std::mem::replace(&mut self.terminal.in_turn, true);
        if !turn_ran {
            self.terminal.began = step.now.wall;
        }
        self.activity = Activity::Running;
        self.note = None;
        self.terminal.dialog = None;
        self.input_was_taken();
        self.terminal.stopped = false;
        let ours =
            self.running().find(|message| message.handed && !message.started && holds(&text, &message.text));
        let Some(id) = ours.map(|message| message.id) else {
            self.terminal.person_ahead |= turn_ran;
            self.row.current_task = Some(super::queue::first_line(&text));
            self.add_entry(step, EntryBody::User { message_id: None, text });
            return;
        };
        self.terminal.confirm = None;
        if turn_ran {
            self.terminal.ahead.insert(id);
        }
        if !same(&text, self.text_of(id)) {
            let joined = "The message was joined with what somebody had typed in the terminal.";
            self.notice(step, NoticeLevel::Warning, joined);
        }
        self.message_stage(step, id, super::Stage::Started);
        self.add_entry(step, EntryBody::User { message_id: Some(id), text });
    }

    fn text_of(&self, id: MessageId) -> &str {
        self.messages.iter().find(|message| message.id == id).map_or("", |message| &message.text)
    }

    /// Claude said that the turn came to its end. What was submitted meanwhile has a turn of its own, or had its place in
    /// this one: Claude is idle when its record of the process says so.
    pub(super) fn stopped(&mut self, step: &mut Step) {
        let more = self.terminal.person_ahead || !self.terminal.ahead.is_empty();
        self.terminal.ahead.clear();
        self.terminal.person_ahead = false;
        self.terminal.stopped = true;
        self.terminal.in_turn = more;
        if !more {
            self.activity_changed(step, Activity::Idle);
        }
    }

    /// Claude asks: what its record said before has nothing to do with that.
    pub(super) fn asked_at_terminal(&mut self) {
        self.terminal.waited = false;
    }

    /// A tool ran: a prompt about it was answered in the terminal.
    pub(super) fn tool_ran(&mut self, step: &mut Step, tool: &str, input: &ToolInput) {
        let about = |prompt: &&super::PermissionRow| prompt.ask.tool == tool && prompt.ask.input == *input;
        let number = self.open_prompts().find(about).map(|prompt| prompt.id.number);
        if let Some(number) = number {
            self.answered_in_terminal(step, number);
        }
    }

    fn answered_in_terminal(&mut self, step: &mut Step, number: u32) {
        let Some(prompt) = self.prompts.get_mut(&number) else { return };
        prompt.state = PermissionState::Answered;
        prompt.answered_by = Some(BY_TERMINAL.to_owned());
        prompt.delivered = true;
        let request_id = prompt.ask.request_id.clone();
        self.keep_prompt(step, number);
        let (outcome, by) = ("answered".to_owned(), Some(BY_TERMINAL.to_owned()));
        self.add_entry(step, EntryBody::PermissionEnd { permission: number, outcome, by, message: None });
        self.send(step, Input::LetGo { request_id });
    }

    /// Claude's record of its process says how it stands.
    pub(super) fn seen(&mut self, step: &mut Step, seen: Seen) {
        if !self.is_terminal() {
            return;
        }
        self.terminal.busy = seen == Seen::Busy;
        let starting = matches!(self.phase, Phase::Launching | Phase::Initializing { .. })
            || (self.phase == Phase::Adopting && !self.row.ready);
        match seen {
            Seen::Waiting(what) if starting => self.terminal.dialog = Some(what),
            Seen::Idle | Seen::Busy if starting => {
                self.terminal.dialog = None;
                self.claude_ready(step, Vec::new());
            }
            _ if self.phase != Phase::Ready => {}
            Seen::Idle => self.seen_idle(step),
            Seen::Busy => self.seen_busy(step),
            // What a hook asks is shown as a prompt.
            Seen::Waiting(_) if self.open_prompts().next().is_some() => self.terminal.waited = true,
            Seen::Waiting(what) => self.terminal.dialog = Some(what),
        }
    }

    fn seen_idle(&mut self, step: &mut Step) {
        self.terminal.dialog = None;
        self.terminal.in_turn = false;
        self.terminal.ahead.clear();
        self.terminal.person_ahead = false;
        self.withdraw_open(step);
        if self.terminal.stopped {
            self.finish_started(step, MessageState::Done);
        } else if self.activity == Activity::Running && self.unconfirmed().is_none() {
            // Nothing tells of an Esc but that Claude is idle and never said so.
            self.hold_queue_for_interrupt();
        }
        if self.activity != Activity::Idle || self.interrupting.is_some() {
            self.activity_changed(step, Activity::Idle);
        }
    }

    fn seen_busy(&mut self, step: &mut Step) {
        self.terminal.dialog = None;
        if std::mem::take(&mut self.terminal.waited) {
            let open: Vec<u32> = self.open_prompts().map(|prompt| prompt.id.number).collect();
            for number in open {
                self.answered_in_terminal(step, number);
            }
        }
        if self.activity == Activity::Idle {
            self.activity = Activity::Running;
            // No prompt was submitted: a command of Claude's own, or the last of a turn. It ends without a word.
            self.terminal.stopped = true;
        }
    }

    /// What was pasted did not show in time: Enter is pressed once more, then a person decides.
    pub(super) fn tick_terminal(&mut self, step: &mut Step) {
        self.terminal.reacts_by.take_if(|by| *by <= step.now.monotonic);
        let Some(confirm) = self.terminal.confirm.take_if(|confirm| confirm.by <= step.now.monotonic) else {
            return;
        };
        let Some(message) = self.unconfirmed() else { return };
        let (id, command) = (message.id, is_command(&message.text));
        if command {
            self.message_stage(step, id, super::Stage::Started);
            self.terminal.stopped = true;
            if self.activity == Activity::Idle && self.terminal.dialog.is_none() {
                self.finish_started(step, MessageState::Done);
            }
        } else if self.terminal.busy || self.open_prompts().next().is_some() {
            // It waits inside Claude until what runs is over; an Enter could be an answer.
            let by = step.now.monotonic + CONFIRM_TIMEOUT_MS;
            self.terminal.confirm = Some(Confirm { by, ..confirm });
        } else if confirm.tried_again || self.terminal_is_taken() {
            self.ask_about(id, Pause::Interrupted);
            self.finish_unconfirmed(step, id);
        } else {
            self.notice(
                step,
                NoticeLevel::Warning,
                "Claude did not take the message from its terminal; Enter is pressed once more.",
            );
            self.send(step, Input::Enter);
            let by = step.now.monotonic + CONFIRM_TIMEOUT_MS;
            self.terminal.confirm = Some(Confirm { by, tried_again: true });
        }
    }
}

/// Whether Claude takes this for a command of its own rather than a prompt: one that begins with a path is none.
fn is_command(text: &str) -> bool {
    let word = text.split_whitespace().next().unwrap_or_default();
    word.strip_prefix('/').is_some_and(|name| !name.is_empty() && !name.contains(['/', '.']))
}

/// Whether what was submitted is this message, or holds it.
fn holds(submitted: &str, message: &str) -> bool {
    let message = bare(message);
    !message.is_empty() && bare(submitted).contains(&message)
}

/// Whether what was submitted is this message: Claude trims it, replaces tabs and leaves out control characters, and marks
/// a long one as pasted.
fn same(submitted: &str, message: &str) -> bool {
    let pasted = submitted.trim().strip_prefix("<pasted_content").and_then(|rest| {
        let (_, rest) = rest.split_once('>')?;
        Some(rest.rsplit_once("</pasted_content")?.0)
    });
    bare(pasted.unwrap_or(submitted)) == bare(message)
}

/// The text without what the way through a terminal changes: white space and control characters.
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
