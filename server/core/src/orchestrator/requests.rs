//! The requests that were carried out. A repeated request changes nothing.

use std::collections::{HashMap, VecDeque};

/// The names of creations, messages, answers and notes in the record of requests.
pub(super) const CREATE: &str = "session/create";
pub(super) const SEND: &str = "queue/add";
pub(super) const ANSWER: &str = "permission/answer";
pub(super) const NOTE: &str = "session/note";

/// Most requests that are remembered. Clients repeat a request within seconds.
const MAX_REQUESTS: usize = 10_000;

/// The newest requests by the id that their client chose, with the result of each: the operation's name and the id of
/// its subject, for example `session/create K7M2Q9XD`.
#[derive(Debug, Default)]
pub(super) struct Requests {
    done: HashMap<String, String>,
    order: VecDeque<String>,
}

impl Requests {
    /// The operation's name, and the id of its subject.
    pub(super) fn get(&self, request_id: &str) -> Option<(&str, &str)> {
        self.done.get(request_id).map(|done| done.split_once(' ').unwrap_or((done, "")))
    }

    pub(super) fn remember(&mut self, request_id: String, done: String) {
        if self.done.insert(request_id.clone(), done).is_none() {
            self.order.push_back(request_id);
        }
        if self.order.len() > MAX_REQUESTS
            && let Some(oldest) = self.order.pop_front()
        {
            self.done.remove(&oldest);
        }
    }
}
