//! What the facts of a session mean for it.

use super::lifecycle::End;
use super::retry::LOGIN_REFUSALS;
use super::session::{After, Phase, Session, Step};
use super::{
    Activity, EntryBody, Fact, Goal, Input, Notice, NoticeLevel, Position, Problem, Stage, TurnEnd, Written,
};

/// Garbage lines of one launch that are shown; more of the same tells nothing new.
const GARBAGE_SHOWN: u32 = 3;

/// The API's refusal of a login.
const UNAUTHORIZED: u16 = 401;

impl Session {
    pub(super) fn take_facts(&mut self, step: &mut Step, facts: Vec<Fact>, position: Position) {
        for fact in facts {
            self.take_fact(step, fact);
        }
        self.row.position = position;
    }

    fn take_fact(&mut self, step: &mut Step, fact: Fact) {
        match fact {
            Fact::Started { launch, pid } if launch == self.row.launch => self.claude_started(step, pid),
            Fact::SpawnFailed { launch, message } if launch == self.row.launch => {
                self.add_error_line(message);
                self.ended(step, End::NotStarted);
            }
            Fact::Exited { launch, exit } if launch == self.row.launch => self.ended(step, End::Exited(exit)),
            Fact::Started { .. } | Fact::SpawnFailed { .. } | Fact::Exited { .. } => {}
            Fact::ErrorLine(line) => self.add_error_line(line),
            Fact::Written(Written::Message(id)) => self.message_written(step, id),
            Fact::Written(Written::Answer { request_id }) => self.answer_written(step, &request_id),
            Fact::Written(Written::Pasted) => self.pasted(step),
            Fact::Written(Written::Other) => {}
            Fact::Ready { pending } => self.claude_ready(step, pending),
            Fact::ControlFailed { request_id, message } => self.control_failed(step, &request_id, &message),
            // Claude had nothing to break off, so no turn's end will follow.
            Fact::ControlDone { .. } if self.activity == Activity::Idle => self.interrupting = None,
            Fact::ControlDone { .. } => {}
            Fact::Activity(activity) => self.activity_changed(step, activity),
            Fact::Lifecycle { message, stage } => {
                if stage == Stage::Started {
                    self.activity = Activity::Running;
                }
                self.message_stage(step, message, stage);
            }
            Fact::Described { model, permission_mode } => self.described(step, model, permission_mode),
            Fact::Entry(body) => {
                self.note = None;
                if matches!(body, EntryBody::Text { parent_tool_use_id: None, .. }) {
                    self.unseen();
                }
                self.add_entry(step, body);
            }
            Fact::Delta { thinking, text } => {
                self.note = None;
                self.saying.add(thinking, &text);
                step.publish(Notice::Delta { session: self.row.id, seq: self.row.seq, thinking, text });
            }
            Fact::ContextUsed(tokens) => self.row.context_used = Some(tokens),
            Fact::Asked(ask) => {
                self.asked_at_terminal();
                self.asked(step, ask);
            }
            Fact::Withdrawn { request_id } => self.withdrawn(step, &request_id),
            Fact::Unsupported { request_id, subtype } => {
                let message = format!("AreYouJ does not know the request \"{subtype}\".");
                self.notice(
                    step,
                    NoticeLevel::Warning,
                    format!("Claude asked for \"{subtype}\", which was refused."),
                );
                self.send(step, Input::Refuse { request_id, message });
            }
            Fact::TurnEnded(turn) => self.take_turn_end(step, turn),
            Fact::LoginRefused => self.login_refused = true,
            Fact::Retrying { attempt, of, status, error, delay_ms } => {
                self.retrying(step, attempt, of, status, &error, delay_ms);
            }
            Fact::Prompted(text) => self.prompted(step, text),
            Fact::ToolRan { tool, input } => self.tool_ran(step, &tool, &input),
            Fact::Quit => self.terminal.quit = true,
            Fact::Typed(characters) => self.typed(step, characters),
            Fact::Seen(seen) => self.seen(step, seen),
            Fact::Conversation(id) => self.conversation_opened(id),
            Fact::Garbage(beginning) => {
                self.garbage += 1;
                if self.garbage <= GARBAGE_SHOWN {
                    let text = format!("Claude wrote something that is not its protocol: {beginning}");
                    self.notice(step, NoticeLevel::Warning, text);
                }
            }
        }
    }

    pub(super) fn activity_changed(&mut self, step: &mut Step, activity: Activity) {
        self.activity = activity;
        if activity == Activity::Idle {
            self.turn_over(step);
            self.interrupting = None;
            self.note = None;
        }
    }

    fn control_failed(&mut self, step: &mut Step, request_id: &str, message: &str) {
        let initialize = request_id.starts_with("areyouj-init-");
        if initialize && matches!(self.phase, Phase::Initializing { .. }) {
            self.add_error_line(message.to_owned());
            let problem = Problem {
                log: self.error_log(),
                ..Problem::new(
                    "claude_start_failed",
                    "Claude refused to be initialised.",
                    format!("See why below, then try again with: areyouj restart {}", self.row.id),
                )
            };
            self.stop(step, After::StartFailure(problem));
        } else if !initialize {
            self.notice(step, NoticeLevel::Warning, format!("Claude refused a request: {message}"));
        }
    }

    fn take_turn_end(&mut self, step: &mut Step, mut turn: TurnEnd) {
        if self.is_terminal() {
            // Hooks do not tell how long it took.
            turn.duration_ms = self.terminal.turn_ms(step.now.wall);
        }
        let cost_usd = (turn.cost_total - self.row.cost_launch).max(0.0);
        self.row.cost_launch = turn.cost_total.max(self.row.cost_launch);
        self.row.context_max = turn.context_max.or(self.row.context_max);
        let message_id =
            turn.messages.first().copied().or_else(|| self.running().map(|message| message.id).next());
        // An interrupt can end what had not begun, and Claude keeps nothing of that.
        self.row.recorded |= turn.ok || self.running().any(|message| message.started);
        self.turn_ended(step, &turn);
        if turn.ok {
            self.crashes.clear();
        } else {
            self.unseen();
        }
        let login = self.login_refused || (!turn.ok && turn.api_status == Some(UNAUTHORIZED));
        self.add_entry(
            step,
            EntryBody::TurnEnd {
                message_id,
                ok: turn.ok,
                outcome: turn.outcome,
                error: turn.error,
                cost_usd,
                duration_ms: turn.duration_ms,
            },
        );
        self.note = None;
        if self.is_terminal() {
            self.stopped(step);
        }
        // Whoever ends or restarts the session meanwhile has the last word.
        if login && self.row.goal == Goal::Run && !matches!(self.phase, Phase::Stopping(_)) {
            self.login_needed(step);
        }
    }

    fn retrying(
        &mut self,
        step: &mut Step,
        attempt: u32,
        of: u32,
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
        if refused && !self.login_refused && self.phase == Phase::Ready {
            self.login_refused = true;
            self.interrupt(step);
        }
    }

    fn login_needed(&mut self, step: &mut Step) {
        let hint = format!(
            "Log in by running `claude` in a terminal, then: areyouj restart {}, and send the failed message again.",
            self.row.id
        );
        self.fail(step, Problem::new("login_needed", "Claude is not logged in.", hint));
    }
}
