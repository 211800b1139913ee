//! The turn of one session: whether one runs, how it ends, and how it is interrupted.

use super::Session;
use super::phase::Then;
use crate::orchestrator::context::StepContext;
use crate::orchestrator::retry::{INTERRUPT_TIMEOUT_MS, LOGIN_REFUSALS};
use crate::orchestrator::{
    Activity, EntryBody, ErrorCode, Goal, INITIALIZE_PREFIX, Input, MessageState, NoticeLevel, PauseReason,
    Problem, Remedy, SessionRow, Status, TurnEnd,
};

/// The HTTP status with which the API refuses a login.
const UNAUTHORIZED: u16 = 401;

/// The beginning of the ids of our interrupts.
const INTERRUPT_PREFIX: &str = "areyouj-interrupt-";

/// Claude's activity, and what AreYouJ has done about it.
#[derive(Debug)]
pub(super) struct Turn {
    activity: Activity,
    /// Monotonic time by which Claude should answer the interrupt that was sent.
    interrupted_by: Option<u64>,
    /// The API refuses the login: the running message fails for that reason.
    login_refused: bool,
}

impl Turn {
    /// The turn, as far as the session's row shows it.
    pub(super) fn restore(row: &SessionRow) -> Turn {
        let activity = match row.status {
            Status::Active => Activity::Running,
            Status::Waiting => Activity::RequiresAction,
            Status::Starting | Status::Idle | Status::Error | Status::Terminated => Activity::Idle,
        };
        Turn { activity, interrupted_by: None, login_refused: false }
    }

    /// A new Claude.
    pub(super) fn launched() -> Turn {
        Turn { activity: Activity::Idle, interrupted_by: None, login_refused: false }
    }

    /// Claude has exited.
    pub(super) fn claude_gone(&mut self) {
        self.activity = Activity::Idle;
        self.interrupted_by = None;
    }

    pub(super) fn is_idle(&self) -> bool {
        self.activity == Activity::Idle
    }

    pub(super) fn is_interrupting(&self) -> bool {
        self.interrupted_by.is_some()
    }

    /// A turn runs.
    pub(super) fn begin(&mut self) {
        self.activity = Activity::Running;
    }

    /// A turn runs in which Claude does not wait for a person.
    pub(super) fn is_running(&self) -> bool {
        self.activity == Activity::Running
    }

    /// The API has refused the login.
    pub(super) fn refuse_login(&mut self) {
        self.login_refused = true;
    }

    /// Claude acknowledged our interrupt. If no turn runs, there was nothing to interrupt, and no turn's end follows.
    pub(super) fn interrupt_acknowledged(&mut self) {
        if self.is_idle() {
            self.interrupted_by = None;
        }
    }

    /// The monotonic time at which an interrupt counts as not answered.
    pub(super) fn deadline(&self) -> Option<u64> {
        self.interrupted_by
    }
}

impl Session {
    /// Whether a turn runs, or will.
    pub(in crate::orchestrator) fn turn_runs(&self) -> bool {
        self.lifecycle.is_ready() && (!self.turn.is_idle() || self.queue.running().next().is_some())
    }

    /// Claude reported its activity.
    pub(super) fn activity_changed(&mut self, step: &mut StepContext, activity: Activity) {
        self.turn.activity = activity;
        if activity == Activity::Idle {
            // Everything that had started has ended, even if Claude did not report how.
            let why = if self.is_terminal() {
                "The turn was interrupted."
            } else {
                "Claude ended the turn without a result."
            };
            self.queue.finish_started(step, MessageState::Interrupted, Some(why));
            self.turn.interrupted_by = None;
            self.note = None;
        }
    }

    /// A turn has ended, and with it the messages whose turn it was.
    pub(super) fn turn_ended(&mut self, step: &mut StepContext, mut turn: TurnEnd) {
        if self.is_terminal() {
            // Hooks do not report the duration.
            turn.duration_ms = self.terminal.turn_ms(step.now.wall);
        }
        let cost_usd = self.usage.turn_ended(turn.cost_total, turn.context_max);
        let running = self.queue.running().next().map(|message| message.id);
        let message_id = turn.messages.first().copied().or(running);
        // An interrupt can end a message before it starts; Claude records nothing then.
        if turn.ok || self.queue.running().any(|message| message.started) {
            self.conversation.record();
        }
        self.finish_messages(step, &turn);
        if turn.ok {
            self.lifecycle.forget_crashes();
        } else {
            self.mark_unread();
        }
        let login = self.turn.login_refused || (!turn.ok && turn.api_status == Some(UNAUTHORIZED));
        let TurnEnd { ok, outcome, error, duration_ms, .. } = turn;
        self.add_entry(step, EntryBody::TurnEnd { message_id, ok, outcome, error, cost_usd, duration_ms });
        self.note = None;
        if self.is_terminal() && !self.terminal.turn_ended() {
            self.activity_changed(step, Activity::Idle);
        }
        // A person who terminates or restarts the session meanwhile decides.
        if login && self.lifecycle.goal() == Goal::Run && !self.lifecycle.is_stopping() {
            self.login_needed(step);
        }
    }

    fn finish_messages(&mut self, step: &mut StepContext, turn: &TurnEnd) {
        let interrupted = self.turn.is_interrupting() && !self.turn.login_refused;
        let (state, error) = match (turn.ok, interrupted) {
            (true, _) => (MessageState::Done, None),
            (false, true) => (MessageState::Interrupted, Some("The turn was interrupted.")),
            (false, false) => {
                (MessageState::Failed, Some(turn.error.as_deref().unwrap_or(turn.outcome.as_str())))
            }
        };
        for id in self.queue.ended_by(turn, |id| self.terminal.is_ahead(id)) {
            if state == MessageState::Failed {
                self.queue.ask_about(id, PauseReason::Failed);
            }
            self.queue.finish(step, id, state, error);
        }
    }

    /// A person interrupts the turn.
    ///
    /// # Errors
    ///
    /// No turn runs.
    pub(in crate::orchestrator) fn interrupt_by_person(
        &mut self,
        step: &mut StepContext,
    ) -> Result<(), Problem> {
        if !self.turn_runs() {
            return Err(Problem::new(
                ErrorCode::NoRunningTurn,
                "No turn is running.",
                "There is nothing to interrupt.",
            ));
        }
        self.queue.hold_after_interrupt();
        self.interrupt(step);
        Ok(())
    }

    /// Interrupts the turn. One interrupt at a time is enough.
    pub(super) fn interrupt(&mut self, step: &mut StepContext) {
        if self.turn.is_interrupting() {
            return;
        }
        let request_id = self.control_id(INTERRUPT_PREFIX);
        self.turn.interrupted_by = Some(step.now.monotonic + INTERRUPT_TIMEOUT_MS);
        self.send(step, Input::Interrupt { request_id });
    }

    /// Time has passed: an interrupt might not have been answered.
    pub(super) fn tick_turn(&mut self, step: &mut StepContext) {
        let late = self.turn.interrupted_by.take_if(|by| *by <= step.now.monotonic);
        if late.is_some() {
            let text = "Claude did not answer the interrupt. Restart the session if this persists.";
            self.add_notice(step, NoticeLevel::Warning, text);
        }
    }

    /// The API refused a request, and Claude tries again.
    pub(super) fn api_retried(
        &mut self,
        step: &mut StepContext,
        (attempt, of): (u32, u32),
        status: Option<u16>,
        error: &str,
        delay_ms: u64,
    ) {
        let status_text = status.map(|status| format!(" ({status})")).unwrap_or_default();
        self.note = Some(format!(
            "The API refused: {error}{status_text}. Claude tries again in {:.1} s, {attempt} of {of}.",
            delay_ms as f64 / 1_000.0
        ));
        let refused = status == Some(UNAUTHORIZED) && attempt >= LOGIN_REFUSALS;
        if refused && !self.turn.login_refused && self.lifecycle.is_ready() {
            self.turn.refuse_login();
            self.interrupt(step);
        }
    }

    fn login_needed(&mut self, step: &mut StepContext) {
        let remedy = Remedy::LogIn { session_id: self.id.to_string() };
        self.fail(step, Problem::new(ErrorCode::LoginNeeded, "Claude is not logged in.", remedy));
    }

    /// Claude refused one of our control requests.
    pub(super) fn control_failed(&mut self, step: &mut StepContext, request_id: &str, message: &str) {
        let initialize = request_id.starts_with(INITIALIZE_PREFIX);
        if initialize && self.lifecycle.is_initializing() {
            self.errors.add(message.to_owned());
            let problem = self.problem_with_log(
                ErrorCode::ClaudeStartFailed,
                "Claude refused to initialize.",
                Remedy::restart(self.id),
            );
            self.stop(step, Then::RetryStart(problem));
        } else if !initialize {
            self.add_notice(step, NoticeLevel::Warning, format!("Claude refused a request: {message}"));
        }
    }
}
