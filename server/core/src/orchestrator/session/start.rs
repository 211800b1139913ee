//! The rules of a session's Claude: start, crash, restart, switch of the driver, end.

use super::Session;
use super::errors::ErrorOutput;
use super::held_requests::HeldRequests;
use super::lifecycle::{Due, EndStep, StartStep, StopStep, SyncStep};
use super::ordered::Ordered;
use super::phase::Then;
use super::terminal_input::TerminalInput;
use super::turn::Turn;
use crate::orchestrator::context::StepContext;
use crate::orchestrator::retry::{INITIALIZE_TIMEOUT_MS, START_TIMEOUT_MS, START_TRIES};
use crate::orchestrator::{
    Change, ConversationState, Driver, Effect, ErrorCode, Exit, Goal, INITIALIZE_PREFIX, Input, LaunchOrder,
    MessageId, NoticeLevel, PermissionRequest, Problem, Remedy, Switch,
};

/// The error of waiting messages that the termination of their session cancels.
const TERMINATED: &str = "The session was terminated.";

/// How a launch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::orchestrator) enum End {
    /// The host saw Claude exit.
    Exited(Exit),
    /// The host itself was lost.
    HostLost,
    /// Claude could not be started.
    NotStarted,
}

impl Session {
    /// Requests a start, which begins when a start slot is free.
    pub(in crate::orchestrator) fn request_start(&mut self, step: &mut StepContext) {
        self.withdraw_trust(step);
        self.lifecycle.request_start(step.now);
        self.note = None;
        self.settle_switch(step);
    }

    /// A start slot is free: reads Claude's own record of the conversation, or launches immediately if there cannot be
    /// one.
    pub(in crate::orchestrator) fn begin_start(&mut self, step: &mut StepContext) {
        match self.lifecycle.begin_start(step.now) {
            StartStep::Launch => self.launch(step, false),
            StartStep::Inspect(inspection) => step.push(Effect::Inspect {
                session: self.id,
                inspection,
                directory: self.spec.directory.clone(),
                claude_session: self.conversation.id(),
                messages: self.queue.doubtful(),
            }),
        }
    }

    /// Starts Claude according to its own record of the conversation, whose directory is `place`. Only the newest
    /// inspection counts. A conversation in which a turn has ended never starts from the beginning.
    pub(in crate::orchestrator) fn inspected(
        &mut self,
        step: &mut StepContext,
        inspection: u32,
        conversation: ConversationState,
        messages: &[MessageId],
        place: &str,
    ) {
        if !self.lifecycle.awaits_inspection(inspection) {
            return;
        }
        let resume = conversation == ConversationState::Begun;
        if self.conversation.is_recorded() && !resume {
            let problem = Problem::conversation_not_found(self.id, self.conversation.id(), place);
            self.fail(step, problem);
            return;
        }
        let recovery = self.recovery(step);
        self.queue.resolve_doubtful(step, messages, recovery);
        if conversation == ConversationState::Silent {
            self.conversation.open(step.new_uuid());
        }
        self.launch(step, resume);
    }

    fn launch(&mut self, step: &mut StepContext, resume: bool) {
        self.lifecycle.order_launch(step.now);
        self.usage.launched();
        self.errors = ErrorOutput::default();
        self.turn = Turn::launched();
        self.terminal = TerminalInput::of_new_claude();
        self.held = HeldRequests::default();
        self.ordered = Ordered::of_launch();
        self.conversation.carry_over(&mut self.spec);
        self.note =
            self.lifecycle.repeated_try().map(|number| format!("Try {number} of {START_TRIES} is running."));
        let (session, launch) = (self.id, self.lifecycle.launch());
        let key = step.host_key(session, launch);
        step.persist(Change::HostKey { session, launch, key });
        step.push(Effect::Launch(LaunchOrder {
            session,
            launch,
            spec: self.spec.clone(),
            claude_session: self.conversation.id(),
            resume,
            position: self.position,
            allowed: self.permissions.allowed_trust(),
            key,
        }));
    }

    /// The launch has no host.
    pub(in crate::orchestrator) fn launch_failed(
        &mut self,
        step: &mut StepContext,
        problem: Problem,
        permanent: bool,
    ) {
        match self.launch_ended(step, End::NotStarted) {
            EndStep::Settled => {}
            EndStep::Restart => self.request_start(step),
            EndStep::StartFailed(_) | EndStep::NeverReady | EndStep::Quit | EndStep::Crashed => {
                if permanent {
                    self.fail(step, problem);
                } else {
                    self.start_failed(step, problem);
                }
            }
        }
    }

    /// Claude runs: requests its description.
    pub(super) fn claude_started(&mut self, step: &mut StepContext, pid: u32) {
        self.trust_took_effect(step);
        if self.lifecycle.claude_started(pid) {
            self.initialize(step);
        }
    }

    /// Requests Claude's description. In a terminal there is no such request: Claude is ready when its record of its
    /// process says so, and a person can take any time to answer the first screens.
    fn initialize(&mut self, step: &mut StepContext) {
        if self.is_terminal() {
            self.lifecycle.initialize(None);
            return;
        }
        let request_id = self.control_id(INITIALIZE_PREFIX);
        self.send(step, Input::Initialize { request_id });
        self.lifecycle.initialize(Some(step.now.monotonic + INITIALIZE_TIMEOUT_MS));
    }

    /// Claude described itself, and lists its open permission requests.
    pub(super) fn claude_ready(&mut self, step: &mut StepContext, pending: Vec<PermissionRequest>) {
        let (first, took) = self.lifecycle.claude_ready(step.now);
        if first {
            self.note = None;
            if let Some(took) = took {
                step.start_succeeded(took);
            }
            let switched = std::mem::take(&mut self.switched);
            if self.lifecycle.launch() > 1 && !switched && self.lifecycle.goal() == Goal::Run {
                self.add_notice(step, NoticeLevel::Info, "Claude was restarted.");
            }
        }
        let entries = self.permissions.reconcile(step, self.lifecycle.launch(), pending);
        self.add_entries(step, entries);
    }

    /// The host can still run without a connection: looks for it.
    pub(in crate::orchestrator) fn adopt(&mut self, step: &mut StepContext) {
        if !self.lifecycle.has_host() {
            return;
        }
        self.lifecycle.adopt(step.now);
        let (session, launch, position) = (self.id, self.lifecycle.launch(), self.position);
        let (driver, directory) = (self.spec.driver, self.spec.directory.clone());
        step.push(Effect::Adopt { session, launch, driver, directory, position });
        if self.lifecycle.is_stopping() {
            self.order_stop(step, false);
        }
    }

    /// The host runs, and everything that it recorded before the adoption has been ingested.
    pub(in crate::orchestrator) fn synced(&mut self, step: &mut StepContext) {
        self.ordered.synced();
        match self.lifecycle.synced() {
            SyncStep::None => {}
            SyncStep::StopAgain => self.order_stop(step, false),
            SyncStep::Initialize => self.initialize(step),
            SyncStep::Ready => {
                self.initialize(step);
                if self.is_terminal() {
                    // A person can be typing there by now, or a dialog can be open.
                    self.queue.take_back_unwritten(step);
                }
                self.send_undelivered(step);
                if self.is_terminal() {
                    self.await_confirmation(step);
                }
            }
        }
    }

    /// Stops Claude, after interrupting a running turn; `then` follows.
    pub(super) fn stop(&mut self, step: &mut StepContext, then: Then) -> StopStep {
        if self.turn_runs() {
            self.interrupt(step);
        }
        let stop = self.lifecycle.stop(then);
        match stop {
            StopStep::Stop => self.order_stop(step, false),
            StopStep::NoClaude => self.withdraw_trust(step),
            StopStep::Stopping => {}
        }
        stop
    }

    fn order_stop(&self, step: &mut StepContext, at_once: bool) {
        step.push(Effect::Stop { session: self.id, launch: self.lifecycle.launch(), at_once });
    }

    /// A part of the journal is missing. The state of Claude is unknown, so Claude must stop.
    pub(super) fn journal_gap(&mut self, step: &mut StepContext, resume_at: u64) {
        let text = format!(
            "A part of the journal before byte {resume_at} is missing; Claude's output there is lost."
        );
        self.add_notice(step, NoticeLevel::Warning, text);
        self.give_claude_up(step, false);
    }

    /// A part of the journal is damaged. If nothing after it is `readable`, Claude's exit cannot be read either, so it
    /// is useless to wait for it.
    pub(super) fn journal_damaged(&mut self, step: &mut StepContext, offset: u64, readable: bool) {
        let text = format!("The journal is damaged at byte {offset}; Claude's output there is lost.");
        self.add_notice(step, NoticeLevel::Warning, text);
        self.give_claude_up(step, !readable);
    }

    /// The host refused an order, which only a new start can repair.
    pub(in crate::orchestrator) fn order_refused(&mut self, step: &mut StepContext) {
        self.give_claude_up(step, false);
    }

    /// Stops a Claude whose state is unknown. Its exit counts as a crash, so that a recurring cause cannot restart it
    /// without a limit.
    fn give_claude_up(&self, step: &mut StepContext, at_once: bool) {
        if self.lifecycle.has_host() && (at_once || !self.lifecycle.is_stopping()) {
            self.order_stop(step, at_once);
        }
    }

    /// Claude and everything that it started has exited.
    pub(in crate::orchestrator) fn ended(&mut self, step: &mut StepContext, end: End) {
        if !self.lifecycle.has_host() {
            return;
        }
        match self.launch_ended(step, end) {
            EndStep::Settled => {}
            EndStep::Restart => self.request_start(step),
            EndStep::StartFailed(problem) => self.start_failed(step, problem),
            EndStep::NeverReady => {
                let problem = self.start_problem(end);
                self.start_failed(step, problem);
            }
            EndStep::Quit => self.ended_by_person(step),
            EndStep::Crashed => self.crashed(step, end),
        }
    }

    /// Ends everything that belonged to the launch.
    pub(super) fn launch_ended(&mut self, step: &mut StepContext, end: End) -> EndStep {
        let goal = self.lifecycle.goal();
        // A power cut can have lost the host, and with it the end of Claude's own record. That record does not contain
        // pasted messages either.
        let inspection_follows = goal == Goal::Run && end != End::HostLost && !self.is_terminal();
        let step_after = self.lifecycle.gone(step.now, self.terminal.take_quit());
        self.turn.claude_gone();
        self.note = None;
        self.terminal.close_dialog();
        let withdrawn = self.permissions.withdraw_all(step);
        self.add_entries(step, withdrawn);
        let recovery = self.recovery(step);
        self.queue.claude_gone(step, inspection_follows, recovery);
        if goal == Goal::Terminate {
            self.queue.cancel_all(step, Some(TERMINATED));
        }
        step.push(Effect::Release { session: self.id, launch: self.lifecycle.launch() });
        step_after
    }

    /// A person quit Claude in its terminal. Waiting messages are kept.
    fn ended_by_person(&mut self, step: &mut StepContext) {
        let ended = "A person ended Claude in its terminal.";
        if !self.queue.has_waiting() {
            self.add_notice(step, NoticeLevel::Info, ended);
            self.audit_own(step, "session/terminate", ended);
            self.terminate(step);
            return;
        }
        let remedy = Remedy::restart_after(self.id, "Messages wait; remove those that must not run.");
        self.fail(step, Problem::new(ErrorCode::EndedInTerminal, ended, remedy));
    }

    fn start_problem(&self, end: End) -> Problem {
        let (code, message) = match end {
            End::Exited(exit) => {
                (ErrorCode::ClaudeStartFailed, format!("Claude exited before it was ready ({exit})."))
            }
            End::HostLost => {
                (ErrorCode::HostFailed, "The session host was lost before Claude was ready.".to_owned())
            }
            End::NotStarted => (ErrorCode::ClaudeStartFailed, "Claude could not be started.".to_owned()),
        };
        self.problem_with_log(code, message, Remedy::restart(self.id))
    }

    /// A start failed: another try follows, or a person must decide.
    fn start_failed(&mut self, step: &mut StepContext, problem: Problem) {
        let Some((next_try, delay)) = self.lifecycle.start_failed(step.now) else {
            self.fail(step, problem);
            return;
        };
        self.add_notice(step, NoticeLevel::Warning, problem.message.clone());
        self.note = Some(format!(
            "{} Try {next_try} of {START_TRIES} follows in {} s.",
            problem.message,
            delay / 1_000
        ));
    }

    /// Processes of the session outlived its host, and the daemon cannot kill them.
    pub(in crate::orchestrator) fn survived(&mut self, step: &mut StepContext, processes: &str) {
        let remain = format!(
            "Processes of this session outlived its host and cannot be killed: {processes}. End them yourself."
        );
        self.audit_own(step, "session/survivors", &remain);
        self.add_notice(step, NoticeLevel::Warning, remain);
    }

    fn crashed(&mut self, step: &mut StepContext, end: End) {
        let how = match end {
            End::Exited(exit) => format!("Claude exited unexpectedly ({exit})."),
            End::HostLost => "The session host was lost, and Claude with it.".to_owned(),
            End::NotStarted => "Claude does not run.".to_owned(),
        };
        self.add_notice(step, NoticeLevel::Warning, how.clone());
        self.audit_own(step, "session/crash", &how);
        match self.lifecycle.crashed(step.now) {
            Ok(delay) => {
                self.note = Some(format!("{how} It restarts in {:.1} s.", delay as f64 / 1_000.0));
            }
            Err(crashes) => {
                let problem = self.problem_with_log(
                    ErrorCode::CrashedTooOften,
                    format!("Claude crashed {crashes} times within ten minutes."),
                    Remedy::restart_after(self.id, "Find out why it crashes."),
                );
                self.fail(step, problem);
            }
        }
    }

    /// A person must decide. Stops Claude if it still runs.
    pub(super) fn fail(&mut self, step: &mut StepContext, problem: Problem) {
        self.add_notice(step, NoticeLevel::Error, problem.message.clone());
        self.audit_own(step, "session/fail", &problem.message);
        self.note = None;
        self.mark_unread();
        if self.stop(step, Then::Fail(problem)) == StopStep::NoClaude {
            self.settle_doubtful(step);
        }
    }

    /// Claude's own record will not be read: doubtful messages count as interrupted.
    fn settle_doubtful(&mut self, step: &mut StepContext) {
        let doubtful = self.queue.doubtful();
        self.queue.resolve_doubtful(step, &doubtful, None);
    }

    /// A person terminates the session.
    pub(in crate::orchestrator) fn terminate(&mut self, step: &mut StepContext) {
        self.note = None;
        self.queue.cancel_all(step, Some(TERMINATED));
        if self.stop(step, Then::Terminate) == StopStep::NoClaude {
            self.settle_doubtful(step);
        }
    }

    /// A person restarts Claude.
    pub(in crate::orchestrator) fn restart(&mut self, step: &mut StepContext) {
        self.lifecycle.forget_failures(step.now);
        self.note = None;
        if self.turn_runs() {
            self.queue.hold_after_interrupt();
        }
        if self.stop(step, Then::Restart) == StopStep::NoClaude {
            self.request_start(step);
        }
    }

    /// Switches the conversation to the other driver: now if no turn runs or if it can be interrupted, else when the
    /// turn has ended.
    pub(in crate::orchestrator) fn switch(&mut self, step: &mut StepContext, to: Switch) {
        self.switch_to = (to.driver != self.spec.driver).then_some(to.driver);
        // While the daemon looks for the host, it is unknown whether a turn runs.
        let may_run = self.turn_runs() || self.lifecycle.is_adopting();
        if self.switch_to.is_some() && (to.interrupt || !may_run) {
            self.switch_now(step);
        }
    }

    /// Stops Claude, if it runs, and starts it with the other driver.
    pub(super) fn switch_now(&mut self, step: &mut StepContext) {
        if self.lifecycle.has_host() {
            self.stop(step, Then::Restart);
        } else if self.lifecycle.is_untrusted() {
            // In its terminal, Claude itself asks.
            self.request_start(step);
        } else {
            self.settle_switch(step);
        }
    }

    /// Claude has exited: the next start uses the requested driver.
    fn settle_switch(&mut self, step: &mut StepContext) {
        if let Some(driver) = self.switch_to.take() {
            self.spec.driver = driver;
            self.switched = true;
            let notice = match driver {
                Driver::Terminal => "The conversation continues in its terminal.",
                Driver::Stream => "The conversation continues as a transcript.",
            };
            self.add_notice(step, NoticeLevel::Info, notice);
        }
    }

    /// The earliest monotonic time at which something is due.
    pub(in crate::orchestrator) fn deadline(&self) -> Option<u64> {
        let at_terminal = [self.terminal.deadline(), self.held.deadline()];
        let deadlines = [self.lifecycle.deadline(), self.turn.deadline()];
        deadlines.into_iter().chain(at_terminal).flatten().min()
    }

    /// Time has passed.
    pub(in crate::orchestrator) fn tick(&mut self, step: &mut StepContext) {
        match self.lifecycle.due(step.now) {
            None => {}
            Some(Due::Start) => self.request_start(step),
            Some(Due::Ready) => {
                let problem = self.problem_with_log(
                    ErrorCode::ClaudeStartTimeout,
                    format!("Claude was not ready within {} s.", INITIALIZE_TIMEOUT_MS / 1_000),
                    Remedy::restart(self.id),
                );
                self.stop(step, Then::RetryStart(problem));
            }
            Some(Due::Started) => {
                let problem = Problem::new(
                    ErrorCode::HostFailed,
                    format!("The session host did not start Claude within {} s.", START_TIMEOUT_MS / 1_000),
                    Remedy::restart_after(self.id, "See host.log."),
                );
                self.stop(step, Then::RetryStart(problem));
            }
        }
        self.tick_terminal(step);
        self.tick_turn(step);
    }
}
