//! The life of a session's Claude: its phase, its launches, and the failures that decide whether another one follows.

use super::phase::{Phase, Then, Transition};
use crate::orchestrator::retry::{
    CRASH_WINDOW_MS, CRASHES_IN_WINDOW, START_TIMEOUT_MS, START_TRIES, crash_delay_ms, start_delay_ms,
};
use crate::orchestrator::{ErrorCode, Goal, Now, Problem, Remedy, SessionRow, Status};

/// The phase of a session, its launches, and the failures that decide whether another one follows.
#[derive(Debug)]
pub(super) struct Lifecycle {
    phase: Phase,
    /// The number of the newest launch: 0 before the first.
    launch: u32,
    host_pid: Option<u32>,
    claude_pid: Option<u32>,
    /// Counts inspections of Claude's own record.
    inspections: u32,
    /// Wall-clock time of the request for the current start.
    start_requested: Option<u64>,
    /// Monotonic time at which the current start got its slot.
    start_began: Option<u64>,
    /// Monotonic time by which the host should have started Claude.
    start_by: Option<u64>,
    /// How many starts in a row have failed.
    start_failures: u32,
    /// Monotonic times of the crashes in the window.
    crashes: Vec<u64>,
    /// Milliseconds from the last request for a start until Claude was ready.
    startup_ms: Option<u64>,
    /// Why the host cannot write the journal. Never stored, because the disk can be full.
    stalled: Option<String>,
    /// Not stored: every daemon finds it out again.
    host_trust: HostTrust,
}

/// Whether the host obeys this daemon alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum HostTrust {
    /// There is no host, or none has introduced itself.
    #[default]
    Unknown,
    /// It does.
    Keyed,
    /// It has no key, and obeys any process of the person.
    Unkeyed,
    /// It has a key that this daemon does not have.
    Disobeys,
}

/// What a session does with a start slot.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum StartStep {
    /// Launch immediately: Claude cannot have a record of the conversation.
    Launch,
    /// Read Claude's own record first; the number of the inspection.
    Inspect(u32),
}

/// What follows when the journal has been ingested up to the adoption of the host.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SyncStep {
    /// Nothing.
    None,
    /// The order to stop might not have been sent: send it again.
    StopAgain,
    /// Claude is ready.
    Ready,
    /// Claude runs and must describe itself.
    Initialize,
}

/// What an order to stop requires.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum StopStep {
    /// Send the order to the host.
    Stop,
    /// The order was sent before.
    Stopping,
    /// Claude does not run.
    NoClaude,
}

/// What follows from the end of Claude.
#[derive(Debug, PartialEq)]
pub(super) enum EndStep {
    /// The session has its final phase: it has failed or is terminated.
    Settled,
    /// A start was requested.
    Restart,
    /// The start counts as failed.
    StartFailed(Problem),
    /// Claude ended before it was ready.
    NeverReady,
    /// A person quit Claude in its terminal.
    Quit,
    /// Claude ended while it should have run.
    Crashed,
}

/// What is due.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// The next start.
    Start,
    /// Claude is not ready in time.
    Ready,
    /// The host has not started Claude in time.
    Started,
}

impl Lifecycle {
    /// The lifecycle from the session's row.
    pub(super) fn restore(row: &SessionRow) -> Lifecycle {
        let problem = || {
            let lost = || Problem::new(ErrorCode::Internal, "The session failed.", Remedy::restart(row.id));
            row.error.clone().unwrap_or_else(lost)
        };
        // A restart is not stored by itself: only a Claude that was ready and must end has the status "starting".
        let restarting = row.ready && row.status == Status::Starting;
        let phase = match (row.host, row.goal) {
            (true, Goal::Run) if restarting => Phase::Stopping { then: Then::Restart, ready: true },
            (true, Goal::Run) => Phase::Adopting { ready: row.ready },
            (true, Goal::Fail) => Phase::Stopping { then: Then::Fail(problem()), ready: row.ready },
            (true, Goal::Terminate) => Phase::Stopping { then: Then::Terminate, ready: row.ready },
            // Only a session that waits for trust has this status without a host.
            (false, Goal::Run) if row.status == Status::Waiting => Phase::Untrusted,
            (false, Goal::Run) => Phase::Queued,
            (false, Goal::Fail) => Phase::Failed(problem()),
            (false, Goal::Terminate) => Phase::Terminated,
        };
        Lifecycle {
            phase,
            launch: row.launch,
            host_pid: row.host_pid,
            claude_pid: row.claude_pid,
            inspections: 0,
            start_requested: None,
            start_began: None,
            start_by: None,
            start_failures: 0,
            crashes: Vec::new(),
            startup_ms: row.startup_ms,
            stalled: None,
            host_trust: HostTrust::Unknown,
        }
    }

    /// Writes its part of the session's row.
    pub(super) fn store(&self, row: &mut SessionRow) {
        row.goal = self.phase.goal();
        row.launch = self.launch;
        row.host = self.phase.has_host();
        row.host_pid = self.host_pid;
        row.claude_pid = self.claude_pid;
        row.ready = self.phase.was_ready();
        row.error = self.phase.error().cloned();
        row.startup_ms = self.startup_ms;
    }

    pub(super) fn phase(&self) -> &Phase {
        &self.phase
    }

    pub(super) fn goal(&self) -> Goal {
        self.phase.goal()
    }

    /// The number of the newest launch.
    pub(super) fn launch(&self) -> u32 {
        self.launch
    }

    /// Whether a host of the current launch may exist.
    pub(super) fn has_host(&self) -> bool {
        self.phase.has_host()
    }

    /// Whether a host of this launch may exist.
    pub(super) fn has_host_of(&self, launch: u32) -> bool {
        self.has_host() && self.launch == launch
    }

    /// Whether the session counts against the limit of active sessions.
    pub(super) fn is_active(&self) -> bool {
        self.goal() == Goal::Run || self.has_host()
    }

    /// Whether the session waits for a start slot.
    pub(super) fn waits_for_slot(&self) -> bool {
        self.phase == Phase::Queued
    }

    /// Whether the session holds a start slot.
    pub(super) fn is_starting(&self) -> bool {
        self.phase.is_starting()
    }

    pub(super) fn is_ready(&self) -> bool {
        self.phase == Phase::Ready
    }

    pub(super) fn is_adopting(&self) -> bool {
        matches!(self.phase, Phase::Adopting { .. })
    }

    pub(super) fn is_initializing(&self) -> bool {
        matches!(self.phase, Phase::Initializing { .. })
    }

    pub(super) fn is_stopping(&self) -> bool {
        matches!(self.phase, Phase::Stopping { .. })
    }

    /// Whether a person must trust the directory first.
    pub(super) fn is_untrusted(&self) -> bool {
        self.phase == Phase::Untrusted
    }

    /// A person must trust the directory before Claude starts. A launch that was ordered has no host: it counts as if
    /// it had not been ordered.
    pub(super) fn await_trust(&mut self) {
        let ordered = matches!(self.phase, Phase::BackOff { .. });
        if self.go(Transition::AwaitTrust) && ordered {
            self.launch = self.launch.saturating_sub(1);
            self.start_began = None;
        }
    }

    /// Whether Claude runs or should run, and has not been ready yet.
    pub(super) fn awaits_ready(&self) -> bool {
        self.has_host() && !self.phase.was_ready() && !self.is_stopping()
    }

    /// Why a person must decide.
    pub(super) fn error(&self) -> Option<&Problem> {
        self.phase.error()
    }

    /// Why the host cannot write the journal.
    pub(super) fn stalled(&self) -> Option<&str> {
        self.stalled.as_deref()
    }

    /// The host cannot write the journal for this reason; `None`: it can.
    pub(super) fn set_stalled(&mut self, why: Option<String>) {
        self.stalled = why;
    }

    /// Whether the host obeys this daemon alone.
    pub(super) fn host_trust(&self) -> HostTrust {
        self.host_trust
    }

    pub(super) fn set_host_trust(&mut self, trust: HostTrust) {
        self.host_trust = trust;
    }

    pub(super) fn set_host(&mut self, pid: u32, trust: HostTrust) {
        self.host_trust = trust;
        self.host_pid = Some(pid);
    }

    /// Wall-clock time of the request that waits for a start slot.
    pub(super) fn start_requested(&self) -> Option<u64> {
        self.start_requested
    }

    /// The number of the current try to start, if earlier ones have failed.
    pub(super) fn repeated_try(&self) -> Option<u32> {
        (self.start_failures > 0).then(|| self.start_failures + 1)
    }

    /// Applies a transition; returns whether it applied.
    fn go(&mut self, transition: Transition) -> bool {
        match self.phase.after(transition) {
            Some(phase) => {
                self.phase = phase;
                true
            }
            None => false,
        }
    }

    /// Claude must start when a start slot is free.
    pub(super) fn request_start(&mut self, now: Now) {
        self.go(Transition::Request);
        self.start_requested.get_or_insert(now.wall);
    }

    /// The session gets a start slot.
    pub(super) fn begin_start(&mut self, now: Now) -> StartStep {
        self.start_began = Some(now.monotonic);
        if self.launch == 0 {
            return StartStep::Launch;
        }
        self.go(Transition::Inspect);
        self.inspections += 1;
        StartStep::Inspect(self.inspections)
    }

    /// Whether the session waits for the result of this inspection.
    pub(super) fn awaits_inspection(&self, inspection: u32) -> bool {
        self.phase == Phase::Inspecting && self.inspections == inspection
    }

    /// A host is ordered.
    pub(super) fn order_launch(&mut self, now: Now) {
        self.go(Transition::Launch);
        self.launch += 1;
        self.start_by = Some(now.monotonic + START_TIMEOUT_MS);
    }

    /// The host has started Claude; returns whether Claude must describe itself.
    pub(super) fn claude_started(&mut self, pid: u32) -> bool {
        self.claude_pid = Some(pid);
        self.start_by = None;
        self.phase == Phase::Launching
    }

    /// Claude runs and must be ready by this time.
    pub(super) fn initialize(&mut self, deadline: Option<u64>) {
        self.go(Transition::Initialize { deadline });
    }

    /// Claude is ready. Returns how long the start took, in milliseconds, and whether this is the first time that
    /// Claude of this launch is.
    pub(super) fn claude_ready(&mut self, now: Now) -> (bool, Option<u64>) {
        if !self.go(Transition::Ready) {
            return (false, None);
        }
        self.start_failures = 0;
        if let Some(requested) = self.start_requested.take() {
            self.startup_ms = Some(now.wall.saturating_sub(requested));
        }
        (true, self.start_began.take().map(|began| now.monotonic.saturating_sub(began)))
    }

    /// The connection to the host is lost, or a new daemon has started.
    pub(super) fn adopt(&mut self, now: Now) {
        self.go(Transition::Adopt);
        self.stalled = None;
        self.host_trust = HostTrust::Unknown;
        if self.phase == (Phase::Adopting { ready: false }) {
            self.start_by = Some(now.monotonic + START_TIMEOUT_MS);
        }
    }

    /// Everything that the host had recorded before it was adopted has been ingested.
    pub(super) fn synced(&mut self) -> SyncStep {
        if self.is_stopping() {
            SyncStep::StopAgain
        } else if self.go(Transition::Synced) {
            SyncStep::Ready
        } else if self.is_adopting() && self.claude_pid.is_some() {
            SyncStep::Initialize
        } else {
            self.go(Transition::AwaitClaude);
            SyncStep::None
        }
    }

    /// Claude must stop, if it runs; `then` follows.
    pub(super) fn stop(&mut self, then: Then) -> StopStep {
        let step = match (self.is_stopping(), self.has_host()) {
            (true, _) => StopStep::Stopping,
            (false, true) => StopStep::Stop,
            (false, false) => StopStep::NoClaude,
        };
        self.go(Transition::Stop(then));
        step
    }

    /// Claude and everything that it started has exited.
    ///
    /// `quit`: a person quit Claude in its terminal.
    pub(super) fn gone(&mut self, now: Now, quit: bool) -> EndStep {
        let step = match &self.phase {
            Phase::Stopping { then: Then::Restart, .. } => EndStep::Restart,
            Phase::Stopping { then: Then::RetryStart(problem), .. } => EndStep::StartFailed(problem.clone()),
            Phase::Stopping { then: Then::Fail(_) | Then::Terminate, .. } => EndStep::Settled,
            Phase::Ready | Phase::Adopting { .. } if quit => EndStep::Quit,
            Phase::Ready | Phase::Adopting { ready: true } => EndStep::Crashed,
            Phase::Launching | Phase::Initializing { .. } | Phase::Adopting { ready: false } => {
                EndStep::NeverReady
            }
            Phase::Queued
            | Phase::Inspecting
            | Phase::BackOff { .. }
            | Phase::Untrusted
            | Phase::Failed(_)
            | Phase::Terminated => EndStep::Settled,
        };
        self.go(Transition::Gone { now: now.monotonic });
        self.host_pid = None;
        self.claude_pid = None;
        self.start_by = None;
        self.stalled = None;
        self.host_trust = HostTrust::Unknown;
        step
    }

    /// A start has failed. Returns the number of the next try and the milliseconds until then; `None` if a person must
    /// decide.
    pub(super) fn start_failed(&mut self, now: Now) -> Option<(u32, u64)> {
        self.start_failures += 1;
        if self.start_failures >= START_TRIES {
            return None;
        }
        let delay = start_delay_ms(self.start_failures);
        self.go(Transition::BackOff { until: now.monotonic + delay });
        Some((self.start_failures + 1, delay))
    }

    /// Claude has crashed.
    ///
    /// # Errors
    ///
    /// The number of crashes in the window, if there are too many. Otherwise the milliseconds until the next start.
    pub(super) fn crashed(&mut self, now: Now) -> Result<u64, usize> {
        self.crashes.retain(|at| at + CRASH_WINDOW_MS > now.monotonic);
        self.crashes.push(now.monotonic);
        let crashes = self.crashes.len();
        if crashes > CRASHES_IN_WINDOW {
            return Err(crashes);
        }
        let delay = crash_delay_ms(crashes);
        self.go(Transition::BackOff { until: now.monotonic + delay });
        Ok(delay)
    }

    /// A turn has succeeded: earlier crashes do not count any more.
    pub(super) fn forget_crashes(&mut self) {
        self.crashes.clear();
    }

    /// A person requests a start: earlier failures do not count any more.
    pub(super) fn forget_failures(&mut self, now: Now) {
        self.start_failures = 0;
        self.crashes.clear();
        self.start_requested = Some(now.wall);
    }

    /// The earliest monotonic time at which something is due.
    pub(super) fn deadline(&self) -> Option<u64> {
        let phase = match self.phase {
            Phase::BackOff { until } => Some(until),
            Phase::Initializing { deadline } => deadline,
            Phase::Queued
            | Phase::Inspecting
            | Phase::Launching
            | Phase::Ready
            | Phase::Untrusted
            | Phase::Adopting { .. }
            | Phase::Stopping { .. }
            | Phase::Failed(_)
            | Phase::Terminated => None,
        };
        phase.into_iter().chain(self.start_by).min()
    }

    /// What is due at this time.
    pub(super) fn due(&mut self, now: Now) -> Option<Due> {
        let now = now.monotonic;
        let late = self.start_by.take_if(|by| *by <= now).is_some();
        match self.phase {
            Phase::BackOff { until } if until <= now => Some(Due::Start),
            Phase::Initializing { deadline: Some(deadline) } if deadline <= now => Some(Due::Ready),
            Phase::Launching | Phase::Adopting { .. }
                if late && self.stalled.is_none() && self.host_trust != HostTrust::Disobeys =>
            {
                Some(Due::Started)
            }
            Phase::BackOff { .. }
            | Phase::Initializing { .. }
            | Phase::Launching
            | Phase::Adopting { .. }
            | Phase::Queued
            | Phase::Inspecting
            | Phase::Ready
            | Phase::Untrusted
            | Phase::Stopping { .. }
            | Phase::Failed(_)
            | Phase::Terminated => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::phase::tests::phases;
    use super::*;

    #[test]
    fn what_the_store_keeps_of_a_phase_leads_back_to_it() {
        for (letter, phase) in phases() {
            let mut row = crate::orchestrator::tests::bare_row();
            let lifecycle = Lifecycle { phase, ..Lifecycle::restore(&row) };
            lifecycle.store(&mut row);
            if letter == 'U' {
                row.status = Status::Waiting;
            }
            let restored = Lifecycle::restore(&row).phase;
            let expected = match letter {
                'Q' | 'I' | 'B' => Phase::Queued,
                'L' | 'Z' | 'a' | 'r' => Phase::Adopting { ready: false },
                'R' | 'A' => Phase::Adopting { ready: true },
                _ => lifecycle.phase,
            };
            assert_eq!(restored, expected);
        }
    }
}
