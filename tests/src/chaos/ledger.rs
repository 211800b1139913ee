//! What clients were told, against what there is in the end: nothing lost, nothing doubled, nothing in the wrong
//! session, nothing out of order.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use serde_json::Value;

use super::arena::Arena;
use crate::home::text_of;

/// What Claude is told when a person chooses to go on after a cut.
const CONTINUATION: &str = "Continue where you left off.";

/// A message that was acknowledged.
#[derive(Clone, Debug)]
struct Sent {
    session: String,
    id: String,
    text: String,
}

/// What clients were told.
#[derive(Default)]
pub(super) struct Ledger {
    pages: Mutex<Pages>,
}

#[derive(Default)]
struct Pages {
    sent: Vec<Sent>,
    /// Sessions and texts of messages whose answer never came.
    unsure: Vec<(String, String)>,
    failures: Vec<String>,
}

/// What may have happened to messages.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rules {
    /// Claude was killed, so that messages may have been cut off.
    pub(super) cuts: bool,
    /// The clock was set, so that times do not tell the order.
    pub(super) clock: bool,
}

/// What the end showed.
#[derive(Default)]
pub(super) struct Balance {
    pub(super) acknowledged: usize,
    pub(super) done: usize,
    pub(super) cut_off: usize,
    pub(super) broken: Vec<String>,
}

impl Ledger {
    /// The daemon said that it has the message.
    pub(super) fn acknowledged(&self, session: &str, id: &str, text: &str) {
        let (session, id, text) = (session.to_owned(), id.to_owned(), text.to_owned());
        self.pages().sent.push(Sent { session, id, text });
    }

    /// Nobody knows whether the daemon has the message.
    pub(super) fn unsure(&self, session: &str, text: &str) {
        self.pages().unsure.push((session.to_owned(), text.to_owned()));
    }

    /// A client was refused what must not be refused.
    pub(super) fn failed(&self, what: String) {
        self.pages().failures.push(what);
    }

    pub(super) fn count(&self) -> usize {
        self.pages().sent.len()
    }

    /// Compares with what there is.
    pub(super) fn balance(&self, arena: &Arena, sessions: &[String], rules: Rules) -> Result<Balance> {
        let pages = self.pages();
        let mut balance =
            Balance { acknowledged: pages.sent.len(), broken: pages.failures.clone(), ..Balance::default() };
        let mut there: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for session in sessions {
            there.insert(session, arena.messages(session)?);
        }
        let mut ids: HashMap<String, usize> = HashMap::new();
        for row in there.values().flatten() {
            *ids.entry(text_of(row, "id")).or_default() += 1;
        }
        for sent in &pages.sent {
            let row =
                there.get(sent.session.as_str()).into_iter().flatten().find(|row| row["id"] == *sent.id);
            match row {
                None => balance.broken.push(format!("lost: {sent:?}")),
                Some(row) if row["text"] != *sent.text => {
                    balance.broken.push(format!("changed: {sent:?} is {row}"));
                }
                Some(_) if ids.get(&sent.id) != Some(&1) => {
                    balance.broken.push(format!("doubled or in two sessions: {sent:?}"));
                }
                Some(_) => {}
            }
        }
        let prompts = arena.api.prompts();
        let mut asked: HashMap<&str, usize> = HashMap::new();
        for prompt in &prompts {
            *asked.entry(prompt).or_default() += 1;
        }
        let mut texts: HashMap<String, Vec<String>> = HashMap::new();
        for (session, rows) in &there {
            for row in rows {
                let (text, state) = (text_of(row, "text"), text_of(row, "state"));
                let allowed: &[&str] = if rules.cuts { &["done", "interrupted"] } else { &["done"] };
                if !allowed.contains(&state.as_str()) {
                    balance.broken.push(format!("not finished in {session}: {row}"));
                }
                balance.done += usize::from(state == "done");
                balance.cut_off += usize::from(state == "interrupted");
                texts.entry(text).or_default().push(state);
            }
        }
        for (text, states) in &texts {
            let times = asked.get(text.as_str()).copied().unwrap_or(0);
            let done = states.iter().filter(|state| *state == "done").count();
            if text != CONTINUATION && (times > states.len() || times < done) {
                balance.broken.push(format!("Claude was asked {times} times for {states:?}: {text:?}"));
            }
            if !rules.cuts && states.len() > 1 {
                balance.broken.push(format!("doubled: {text:?}"));
            }
        }
        for text in asked.keys().filter(|text| **text != CONTINUATION && !texts.contains_key(**text)) {
            balance.broken.push(format!("nobody sent what Claude was asked: {text:?}"));
        }
        for (session, text) in &pages.unsure {
            let elsewhere = there.iter().filter(|(id, _)| *id != session).flat_map(|(_, rows)| rows);
            if elsewhere.clone().any(|row| row["text"] == **text) {
                balance.broken.push(format!("in another session than {session}: {text:?}"));
            }
        }
        if !rules.cuts && !rules.clock {
            balance.broken.extend(disorder(&there, &prompts));
        }
        Ok(balance)
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sessions whose messages ran in another order than that of their queue.
fn disorder(there: &BTreeMap<&str, Vec<Value>>, prompts: &[String]) -> Vec<String> {
    let place: HashMap<&str, usize> =
        prompts.iter().enumerate().map(|(place, prompt)| (prompt.as_str(), place)).collect();
    let mut broken = Vec::new();
    for (session, rows) in there {
        let mut rows: Vec<&Value> = rows.iter().collect();
        rows.sort_by_key(|row| row["createdAt"].as_u64());
        for pair in rows.windows(2) {
            let [first, second] =
                [&pair[0], &pair[1]].map(|row| place.get(row["text"].as_str().unwrap_or("")));
            let same_moment = pair[0]["createdAt"] == pair[1]["createdAt"];
            if !same_moment && first > second {
                broken.push(format!("out of order in {session}: {} ran after {}", pair[0], pair[1]));
            }
        }
    }
    broken
}
