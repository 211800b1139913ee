//! The connection of one client: its requests are planned in the order in which they arrive, except those that can be
//! slow; its answers and notifications are written as fast as it reads them.

use std::io;
use std::sync::Arc;

use areyouj_core::orchestrator::{Event, Problem, ReplyId};
use areyouj_host::memory;
use areyouj_protocol::{Resync, notification};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::api::Context;
use super::api::dispatch::{Dispatched, can_be_slow, dispatch, parse};
use super::client::Client;
use super::door::INTRODUCTION;
use super::outbox::{Next, coded_error_frame, error_frame, notification_frame};
use super::refusals::{not_a_frame, not_introduced_in_time, not_rpc, shutting_down};
use super::shared::Shared;
use crate::rpc::envelope::{self, Incoming};
use crate::rpc::frame::{FrameReader, MAX_BODY, STRANGER_BODY};

/// The notification that cancels a request.
const CANCEL: &str = "$/cancelRequest";

/// Unread answers of one client, at most: the daemon reads no further request of it meanwhile.
const MAX_IN_FLIGHT: u32 = 64;

/// Requests of one client that can be planned at the same time, at most, while a file system is slow. A cancelled one
/// still counts, so that a client cannot pile them up.
const MAX_SLOW_REQUESTS: usize = MAX_IN_FLIGHT as usize;

/// The maximum size of a request from inside a session, in bytes: that of a message and its envelope.
const INSIDE_BODY: usize = 2 << 20;

/// Unread bytes of a client that left from which on their memory is returned to the system.
const MUCH_UNREAD: usize = 64 << 10;

/// One client's connection.
pub(super) struct ClientConnection {
    client: Arc<Client>,
    shared: Arc<Shared>,
    inbox: mpsc::Sender<Event>,
    /// A permit for each answer that can still be made; a written answer returns its permit.
    in_flight: Arc<Semaphore>,
}

impl ClientConnection {
    pub(super) fn new(
        client: Arc<Client>,
        shared: Arc<Shared>,
        inbox: mpsc::Sender<Event>,
    ) -> Arc<ClientConnection> {
        let in_flight = Arc::new(Semaphore::new(MAX_IN_FLIGHT as usize));
        Arc::new(ClientConnection { client, shared, inbox, in_flight })
    }

    /// Serves the client until it leaves. No task of the connection outlives this one.
    pub(super) async fn serve(self: Arc<Self>, stream: UnixStream, stranger: OwnedSemaphorePermit) {
        let (input, output) = stream.into_split();
        let (mut writer, mut slow_requests) = (JoinSet::new(), JoinSet::new());
        writer.spawn(write(Arc::clone(&self.client), Arc::clone(&self.in_flight), output));
        match self.read(input, stranger, &mut slow_requests).await {
            // The client sends nothing more, but can still read: it gets the answers that it waits for.
            Ok(()) => drop(self.in_flight.acquire_many(MAX_IN_FLIGHT).await),
            Err(error) => tracing::debug!(client = self.client.id, %error, "a connection broke"),
        }
        self.shared.hub.remove(self.client.id);
        self.client.outbox.close();
        let _ = self.inbox.send(Event::ClientGone(self.client.id)).await;
        writer.join_next().await;
        if self.client.outbox.discard() > MUCH_UNREAD {
            memory::give_back();
        }
    }

    async fn read(
        self: &Arc<Self>,
        input: OwnedReadHalf,
        stranger: OwnedSemaphorePermit,
        slow_requests: &mut JoinSet<bool>,
    ) -> io::Result<()> {
        let mut frames = FrameReader::new(BufReader::new(input), STRANGER_BODY);
        let mut replies: ReplyId = 0;
        let mut stranger = Some((stranger, Instant::now() + INTRODUCTION));
        loop {
            if self.client.is_introduced() && stranger.take().is_some() {
                frames.set_limit(if self.client.is_inside() { INSIDE_BODY } else { MAX_BODY });
            }
            let read = match &stranger {
                None => frames.next().await?,
                Some((_, deadline)) => match timeout_at(*deadline, frames.next()).await {
                    Ok(Ok(read)) => read,
                    Ok(Err(error)) => return self.part_from_stranger(&not_a_frame(&error)).await,
                    Err(_) => return self.part_from_stranger(&not_introduced_in_time()).await,
                },
            };
            let Some(body) = read else { return Ok(()) };
            // With too many unread answers, this message waits until the client has read some of them.
            let Ok(permit) = self.in_flight.acquire().await else { return Ok(()) };
            let incoming: Incoming = match envelope::read(&body) {
                Ok(incoming) => incoming,
                Err((code, error)) => {
                    permit.forget();
                    let refusal = coded_error_frame(&Value::Null, code, &not_rpc(&error), false);
                    self.client.outbox.answer(refusal);
                    continue;
                }
            };
            let (method, id) = match (incoming.method, incoming.id) {
                (Some(method), Some(id)) => (method, id),
                (Some(method), None) if method == CANCEL => {
                    self.cancel(incoming.params.as_deref());
                    continue;
                }
                _ => continue,
            };
            permit.forget();
            replies += 1;
            self.client.expect(replies, id);
            if can_be_slow(&method) {
                make_room(slow_requests, MAX_SLOW_REQUESTS).await;
                let (connection, params) = (Arc::clone(self), incoming.params);
                slow_requests.spawn(async move {
                    connection.serve_request(replies, &method, params.as_deref()).await
                });
            } else if !self.serve_request(replies, &method, incoming.params.as_deref()).await {
                return Ok(());
            }
        }
    }

    /// Tells a client that has not introduced itself why its connection ends.
    async fn part_from_stranger(&self, problem: &Problem) -> io::Result<()> {
        if let Ok(permit) = self.in_flight.acquire().await {
            permit.forget();
            self.client.outbox.answer(error_frame(&Value::Null, problem, false));
        }
        Ok(())
    }

    /// Answers a request or passes it to the orchestrator. Returns false if the orchestrator has ended.
    async fn serve_request(&self, reply: ReplyId, method: &str, params: Option<&RawValue>) -> bool {
        let context = Context { client: Arc::clone(&self.client), shared: Arc::clone(&self.shared) };
        match dispatch(method, params, &context).await {
            Ok(Dispatched::Answer(answer)) => self.client.answer(reply, Ok(answer)),
            Err(problem) => self.client.answer(reply, Err(problem)),
            Ok(Dispatched::Command(command, rendering)) => {
                let origin = self.client.origin(reply);
                if self.client.keep_reply(reply, rendering, &command)
                    && self.inbox.send(Event::Command { origin, command }).await.is_err()
                {
                    self.client.answer(reply, Err(shutting_down()));
                    return false;
                }
            }
        }
        true
    }

    fn cancel(&self, params: Option<&RawValue>) {
        #[derive(Deserialize)]
        struct Cancelled {
            id: Value,
        }
        if let Ok(Cancelled { id }) = parse(params) {
            self.client.cancel(&id);
        }
    }
}

/// Waits until fewer than this many tasks run.
async fn make_room<T: 'static>(tasks: &mut JoinSet<T>, most: usize) {
    while tasks.try_join_next().is_some() {}
    while tasks.len() >= most {
        tasks.join_next().await;
    }
}

/// Writes answers and notifications until the outbox is closed or the client reads no more.
async fn write(client: Arc<Client>, in_flight: Arc<Semaphore>, mut output: OwnedWriteHalf) {
    loop {
        let (frames, answers) = match client.outbox.next().await {
            Next::Frames { frames, answers } => (frames, answers),
            Next::Resync(dropped) => {
                (vec![notification_frame::<notification::Resync>(&Resync { dropped })], 0)
            }
            Next::Closed => break,
        };
        let written = match frames.as_slice() {
            [frame] => output.write_all(frame).await,
            frames => output.write_all(&frames.concat()).await,
        };
        if written.is_err() {
            break;
        }
        in_flight.add_permits(answers);
    }
    // The client reads no more, so the daemon reads no more of its requests.
    in_flight.close();
    let _ = output.shutdown().await;
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;
    use tokio::task::yield_now;

    use super::*;

    #[tokio::test]
    async fn a_full_set_of_tasks_waits_for_one_of_them() {
        let mut tasks = JoinSet::new();
        let (release, held) = oneshot::channel::<()>();
        tasks.spawn(async move { drop(held.await) });
        make_room(&mut tasks, 2).await;
        assert_eq!(tasks.len(), 1, "there is room");

        let room = tokio::spawn(async move { make_room(&mut tasks, 1).await });
        yield_now().await;
        assert!(!room.is_finished());
        drop(release);
        room.await.unwrap();
    }
}
