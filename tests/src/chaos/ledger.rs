//! Compares the responses to clients with the final state: no message is lost, duplicated, in the wrong session or out
//! of order.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use serde_json::Value;

use super::arena::Arena;
use crate::home::text_of;

/// The prompt that Claude receives when a person chooses to continue an interrupted message.
const CONTINUATION: &str = "Continue where you left off.";

/// An acknowledged message.
#[derive(Clone, Debug)]
struct Sent {
    session: String,
    id: String,
    text: String,
}

/// The responses to clients.
#[derive(Default)]
pub(super) struct Ledger {
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    sent: Vec<Sent>,
    /// Sessions and texts of messages without a response.
    unknown: Vec<(String, String)>,
    failures: Vec<String>,
}

/// What can have happened to messages.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rules {
    /// Claude was killed, so messages can be interrupted.
    pub(super) interruptions: bool,
    /// The clock was changed, so times do not determine the order.
    pub(super) clock: bool,
}

/// The result of the comparison.
#[derive(Default)]
pub(super) struct Balance {
    pub(super) acknowledged: usize,
    pub(super) done: usize,
    pub(super) interrupted: usize,
    pub(super) violations: Vec<String>,
}

impl Ledger {
    /// Records that the daemon acknowledged the message.
    pub(super) fn acknowledged(&self, session: &str, id: &str, text: &str) {
        let (session, id, text) = (session.to_owned(), id.to_owned(), text.to_owned());
        self.entries().sent.push(Sent { session, id, text });
    }

    /// Records that the client does not know whether the daemon has the message.
    pub(super) fn unknown(&self, session: &str, text: &str) {
        self.entries().unknown.push((session.to_owned(), text.to_owned()));
    }

    /// Records that a request failed which must not fail.
    pub(super) fn failed(&self, what: String) {
        self.entries().failures.push(what);
    }

    pub(super) fn count(&self) -> usize {
        self.entries().sent.len()
    }

    /// Compares the ledger with the state of these sessions.
    pub(super) fn balance(&self, arena: &Arena, sessions: &[String], rules: Rules) -> Result<Balance> {
        let entries = self.entries();
        let mut balance = Balance {
            acknowledged: entries.sent.len(),
            violations: entries.failures.clone(),
            ..Balance::default()
        };
        let mut messages: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for session in sessions {
            messages.insert(session, arena.messages(session)?);
        }
        let mut ids: HashMap<String, usize> = HashMap::new();
        for row in messages.values().flatten() {
            *ids.entry(text_of(row, "id")).or_default() += 1;
        }
        for sent in &entries.sent {
            let row =
                messages.get(sent.session.as_str()).into_iter().flatten().find(|row| row["id"] == *sent.id);
            match row {
                None => balance.violations.push(format!("lost: {sent:?}")),
                Some(row) if row["text"] != *sent.text => {
                    balance.violations.push(format!("changed: {sent:?} is now {row}"));
                }
                Some(_) if ids.get(&sent.id) != Some(&1) => {
                    balance.violations.push(format!("duplicated or in two sessions: {sent:?}"));
                }
                Some(_) => {}
            }
        }
        let prompts = arena.api.prompts();
        let mut prompt_counts: HashMap<&str, usize> = HashMap::new();
        for prompt in &prompts {
            *prompt_counts.entry(prompt).or_default() += 1;
        }
        let mut texts: HashMap<String, Vec<String>> = HashMap::new();
        for (session, rows) in &messages {
            for row in rows {
                let (text, state) = (text_of(row, "text"), text_of(row, "state"));
                let allowed: &[&str] = if rules.interruptions { &["done", "interrupted"] } else { &["done"] };
                if !allowed.contains(&state.as_str()) {
                    balance.violations.push(format!("not finished in {session}: {row}"));
                }
                balance.done += usize::from(state == "done");
                balance.interrupted += usize::from(state == "interrupted");
                texts.entry(text).or_default().push(state);
            }
        }
        for (text, states) in &texts {
            let times = prompt_counts.get(text.as_str()).copied().unwrap_or(0);
            let done = states.iter().filter(|state| *state == "done").count();
            if text != CONTINUATION && (times > states.len() || times < done) {
                balance.violations.push(format!("the API received {times} prompts for {states:?}: {text:?}"));
            }
            if !rules.interruptions && states.len() > 1 {
                balance.violations.push(format!("duplicated: {text:?}"));
            }
        }
        for text in prompt_counts.keys().filter(|text| **text != CONTINUATION && !texts.contains_key(**text))
        {
            balance.violations.push(format!("the API received a prompt that no client sent: {text:?}"));
        }
        for (session, text) in &entries.unknown {
            let elsewhere = messages.iter().filter(|(id, _)| *id != session).flat_map(|(_, rows)| rows);
            if elsewhere.clone().any(|row| row["text"] == **text) {
                balance.violations.push(format!("not in session {session} but in another: {text:?}"));
            }
        }
        if !rules.interruptions && !rules.clock {
            balance.violations.extend(disorder(&messages, &prompts));
        }
        Ok(balance)
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sessions whose messages did not run in the order of their queue.
fn disorder(messages: &BTreeMap<&str, Vec<Value>>, prompts: &[String]) -> Vec<String> {
    let position: HashMap<&str, usize> =
        prompts.iter().enumerate().map(|(position, prompt)| (prompt.as_str(), position)).collect();
    let mut violations = Vec::new();
    for (session, rows) in messages {
        let mut rows: Vec<&Value> = rows.iter().collect();
        rows.sort_by_key(|row| row["createdAt"].as_u64());
        for pair in rows.windows(2) {
            let [first, second] =
                [&pair[0], &pair[1]].map(|row| position.get(row["text"].as_str().unwrap_or("")));
            let same_moment = pair[0]["createdAt"] == pair[1]["createdAt"];
            if !same_moment && first > second {
                violations.push(format!("out of order in {session}: {} ran after {}", pair[0], pair[1]));
            }
        }
    }
    violations
}
