//! Claude's hooks: the host records their reports, and keeps the hooks that wait for an answer.

use super::connection::Connection;
use super::recorder::Recorder;
use super::wire::{FromHost, MAX_FRAME};
use areyouj_journal::Kind;

/// Maximum number of waiting hooks. Claude asks one question at a time; each subagent can ask one of its own.
const MAX_WAITING: usize = 64;

/// Maximum size of a hook's report in bytes: the input of a tool can hold a file. The rest of a frame's limit is for
/// the journal's own fields.
pub(super) const MAX_TOLD: usize = MAX_FRAME / 2;

/// The waiting hooks.
#[derive(Default)]
pub(super) struct Hooks {
    waiting: Vec<Waiting>,
}

struct Waiting {
    /// The offset of its record.
    hook: u64,
    connection: Connection,
    /// The answer was sent, and the hook has not read all of it.
    answered: bool,
}

impl Hooks {
    /// Records a hook's report, and releases the hook unless it waits. A hook whose record cannot be written now is
    /// released at once: Claude then asks by itself.
    pub(super) fn take(
        &mut self,
        mut connection: Connection,
        waits: bool,
        bytes: &[u8],
        recorder: &mut Recorder,
    ) {
        let hook = recorder.end();
        if bytes.len() <= MAX_TOLD {
            let waits = waits && !recorder.is_stuck() && self.waiting.len() < MAX_WAITING;
            recorder.record(Kind::Hook, &[&[u8::from(waits)], bytes].concat());
            if waits && !recorder.is_stuck() {
                self.waiting.push(Waiting { hook, connection, answered: false });
                return;
            }
        }
        connection.send(&FromHost::HookDone(Vec::new()));
    }

    /// The connections of the waiting hooks.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &Connection> {
        self.waiting.iter().map(|waiting| &waiting.connection)
    }

    /// Records hooks that have exited: Claude ended them, because a person answered in the terminal.
    pub(super) fn read(&mut self, recorder: &mut Recorder) {
        self.waiting.retain_mut(|waiting| {
            waiting.connection.receive();
            // A hook sends nothing more.
            while waiting.connection.next_frame().is_some() {}
            waiting.connection.flush();
            let gone = waiting.connection.is_over();
            if waiting.answered {
                return !gone && waiting.connection.has_unsent();
            }
            if gone {
                recorder.record(Kind::HookGone, &waiting.hook.to_le_bytes());
            }
            !gone
        });
    }

    /// Releases a hook with the text to print. A hook that has exited needs nothing: that was recorded.
    pub(super) fn answer(&mut self, hook: u64, bytes: &[u8], recorder: &mut Recorder) -> Result<(), String> {
        let open = |waiting: &&mut Waiting| waiting.hook == hook && !waiting.answered;
        let Some(waiting) = self.waiting.iter_mut().find(open) else { return Ok(()) };
        recorder
            .record_first(Kind::HookAnswered, &[&hook.to_le_bytes()[..], bytes].concat())
            .map_err(|error| format!("not recorded: {error}"))?;
        recorder.sync();
        let mut frame = Vec::new();
        FromHost::HookDone(bytes.to_vec()).encode(&mut frame);
        waiting.connection.send_encoded(&frame);
        waiting.answered = true;
        self.waiting.retain(|waiting| !waiting.answered || waiting.connection.has_unsent());
        Ok(())
    }
}
