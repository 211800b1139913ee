//! A session that is not involved in a fault, and must not be affected by it.

#![allow(clippy::panic, reason = "this module is only for tests: a panic is a failed test")]

use crate::home::{TestHome, process_id};
use crate::processes;

/// An idle session in a home in which the test injects a fault.
pub struct Bystander {
    /// The session's id.
    pub id: String,
    claude: i32,
    host: i32,
}

impl Bystander {
    /// Starts a session in a separate directory.
    #[track_caller]
    pub fn of(home: &TestHome) -> Bystander {
        let id = home.idle_session(&home.project("bystander"), &[]);
        let session = home.session(&id);
        Bystander { id, claude: process_id(&session, "pid"), host: process_id(&session, "hostPid") }
    }

    /// Checks that its processes are running. It does not need a daemon.
    #[track_caller]
    pub fn assert_alive(&self) {
        for pid in [self.claude, self.host] {
            assert!(processes::is_running(pid), "process {pid} of the bystander {} has exited", self.id);
        }
    }

    /// Checks that it still answers a message, with the same processes.
    #[track_caller]
    pub fn assert_responsive(&self, home: &TestHome) {
        let message = home.send(&self.id, "Are you still running?");
        let message = home.message_when_idle(&self.id, &message);
        assert_eq!(message["state"], "done", "{message}");
        let session = home.session(&self.id);
        let processes = (process_id(&session, "pid"), process_id(&session, "hostPid"));
        assert_eq!(processes, (self.claude, self.host), "{session}");
    }
}
