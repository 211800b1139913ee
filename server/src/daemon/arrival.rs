//! The arrival of a client: who it is, whether there is room for it, and what it gets if not.

use std::sync::Arc;
use std::time::Duration;

use areyouj_core::orchestrator::{ClientId, Event, Problem};
use areyouj_host::peer;
use serde_json::Value;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::timeout;

use super::client::Client;
use super::client_connection::ClientConnection;
use super::door::{self, Admission, Caller};
use super::gate::Kind;
use super::outbox::error_frame;
use super::shared::Shared;
use crate::rpc::envelope::{self, Incoming};
use crate::rpc::frame::{FrameReader, STRANGER_BODY};

/// How long a client can take until its `initialize` has succeeded. It sends that at once; a machine under load can be
/// slow.
pub(super) const INTRODUCTION: Duration = Duration::from_secs(10);

/// Serves the client at the other end of this connection until it leaves.
pub(super) async fn arrive(
    shared: Arc<Shared>,
    inbox: mpsc::Sender<Event>,
    id: ClientId,
    stream: UnixStream,
    stranger: OwnedSemaphorePermit,
) {
    let (caller, _admission) = match identify(&shared, id, &stream).await {
        Ok(known) => known,
        Err(problem) => {
            tracing::warn!(code = %problem.code, problem = %problem.message, "turned a client away");
            return turn_away(stream, &problem).await;
        }
    };
    let sees_all = shared.config.grants().read;
    let client = Arc::new(Client::new(id, caller, sees_all));
    shared.hub.add(Arc::clone(&client));
    ClientConnection::new(client, shared, inbox).serve(stream, stranger).await;
}

async fn identify(
    shared: &Shared,
    id: ClientId,
    stream: &UnixStream,
) -> Result<(Caller, Admission), Problem> {
    let peer = peer::of(stream).map_err(|error| door::unknown(0, &error))?;
    let door = shared.door.clone();
    let caller = shared.gate.run(Kind::Peer, id.to_string(), move || door.caller(&peer)).await?;
    let admission = shared.door.admit(&caller)?;
    Ok((caller, admission))
}

/// Answers the first request with the problem, and closes the connection.
async fn turn_away(mut stream: UnixStream, problem: &Problem) {
    let first = async {
        let mut frames = FrameReader::new(BufReader::new(&mut stream), STRANGER_BODY);
        let body = frames.next().await.ok().flatten()?;
        envelope::read(&body).ok().and_then(|incoming: Incoming| incoming.id)
    };
    let id = timeout(INTRODUCTION, first).await.ok().flatten().unwrap_or(Value::Null);
    let answer = error_frame(&id, problem, false);
    let _ = timeout(INTRODUCTION, stream.write_all(&answer)).await;
}

/// Closes a connection for which there is no room, with a last word if it can be written at once.
pub(super) fn turn_away_at_once(stream: UnixStream) {
    let problem = door::too_many_strangers();
    tracing::warn!(code = %problem.code, problem = %problem.message, "turned a client away");
    let _ = stream.try_write(&error_frame(&Value::Null, &problem, true));
}
