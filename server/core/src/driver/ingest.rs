//! Facts out of a session's journal, and how far the journal has been ingested.

use super::digest;
use super::lines::{Line, Lines};
use super::stream::{decode, decode_input, garbage, is_harmless};
use super::terminal::{self, Keys};
use crate::orchestrator::{Driver, Exit, Fact, InputDigest, Position, Refusal, RefusedPlace, Written};
use crate::text::plain::short_line;

/// The longest line of output, in bytes; a longer one becomes [`Fact::Garbage`]. Claude's longest lines hold a file or
/// an image that a tool read, some megabytes. Without a limit one line could exhaust the daemon's memory.
pub const OUTPUT_LINE_BYTES: usize = 64 * 1024 * 1024;

/// The longest line of standard error that is kept whole, in bytes; a longer one is truncated.
pub const ERROR_LINE_BYTES: usize = 4 * 1024;

/// Most characters of the name of a process or a session in a notice.
const NAME_CHARS: usize = 40;

/// Bytes of an input that are read for its beginning, and most characters of it for people: enough to see what was
/// ordered.
const INPUT_BYTES: usize = 4 * 1024;
const INPUT_CHARS: usize = 1_000;

/// A record of the journal, as far as ingest needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalRecord<'a> {
    /// Where it begins.
    pub offset: u64,
    /// Where the next one begins.
    pub next: u64,
    /// What it is.
    pub kind: RecordKind,
    /// Its payload.
    pub payload: &'a [u8],
}

/// What a record of the journal is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordKind {
    /// A piece of Claude's standard output, cut anywhere.
    Output,
    /// A piece of Claude's standard error, cut anywhere.
    ErrorOutput,
    /// Bytes for Claude's standard input: whole lines.
    Input,
    /// Claude was started.
    Started {
        /// The launch.
        launch: u32,
        /// Claude's process id.
        pid: u32,
    },
    /// Claude and everything it started is gone.
    Exited {
        /// The launch.
        launch: u32,
        /// How it ended.
        exit: Exit,
    },
    /// Claude could not be started.
    SpawnFailed {
        /// The launch.
        launch: u32,
        /// The system's error message.
        message: String,
    },
    /// Keys that a person pressed in the terminal.
    Typed,
    /// A hook's report: whether the hook waits, and the bytes.
    Hook {
        /// It waits for an answer.
        waits: bool,
    },
    /// A hook that waited was released with an answer.
    HookAnswered {
        /// The offset of the hook's record.
        hook: u64,
    },
    /// A hook that waited exited without an answer.
    HookGone {
        /// The offset of the hook's record.
        hook: u64,
    },
    /// The host refused a process that had no right to what it tried.
    Refused(Refusal),
    /// Any other record.
    Other,
}

/// Ingests a journal, record by record.
///
/// It can be dropped after any record and created again from its position, with one exception: of an unfinished line of
/// standard error, the part before the position is lost.
#[derive(Debug)]
pub struct Ingest {
    driver: Driver,
    position: Position,
    output: Lines,
    errors: Lines,
    keys: Keys,
}

impl Ingest {
    /// Continues from this position, with a launch of this driver.
    pub fn new(driver: Driver, position: Position) -> Ingest {
        Ingest { driver, ..Ingest::with_limit(position, OUTPUT_LINE_BYTES) }
    }

    pub(crate) fn with_limit(position: Position, line_bytes: usize) -> Ingest {
        Ingest {
            driver: Driver::Stream,
            position,
            output: Lines::new(line_bytes),
            errors: Lines::new(ERROR_LINE_BYTES),
            keys: Keys::default(),
        }
    }

    /// Continues from another position: the records before it are lost.
    pub fn resume_at(&mut self, next: u64) {
        *self = Ingest::new(self.driver, Position { next, line_start: next, line_skip: 0 });
    }

    /// How far the journal has been ingested.
    pub fn position(&self) -> Position {
        self.position
    }

    /// The offset from which the journal must be read.
    pub fn start(&self) -> u64 {
        self.position.line_start
    }

    /// Ingests the next record and adds its facts to `facts`. Records must come in order, beginning at
    /// [`Ingest::start`].
    pub fn take(&mut self, record: &JournalRecord<'_>, facts: &mut Vec<Fact>) {
        if record.offset < self.position.next {
            self.read_again(record);
            return;
        }
        self.position.next = record.next;
        match &record.kind {
            // The screen is never parsed.
            RecordKind::Output if self.driver == Driver::Terminal => {}
            RecordKind::Output => self.take_output(record, facts),
            RecordKind::ErrorOutput => {
                self.errors.feed(record.payload, |line| {
                    let (Line::Whole(line) | Line::TooLong(line)) = line;
                    facts.extend(error_line(line));
                });
            }
            RecordKind::Input if self.driver == Driver::Terminal => {
                facts.push(recorded(digest::of_input, record, terminal::is_harmless(record.payload)));
                facts.push(Fact::Written(terminal::decode_input(record.payload)));
            }
            RecordKind::Typed => {
                self.keys.press(record.payload);
                facts.push(Fact::Typed(self.keys.characters()));
            }
            RecordKind::Hook { waits } => self.take_hook(record, *waits, facts),
            RecordKind::HookAnswered { hook } => {
                let request_id = terminal::request_id_of(*hook);
                let releases = record.payload.len() <= size_of::<u64>();
                facts.push(recorded(digest::of_answer, record, releases));
                facts.push(Fact::Written(Written::Answer { request_id }));
            }
            RecordKind::HookGone { hook } => {
                facts.push(Fact::PermissionWithdrawn { request_id: terminal::request_id_of(*hook) });
            }
            RecordKind::Input => {
                let lines =
                    record.payload.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
                let harmless = lines.clone().all(is_harmless);
                facts.push(recorded(digest::of_input, record, harmless));
                facts.extend(lines.map(|line| Fact::Written(decode_input(line))));
            }
            RecordKind::Started { launch, pid } => {
                self.end_lines(facts);
                self.keys = Keys::default();
                facts.push(Fact::Started { launch: *launch, pid: *pid });
            }
            RecordKind::Exited { launch, exit } => {
                self.end_lines(facts);
                facts.push(Fact::Exited { launch: *launch, exit: *exit });
            }
            RecordKind::SpawnFailed { launch, message } => {
                self.end_lines(facts);
                facts.push(Fact::SpawnFailed {
                    launch: *launch,
                    message: short_line(message, ERROR_LINE_BYTES),
                });
            }
            RecordKind::Refused(refusal) => facts.push(Fact::HostRefused(plain(refusal))),
            RecordKind::Other => {}
        }
        if self.output.at_line_start() {
            self.position.line_start = record.next;
            self.position.line_skip = 0;
        }
    }

    /// Restores the draft in the terminal's input from records before [`Ingest::start`], in order.
    pub fn recall(&mut self, record: &JournalRecord<'_>) {
        match &record.kind {
            RecordKind::Typed => self.keys.press(record.payload),
            RecordKind::Started { .. } => self.keys = Keys::default(),
            RecordKind::Hook { waits } => self.take_hook(record, *waits, &mut Vec::new()),
            _ => {}
        }
    }

    /// The number of characters in the terminal's input.
    pub fn typed(&self) -> usize {
        self.keys.characters()
    }

    /// Restores the unfinished line from records whose facts were reported before.
    fn read_again(&mut self, record: &JournalRecord<'_>) {
        if record.kind == RecordKind::Output && self.driver == Driver::Stream {
            let skip =
                if record.offset == self.position.line_start { self.position.line_skip as usize } else { 0 };
            self.output.feed(record.payload.get(skip..).unwrap_or_default(), |_| {});
        }
    }

    fn take_hook(&mut self, record: &JournalRecord<'_>, waits: bool, facts: &mut Vec<Fact>) {
        let facts_of_hook = terminal::decode_hook(record.offset, waits, record.payload);
        if facts_of_hook.iter().any(|fact| matches!(fact, Fact::PromptSubmitted(_))) {
            self.keys.clear();
        }
        facts.extend(facts_of_hook);
    }

    fn take_output(&mut self, record: &JournalRecord<'_>, facts: &mut Vec<Fact>) {
        let begins = self.output.at_line_start();
        let ended = self.output.feed(record.payload, |line| match line {
            Line::Whole(line) => facts.extend(decode(line)),
            Line::TooLong(beginning) => facts.push(garbage(beginning)),
        });
        if begins || ended.is_some() {
            self.position.line_start = record.offset;
            // A record's length has 32 bits in the journal.
            self.position.line_skip = ended.map_or(0, |ended| ended as u32);
        }
    }

    /// The process that wrote these lines has exited. A complete last line can lack its newline; for [`decode`] a
    /// truncated one is garbage.
    fn end_lines(&mut self, facts: &mut Vec<Fact>) {
        facts.extend(self.errors.finish().and_then(|line| error_line(&line)));
        facts.extend(self.output.finish().iter().flat_map(|line| decode(line)));
    }
}

/// A refusal for people: a process chooses its name, and a session's name can be that of any directory.
fn plain(refusal: &Refusal) -> Refusal {
    let mut refusal = refusal.clone();
    if let Refusal::Process { name, place, .. } = &mut refusal {
        *name = short_line(name, NAME_CHARS);
        if let RefusedPlace::OtherSession(session) = place {
            *session =
                session.take().map(|name| short_line(&name, NAME_CHARS)).filter(|name| !name.is_empty());
        }
    }
    refusal
}

fn recorded(digest: fn(&[u8]) -> InputDigest, record: &JournalRecord<'_>, harmless: bool) -> Fact {
    let beginning = &record.payload[..record.payload.len().min(INPUT_BYTES)];
    let beginning = short_line(&String::from_utf8_lossy(beginning), INPUT_CHARS);
    Fact::InputRecorded { digest: digest(record.payload), harmless, beginning }
}

fn error_line(line: &[u8]) -> Option<Fact> {
    let line = short_line(&String::from_utf8_lossy(line), ERROR_LINE_BYTES);
    (!line.is_empty()).then_some(Fact::ErrorLine(line))
}

#[cfg(test)]
mod tests;
