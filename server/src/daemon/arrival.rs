//! The arrival of a client: who it is, whether there is room for it, and what it gets if not.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use areyouj_core::orchestrator::{ClientId, Event, Problem};
use areyouj_host::peer;
use nix::errno::Errno;
use serde_json::Value;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::{sleep, timeout};

use super::client::Client;
use super::client_connection::ClientConnection;
use super::door::{self, Admission, Caller, Door, INTRODUCTION};
use super::gate::Kind;
use super::outbox::error_frame;
use super::shared::Shared;
use crate::rpc::envelope::{self, Incoming};
use crate::rpc::frame::{FrameReader, STRANGER_BODY};

/// The time between two attempts to find out who connected while too many files are open.
const SHORTAGE_RETRY: Duration = Duration::from_millis(200);

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
            shared.door.log(&problem);
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
    let begun = Instant::now();
    let caller = loop {
        match caller(shared, id, stream).await? {
            // The connection is accepted, so the client waits already, and some descriptors are free again soon.
            Err(error) if is_shortage(&error) && begun.elapsed() < INTRODUCTION => {
                sleep(SHORTAGE_RETRY).await;
            }
            found => break found.map_err(|error| door::unknown(&error))?,
        }
    };
    let admission = shared.door.admit(&caller)?;
    Ok((caller, admission))
}

async fn caller(shared: &Shared, id: ClientId, stream: &UnixStream) -> Result<io::Result<Caller>, Problem> {
    let peer = match peer::of(stream) {
        Ok(peer) => peer,
        Err(error) => return Ok(Err(error)),
    };
    let door = shared.door.clone();
    shared.gate.run(Kind::Peer, id.to_string(), move || Ok(door.caller(&peer))).await
}

/// Whether this process or the machine has too many open files.
fn is_shortage(error: &io::Error) -> bool {
    matches!(error.raw_os_error().map(Errno::from_raw), Some(Errno::EMFILE | Errno::ENFILE))
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
pub(super) fn turn_away_at_once(door: &Door, stream: &UnixStream) {
    let problem = door::too_many_strangers();
    door.log(&problem);
    let _ = stream.try_write(&error_frame(&Value::Null, &problem, true));
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream as Blocking;

    use serde_json::json;
    use tokio::io::AsyncReadExt;
    use tokio::task::JoinHandle;

    use super::*;
    use crate::config::Config;
    use crate::daemon::gate::Gate;
    use crate::daemon::hub::Hub;
    use crate::daemon::jobs::Jobs;
    use crate::paths::Paths;
    use crate::rpc::frame;
    use areyouj_store::ReaderPool;

    /// A daemon without its orchestrator, and the directory that it needs.
    fn shared() -> (tempfile::TempDir, Arc<Shared>) {
        let home = tempfile::tempdir().unwrap();
        let set = |name: &str| (name == "AREYOUJ_HOME").then(|| home.path().as_os_str().to_owned());
        let paths = Paths::from_environment(set).unwrap();
        paths.create().unwrap();
        drop(areyouj_store::open(&paths.database()).unwrap());
        let shared = Shared {
            config: Config::load(&home.path().join("no configuration")).unwrap(),
            started_at: 0,
            hub: Hub::default(),
            reader: Arc::new(ReaderPool::open(&paths.database()).unwrap()),
            gate: Gate::new(),
            jobs: Jobs::default(),
            door: Door::new(&paths).unwrap(),
            umask: nix::sys::stat::Mode::S_IRWXO,
            paths,
        };
        (home, Arc::new(shared))
    }

    /// A connection that arrives; returns the client's end.
    fn connected(shared: &Arc<Shared>, id: ClientId) -> (UnixStream, JoinHandle<()>) {
        let (ours, theirs) = Blocking::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        theirs.set_nonblocking(true).unwrap();
        let (inbox, _) = mpsc::channel(8);
        let stranger = shared.door.stranger().unwrap();
        let stream = UnixStream::from_std(ours).unwrap();
        let arriving = tokio::spawn(arrive(Arc::clone(shared), inbox, id, stream, stranger));
        (UnixStream::from_std(theirs).unwrap(), arriving)
    }

    async fn everything(stream: &mut UnixStream) -> String {
        let mut read = Vec::new();
        stream.read_to_end(&mut read).await.unwrap();
        String::from_utf8(read).unwrap()
    }

    fn initialize() -> Vec<u8> {
        frame::encode(json!({"id": 1, "method": "initialize", "params": {}}).to_string().as_bytes())
    }

    #[tokio::test]
    async fn a_stranger_gets_one_refusal_for_a_message_that_is_too_large_and_none_of_it_is_kept() {
        let (_home, shared) = shared();
        let (mut client, arriving) = connected(&shared, 1);
        let header = format!("Content-Length: {}\r\n\r\n", STRANGER_BODY + 1);
        client.write_all(header.as_bytes()).await.unwrap();
        let refusal = everything(&mut client).await;
        assert_eq!(refusal.matches("Content-Length").count(), 1, "{refusal}");
        assert!(refusal.contains("\"code\":\"invalid_request\"") && refusal.contains("65536"), "{refusal}");
        arriving.await.unwrap();
    }

    #[tokio::test]
    async fn a_client_that_has_introduced_itself_can_send_large_messages() {
        let (_home, shared) = shared();
        let (mut client, _arriving) = connected(&shared, 1);
        client.write_all(&initialize()).await.unwrap();
        let text = "x".repeat(STRANGER_BODY);
        let large = json!({"id": 2, "method": "areyouj/nothing", "params": {"text": text}}).to_string();
        client.write_all(&frame::encode(large.as_bytes())).await.unwrap();
        client.shutdown().await.unwrap();
        let answers = everything(&mut client).await;
        assert!(answers.contains("\"id\":1") && answers.contains("\"code\":\"unknown_method\""), "{answers}");
        assert!(shared.door.stranger().is_some());
    }

    #[tokio::test]
    async fn a_client_that_says_nothing_is_parted_from_in_time() {
        let (_home, shared) = shared();
        let (mut client, arriving) = connected(&shared, 1);
        // The client is known first: that takes a thread, which a stopped clock would not wait for.
        while shared.hub.count() == 0 {
            tokio::task::yield_now().await;
        }
        tokio::time::pause();
        let refusal = everything(&mut client).await;
        assert!(refusal.contains("\"code\":\"initialize_timeout\""), "{refusal}");
        arriving.await.unwrap();
    }

    #[tokio::test]
    async fn a_refused_client_gets_the_reason_as_the_answer_to_its_first_request() {
        let (ours, theirs) = Blocking::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        theirs.set_nonblocking(true).unwrap();
        let mut client = UnixStream::from_std(theirs).unwrap();
        client.write_all(&initialize()).await.unwrap();
        turn_away(UnixStream::from_std(ours).unwrap(), &door::too_many(16, "this session")).await;
        let refusal = everything(&mut client).await;
        assert!(refusal.contains("\"id\":1") && refusal.contains("too_many_connections"), "{refusal}");
    }
}
