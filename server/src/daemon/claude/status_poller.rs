//! Polls what a terminal's Claude records about its own process. The record corroborates the hooks, which do not report
//! everything: an Esc, a dialog, a screen before the start.
//!
//! The poller polls while something happens, and rests while Claude is idle. It has no I/O: [`StatusPoller::begin`] says
//! what to read, [`ProcessRecord::read`] reads it on a thread of the gate, [`StatusPoller::finish`] judges the result. At
//! most one poll is under way, so a file system that does not respond makes the poller skip its ticks.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::files::ClaudeFiles;
use areyouj_core::orchestrator::{Fact, ProcessStatus};

/// Between two polls: after an Esc, a person waits for no more than two of them.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// How long the poller continues after something happened: the effect of a key shows within this time.
const AWAKE: Duration = Duration::from_secs(5);

/// Polls after which a record is believed although it is older than what hooks reported about the turn and contradicts it:
/// Claude writes its record within milliseconds, or when its hooks have run.
const STALE_POLLS: u32 = 25;

/// A Claude without a record after this time shows a screen that its settings predict: a start takes less than a second.
const KNOWN_SCREEN: Duration = Duration::from_millis(1_500);

/// A Claude without a record after this time shows some screen; ten starts at once take four seconds each.
const ANY_SCREEN: Duration = Duration::from_secs(20);

/// The latest report about a turn, with its time in milliseconds since the epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::daemon) enum LastTurn {
    /// No report.
    #[default]
    Unknown,
    Began(u64),
    /// A permission request of the turn was answered.
    Answered(u64),
    Ended(u64),
}

impl LastTurn {
    /// Whether a record from this time is older and contradicts the report.
    fn outdates(self, status: &ProcessStatus, since: u64) -> bool {
        match (self, status) {
            (LastTurn::Began(at) | LastTurn::Answered(at), ProcessStatus::Idle)
            | (LastTurn::Answered(at), ProcessStatus::Waiting(_))
            | (LastTurn::Ended(at), ProcessStatus::Busy) => since < at,
            _ => false,
        }
    }
}

/// What to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::daemon) struct Poll {
    /// Without a record of the process, also what Claude asks before it begins.
    first_question: bool,
}

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::daemon) struct Polled {
    /// Claude's status and its time in milliseconds since the epoch; `None` without a record.
    status: Option<(ProcessStatus, u64)>,
    /// What Claude asks before it begins, if that was read.
    first_question: Option<Option<String>>,
}

/// Where a terminal's Claude records its status.
pub(in crate::daemon) struct ProcessRecord {
    pub(in crate::daemon) environment: BTreeMap<String, String>,
    /// Claude's working directory.
    pub(in crate::daemon) directory: String,
    pub(in crate::daemon) pid: u32,
}

impl ProcessRecord {
    /// Reads it. The file system might not respond.
    pub(in crate::daemon) fn read(&self, poll: Poll) -> Polled {
        let files = ClaudeFiles::of(&self.environment, &self.directory);
        let status = files.status(self.pid);
        let first_question =
            (poll.first_question && status.is_none()).then(|| files.asks_first(&self.directory));
        Polled { status, first_question }
    }
}

/// When to poll one Claude, and what follows from the results.
pub(in crate::daemon) struct StatusPoller {
    begun: Instant,
    awake_until: Instant,
    due: Instant,
    polling: bool,
    /// Something happened since the poll that is under way began: its result can be older than that.
    overtaken: bool,
    /// What was reported last, unless a turn began or ended since.
    reported: Option<ProcessStatus>,
    /// One poll found Claude idle; a second one must confirm it.
    idle_once: bool,
    /// Consecutive polls with an outdated record.
    stale_polls: u32,
    /// What Claude asks before it begins, once that was read.
    first_question: Option<Option<String>>,
}

impl StatusPoller {
    pub(in crate::daemon) fn new(now: Instant) -> StatusPoller {
        StatusPoller {
            begun: now,
            awake_until: now + AWAKE,
            due: now,
            polling: false,
            overtaken: false,
            reported: None,
            idle_once: false,
            stale_polls: 0,
            first_question: None,
        }
    }

    /// When to begin the next poll; `None` during a poll and while Claude rests.
    pub(in crate::daemon) fn due(&self) -> Option<Instant> {
        let rests = self.reported == Some(ProcessStatus::Idle) && self.awake_until <= self.due;
        (!rests && !self.polling).then_some(self.due)
    }

    /// Something happened that Claude can react to.
    pub(in crate::daemon) fn wake(&mut self, now: Instant) {
        self.due = self.due.max(now).min(now + POLL_INTERVAL);
        self.awake_until = now + AWAKE;
    }

    /// The journal holds these facts. A turn that begins or ends makes the last report obsolete.
    pub(in crate::daemon) fn facts(&mut self, now: Instant, facts: &[Fact]) {
        if facts.is_empty() {
            return;
        }
        self.wake(now);
        self.overtaken = true;
        if facts.iter().any(|fact| {
            matches!(fact, Fact::PromptSubmitted(_) | Fact::PermissionRequested(_) | Fact::TurnEnded(_))
        }) {
            self.reported = None;
            self.idle_once = false;
            // Claude records that it is idle a moment after its hook reported the end of the turn.
            self.due = now + POLL_INTERVAL;
        }
    }

    /// Begins a poll, which [`StatusPoller::finish`] ends.
    pub(in crate::daemon) fn begin(&mut self, now: Instant) -> Poll {
        self.due = now + POLL_INTERVAL;
        self.polling = true;
        self.overtaken = false;
        Poll { first_question: self.first_question.is_none() && self.may_show_first_screen(now) }
    }

    /// Ends a poll, and returns the status to report. No result: nothing could be read. `caught_up`: everything that the
    /// journal holds has been reported.
    pub(in crate::daemon) fn finish(
        &mut self,
        now: Instant,
        polled: Option<Polled>,
        caught_up: bool,
        turn: LastTurn,
    ) -> Option<ProcessStatus> {
        self.polling = false;
        // A poll that took long skips ticks.
        if self.due <= now {
            self.due = now + POLL_INTERVAL;
        }
        let polled = polled.filter(|_| !self.overtaken)?;
        if polled.first_question.is_some() {
            self.first_question = polled.first_question;
        }
        let found = polled.status.or_else(|| self.first_screen(now).map(|screen| (screen, u64::MAX)));
        let (status, since) = found?;
        let stale = turn.outdates(&status, since);
        self.stale_polls = if stale { self.stale_polls + 1 } else { 0 };
        if stale && self.stale_polls < STALE_POLLS {
            return None;
        }
        if status == ProcessStatus::Idle {
            // Twice, and with nothing left to report: Claude can be about to report what it did last.
            let sure = caught_up && std::mem::replace(&mut self.idle_once, caught_up);
            if !sure {
                return None;
            }
        } else {
            self.idle_once = false;
        }
        if self.reported.as_ref() == Some(&status) {
            return None;
        }
        self.reported = Some(status.clone());
        Some(status)
    }

    /// Whether a Claude without a record can show a screen of its own by now.
    fn may_show_first_screen(&self, now: Instant) -> bool {
        !matches!(self.reported, Some(ProcessStatus::Idle | ProcessStatus::Busy))
            && now - self.begun >= KNOWN_SCREEN
    }

    /// The screen of a Claude without a record.
    fn first_screen(&self, now: Instant) -> Option<ProcessStatus> {
        if !self.may_show_first_screen(now) {
            return None;
        }
        let known = self.first_question.clone()?;
        let any = || "Claude shows something in its terminal before it begins".to_owned();
        let what = known.or_else(|| (now - self.begun >= ANY_SCREEN).then(any))?;
        Some(ProcessStatus::Waiting(what))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const TRUSTING: &str =
        r#"{"hasCompletedOnboarding":true,"projects":{"/":{"hasTrustDialogAccepted":true}}}"#;

    struct Claude {
        home: tempfile::TempDir,
        record: ProcessRecord,
        poller: StatusPoller,
    }

    impl Claude {
        fn new(settings: &str) -> Claude {
            let home = tempfile::tempdir().unwrap();
            fs::create_dir(home.path().join("sessions")).unwrap();
            fs::write(home.path().join(".claude.json"), settings).unwrap();
            let config = home.path().to_str().unwrap().to_owned();
            let environment = BTreeMap::from([("CLAUDE_CONFIG_DIR".to_owned(), config)]);
            let record = ProcessRecord { environment, directory: "/work".to_owned(), pid: 7 };
            Claude { home, record, poller: StatusPoller::new(Instant::now()) }
        }

        fn records(&self, status: &str) {
            let record = format!(r#"{{"status":"{status}","waitingFor":"dialog open"}}"#);
            fs::write(self.home.path().join("sessions/7.json"), record).unwrap();
        }

        fn poll(&mut self, caught_up: bool, turn: LastTurn) -> Option<ProcessStatus> {
            let now = Instant::now();
            let poll = self.poller.begin(now);
            let polled = self.record.read(poll);
            self.poller.finish(now, Some(polled), caught_up, turn)
        }

        fn polls(&mut self, times: usize) -> Vec<ProcessStatus> {
            (0..times).filter_map(|_| self.poll(true, LastTurn::Unknown)).collect()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn idle_is_reported_when_it_stays_and_the_journal_holds_nothing_more() {
        let mut claude = Claude::new(TRUSTING);
        claude.records("idle");
        assert_eq!(claude.poll(false, LastTurn::Unknown), None);
        assert_eq!(claude.poll(false, LastTurn::Unknown), None);
        assert_eq!(claude.poll(true, LastTurn::Unknown), None);
        assert_eq!(claude.polls(3), [ProcessStatus::Idle]);
        claude.records("busy");
        assert_eq!(claude.polls(2), [ProcessStatus::Busy]);
        claude.records("idle");
        assert_eq!(claude.polls(3), [ProcessStatus::Idle]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_record_that_is_older_than_the_report_about_the_turn_is_ignored_for_a_while() {
        type Report = fn(u64) -> LastTurn;
        let waiting =
            ProcessStatus::Waiting("Claude shows in its terminal: something that wants an answer".to_owned());
        let cases: [(&str, ProcessStatus, Report); 4] = [
            ("idle", ProcessStatus::Idle, LastTurn::Began),
            ("idle", ProcessStatus::Idle, LastTurn::Answered),
            ("waiting", waiting, LastTurn::Answered),
            ("busy", ProcessStatus::Busy, LastTurn::Ended),
        ];
        for (word, status, report) in cases {
            let record = format!(r#"{{"status":"{word}","statusUpdatedAt":1000}}"#);
            let reported = |reported_at: u64, polls: u32| -> Vec<ProcessStatus> {
                let mut claude = Claude::new(TRUSTING);
                fs::write(claude.home.path().join("sessions/7.json"), &record).unwrap();
                (0..polls).filter_map(|_| claude.poll(true, report(reported_at))).collect()
            };
            assert_eq!(reported(1_001, STALE_POLLS - 1), []);
            assert_eq!(reported(1_001, STALE_POLLS + 1), std::slice::from_ref(&status));
            assert_eq!(reported(1_000, 2), [status]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_message_idle_is_reported_again() {
        let mut claude = Claude::new(TRUSTING);
        claude.records("idle");
        assert_eq!(claude.polls(3), [ProcessStatus::Idle]);
        claude.poller.facts(Instant::now(), &[Fact::PromptSubmitted("go".to_owned())]);
        assert_eq!(claude.polls(3), [ProcessStatus::Idle]);
    }

    #[tokio::test(start_paused = true)]
    async fn it_rests_while_claude_is_idle_and_nothing_happens() {
        let mut claude = Claude::new(TRUSTING);
        claude.records("idle");
        claude.polls(2);
        tokio::time::advance(AWAKE).await;
        claude.polls(1);
        assert_eq!(claude.poller.due(), None);
        claude.poller.wake(Instant::now());
        assert!(claude.poller.due().is_some());
        claude.records("waiting");
        claude.polls(1);
        tokio::time::advance(AWAKE).await;
        claude.polls(1);
        assert!(claude.poller.due().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_claude_without_a_record_shows_a_screen_of_its_own() {
        let mut claude = Claude::new("{}");
        assert_eq!(claude.polls(1), []);
        tokio::time::advance(KNOWN_SCREEN).await;
        assert!(matches!(&claude.polls(2)[..], [ProcessStatus::Waiting(what)] if what.contains("set up")));
        let mut claude = Claude::new(TRUSTING);
        tokio::time::advance(KNOWN_SCREEN).await;
        assert_eq!(claude.polls(1), []);
        tokio::time::advance(ANY_SCREEN).await;
        assert!(matches!(&claude.polls(2)[..], [ProcessStatus::Waiting(_)]));
        claude.records("idle");
        assert_eq!(claude.polls(3), [ProcessStatus::Idle]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_poll_that_hangs_skips_ticks_and_is_not_repeated() {
        let mut poller = StatusPoller::new(Instant::now());
        poller.begin(Instant::now());
        for _ in 0..100 {
            tokio::time::advance(POLL_INTERVAL).await;
            poller.wake(Instant::now());
            assert_eq!(poller.due(), None);
        }
        let busy = Polled { status: Some((ProcessStatus::Busy, 1)), first_question: None };
        let now = Instant::now();
        assert_eq!(poller.finish(now, Some(busy), true, LastTurn::Unknown), Some(ProcessStatus::Busy));
        assert_eq!(poller.due(), Some(now + POLL_INTERVAL));
    }

    #[tokio::test(start_paused = true)]
    async fn a_result_that_facts_overtook_is_ignored_and_so_is_none() {
        let mut poller = StatusPoller::new(Instant::now());
        let now = Instant::now();
        let waiting =
            Polled { status: Some((ProcessStatus::Waiting("a dialog".to_owned()), 1)), first_question: None };
        poller.begin(now);
        poller.facts(now, &[Fact::PromptSubmitted("go".to_owned())]);
        assert_eq!(poller.finish(now, Some(waiting.clone()), true, LastTurn::Unknown), None);
        poller.begin(now);
        assert_eq!(poller.finish(now, None, true, LastTurn::Unknown), None);
        poller.begin(now);
        let reported = poller.finish(now, Some(waiting), true, LastTurn::Unknown);
        assert!(matches!(reported, Some(ProcessStatus::Waiting(_))));
    }
}
