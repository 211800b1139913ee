//! Looks at what a terminal's Claude keeps about its own process: it corroborates the hooks, which do not tell of everything
//! (an Esc, a dialog, a screen before the start).
//!
//! It looks while something is going on, and rests while Claude is idle and nothing happens.

use std::time::Duration;

use tokio::time::Instant;

use super::files::ClaudeFiles;
use areyouj_core::orchestrator::{Fact, ProcessStatus};

/// Between two looks: a person who pressed Esc waits for no longer than two of them.
const LOOK: Duration = Duration::from_millis(200);

/// How long after something happened it is still looked: what follows from a key shows within this time.
const AWAKE: Duration = Duration::from_secs(5);

/// Looks at a record that is older than what was told of a turn, and says otherwise, before it is believed: Claude writes what
/// it does within milliseconds, or when its hooks have run.
const STALE_LOOKS: u32 = 25;

/// A Claude that says nothing of itself after this time shows a screen of its own that is known to come: it begins within a
/// second.
const KNOWN_SCREEN: Duration = Duration::from_millis(1_500);

/// After this time it shows something, whatever it may be; ten starts at once take four seconds each.
const ANY_SCREEN: Duration = Duration::from_secs(20);

/// What was told last of a turn, and when, in milliseconds since the epoch.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::daemon) enum LastTurn {
    /// Nothing.
    #[default]
    Unknown,
    /// It began.
    Began(u64),
    /// What was asked in it was answered.
    Answered(u64),
    /// It came to its end.
    Ended(u64),
}

impl LastTurn {
    /// Whether this is older, and says otherwise.
    fn outdates(self, seen: &ProcessStatus, since: u64) -> bool {
        match (self, seen) {
            (LastTurn::Began(at) | LastTurn::Answered(at), ProcessStatus::Idle)
            | (LastTurn::Answered(at), ProcessStatus::Waiting(_))
            | (LastTurn::Ended(at), ProcessStatus::Busy) => since < at,
            _ => false,
        }
    }
}

/// The watch over one Claude; none over a stream.
pub(in crate::daemon) struct StatusPoller(Option<Polled>);

struct Polled {
    records: ClaudeFiles,
    pid: u32,
    directory: String,
    begun: Instant,
    awake_until: Instant,
    due: Instant,
    /// What was told last, unless something happened since that it says nothing about.
    told: Option<ProcessStatus>,
    /// It was seen idle once, and may be about to tell why.
    idle_once: bool,
    /// Looks at which its record was out of date.
    stale_looks: u32,
    /// What it asks first, once that was looked up.
    asks_first: Option<Option<String>>,
}

impl StatusPoller {
    pub(in crate::daemon) fn none() -> StatusPoller {
        StatusPoller(None)
    }

    /// Over the Claude with this process id, in this directory.
    pub(in crate::daemon) fn of(records: ClaudeFiles, pid: u32, directory: String) -> StatusPoller {
        let now = Instant::now();
        StatusPoller(Some(Polled {
            records,
            pid,
            directory,
            begun: now,
            awake_until: now + AWAKE,
            due: now,
            told: None,
            idle_once: false,
            stale_looks: 0,
            asks_first: None,
        }))
    }

    /// When to look next; none while Claude rests.
    pub(in crate::daemon) fn due(&self) -> Option<Instant> {
        let watched = self.0.as_ref()?;
        let rests = watched.told == Some(ProcessStatus::Idle) && watched.awake_until <= watched.due;
        (!rests).then_some(watched.due)
    }

    /// Something happens that Claude may take notice of.
    pub(in crate::daemon) fn wake(&mut self) {
        if let Some(watched) = &mut self.0 {
            let now = Instant::now();
            watched.due = watched.due.max(now).min(now + LOOK);
            watched.awake_until = now + AWAKE;
        }
    }

    /// These facts were told. A turn that begins or ends makes old what was told of Claude before.
    pub(in crate::daemon) fn heard(&mut self, facts: &[Fact]) {
        if facts.is_empty() {
            return;
        }
        self.wake();
        if let Some(watched) = &mut self.0
            && facts.iter().any(|fact| {
                matches!(fact, Fact::PromptSubmitted(_) | Fact::PermissionRequested(_) | Fact::TurnEnded(_))
            })
        {
            watched.told = None;
            watched.idle_once = false;
            // Claude writes that it is idle a moment after it has told that it stops.
            watched.due = Instant::now() + LOOK;
        }
    }

    /// Looks, and returns what is to be told. `caught_up`: everything that the journal holds has been told.
    pub(in crate::daemon) fn look(&mut self, caught_up: bool, turn: LastTurn) -> Option<ProcessStatus> {
        let watched = self.0.as_mut()?;
        watched.due = Instant::now() + LOOK;
        let now = watched.records.status(watched.pid);
        let (seen, since) = now.or_else(|| watched.first_screen().map(|screen| (screen, u64::MAX)))?;
        let stale = turn.outdates(&seen, since);
        watched.stale_looks = if stale { watched.stale_looks + 1 } else { 0 };
        if stale && watched.stale_looks < STALE_LOOKS {
            return None;
        }
        if seen == ProcessStatus::Idle {
            // Twice, and with nothing left to be told: what it did last it may be telling just now.
            let sure = caught_up && std::mem::replace(&mut watched.idle_once, caught_up);
            if !sure {
                return None;
            }
        } else {
            watched.idle_once = false;
        }
        if watched.told.as_ref() == Some(&seen) {
            return None;
        }
        watched.told = Some(seen.clone());
        Some(seen)
    }
}

impl Polled {
    /// What a Claude shows that has not said anything of itself yet.
    fn first_screen(&mut self) -> Option<ProcessStatus> {
        if matches!(self.told, Some(ProcessStatus::Idle | ProcessStatus::Busy))
            || self.begun.elapsed() < KNOWN_SCREEN
        {
            return None;
        }
        let (records, directory) = (&self.records, &self.directory);
        let known = self.asks_first.get_or_insert_with(|| records.asks_first(directory)).clone();
        let any = || "Claude shows something in its terminal before it begins".to_owned();
        let what = known.or_else(|| (self.begun.elapsed() >= ANY_SCREEN).then(any))?;
        Some(ProcessStatus::Waiting(what))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;

    use super::*;

    const TRUSTING: &str =
        r#"{"hasCompletedOnboarding":true,"projects":{"/":{"hasTrustDialogAccepted":true}}}"#;

    struct Claude {
        home: tempfile::TempDir,
        watch: StatusPoller,
    }

    impl Claude {
        fn new(settings: &str) -> Claude {
            let home = tempfile::tempdir().unwrap();
            fs::create_dir(home.path().join("sessions")).unwrap();
            fs::write(home.path().join(".claude.json"), settings).unwrap();
            let config = home.path().to_str().unwrap().to_owned();
            let records = ClaudeFiles::of(&BTreeMap::from([("CLAUDE_CONFIG_DIR".to_owned(), config)]), "/");
            Claude { home, watch: StatusPoller::of(records, 7, "/work".to_owned()) }
        }

        fn says(&self, status: &str) {
            let record = format!(r#"{{"status":"{status}","waitingFor":"dialog open"}}"#);
            fs::write(self.home.path().join("sessions/7.json"), record).unwrap();
        }

        fn looks(&mut self, times: usize) -> Vec<ProcessStatus> {
            (0..times).filter_map(|_| self.watch.look(true, LastTurn::Unknown)).collect()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn idle_is_believed_when_it_stays_and_nothing_is_left_to_be_told() {
        let mut claude = Claude::new(TRUSTING);
        claude.says("idle");
        assert_eq!(claude.watch.look(false, LastTurn::Unknown), None);
        assert_eq!(claude.watch.look(false, LastTurn::Unknown), None);
        assert_eq!(claude.watch.look(true, LastTurn::Unknown), None);
        assert_eq!(claude.looks(3), [ProcessStatus::Idle]);
        claude.says("busy");
        assert_eq!(claude.looks(2), [ProcessStatus::Busy]);
        claude.says("idle");
        assert_eq!(claude.looks(3), [ProcessStatus::Idle]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_record_that_is_older_than_what_was_told_of_the_turn_is_not_believed_for_a_while() {
        type Told = fn(u64) -> LastTurn;
        let waiting =
            ProcessStatus::Waiting("Claude shows in its terminal: something that wants an answer".to_owned());
        let cases: [(&str, ProcessStatus, Told); 4] = [
            ("idle", ProcessStatus::Idle, LastTurn::Began),
            ("idle", ProcessStatus::Idle, LastTurn::Answered),
            ("waiting", waiting, LastTurn::Answered),
            ("busy", ProcessStatus::Busy, LastTurn::Ended),
        ];
        for (word, status, told) in cases {
            let record = format!(r#"{{"status":"{word}","statusUpdatedAt":1000}}"#);
            let seen = |told_at: u64, looks: u32| -> Vec<ProcessStatus> {
                let mut claude = Claude::new(TRUSTING);
                fs::write(claude.home.path().join("sessions/7.json"), &record).unwrap();
                (0..looks).filter_map(|_| claude.watch.look(true, told(told_at))).collect()
            };
            assert_eq!(seen(1_001, STALE_LOOKS - 1), []);
            assert_eq!(seen(1_001, STALE_LOOKS + 1), std::slice::from_ref(&status));
            assert_eq!(seen(1_000, 2), [status]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_prompt_idle_is_told_anew() {
        let mut claude = Claude::new(TRUSTING);
        claude.says("idle");
        assert_eq!(claude.looks(3), [ProcessStatus::Idle]);
        claude.watch.heard(&[Fact::PromptSubmitted("go".to_owned())]);
        assert_eq!(claude.looks(3), [ProcessStatus::Idle]);
    }

    #[tokio::test(start_paused = true)]
    async fn it_rests_while_claude_is_idle_and_nothing_happens() {
        let mut claude = Claude::new(TRUSTING);
        claude.says("idle");
        claude.looks(2);
        tokio::time::advance(AWAKE).await;
        claude.looks(1);
        assert_eq!(claude.watch.due(), None);
        claude.watch.wake();
        assert!(claude.watch.due().is_some());
        claude.says("waiting");
        claude.looks(1);
        tokio::time::advance(AWAKE).await;
        claude.looks(1);
        assert!(claude.watch.due().is_some());
        assert_eq!(StatusPoller::none().due(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_claude_that_says_nothing_shows_a_screen_of_its_own() {
        let mut claude = Claude::new("{}");
        assert_eq!(claude.looks(1), []);
        tokio::time::advance(KNOWN_SCREEN).await;
        assert!(matches!(&claude.looks(2)[..], [ProcessStatus::Waiting(what)] if what.contains("set up")));
        let mut claude = Claude::new(TRUSTING);
        tokio::time::advance(KNOWN_SCREEN).await;
        assert_eq!(claude.looks(1), []);
        tokio::time::advance(ANY_SCREEN).await;
        assert!(matches!(&claude.looks(2)[..], [ProcessStatus::Waiting(_)]));
        claude.says("idle");
        assert_eq!(claude.looks(3), [ProcessStatus::Idle]);
    }
}
