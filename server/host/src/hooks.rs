//! Claude's hooks: what they tell is recorded, and those that wait for an answer are kept until there is one.

use super::connection::Connection;
use super::recorder::Recorder;
use super::wire::{FromHost, MAX_FRAME};
use areyouj_journal::Kind;

/// The most hooks that wait at a time. Claude asks one thing after the other; each subagent may ask something of its own.
const MAX_WAITING: usize = 64;

/// The most bytes of what a hook tells: what a tool is called with may hold a file. The rest of a frame's bound is the
/// journal's own.
const MAX_TOLD: usize = MAX_FRAME / 2;

/// The hooks that wait.
#[derive(Default)]
pub(super) struct Hooks {
    waiting: Vec<Waiting>,
}

struct Waiting {
    /// The offset of its record.
    hook: u64,
    connection: Connection,
    /// It has its answer, and has yet to take all of it.
    answered: bool,
}

impl Hooks {
    /// Records what a hook tells, and lets it go unless it waits. One whose record is not sure to be written is let go at
    /// once: Claude then asks by itself.
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

    /// The connections of the hooks that wait.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &Connection> {
        self.waiting.iter().map(|waiting| &waiting.connection)
    }

    /// Takes note of hooks that are gone: Claude ended them, because somebody answered in the terminal.
    pub(super) fn hear(&mut self, recorder: &mut Recorder) {
        self.waiting.retain_mut(|waiting| {
            waiting.connection.receive();
            // A hook has nothing more to say.
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

    /// Lets a hook go with what it is to print. One that is gone needs nothing: that was recorded.
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
