//! The life of one session: start, ready, crash, restart, end.

use super::retry::{
    CRASH_WINDOW_MS, CRASHES_IN_WINDOW, INITIALIZE_TIMEOUT_MS, INTERRUPT_TIMEOUT_MS, START_TIMEOUT_MS,
    START_TRIES, crash_delay_ms, start_delay_ms,
};
use super::session::{After, Phase, Session, Step};
use super::terminal::AtTerminal;
use super::{
    Activity, AuditRow, Driver, Effect, Exit, Goal, Input, LaunchOrder, MessageId, NoticeLevel, Pause,
    PermissionAsk, Problem, Recorded, Switch,
};

/// How a launch came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The host saw Claude exit.
    Exited(Exit),
    /// The host itself was lost.
    HostLost,
    /// There was nothing to start.
    NotStarted,
}

impl Session {
    /// Asks for a start; it begins when a start slot is free.
    pub(super) fn want_start(&mut self, step: &mut Step) {
        self.phase = Phase::Queued;
        self.note = None;
        self.settle_move(step);
        if self.start_requested.is_none() {
            self.start_requested = Some(step.now.wall);
        }
    }

    /// A start slot is free: looks at what Claude knows of the conversation, or launches at once if it can know
    /// nothing.
    pub(super) fn begin_start(&mut self, step: &mut Step) {
        self.start_began = Some(step.now.monotonic);
        if self.row.launch == 0 {
            self.launch(step, false);
            return;
        }
        self.phase = Phase::Inspecting;
        self.looks += 1;
        step.effects.push(Effect::Inspect {
            session: self.row.id,
            look: self.looks,
            directory: self.row.directory.clone(),
            claude_session: self.row.claude_session,
            messages: self.doubtful(),
        });
    }

    /// Starts Claude according to its own record of the conversation, which was looked for in `place`. The result of an
    /// earlier look than the latest is ignored. A conversation of which a turn has ended is never begun anew.
    pub(super) fn inspected(
        &mut self,
        step: &mut Step,
        look: u32,
        conversation: Recorded,
        seen: &[MessageId],
        place: &str,
    ) {
        if self.phase != Phase::Inspecting || look != self.looks {
            return;
        }
        let resume = conversation == Recorded::Begun;
        if self.row.recorded && !resume {
            let problem = Problem::conversation_not_found(self.row.id, self.row.claude_session, place);
            self.fail(step, problem);
            return;
        }
        self.resolve_doubtful(step, seen);
        if let Recorded::Silent(instead) = conversation {
            self.row.claude_session = instead;
        }
        self.launch(step, resume);
    }

    fn launch(&mut self, step: &mut Step, resume: bool) {
        self.row.launch += 1;
        self.row.host = true;
        self.row.ready = false;
        self.row.cost_before += std::mem::take(&mut self.row.cost_launch);
        self.error_lines.clear();
        self.garbage = 0;
        self.interrupting = None;
        self.login_refused = false;
        self.activity = Activity::Idle;
        self.terminal = AtTerminal::of_new_claude();
        self.carry_over();
        self.phase = Phase::Launching;
        self.start_by = Some(step.now.monotonic + START_TIMEOUT_MS);
        self.note = (self.start_failures > 0)
            .then(|| format!("Try {} of {START_TRIES} is under way.", self.start_failures + 1));
        step.effects.push(Effect::Launch(LaunchOrder {
            session: self.row.id,
            launch: self.row.launch,
            directory: self.row.directory.clone(),
            driver: self.row.driver,
            claude_session: self.row.claude_session,
            resume,
            model: self.row.model.clone(),
            permission_mode: self.row.permission_mode.clone(),
            position: self.row.position,
        }));
    }

    pub(super) fn launch_failed(&mut self, step: &mut Step, problem: Problem, permanent: bool) {
        self.end_of_launch(step, &End::NotStarted);
        match self.phase.clone() {
            _ if self.row.goal != Goal::Run => self.phase = Phase::Down,
            Phase::Stopping(After::Restart) => self.want_start(step),
            _ if permanent => self.fail(step, problem),
            _ => self.start_failed(step, problem),
        }
    }

    /// Claude runs: asks it to describe itself.
    pub(super) fn claude_started(&mut self, step: &mut Step, pid: u32) {
        self.row.claude_pid = Some(pid);
        self.start_by = None;
        if self.phase == Phase::Launching {
            self.initialize(step);
        }
    }

    /// Asks Claude to describe itself. At a terminal there is nobody to ask: it is ready when its record of the process says
    /// so, and a person may take any time to answer what it shows before.
    fn initialize(&mut self, step: &mut Step) {
        if self.is_terminal() {
            if !self.row.ready {
                self.phase = Phase::Initializing { deadline: None };
            }
            return;
        }
        let request_id = self.control_id("init");
        self.send(step, Input::Initialize { request_id });
        if !self.row.ready {
            self.phase = Phase::Initializing { deadline: Some(step.now.monotonic + INITIALIZE_TIMEOUT_MS) };
        }
    }

    /// Claude described itself.
    pub(super) fn claude_ready(&mut self, step: &mut Step, pending: Vec<PermissionAsk>) {
        if !self.row.ready {
            self.row.ready = true;
            self.start_failures = 0;
            self.note = None;
            step.start_took = self.start_began.take().map(|began| step.now.monotonic.saturating_sub(began));
            if let Some(asked) = self.start_requested.take() {
                self.row.startup_ms = Some(step.now.wall.saturating_sub(asked));
            }
            if matches!(self.phase, Phase::Launching | Phase::Initializing { .. }) {
                self.phase = Phase::Ready;
            }
            let moved = std::mem::take(&mut self.moved);
            if self.row.launch > 1 && !moved && self.row.goal == Goal::Run {
                self.notice(step, NoticeLevel::Info, "Claude was started again.");
            }
        }
        self.reconcile_prompts(step, pending);
    }

    /// The host lives and nobody is connected to it: it is found again as after a daemon's start.
    pub(super) fn link_lost(&mut self, step: &mut Step) {
        if matches!(self.phase, Phase::Launching | Phase::Initializing { .. } | Phase::Ready) {
            self.phase = Phase::Adopting;
        }
        self.stalled = None;
        let (session, launch, position) = (self.row.id, self.row.launch, self.row.position);
        let (driver, directory) = (self.row.driver, self.row.directory.clone());
        step.effects.push(Effect::Adopt { session, launch, driver, directory, position });
        if matches!(self.phase, Phase::Stopping(_)) {
            step.effects.push(Effect::Stop { session, launch });
        } else if !self.row.ready {
            self.start_by = Some(step.now.monotonic + START_TIMEOUT_MS);
        }
    }

    /// After a daemon's start: the host runs, and all that it had recorded by then has been taken in.
    pub(super) fn synced(&mut self, step: &mut Step) {
        match self.phase {
            Phase::Adopting => {}
            // Whether it had been told is not known; to be told twice does it no harm.
            Phase::Stopping(_) => {
                step.effects.push(Effect::Stop { session: self.row.id, launch: self.row.launch });
                return;
            }
            _ => return,
        }
        if self.row.ready {
            self.phase = Phase::Ready;
            self.initialize(step);
            if self.is_terminal() {
                self.take_back_unwritten(step);
            }
            self.send_undelivered(step);
            if self.is_terminal() {
                self.await_confirmation(step);
            }
        } else if self.row.claude_pid.is_some() {
            self.initialize(step);
        } else {
            self.phase = Phase::Launching;
        }
    }

    /// Tells Claude to end; a running turn is broken off first.
    pub(super) fn stop(&mut self, step: &mut Step, after: After) {
        let told = matches!(self.phase, Phase::Stopping(_));
        if self.turn_runs() {
            self.interrupt(step);
        }
        self.phase = Phase::Stopping(after);
        if told {
            return;
        }
        step.effects.push(Effect::Stop { session: self.row.id, launch: self.row.launch });
    }

    /// Claude and everything it started is gone.
    pub(super) fn ended(&mut self, step: &mut Step, end: End) {
        if !self.row.host {
            return;
        }
        let was_ready = self.row.ready;
        self.end_of_launch(step, &end);
        if self.row.goal != Goal::Run {
            self.phase = Phase::Down;
            return;
        }
        let quit = std::mem::take(&mut self.terminal.quit);
        match std::mem::replace(&mut self.phase, Phase::Down) {
            Phase::Stopping(After::Restart) => self.want_start(step),
            Phase::Ready | Phase::Adopting if quit => self.ended_by_person(step),
            Phase::Stopping(After::StartFailure(problem)) => self.start_failed(step, problem),
            _ if was_ready => self.crashed(step, end),
            _ => {
                let problem = self.start_problem(end);
                self.start_failed(step, problem);
            }
        }
    }

    /// Whatever belonged to the launch is over.
    fn end_of_launch(&mut self, step: &mut Step, end: &End) {
        // What took the host may have been a power cut, which took the latest of Claude's own record too.
        // Claude's own record does not know a message that came by the terminal.
        let look_follows = self.row.goal == Goal::Run && !matches!(end, End::HostLost) && !self.is_terminal();
        self.row.host = false;
        self.row.host_pid = None;
        self.row.claude_pid = None;
        self.interrupting = None;
        self.start_by = None;
        self.activity = Activity::Idle;
        self.note = None;
        self.stalled = None;
        self.terminal.dialog = None;
        self.withdraw_prompts(step);
        self.claude_gone(step, look_follows);
        if self.row.goal == Goal::Terminate {
            self.cancel_waiting(step, None, Some("The session was terminated."));
        }
        step.effects.push(Effect::Release { session: self.row.id, launch: self.row.launch });
    }

    /// A person ended Claude from inside. A queue that waits is not thrown away with it.
    fn ended_by_person(&mut self, step: &mut Step) {
        let ended = "Claude was ended in its terminal.";
        if self.queued().next().is_none() {
            self.notice(step, NoticeLevel::Info, ended);
            self.audit_own(step, "session/terminate", ended);
            self.terminate(step);
            return;
        }
        let hint = format!("Messages wait: go on with them with: areyouj restart {}", self.row.id);
        self.fail(step, Problem::new("ended_in_terminal", ended, hint));
    }

    fn start_problem(&self, end: End) -> Problem {
        let (code, message) = match end {
            End::Exited(exit) => {
                ("claude_start_failed", format!("Claude ended before it was ready ({exit})."))
            }
            End::HostLost => ("host_failed", "The session host was lost before Claude was ready.".to_owned()),
            End::NotStarted => ("claude_start_failed", "Claude could not be started.".to_owned()),
        };
        let hint = format!("See why below, then try again with: areyouj restart {}", self.row.id);
        Problem { log: self.error_log(), ..Problem::new(code, message, hint) }
    }

    /// A start failed: another try follows, or a person is needed.
    pub(super) fn start_failed(&mut self, step: &mut Step, problem: Problem) {
        self.start_failures += 1;
        if self.start_failures >= START_TRIES {
            self.fail(step, problem);
            return;
        }
        let delay = start_delay_ms(self.start_failures);
        self.notice(step, NoticeLevel::Warning, problem.message.clone());
        self.note = Some(format!(
            "{} Try {} of {START_TRIES} follows in {} s.",
            problem.message,
            self.start_failures + 1,
            delay / 1_000
        ));
        self.phase = Phase::BackOff { until: step.now.monotonic + delay };
    }

    fn crashed(&mut self, step: &mut Step, end: End) {
        let how = match end {
            End::Exited(exit) => format!("Claude ended unexpectedly ({exit})."),
            End::HostLost => "The session host was lost, and Claude with it.".to_owned(),
            End::NotStarted => "Claude is gone.".to_owned(),
        };
        self.notice(step, NoticeLevel::Warning, how.clone());
        self.audit_own(step, "session/crash", &how);
        let now = step.now.monotonic;
        self.crashes.retain(|at| at + CRASH_WINDOW_MS > now);
        self.crashes.push(now);
        let crashes = self.crashes.len();
        if crashes > CRASHES_IN_WINDOW {
            let hint =
                format!("Find out why below, then start it again with: areyouj restart {}", self.row.id);
            let message = format!("Claude crashed {crashes} times within ten minutes.");
            let problem =
                Problem { log: self.error_log(), ..Problem::new("crashed_too_often", message, hint) };
            self.fail(step, problem);
            return;
        }
        let delay = crash_delay_ms(crashes);
        self.note = Some(format!("{how} It is started again in {:.1} s.", delay as f64 / 1_000.0));
        self.phase = Phase::BackOff { until: now + delay };
    }

    /// A person is needed. A Claude that still runs is told to end.
    pub(super) fn fail(&mut self, step: &mut Step, problem: Problem) {
        self.notice(step, NoticeLevel::Error, problem.message.clone());
        self.audit_own(step, "session/fail", &problem.message);
        self.row.goal = Goal::Fail;
        self.row.error = Some(problem);
        self.note = None;
        self.unseen();
        if self.row.host {
            self.stop(step, After::Goal);
        } else {
            self.settle_doubtful(step);
            self.phase = Phase::Down;
        }
    }

    /// No look at Claude's record will follow: what is in doubt is called cut off.
    fn settle_doubtful(&mut self, step: &mut Step) {
        let doubtful = self.doubtful();
        self.resolve_doubtful(step, &doubtful);
    }

    pub(super) fn terminate(&mut self, step: &mut Step) {
        self.row.goal = Goal::Terminate;
        self.row.error = None;
        self.note = None;
        self.cancel_waiting(step, None, Some("The session was terminated."));
        if self.row.host {
            self.stop(step, After::Goal);
        } else {
            self.settle_doubtful(step);
            self.phase = Phase::Down;
        }
    }

    pub(super) fn restart(&mut self, step: &mut Step) {
        self.row.goal = Goal::Run;
        self.row.error = None;
        self.start_failures = 0;
        self.crashes.clear();
        self.note = None;
        self.start_requested = Some(step.now.wall);
        self.hold_queue_for_interrupt();
        if self.row.host {
            self.stop(step, After::Restart);
        } else {
            self.want_start(step);
        }
    }

    /// Moves the conversation to the other driver: now if nothing runs or what runs is to be broken off, else when the
    /// turn has ended.
    pub(super) fn switch(&mut self, step: &mut Step, to: Switch) -> Result<(), Problem> {
        if self.row.goal == Goal::Terminate {
            return Err(Problem::terminated(self.row.id));
        }
        self.row.move_to = (to.driver != self.row.driver).then_some(to.driver);
        // While its host is being found, nobody knows whether a turn runs.
        let may_run = self.turn_runs() || self.phase == Phase::Adopting;
        if self.row.move_to.is_some() && (to.interrupt || !may_run) {
            self.move_now(step);
        }
        Ok(())
    }

    /// Ends Claude, if it runs, and starts it with the other driver.
    pub(super) fn move_now(&mut self, step: &mut Step) {
        if self.row.host {
            self.stop(step, After::Restart);
        } else {
            self.settle_move(step);
        }
    }

    /// Claude is gone: what starts next is the driver that was asked for.
    pub(super) fn settle_move(&mut self, step: &mut Step) {
        if let Some(driver) = self.row.move_to.take() {
            self.row.driver = driver;
            self.moved = true;
            let moved = match driver {
                Driver::Terminal => "The conversation goes on in its terminal.",
                Driver::Stream => "The conversation goes on as a stream.",
            };
            self.notice(step, NoticeLevel::Info, moved);
        }
    }

    /// A person breaks the turn off: what waits is not to follow by itself.
    pub(super) fn hold_queue_for_interrupt(&mut self) {
        if self.turn_runs() && self.row.paused.is_none() && self.queued().next().is_some() {
            self.row.paused = Some(Pause::Interrupt);
            self.mark_queue_changed();
        }
    }

    /// Breaks the turn off. One that is being broken off already is not broken off again.
    pub(super) fn interrupt(&mut self, step: &mut Step) {
        if self.interrupting.is_some() {
            return;
        }
        let request_id = self.control_id("interrupt");
        self.interrupting = Some(step.now.monotonic + INTERRUPT_TIMEOUT_MS);
        self.send(step, Input::Interrupt { request_id });
    }

    /// The earliest moment at which something is due.
    pub(super) fn deadline(&self) -> Option<u64> {
        let phase = match self.phase {
            Phase::BackOff { until } => Some(until),
            Phase::Initializing { deadline } => deadline,
            _ => None,
        };
        [phase, self.interrupting, self.start_by, self.terminal.deadline()].into_iter().flatten().min()
    }

    pub(super) fn tick(&mut self, step: &mut Step) {
        let now = step.now.monotonic;
        match self.phase {
            Phase::BackOff { until } if until <= now => self.want_start(step),
            Phase::Initializing { deadline: Some(deadline) } if deadline <= now => {
                let problem = Problem {
                    log: self.error_log(),
                    ..Problem::new(
                        "claude_start_timeout",
                        format!("Claude did not get ready within {} s.", INITIALIZE_TIMEOUT_MS / 1_000),
                        format!("See why below, then try again with: areyouj restart {}", self.row.id),
                    )
                };
                self.stop(step, After::StartFailure(problem));
            }
            _ => {}
        }
        if self.start_by.is_some_and(|deadline| deadline <= now) {
            self.start_by = None;
            if matches!(self.phase, Phase::Launching | Phase::Adopting) && self.stalled.is_none() {
                let problem = Problem::new(
                    "host_failed",
                    format!("The session host did not start Claude within {} s.", START_TIMEOUT_MS / 1_000),
                    format!("See host.log, then try again with: areyouj restart {}", self.row.id),
                );
                self.stop(step, After::StartFailure(problem));
            }
        }
        self.tick_terminal(step);
        if self.interrupting.is_some_and(|deadline| deadline <= now) {
            self.interrupting = None;
            let text = format!(
                "Claude did not answer the interrupt. Start it again with: areyouj restart {}",
                self.row.id
            );
            self.notice(step, NoticeLevel::Warning, text);
        }
    }

    fn audit_own(&self, step: &mut Step, operation: &str, detail: &str) {
        step.audit(AuditRow {
            at: step.now.wall,
            by: "areyouj".to_owned(),
            operation: operation.to_owned(),
            session: Some(self.row.id),
            detail: Some(detail.to_owned()),
            outcome: "ok".to_owned(),
        });
    }
}
