//! A session that has nothing to do with what goes wrong beside it, and has to go on.

#![allow(clippy::panic, reason = "this module is only for tests: a panic is a failed test")]

use crate::home::{TestHome, process_id};
use crate::processes;

/// An idle session in a home in which something is about to go wrong.
pub struct Bystander {
    /// Its id.
    pub id: String,
    claude: i32,
    host: i32,
}

impl Bystander {
    /// Starts one in a directory of its own.
    #[track_caller]
    pub fn of(home: &TestHome) -> Bystander {
        let id = home.idle_session(&home.project("bystander"), &[]);
        let session = home.session(&id);
        Bystander { id, claude: process_id(&session, "pid"), host: process_id(&session, "hostPid") }
    }

    /// Its processes live, whether there is a daemon or not.
    #[track_caller]
    pub fn lives(&self) {
        for pid in [self.claude, self.host] {
            assert!(processes::is_running(pid), "process {pid} of the bystander {} is gone", self.id);
        }
    }

    /// It answers a message, with the processes that it has had all the time.
    #[track_caller]
    pub fn goes_on(&self, home: &TestHome) {
        let message = home.send(&self.id, "Are you still there?");
        let message = home.settled(&self.id, &message);
        assert_eq!(message["state"], "done", "{message}");
        let session = home.session(&self.id);
        let processes = (process_id(&session, "pid"), process_id(&session, "hostPid"));
        assert_eq!(processes, (self.claude, self.host), "{session}");
    }
}
