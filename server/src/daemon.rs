//! The daemon: one per user. It owns the state, serves clients, and follows the session hosts.
//!
//! It can die at any moment: what it acknowledged is on disk, sessions live in their hosts, and the next daemon resumes
//! from the store and the journals. This file wires the parts; [`lifecycle`] starts and ends them.

mod api;
mod arrival;
mod claude;
mod client;
mod client_connection;
mod core;
mod directory_checks;
mod door;
mod gate;
mod host_connection;
mod hub;
mod jobs;
mod journal_fact;
mod launch;
mod launch_files;
mod lifecycle;
mod listener;
mod outage;
pub(crate) mod outbox;
#[cfg(test)]
mod problems;
mod queues;
mod refusals;
mod reply;
mod shared;
mod to_wire;
mod trusted;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::Signal;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

use areyouj_core::orchestrator::{
    ClientId, Driver, Effect, Event, LaunchOrder, Notification, SessionId, SessionRow, Settings, Snapshot,
};
use areyouj_store::{Committer, StoreError};
use core::{Committed, Core};
use host_connection::{HostConnection, HostOrder};
use jobs::Job;
pub use lifecycle::run;
use queues::Queues;
use shared::Shared;

/// How long the last answers can take to leave when the daemon stops.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// Pause before the next connection is accepted after a failure: descriptors can be free again by then.
const ACCEPT_RETRY: Duration = Duration::from_secs(1);

/// How serving ended.
enum End {
    /// A client or a signal asked for it.
    Asked,
    /// The store failed: the state in memory is ahead of the disk.
    StoreFailed(StoreError),
}

/// One run of the daemon over one opening of the store.
struct Daemon {
    shared: Arc<Shared>,
    inbox: mpsc::Sender<Event>,
    /// By session: the launch that its connection follows, and the connection's mailbox.
    hosts: HashMap<SessionId, (u32, mpsc::UnboundedSender<HostOrder>)>,
    queues: Queues,
    tasks: JoinSet<()>,
    /// Periodic jobs, which never end by themselves.
    jobs: JoinSet<()>,
    clients: ClientId,
}

impl Daemon {
    fn new(
        shared: Arc<Shared>,
        settings: Settings,
        snapshot: Snapshot,
        committer: Committer,
    ) -> Result<(Daemon, Core), StoreError> {
        let (inbox, events) = mpsc::channel(core::INBOX);
        let core = core::spawn(settings, snapshot, committer, events)?;
        let daemon = Daemon {
            shared,
            inbox,
            hosts: HashMap::new(),
            queues: Queues::default(),
            tasks: JoinSet::new(),
            jobs: JoinSet::new(),
            clients: 0,
        };
        Ok((daemon, core))
    }

    /// Ends the host of a session that has ended, in case an earlier daemon died before it released the host.
    fn release_leftover_host(&mut self, row: SessionRow) {
        let host = self.host_connection(row.id, row.launch, row.spec.driver, row.spec.directory);
        self.hosts.remove(&row.id);
        self.tasks.spawn(host.release_leftover());
    }

    fn run_job(&mut self, job: Job) {
        self.jobs.spawn(self.shared.jobs.clone().run(job, self.shared.gate.clone()));
    }

    async fn serve(
        &mut self,
        listener: &mut UnixListener,
        mut committed: mpsc::Receiver<Committed>,
        (terminate, interrupt): &mut (Signal, Signal),
    ) -> End {
        let mut accept_again: Option<Instant> = None;
        loop {
            tokio::select! {
                step = committed.recv() => match step {
                    Some((Ok(()), steps)) => {
                        for effect in steps.into_iter().flatten() {
                            if matches!(effect, Effect::Exit) {
                                return End::Asked;
                            }
                            self.carry_out(effect).await;
                        }
                    }
                    Some((Err(error), _)) => return self.fail(error),
                    // The writer is gone, which happens only after a panic.
                    None => return self.fail(StoreError::Failed("its thread is gone".to_owned())),
                },
                () = tokio::time::sleep_until(accept_again.unwrap_or_else(Instant::now)), if accept_again.is_some() => {
                    accept_again = None;
                }
                connection = listener.accept(), if accept_again.is_none() => match connection {
                    Ok((stream, _)) => self.welcome(stream),
                    Err(error) => {
                        // Out of descriptors: waiting clients are served when some are free again, all others
                        // meanwhile.
                        tracing::error!(%error, "no connection can be accepted");
                        accept_again = Some(Instant::now() + ACCEPT_RETRY);
                    }
                },
                _ = terminate.recv() => return End::Asked,
                _ = interrupt.recv() => return End::Asked,
                Some(_) = self.tasks.join_next() => {}
            }
        }
    }

    fn welcome(&mut self, stream: UnixStream) {
        if !listener::is_own_user(&stream) {
            return;
        }
        self.clients += 1;
        let (shared, inbox) = (Arc::clone(&self.shared), self.inbox.clone());
        match shared.door.stranger() {
            Some(stranger) => {
                self.tasks.spawn(arrival::arrive(shared, inbox, self.clients, stream, stranger));
            }
            None => arrival::turn_away_at_once(&shared.door, &stream),
        }
    }

    async fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Reply { client, reply, result } => {
                self.shared.hub.reply(client, reply, result, &self.shared.reader);
            }
            Effect::Publish(Notification::QueueChanged(session)) => {
                if self.shared.hub.has_listeners()
                    && let Some(asking) = self.queues.changed(session, &self.inbox)
                {
                    self.tasks.spawn(asking);
                }
            }
            Effect::Publish(notification) => self.shared.hub.publish(notification),
            Effect::Launch(order) => self.launch(order),
            Effect::Adopt { session, launch, driver, directory, position } => {
                let host = self.host_connection(session, launch, driver, directory);
                self.tasks.spawn(host.adopt(position));
            }
            Effect::Inspect { session, inspection, directory, claude_session, messages } => {
                let (shared, inbox) = (Arc::clone(&self.shared), self.inbox.clone());
                self.tasks.spawn(async move {
                    let read = launch::inspect(shared, session, directory, claude_session, messages);
                    let (conversation, messages, place) = read.await;
                    let inspected = Event::Inspected { session, inspection, conversation, messages, place };
                    let _ = inbox.send(inspected).await;
                });
            }
            Effect::Send { session, launch, input } => {
                self.order(session, Some(launch), HostOrder::Tell(Box::new(input)));
            }
            Effect::Stop { session, launch, at_once } => {
                self.order(session, Some(launch), HostOrder::Stop { at_once });
            }
            Effect::Ingested { session, offset } => self.order(session, None, HostOrder::Ingested(offset)),
            Effect::Release { session, launch } => {
                self.order(session, Some(launch), HostOrder::Release);
                self.hosts.remove(&session);
            }
            Effect::RemoveFiles { session } => {
                self.queues.forget(session);
                // The client's answer follows when the files are removed.
                let directory = self.shared.paths.session_dir(&session);
                let _ = tokio::task::spawn_blocking(move || lifecycle::remove_files(&directory)).await;
            }
            Effect::Persist(_) | Effect::Exit => {}
        }
    }

    fn host_connection(
        &mut self,
        session: SessionId,
        launch: u32,
        driver: Driver,
        directory: String,
    ) -> HostConnection {
        let (sender, mailbox) = mpsc::unbounded_channel();
        self.hosts.insert(session, (launch, sender));
        HostConnection {
            shared: Arc::clone(&self.shared),
            session,
            launch,
            driver,
            directory,
            inbox: self.inbox.clone(),
            mailbox,
            early: VecDeque::new(),
            stop_by: None,
        }
    }

    fn launch(&mut self, order: LaunchOrder) {
        let spec = &order.spec;
        let host = self.host_connection(order.session, order.launch, spec.driver, spec.directory.clone());
        self.tasks.spawn(host.launch(order));
    }

    fn order(&self, session: SessionId, launch: Option<u32>, order: HostOrder) {
        if let Some((current, mailbox)) = self.hosts.get(&session)
            && launch.is_none_or(|launch| launch == *current)
        {
            // A connection that is gone has reported so, and what follows from that is on its way.
            let _ = mailbox.send(order);
        }
    }

    /// A change that could not be stored did not happen, and on a full disk the turn of the next ones might never come:
    /// every unanswered request fails. Its client can repeat it, because it has an id.
    fn fail(&self, error: StoreError) -> End {
        tracing::error!(%error, "the store failed");
        self.shared.hub.refuse_pending(&self.shared.reader.problem(&error));
        End::StoreFailed(error)
    }

    /// Lets answers leave, then ends everything and lets the database be closed. Sessions continue in their hosts.
    async fn stop(mut self, core: JoinHandle<()>) {
        self.hosts.clear();
        self.jobs.abort_all();
        self.shared.hub.close();
        let _ = tokio::time::timeout(LAST_ANSWERS, async { while self.tasks.join_next().await.is_some() {} })
            .await;
        self.tasks.shutdown().await;
        drop(self.inbox);
        // A disk that hangs must not keep the daemon from ending.
        let _ = tokio::time::timeout(LAST_ANSWERS, core).await;
    }
}
