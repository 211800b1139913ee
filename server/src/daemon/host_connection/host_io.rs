//! Carries out what [`Following`] decides: the socket, the journal, the core's inbox, polls and the clock.

use std::collections::VecDeque;
use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::following::{Action, End, Following, HostOrder, Input};
use super::host_socket::HostSocket;
use super::process::HostProcess;
use super::reading::Reading;
use crate::daemon::claude::status_poller::{Poll, Polled};
use crate::daemon::gate::Gate;
use areyouj_core::orchestrator::{Event, SessionId};
use areyouj_host::wire::FromHost;

/// Reads Claude's record of its process, on a thread of the gate.
#[derive(Clone)]
pub(super) struct ReadRecord {
    /// Claude's home, for the gate.
    pub(super) home: String,
    pub(super) read: Arc<dyn Fn(Poll) -> Polled + Send + Sync>,
}

/// The I/O of one connection to a host.
pub(super) struct HostIo<'a> {
    pub(super) session: SessionId,
    pub(super) socket: HostSocket,
    pub(super) host: HostProcess,
    pub(super) reading: &'a mut Reading,
    pub(super) mailbox: &'a mut mpsc::UnboundedReceiver<HostOrder>,
    pub(super) inbox: mpsc::Sender<Event>,
    pub(super) gate: Gate,
    pub(super) record: Option<ReadRecord>,
}

type PollUnderWay = Pin<Box<dyn Future<Output = Option<Polled>> + Send>>;

impl HostIo<'_> {
    /// Follows the host to the end. The orders came before there was a connection.
    pub(super) async fn run(
        mut self,
        (mut following, actions): (Following, Vec<Action>),
        orders: VecDeque<HostOrder>,
    ) -> End {
        let mut report: Option<Event> = None;
        let mut poll: Option<PollUnderWay> = None;
        let mut actions = VecDeque::from(actions);
        let mut inputs: VecDeque<Input> = orders.into_iter().map(Input::Order).collect();
        loop {
            // Every action before the next input: a part of the journal comes before anything else.
            if let Some(action) = actions.pop_front() {
                match action {
                    Action::Write(frame) => self.socket.send(&frame),
                    Action::Report(event) => report = Some(event),
                    Action::Read { end } => inputs.push_front(Input::Read(self.reading.read(Some(end)))),
                    Action::Poll(what) => poll = self.poll(what),
                    Action::KillHost => self.host.kill(),
                    Action::End(end) => return end,
                }
                continue;
            }
            let input = match inputs.pop_front() {
                Some(input) => input,
                None => self.input(&following, &mut report, &mut poll).await,
            };
            actions.extend(following.step(Instant::now(), input));
        }
    }

    /// Waits for the next input.
    async fn input(
        &mut self,
        following: &Following,
        report: &mut Option<Event>,
        poll: &mut Option<PollUnderWay>,
    ) -> Input {
        let deadline = following.deadline();
        tokio::select! {
            permit = self.inbox.reserve(), if report.is_some() => match (permit, report.take()) {
                (Ok(permit), Some(event)) => {
                    permit.send(event);
                    Input::Reported
                }
                _ => Input::CoreEnded,
            },
            order = self.mailbox.recv(), if following.takes_orders() => {
                order.map_or(Input::OrdersEnded, Input::Order)
            }
            () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => Input::Deadline,
            polled = async {
                match poll {
                    Some(poll) => poll.await,
                    None => pending().await,
                }
            } => {
                *poll = None;
                Input::Polled(polled)
            }
            frame = self.socket.next(), if following.is_connected() => match frame {
                Ok(frame) => {
                    self.log(&frame);
                    Input::Frame(frame)
                }
                Err(error) => {
                    if !following.is_released() {
                        tracing::warn!(session = %self.session, %error, "the host is gone");
                    }
                    Input::Broken
                }
            },
        }
    }

    fn poll(&self, what: Poll) -> Option<PollUnderWay> {
        let (gate, ReadRecord { home, read }) = (self.gate.clone(), self.record.clone()?);
        Some(Box::pin(async move { gate.poll(home, move || read(what)).await }))
    }

    fn log(&self, frame: &FromHost) {
        match frame {
            FromHost::Stalled(why) => {
                tracing::warn!(session = %self.session, ?why, "whether the host's journal can be written changed");
            }
            FromHost::Refused(why) => {
                tracing::warn!(session = %self.session, why, "the host refused an order");
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
