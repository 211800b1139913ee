//! Displays starting sessions as progress.

use std::collections::{HashMap, HashSet};

use areyouj_protocol::{Session, Status};

use super::actions::named;
use areyouj_core::text::plain;

/// The maximum number of starts that an editor displays at a time.
const MAX_STARTS: usize = 100;

/// A message to the editor about a session.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    /// Ask it to create progress with this token, then begin it with this title.
    Create { token: String, title: String },
    /// End the progress with this token.
    End { token: String, message: Option<String> },
    /// Withdraw the request to create this token: the progress will not begin.
    Withdraw { token: String },
}

/// The starts that an editor displays.
pub(super) struct Starts {
    /// The prefix of the tokens, each of which is used once.
    prefix: String,
    next: u64,
    shown: HashMap<String, Shown>,
}

struct Shown {
    token: String,
    begun: bool,
}

impl Starts {
    /// No starts.
    pub(super) fn new(prefix: String) -> Starts {
        Starts { prefix, next: 0, shown: HashMap::new() }
    }

    /// The step for the current state of a session.
    pub(super) fn session(&mut self, session: &Session) -> Option<Step> {
        let starts = session.status == Status::Starting;
        match (starts, self.shown.contains_key(&session.id)) {
            (true, false) if self.shown.len() < MAX_STARTS => {
                self.next += 1;
                let token = format!("{}-start-{}", self.prefix, self.next);
                self.shown.insert(session.id.clone(), Shown { token: token.clone(), begun: false });
                let title = plain::line(&format!("Claude session {} starts", named(session)));
                Some(Step::Create { token, title })
            }
            (false, true) => self.end(&session.id, Some(session.status.as_str().to_owned())),
            _ => None,
        }
    }

    /// The step for a deleted session.
    pub(super) fn removed(&mut self, session: &str) -> Option<Step> {
        self.end(session, None)
    }

    /// Ends the progress of all sessions except these.
    pub(super) fn keep_only(&mut self, sessions: &HashSet<&str>) -> Vec<Step> {
        let gone: Vec<String> =
            self.shown.keys().filter(|id| !sessions.contains(id.as_str())).cloned().collect();
        gone.iter().filter_map(|id| self.end(id, None)).collect()
    }

    /// Ends all progress.
    pub(super) fn end_all(&mut self) -> Vec<Step> {
        self.keep_only(&HashSet::new())
    }

    /// Records that the editor created progress. Returns whether it must still begin.
    pub(super) fn begin(&mut self, token: &str) -> bool {
        let shown = self.shown.values_mut().find(|shown| shown.token == token);
        shown.map(|shown| shown.begun = true).is_some()
    }

    fn end(&mut self, session: &str, message: Option<String>) -> Option<Step> {
        let Shown { token, begun } = self.shown.remove(session)?;
        Some(if begun { Step::End { token, message } } else { Step::Withdraw { token } })
    }
}

#[cfg(test)]
mod tests {
    use super::super::actions::tests::session;
    use super::*;

    fn starting(id: &str) -> Session {
        Session { status: Status::Starting, ..session(id, "/work/engine") }
    }

    fn token(step: Option<Step>) -> String {
        match step {
            Some(Step::Create { token, .. }) => token,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_start_begins_once_and_ends_with_the_status() {
        let mut starts = Starts::new("p".to_owned());
        let title = "Claude session AAAAAAAA (engine) starts".to_owned();
        let begun = starts.session(&starting("AAAAAAAA"));
        assert_eq!(begun, Some(Step::Create { token: "p-start-1".to_owned(), title }));
        assert_eq!(starts.session(&starting("AAAAAAAA")), None);
        assert!(starts.begin("p-start-1"));
        let end = Step::End { token: "p-start-1".to_owned(), message: Some("idle".to_owned()) };
        assert_eq!(starts.session(&session("AAAAAAAA", "/")), Some(end));
        assert_eq!(starts.session(&session("AAAAAAAA", "/")), None);
    }

    #[test]
    fn progress_that_has_not_begun_never_begins_after_its_end() {
        let mut starts = Starts::new("p".to_owned());
        let token = token(starts.session(&starting("AAAAAAAA")));
        assert_eq!(starts.removed("AAAAAAAA"), Some(Step::Withdraw { token: token.clone() }));
        assert!(!starts.begin(&token));
    }

    #[test]
    fn the_progress_of_a_lost_daemon_ends() {
        let mut starts = Starts::new("p".to_owned());
        let tokens = ["AAAAAAAA", "BBBBBBBB"].map(|id| token(starts.session(&starting(id))));
        tokens.iter().for_each(|token| assert!(starts.begin(token)));
        let end = |token: &str| Step::End { token: token.to_owned(), message: None };
        assert_eq!(starts.keep_only(&HashSet::from(["AAAAAAAA"])), [end(&tokens[1])]);
        assert_eq!(starts.end_all(), [end(&tokens[0])]);
    }
}
