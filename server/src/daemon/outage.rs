//! What keeps the daemon from serving: a file at its socket's path, and a store that fails. Clients get the reason
//! instead of waiting.

use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::Signal;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep};

use super::door::Door;
use super::listener::is_own_user;
use super::outbox::error_frame;
use crate::rpc::envelope::{self, Incoming};
use crate::rpc::frame::{FrameReader, STRANGER_BODY};
use areyouj_core::orchestrator::{ErrorCode, Problem, Remedy, Snapshot};
use areyouj_store::{Committer, StoreError};

/// Between two attempts to open the store again, for example when the disk was full.
const STORE_RETRY: Duration = Duration::from_secs(1);

/// How long clients are asked to retry. A store that failed in a write usually opens at the first attempt, and then
/// no client need fail.
const CLIENTS_WAIT: Duration = Duration::from_secs(3);

/// What must be removed before the socket can be created: anything but a stale socket, which no process owns.
pub(super) fn in_the_way(socket: &Path) -> Option<Problem> {
    let found = fs::symlink_metadata(socket).ok().filter(|metadata| !metadata.file_type().is_socket())?;
    let what = match found.file_type() {
        kind if kind.is_dir() => "a directory",
        kind if kind.is_symlink() => "a symbolic link",
        _ => "a file",
    };
    Some(Problem::new(
        ErrorCode::DaemonStartFailed,
        format!("The daemon's socket {} cannot be made: {what} is in its place.", socket.display()),
        Remedy::doctor_after("Move it away, then try again."),
    ))
}

/// Tries to open the store, which failed with that error, until it succeeds. Returns `None` if a signal stops the
/// daemon first.
pub(super) async fn wait(
    error: &StoreError,
    database: &Path,
    door: &Door,
    listener: &mut UnixListener,
    (terminate, interrupt): &mut (Signal, Signal),
) -> Option<(Committer, Snapshot)> {
    let began = Instant::now();
    let mut tries = interval(STORE_RETRY);
    // The first one is due at once, which is too early.
    tries.tick().await;
    let mut problem = error.problem(database);
    let mut clients = JoinSet::new();
    loop {
        tokio::select! {
            _ = tries.tick() => match areyouj_store::open(database) {
                Ok(opened) => return Some(opened),
                Err(error) => {
                    tracing::error!(%error, "the store is still out of order");
                    problem = error.problem(database);
                }
            },
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) if is_own_user(&stream) => {
                    if let Some(stranger) = door.stranger() {
                        let refusing = refuse(stream, problem.clone(), began.elapsed() < CLIENTS_WAIT);
                        clients.spawn(async move {
                            refusing.await;
                            drop(stranger);
                        });
                    }
                }
                Ok(_) => {}
                // Out of descriptors: waiting clients continue to wait.
                Err(_) => sleep(STORE_RETRY).await,
            },
            _ = terminate.recv() => return None,
            _ = interrupt.recv() => return None,
            Some(_) = clients.join_next() => {}
        }
    }
}

/// Answers every request with the reason why it cannot be carried out.
async fn refuse(stream: UnixStream, problem: Problem, retryable: bool) {
    let (input, mut output) = stream.into_split();
    let mut frames = FrameReader::new(BufReader::new(input), STRANGER_BODY);
    while let Ok(Some(body)) = frames.next().await {
        let Ok(Incoming { id: Some(id), method: Some(_), .. }) = envelope::read(&body) else { continue };
        let frame = error_frame(&id, &problem, retryable);
        if output.write_all(&frame).await.is_err() {
            return;
        }
    }
}
