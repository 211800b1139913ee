//! The client against a scripted daemon.

use std::os::unix::net::UnixListener;
use std::thread::JoinHandle;

use areyouj_protocol::{NewMessage, QueueAddParams, SessionActionParams, SessionListParams};
use serde_json::json;
use tempfile::TempDir;

use super::*;

/// What the scripted daemon does with one connection.
type Act = Box<dyn FnOnce(&mut Peer) + Send>;

struct Peer {
    stream: UnixStream,
    decoder: Decoder,
}

impl Peer {
    fn receive(&mut self) -> Option<Value> {
        let mut bytes = [0; 1024];
        loop {
            if let Some(body) = self.decoder.next_frame().unwrap() {
                return Some(serde_json::from_slice(&body).unwrap());
            }
            match self.stream.read(&mut bytes).unwrap() {
                0 => return None,
                count => self.decoder.push(&bytes[..count]),
            }
        }
    }

    fn request(&mut self, method: &str) -> Value {
        let request = self.receive().unwrap();
        assert_eq!(request["method"], method, "{request}");
        request
    }

    fn send(&mut self, body: &Value) {
        self.stream.write_all(&frame::encode(body.to_string().as_bytes())).unwrap();
    }

    fn answer(&mut self, request: &Value, result: &Value) {
        self.send(&json!({"jsonrpc": "2.0", "id": request["id"], "result": result}));
    }

    fn refuse(&mut self, request: &Value, data: &Value) {
        let error = json!({"code": rpc::REFUSED, "message": "no", "data": data});
        self.send(&json!({"jsonrpc": "2.0", "id": request["id"], "error": error}));
    }

    fn notify(&mut self, number: usize) {
        self.send(&json!({"jsonrpc": "2.0", "method": "areyouj/event", "params": {"number": number}}));
    }
}

/// Serves one connection after the other, each with its act, after the usual `initialize`.
struct Daemon {
    paths: Paths,
    thread: JoinHandle<()>,
    _home: TempDir,
}

impl Daemon {
    fn start(acts: Vec<Act>) -> Daemon {
        let home = tempfile::tempdir().unwrap();
        let paths = paths(&home);
        paths.create().unwrap();
        let listener = UnixListener::bind(paths.daemon_socket()).unwrap();
        let thread = thread::spawn(move || {
            for act in acts {
                let (stream, _) = listener.accept().unwrap();
                let mut peer = Peer { stream, decoder: Decoder::default() };
                let hello = peer.request("initialize");
                assert_eq!(hello["params"]["clientInfo"]["name"], "areyouj-cli");
                peer.answer(
                    &hello,
                    &json!({"capabilities": {"experimental": {"areyouj": {"protocolVersion": 1}}},
                        "serverInfo": {"name": "areyouj", "version": "9.9.9"}}),
                );
                act(&mut peer);
            }
        });
        Daemon { paths, thread, _home: home }
    }

    fn client(&self) -> Client {
        Client::connect(&self.paths, false).unwrap()
    }

    /// Checks that every act succeeded.
    fn end(self, client: Client) {
        drop(client);
        self.thread.join().unwrap();
    }
}

pub(super) fn paths(home: &TempDir) -> Paths {
    Paths::from_environment(|name| (name == "AREYOUJ_HOME").then(|| home.path().into())).unwrap()
}

fn act(act: impl FnOnce(&mut Peer) + Send + 'static) -> Act {
    Box::new(act)
}

fn no_sessions() -> Value {
    json!({"revision": 7, "sessions": []})
}

fn list(client: &mut Client) -> Result<u64, Failure> {
    client.call::<request::SessionList>(&SessionListParams { all: true }).map(|list| list.revision)
}

#[test]
fn a_request_is_answered_and_the_daemon_s_version_is_known() {
    let daemon = Daemon::start(vec![act(|peer| {
        let request = peer.request("areyouj/session/list");
        assert_eq!(request["params"], json!({"all": true}));
        peer.answer(&request, &no_sessions());
    })]);
    let mut client = daemon.client();
    assert_eq!(client.daemon_version(), "9.9.9");
    assert_eq!(list(&mut client), Ok(7));
    daemon.end(client);
}

#[test]
fn a_request_is_sent_again_with_the_same_ids_when_the_connection_breaks() {
    let (sender, sent) = std::sync::mpsc::channel();
    let record = sender.clone();
    let daemon = Daemon::start(vec![
        act(move |peer| record.send(peer.request("areyouj/queue/add")).unwrap()),
        act(move |peer| {
            let request = peer.request("areyouj/queue/add");
            peer.answer(
                &request,
                &json!({"id": request["params"]["message"]["id"], "sessionId": "K7M2Q9XD", "text": "x",
                    "state": "queued", "position": 0, "createdAt": 1}),
            );
            sender.send(request).unwrap();
        }),
    ]);
    let mut client = daemon.client();
    let message = NewMessage { id: "the-one-id".to_owned(), text: "x".to_owned() };
    let params = QueueAddParams { session_id: Some("K7".to_owned()), message };
    assert_eq!(client.call::<request::QueueAdd>(&params).unwrap().id, "the-one-id");
    let (first, second) = (sent.recv().unwrap(), sent.recv().unwrap());
    assert_eq!(first["params"], second["params"]);
    daemon.end(client);
}

#[test]
fn a_retryable_refusal_is_retried() {
    let daemon = Daemon::start(vec![
        act(|peer| {
            let request = peer.request("areyouj/session/list");
            peer.refuse(&request, &json!({"code": "daemon_unavailable", "retryable": true}));
        }),
        act(|peer| {
            let request = peer.request("areyouj/session/list");
            peer.answer(&request, &no_sessions());
        }),
    ]);
    let mut client = daemon.client();
    assert_eq!(list(&mut client), Ok(7));
    daemon.end(client);
}

#[test]
fn a_refusal_has_its_code_and_hint() {
    let daemon = Daemon::start(vec![act(|peer| {
        let request = peer.request("areyouj/session/terminate");
        assert_eq!(request["params"], json!({"requestId": "r", "sessionId": "K7"}));
        peer.refuse(&request, &json!({"code": "session_not_found", "hint": "List them."}));
        let request = peer.request("areyouj/session/list");
        peer.send(
            &json!({"id": request["id"], "error": {"code": rpc::METHOD_NOT_FOUND, "message": "unknown"}}),
        );
    })]);
    let mut client = daemon.client();
    let params = SessionActionParams { request_id: "r".to_owned(), session_id: Some("K7".to_owned()) };
    let failure = client.call::<request::SessionTerminate>(&params).unwrap_err();
    assert_eq!((failure.code.as_str(), failure.message.as_str()), ("session_not_found", "no"));
    assert_eq!(failure.remedy, Some("List them.".into()));
    assert_eq!(list(&mut client).unwrap_err().code, "unknown_method");
    daemon.end(client);
}

#[test]
fn notifications_that_arrive_before_an_answer_are_kept_in_order() {
    let daemon = Daemon::start(vec![act(|peer| {
        let request = peer.request("areyouj/session/list");
        (0..3).for_each(|number| peer.notify(number));
        peer.answer(&request, &no_sessions());
        peer.notify(3);
        assert!(peer.receive().is_none());
    })]);
    let mut client = daemon.client();
    list(&mut client).unwrap();
    for number in 0..4 {
        let Pushed::Notification(pushed) = client.next_notification(None).unwrap() else {
            panic!("no {number}")
        };
        assert_eq!((pushed.method.as_str(), &pushed.params["number"]), ("areyouj/event", &json!(number)));
    }
    assert_eq!(client.next_notification(Some(Instant::now())), Ok(Pushed::Nothing));
    daemon.end(client);
}

#[test]
fn the_oldest_of_too_many_notifications_are_dropped_and_the_reader_gets_a_resync() {
    let daemon = Daemon::start(vec![act(|peer| {
        let request = peer.request("areyouj/session/list");
        (0..=MAX_NOTIFICATIONS).for_each(|number| peer.notify(number));
        peer.answer(&request, &no_sessions());
    })]);
    let mut client = daemon.client();
    list(&mut client).unwrap();
    assert_eq!(client.next_notification(None), Ok(Pushed::Resync));
    let Pushed::Notification(oldest) = client.next_notification(None).unwrap() else {
        panic!("nothing kept")
    };
    assert_eq!(oldest.params["number"], 1);
    daemon.end(client);
}

#[test]
fn a_connection_that_breaks_while_waiting_is_renewed_and_the_reader_gets_a_resync() {
    let daemon = Daemon::start(vec![act(|_| {}), act(|peer| peer.notify(5))]);
    let mut client = daemon.client();
    assert_eq!(client.next_notification(None), Ok(Pushed::Resync));
    assert!(matches!(client.next_notification(None), Ok(Pushed::Notification(_))));
    daemon.end(client);
}

#[test]
fn garbage_breaks_only_the_connection() {
    let daemon = Daemon::start(vec![
        act(|peer| {
            peer.request("areyouj/session/list");
            peer.stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        }),
        act(|peer| {
            let request = peer.request("areyouj/session/list");
            peer.send(&json!([1, 2]));
            peer.answer(&json!({"id": 999}), &no_sessions());
            peer.answer(&request, &no_sessions());
        }),
    ]);
    let mut client = daemon.client();
    assert_eq!(list(&mut client), Ok(7));
    daemon.end(client);
}

#[test]
fn requests_from_the_daemon_are_declined() {
    let daemon = Daemon::start(vec![act(|peer| {
        let request = peer.request("areyouj/session/list");
        peer.send(
            &json!({"jsonrpc": "2.0", "id": "p", "method": "window/workDoneProgress/create", "params": {}}),
        );
        let declined = peer.receive().unwrap();
        assert_eq!(
            (&declined["id"], &declined["error"]["code"]),
            (&json!("p"), &json!(rpc::METHOD_NOT_FOUND))
        );
        peer.answer(&request, &no_sessions());
    })]);
    let mut client = daemon.client();
    list(&mut client).unwrap();
    daemon.end(client);
}

#[test]
fn an_answer_of_an_unknown_format_is_an_error() {
    let daemon = Daemon::start(vec![act(|peer| {
        let request = peer.request("areyouj/session/list");
        peer.answer(&request, &json!({"sessions": 3}));
    })]);
    let mut client = daemon.client();
    assert_eq!(list(&mut client).unwrap_err().code, "internal");
    daemon.end(client);
}

#[test]
fn a_request_that_stops_the_daemon_is_sent_once() {
    let daemon = Daemon::start(vec![act(|peer| drop(peer.request("areyouj/daemon/stop")))]);
    let mut client = daemon.client();
    let stopped = client.call_once::<request::DaemonStop>(&areyouj_protocol::DaemonStopParams::default());
    assert_eq!(stopped, Ok(None));
    daemon.end(client);
}

#[test]
fn every_failure_of_the_client_is_printed() {
    let paths = crate::cli::texts::paths();
    let socket = paths.daemon_socket();
    let denied = || io::Error::from(io::ErrorKind::PermissionDenied);
    let other = || io::Error::from(io::ErrorKind::BrokenPipe);
    let error = serde_json::from_str::<u32>("{").unwrap_err();
    let client = Client::disconnected(&paths, false);
    crate::texts::assert_problems(
        "problems-client",
        [
            client.unanswered("initialize", INITIALIZE_TIMEOUT),
            unexpected("areyouj/session/list", &error),
            connection_lost(),
            not_a_daemon(&paths),
            refusal(&json!({"code": rpc::INVALID_PARAMS})),
            start::not_running(),
            start::start_lock_held(&paths.start_lock()),
            start::not_started_in_session(),
            start::start_failed(&paths, "REASON", &["line 1".to_owned(), "line 2".to_owned()]),
            start::lock_failed(&paths.start_lock(), &denied()),
            start::lock_failed(&paths.start_lock(), &other()),
            Failure::of_file(&io::ErrorKind::StorageFull.into(), ErrorCode::Internal, "MESSAGE".to_owned()),
            connect::cannot_connect(&socket, &denied()),
            connect::cannot_connect(&socket, &connect::no_connection_accepted()),
            connect::foreign(&socket, 1000),
        ],
    );
}

#[test]
fn connecting_without_starting_a_daemon_fails_if_none_is_running() {
    let home = tempfile::tempdir().unwrap();
    let failure = Client::connect(&paths(&home), false).err().unwrap();
    assert_eq!(failure.code, "daemon_unavailable");
    assert!(!home.path().join("run").exists());
}
