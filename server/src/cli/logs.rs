//! `areyouj logs`: prints the transcript, and with `--follow` new entries as they arrive.
//!
//! `--json` prints entries as the daemon sent them, so that kinds which this version does not know reach scripts. The
//! text output omits such entries.

use areyouj_protocol::{
    AttachParams, Delta, EntryBody, Method, Notification as _, Request, Session, SessionListUpdate,
    SessionParams, SessionTerminated, Status, TranscriptEntry, TranscriptReadParams, notification, request,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::screen::Screen;
use super::transcript::Transcript;
use super::{CommandError, Context};
use crate::client::{Client, Failure, Notification, Pushed};

/// Entries read at a time. They are in memory before they are printed, oldest first.
const PAGE_ENTRIES: u64 = 200;

/// `areyouj/session/attach` with entries as raw JSON.
struct Attach;

impl Request for Attach {
    const METHOD: Method = Method::SessionAttach;
    type Params = AttachParams;
    type Result = Attached;
}

#[derive(Serialize, Deserialize)]
struct Attached {
    session: Session,
    entries: Vec<Value>,
    seq: u64,
    #[serde(default)]
    deltas: Vec<Delta>,
}

/// `areyouj/transcript/read` with entries as raw JSON.
struct ReadPage;

impl Request for ReadPage {
    const METHOD: Method = Method::TranscriptRead;
    type Params = TranscriptReadParams;
    type Result = Page;
}

#[derive(Serialize, Deserialize)]
struct Page {
    entries: Vec<Value>,
}

/// `areyouj/claudeOutput` with the entry as raw JSON.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    session_id: String,
    seq: u64,
    entry: Option<Value>,
    delta: Option<Delta>,
}

/// Prints the transcript, and with `follow` new entries until the session terminates.
pub(super) fn run(context: &Context, id: String, follow: bool) -> Result<(), CommandError> {
    let client = context.connect()?;
    let mut reader = Reader { client, id, last: 0, follows: follow, printer: Printer::new(&context.screen) };
    let session = reader.catch_up()?;
    reader.mark_read()?;
    if follow && session.status != Status::Terminated {
        reader.follow()?;
    }
    reader.printer.end()
}

struct Reader<'a> {
    client: Client,
    /// The session id: as typed at first, complete after the first answer.
    id: String,
    /// The `seq` of the newest printed entry.
    last: u64,
    /// Whether new entries are printed too.
    follows: bool,
    printer: Printer<'a>,
}

impl Reader<'_> {
    /// Prints all entries after the last printed one, and subscribes to new ones.
    fn catch_up(&mut self) -> Result<Session, CommandError> {
        let params = AttachParams { session_id: Some(self.id.clone()), since: Some(self.last) };
        let attached = self.client.call::<Attach>(&params)?;
        self.id.clone_from(&attached.session.id);
        // The answer has only the newest entries.
        let first = attached.entries.first().map_or(attached.seq + 1, seq_of);
        while self.last + 1 < first {
            let end = first.min(self.last + 1 + PAGE_ENTRIES);
            let window = self.window(self.last + 1, end)?;
            self.print(window)?;
            // Entries that the daemon does not have are not requested again.
            self.last = self.last.max(end - 1);
        }
        self.print(attached.entries)?;
        self.last = self.last.max(attached.seq);
        if self.follows {
            self.printer.deltas(&attached.deltas)?;
        }
        Ok(attached.session)
    }

    /// The entries from `seq` `from` up to, but without, `before`. A page can be short, so this can take several requests.
    fn window(&mut self, from: u64, before: u64) -> Result<Vec<Value>, Failure> {
        let mut entries: Vec<Value> = Vec::new();
        loop {
            let before = entries.first().map_or(before, seq_of);
            let limit = u32::try_from(before.saturating_sub(from)).unwrap_or(u32::MAX);
            if limit == 0 {
                return Ok(entries);
            }
            let params = TranscriptReadParams {
                session_id: Some(self.id.clone()),
                before: Some(before),
                limit: Some(limit),
            };
            let mut page = self.client.call::<ReadPage>(&params)?.entries;
            page.retain(|entry| (from..before).contains(&seq_of(entry)));
            if page.is_empty() {
                return Ok(entries);
            }
            page.append(&mut entries);
            entries = page;
        }
    }

    fn print(&mut self, entries: Vec<Value>) -> Result<(), CommandError> {
        for entry in entries {
            let seq = seq_of(&entry);
            if seq > self.last {
                self.last = seq;
                self.printer.entry(entry)?;
            }
        }
        Ok(())
    }

    fn mark_read(&mut self) -> Result<(), Failure> {
        self.client
            .call::<request::SessionRead>(&SessionParams { session_id: Some(self.id.clone()) })
            .map(drop)
    }

    /// Prints new entries until the session terminates.
    fn follow(&mut self) -> Result<(), CommandError> {
        loop {
            match self.client.next_notification(None)? {
                Pushed::Notification(pushed) => {
                    if self.apply(&pushed)? {
                        return Ok(());
                    }
                }
                Pushed::Resync => {
                    if self.catch_up()?.status == Status::Terminated {
                        return Ok(());
                    }
                }
                Pushed::Nothing => {}
            }
        }
    }

    /// Prints the entries of a notification. Returns true when the session has ended.
    fn apply(&mut self, pushed: &Notification) -> Result<bool, CommandError> {
        match pushed.method.as_str() {
            notification::ClaudeOutput::METHOD => {
                let output = serde_json::from_value::<Output>(pushed.params.clone());
                if let Some(output) = output.ok().filter(|output| output.session_id == self.id) {
                    self.output(output)?;
                }
                Ok(false)
            }
            notification::SessionTerminated::METHOD => {
                let terminated = serde_json::from_value::<SessionTerminated>(pushed.params.clone());
                let ended = terminated.is_ok_and(|terminated| terminated.session_id == self.id);
                if ended {
                    self.catch_up()?;
                    self.mark_read()?;
                }
                Ok(ended)
            }
            notification::SessionListUpdate::METHOD => {
                let update = serde_json::from_value::<SessionListUpdate>(pushed.params.clone());
                // The session was deleted: there is nothing left to read.
                Ok(update.is_ok_and(|update| update.session_id == self.id && update.session.is_none()))
            }
            notification::Resync::METHOD => Ok(self.catch_up()?.status == Status::Terminated),
            _ => Ok(false),
        }
    }

    fn output(&mut self, output: Output) -> Result<(), CommandError> {
        match (output.entry, output.delta) {
            (Some(entry), _) if seq_of(&entry) == self.last + 1 => {
                let is_milestone = matches!(
                    entry["body"]["kind"].as_str(),
                    Some("turnEnd" | "permission" | "permissionEnd" | "notice")
                );
                self.print(vec![entry])?;
                if is_milestone {
                    self.mark_read()?;
                }
                Ok(())
            }
            (None, Some(delta)) if output.seq == self.last => self.printer.delta(&delta),
            _ if output.seq > self.last => self.catch_up().map(drop),
            // An entry that is printed already.
            _ => Ok(()),
        }
    }
}

fn seq_of(entry: &Value) -> u64 {
    entry["seq"].as_u64().unwrap_or(0)
}

/// Prints entries as JSON or as text.
struct Printer<'a> {
    screen: &'a Screen,
    transcript: Transcript,
}

impl<'a> Printer<'a> {
    fn new(screen: &'a Screen) -> Printer<'a> {
        Printer { screen, transcript: Transcript::new(screen.out) }
    }

    fn entry(&mut self, entry: Value) -> Result<(), CommandError> {
        if self.screen.json {
            return self.screen.value(&entry);
        }
        match serde_json::from_value::<TranscriptEntry>(entry) {
            Ok(TranscriptEntry { body, .. }) => self.body(&body),
            Err(_) => Ok(()),
        }
    }

    fn body(&mut self, body: &EntryBody) -> Result<(), CommandError> {
        self.screen.part(&self.transcript.entry(body))
    }

    fn delta(&mut self, delta: &Delta) -> Result<(), CommandError> {
        if self.screen.json || !self.screen.out_terminal {
            return Ok(());
        }
        self.screen.part(&self.transcript.delta(delta))
    }

    /// Prints the text that Claude has written since the last entry.
    fn deltas(&mut self, deltas: &[Delta]) -> Result<(), CommandError> {
        deltas.iter().try_for_each(|delta| match self.transcript.unprinted(delta) {
            Some(rest) => self.delta(&rest),
            None => self.delta(delta),
        })
    }

    fn end(&mut self) -> Result<(), CommandError> {
        if self.screen.json { Ok(()) } else { self.screen.part(&self.transcript.end()) }
    }
}
