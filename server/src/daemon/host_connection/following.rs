//! Following a connected host as decisions without I/O: what to write, to read, to report and to poll, and when the
//! connection ends.
//!
//! [`super::host_io`] carries out the actions. The core gets one report at a time, because its inbox can be full;
//! orders go to the host meanwhile.

use std::mem;
use std::time::Duration;

use tokio::time::Instant;

use crate::daemon::claude::status_poller::{LastTurn, Poll, Polled, StatusPoller};
use areyouj_core::driver::{stream, terminal};
use areyouj_core::orchestrator::{Driver, Event, Fact, Input as ClaudeInput, Position, Problem, SessionId};
use areyouj_host::wire::{FromHost, ToHost};

/// How long Claude has to exit after its input was closed, then after SIGTERM, before everything is killed.
const CLOSE_GRACE_MS: u32 = 5_000;
const KILL_GRACE_MS: u32 = 2_000;

/// A host that neither stops within this time of a stop order nor reports that its journal delays it is stopped itself,
/// or broken: the daemon kills it. The two graces, the host's patience with processes that cannot be killed, and reserve
/// for a machine that swaps.
pub(super) const STOP_PATIENCE: Duration = Duration::from_secs(20);

/// Between two attempts to read a journal that cannot be read, for example for want of descriptors.
pub(super) const READ_RETRY: Duration = Duration::from_millis(200);

/// An order for a host.
pub(in crate::daemon) enum HostOrder {
    /// Send this to Claude.
    Tell(Box<ClaudeInput>),
    /// End Claude.
    Stop {
        /// Without time to exit.
        at_once: bool,
    },
    /// The journal before this offset is stored elsewhere.
    Ingested(u64),
    /// Claude's end is on disk: release the host.
    Release,
}

/// How far a read came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Up to the record that begins at this offset.
    To(u64),
    /// There is no further record.
    End,
    /// The journal cannot be read at the moment.
    Failed,
}

/// What was read of the journal so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReadState {
    pub(super) position: Position,
    /// Characters of the draft in a terminal's input.
    pub(super) typed: usize,
    pub(super) turn: LastTurn,
}

/// A part of the journal.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) facts: Vec<Fact>,
    pub(super) progress: Progress,
    /// Damage hides the rest of this launch, and Claude's end with it.
    pub(super) wedged: bool,
    pub(super) state: ReadState,
}

/// What happened.
pub(super) enum Input {
    Frame(FromHost),
    Order(HostOrder),
    /// No further order will come.
    OrdersEnded,
    /// The journal was read, as [`Action::Read`] asked.
    Read(Chunk),
    /// The core's inbox took the report.
    Reported,
    /// The core takes no reports any more.
    CoreEnded,
    /// A poll ended, with its result if there is one.
    Polled(Option<Polled>),
    /// The time of [`Following::deadline`] has come.
    Deadline,
    /// The socket broke.
    Broken,
}

/// What must be done.
#[derive(Debug)]
pub(super) enum Action {
    Write(ToHost),
    /// Deliver this to the core. Answered by [`Input::Reported`] or [`Input::CoreEnded`]; until then there is no other
    /// report.
    Report(Event),
    /// Read the journal up to this offset. Answered by [`Input::Read`] before any other input.
    Read {
        end: u64,
    },
    /// Read Claude's record of its process. Answered by [`Input::Polled`], at any time.
    Poll(Poll),
    KillHost,
    End(End),
}

/// How following a host ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The daemon no longer follows the host.
    Over,
    /// The host was released, and the connection broke: usually because the host exited.
    Released,
    /// The connection broke.
    Broken,
    /// There is no host.
    Gone,
}

/// What is known when a host has introduced itself.
pub(super) struct Beginning {
    pub(super) session: SessionId,
    pub(super) launch: u32,
    pub(super) driver: Driver,
    pub(super) host_pid: u32,
    /// The host has a key.
    pub(super) keyed: bool,
    /// The length of the journal.
    pub(super) end: u64,
    /// The offset that reading begins at.
    pub(super) start: u64,
    pub(super) state: ReadState,
    pub(super) poller: Option<StatusPoller>,
    /// When a stop that was ordered earlier must have had its effect.
    pub(super) stop_by: Option<Instant>,
}

/// One connection to a host.
pub(super) struct Following {
    session: SessionId,
    launch: u32,
    driver: Driver,
    /// The length of the journal that the host reported.
    end: u64,
    /// The offset that the journal was read to.
    read_to: u64,
    state: ReadState,
    wedged: bool,
    /// When to read again after a read that failed, or to ask for the status of a host with a damaged journal.
    retry_at: Option<Instant>,
    /// The draft that an earlier daemon read; to be reported before `Synced`.
    recalled: bool,
    synced: bool,
    released: bool,
    takes_orders: bool,
    /// The core has not taken the last report.
    reporting: bool,
    /// The host's latest report on its journal, unless the core has it.
    stall: Option<Event>,
    refusal: Option<Event>,
    stalled: bool,
    stop_by: Option<Instant>,
    poller: Option<StatusPoller>,
    /// The end, once it is certain; it waits for the last report.
    ending: Option<End>,
}

impl Following {
    /// Begins to follow a host.
    pub(super) fn new(beginning: Beginning) -> (Following, Vec<Action>) {
        let Beginning { session, launch, driver, host_pid, keyed, end, start, state, poller, stop_by } =
            beginning;
        let following = Following {
            session,
            launch,
            driver,
            end,
            read_to: start,
            state,
            wedged: false,
            retry_at: None,
            recalled: driver == Driver::Terminal,
            synced: false,
            released: false,
            takes_orders: true,
            reporting: true,
            stall: None,
            refusal: None,
            stalled: false,
            stop_by,
            poller,
            ending: None,
        };
        let launched = Event::Launched { session, launch, host_pid, keyed };
        (following, vec![Action::Write(ToHost::Subscribe { from: start }), Action::Report(launched)])
    }

    /// Whether the host is still connected.
    pub(super) fn is_connected(&self) -> bool {
        self.ending.is_none()
    }

    /// Whether the host was released, so that its exit is expected.
    pub(super) fn is_released(&self) -> bool {
        self.released
    }

    /// Whether further orders can come.
    pub(super) fn takes_orders(&self) -> bool {
        self.takes_orders && self.is_connected()
    }

    /// When [`Input::Deadline`] is due.
    pub(super) fn deadline(&self) -> Option<Instant> {
        if !self.is_connected() {
            return None;
        }
        let stop_by = self.stop_by.filter(|_| !self.stalled);
        // A poll begins only when the core has everything that was found before.
        let poll = self.poller.as_ref().filter(|_| !self.reporting).and_then(StatusPoller::due);
        [self.retry_at, stop_by, poll].into_iter().flatten().min()
    }

    /// What follows from an input.
    pub(super) fn step(&mut self, now: Instant, input: Input) -> Vec<Action> {
        let mut actions = Vec::new();
        match input {
            Input::Reported => self.reporting = false,
            Input::CoreEnded => {
                self.reporting = false;
                self.ending = Some(End::Over);
            }
            _ if !self.is_connected() => {}
            Input::Frame(frame) => self.frame(now, frame, &mut actions),
            Input::Order(order) => self.order(now, order, &mut actions),
            // A host that was released is followed to its exit; any other continues without this daemon.
            Input::OrdersEnded if self.released => self.takes_orders = false,
            Input::OrdersEnded => {
                return vec![Action::End(End::Over)];
            }
            Input::Read(chunk) => return self.chunk(now, chunk),
            Input::Polled(polled) => self.polled(now, polled, &mut actions),
            Input::Deadline => self.deadlines(now, &mut actions),
            Input::Broken => {
                self.ending = Some(if self.released { End::Released } else { End::Broken });
            }
        }
        self.proceed(now, &mut actions);
        actions
    }

    fn frame(&mut self, now: Instant, frame: FromHost, actions: &mut Vec<Action>) {
        let (session, launch) = (self.session, self.launch);
        match frame {
            FromHost::Appended { end } => self.end = self.end.max(end),
            FromHost::Stalled(why) => {
                let resumed = self.stalled && why.is_none();
                self.stalled = why.is_some();
                // Only now can the host record the end of Claude, and stop.
                if let Some(stop_by) = self.stop_by.as_mut().filter(|_| resumed) {
                    *stop_by = now + STOP_PATIENCE;
                }
                self.stall = Some(Event::HostStalled { session, launch, why });
            }
            FromHost::Refused(_) => self.refusal = Some(Event::OrderRefused { session, launch }),
            // The journal cannot say that Claude ended, but the host can.
            FromHost::State { exited: true, .. } if self.wedged => {
                actions.push(Action::Write(ToHost::Release));
            }
            _ => {}
        }
    }

    fn order(&mut self, now: Instant, order: HostOrder, actions: &mut Vec<Action>) {
        let frame = match order {
            HostOrder::Tell(input) => match encode(self.driver, &input) {
                Ok(frame) => frame,
                Err(problem) => {
                    tracing::error!(session = %self.session, problem = %problem.message, "nothing was sent");
                    None
                }
            },
            HostOrder::Stop { at_once } => {
                self.stop_by.get_or_insert(now + STOP_PATIENCE);
                Some(stop(at_once))
            }
            HostOrder::Ingested(offset) => Some(ToHost::Ingested { offset }),
            HostOrder::Release => {
                self.released = true;
                Some(ToHost::Release)
            }
        };
        actions.extend(frame.map(Action::Write));
        if let Some(poller) = &mut self.poller {
            poller.wake(now);
        }
    }

    fn chunk(&mut self, now: Instant, chunk: Chunk) -> Vec<Action> {
        let Chunk { facts, progress, wedged, state } = chunk;
        self.state = state;
        self.wedged = wedged;
        match progress {
            Progress::To(next) => self.read_to = next,
            // The rest of what the host reported will be there with its next report, or never.
            Progress::End => self.read_to = self.end,
            Progress::Failed => {}
        }
        if progress == Progress::Failed || wedged {
            self.retry_at = Some(now + READ_RETRY);
        }
        if let Some(poller) = &mut self.poller {
            poller.facts(now, &facts);
        }
        vec![self.report_facts(facts)]
    }

    fn polled(&mut self, now: Instant, polled: Option<Polled>, actions: &mut Vec<Action>) {
        // What the journal holds is older than what Claude says of itself now.
        let caught_up = self.read_to >= self.end && self.synced && !self.reporting;
        let Some(poller) = &mut self.poller else { return };
        if let Some(status) =
            poller.finish(now, polled.filter(|_| !self.reporting), caught_up, self.state.turn)
        {
            actions.push(self.report_facts(vec![Fact::ProcessStatus(status)]));
        }
    }

    fn deadlines(&mut self, now: Instant, actions: &mut Vec<Action>) {
        if self.retry_at.take_if(|at| *at <= now).is_some() && self.wedged {
            // The journal cannot say whether Claude ended, so the host must.
            actions.push(Action::Write(ToHost::Status));
            self.retry_at = Some(now + READ_RETRY);
        }
        if !self.stalled && self.stop_by.take_if(|at| *at <= now).is_some() {
            actions.push(Action::KillHost);
        }
    }

    /// Begins the next thing to do, if the core has taken the last report.
    fn proceed(&mut self, now: Instant, actions: &mut Vec<Action>) {
        if self.reporting {
            return;
        }
        if let Some(end) = self.ending {
            actions.push(Action::End(end));
        } else if self.read_to < self.end && self.retry_at.is_none() {
            actions.push(Action::Read { end: self.end });
        } else if !self.synced && self.retry_at.is_none() {
            actions.push(self.report_synced());
        } else if let Some(event) = self.stall.take().or_else(|| self.refusal.take()) {
            actions.push(self.report(event));
        } else if let Some(poller) = &mut self.poller
            && poller.due().is_some_and(|due| due <= now)
        {
            actions.push(Action::Poll(poller.begin(now)));
        }
    }

    /// An earlier daemon read the keys of a draft; this one reports the draft once, before `Synced`.
    fn report_synced(&mut self) -> Action {
        let recalled = mem::take(&mut self.recalled);
        if recalled && self.state.typed > 0 {
            return self.report_facts(vec![Fact::Typed(self.state.typed)]);
        }
        self.synced = true;
        self.report(Event::Synced { session: self.session, launch: self.launch })
    }

    fn report_facts(&mut self, facts: Vec<Fact>) -> Action {
        self.report(Event::Facts { session: self.session, facts, position: self.state.position })
    }

    fn report(&mut self, event: Event) -> Action {
        self.reporting = true;
        Action::Report(event)
    }
}

/// Ends Claude: at once, or with time to exit.
pub(super) fn stop(at_once: bool) -> ToHost {
    let [close_grace_ms, kill_grace_ms] = if at_once { [0, 0] } else { [CLOSE_GRACE_MS, KILL_GRACE_MS] };
    ToHost::Stop { close_grace_ms, kill_grace_ms }
}

/// A message to Claude as an order for its host; `None` if its driver has no such message.
fn encode(driver: Driver, input: &ClaudeInput) -> Result<Option<ToHost>, Problem> {
    Ok(match driver {
        Driver::Stream => Some(ToHost::Write(stream::encode(input)?)),
        Driver::Terminal => terminal::encode(input)?.map(|order| match order {
            terminal::Order::Write(bytes) => ToHost::Write(bytes),
            terminal::Order::AnswerHook { hook, bytes } => ToHost::AnswerHook { hook, bytes },
        }),
    })
}

#[cfg(test)]
mod tests;
