//! The blocking client of the command line: JSON-RPC over the daemon's Unix socket.
//!
//! It finds the daemon or starts one ([`start`]). When the connection breaks in the middle of a call it connects
//! again, starts a daemon if need be, and sends the same request once more. That is safe because every request that
//! changes something carries an id that was made once per command: a repeat returns the first answer.
//!
//! Plain `std`, no runtime: a command is to be done within milliseconds.

mod connect;
mod failure;
pub mod frame;
pub mod start;

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use areyouj_protocol::{ClientInfo, ErrorCode, InitializeParams, InitializeResult, Request, request, rpc};
use serde_json::{Value, json};

pub(crate) use connect::connect_socket;
pub use failure::Failure;

use crate::paths::Paths;
use frame::Decoder;

/// How long a request is sent again and again before the command gives up; a daemon is back much sooner.
const RETRY_DEADLINE: Duration = Duration::from_secs(10);

/// How long one answer may take. The slowest request ends every session first, which takes seven seconds each and
/// goes on side by side.
const ANSWER_DEADLINE: Duration = Duration::from_secs(60);

/// How long the answer to `initialize` may take. A daemon answers it without looking at anything, so what does not
/// answer in this time is stuck, or no daemon.
const HELLO_DEADLINE: Duration = Duration::from_secs(15);

/// The pause before a request is sent again that the daemon wants sent again.
const RETRY_PAUSE: Duration = Duration::from_millis(100);

/// Notifications kept for later while an answer is awaited. When there are more the oldest are dropped, and the
/// reader is told to look at everything again.
const NOTIFICATIONS_KEPT: usize = 4096;

/// Bytes read at a time.
const READ_BYTES: usize = 64 * 1024;

/// A connection to the daemon that mends itself.
pub struct Client {
    paths: Paths,
    start: bool,
    connection: Option<Connection>,
    connected_at: Option<Instant>,
    next_id: u64,
    notifications: VecDeque<Notification>,
    resync: bool,
    daemon_version: String,
    /// Why the daemon could do nothing when it was asked last, if it may be asked again.
    refused: Option<Failure>,
}

/// A notification of the daemon.
#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    /// Its name.
    pub method: String,
    /// Its parameters.
    pub params: Value,
}

/// What [`Client::next_notification`] waited for.
#[derive(Clone, Debug, PartialEq)]
pub enum Pushed {
    /// A notification, in the order of arrival.
    Notification(Notification),
    /// Some were lost, or the connection is a new one: read again what is watched, and attach again.
    Resync,
    /// The deadline has passed.
    Nothing,
}

struct Connection {
    stream: UnixStream,
    decoder: Decoder,
}

/// How one attempt at a request ended, other than well.
enum Attempt {
    /// The connection is of no more use.
    Broken,
    /// The daemon said no.
    Refused(Failure),
}

impl Client {
    /// Connects to the daemon, and starts one if there is none and `start` says so.
    pub fn connect(paths: &Paths, start: bool) -> Result<Client, Failure> {
        let mut client = Client {
            paths: paths.clone(),
            start,
            connection: None,
            connected_at: None,
            next_id: 1,
            notifications: VecDeque::new(),
            resync: false,
            daemon_version: String::new(),
            refused: None,
        };
        client.reconnect()?;
        client.resync = false;
        Ok(client)
    }

    /// The version of the daemon on the other end.
    pub fn daemon_version(&self) -> &str {
        &self.daemon_version
    }

    /// Sends a request and waits for its answer; sends it again if the connection breaks or the daemon says that it
    /// may be sent again.
    pub fn call<R: Request>(&mut self, params: &R::Params) -> Result<R::Result, Failure> {
        let params = encode::<R>(params)?;
        // Counted from the first failure: an answer may take long without anything being wrong.
        let mut deadline = None;
        loop {
            if self.connection.is_none() {
                self.reconnect()?;
            }
            let attempt = self.attempt(R::METHOD.as_str(), &params);
            let more_time = Instant::now() < *deadline.get_or_insert_with(|| Instant::now() + RETRY_DEADLINE);
            match attempt {
                Ok(result) => return decode::<R>(result),
                Err(Attempt::Broken) if more_time => self.connection = None,
                // A daemon that says why and then goes away, again and again, has said why.
                Err(Attempt::Broken) => return Err(self.refused.take().unwrap_or_else(connection_lost)),
                Err(Attempt::Refused(failure)) if failure.retryable && more_time => {
                    self.refused = Some(failure);
                    self.pause();
                }
                Err(Attempt::Refused(failure)) => return Err(failure),
            }
        }
    }

    /// Sends a request once. `None` means that the connection broke before the answer came: for a request after
    /// which the daemon goes away.
    pub fn call_once<R: Request>(&mut self, params: &R::Params) -> Result<Option<R::Result>, Failure> {
        let params = encode::<R>(params)?;
        match self.attempt(R::METHOD.as_str(), &params) {
            Ok(result) => decode::<R>(result).map(Some),
            Err(Attempt::Broken) => Ok(None),
            Err(Attempt::Refused(failure)) => Err(failure),
        }
    }

    /// The next notification; waits for it until the deadline, or for ever. A broken connection is mended.
    pub fn next_notification(&mut self, deadline: Option<Instant>) -> Result<Pushed, Failure> {
        loop {
            // What was dropped was older than what is kept.
            if std::mem::take(&mut self.resync) {
                return Ok(Pushed::Resync);
            }
            if let Some(notification) = self.notifications.pop_front() {
                return Ok(Pushed::Notification(notification));
            }
            let Some(connection) = &mut self.connection else {
                self.reconnect()?;
                continue;
            };
            match connection.receive(deadline) {
                Ok(Some(message)) => {
                    self.take_in(message);
                }
                Ok(None) => return Ok(Pushed::Nothing),
                Err(_) => self.connection = None,
            }
        }
    }

    fn reconnect(&mut self) -> Result<(), Failure> {
        let deadline = Instant::now() + RETRY_DEADLINE;
        self.connection = None;
        loop {
            // A daemon that closes every connection at once is not to be asked in a tight loop.
            if let Some(connected_at) = self.connected_at {
                thread::park_timeout(RETRY_PAUSE.saturating_sub(connected_at.elapsed()));
            }
            self.connected_at = Some(Instant::now());
            let stream = if self.start {
                start::find_or_start(&self.paths, deadline)?
            } else {
                connect_socket(&self.paths.daemon_socket())?.ok_or_else(start::not_running)?
            };
            // A daemon that does not read must not hold up a command for ever.
            stream.set_write_timeout(Some(ANSWER_DEADLINE)).map_err(|_| connection_lost())?;
            self.connection = Some(Connection { stream, decoder: Decoder::default() });
            self.resync = true;
            match self.initialize() {
                Ok(()) => return Ok(()),
                Err(Attempt::Refused(failure)) if !failure.retryable => return Err(failure),
                Err(Attempt::Refused(failure)) if Instant::now() >= deadline => return Err(failure),
                Err(Attempt::Broken) if Instant::now() >= deadline => {
                    return Err(self.refused.take().unwrap_or_else(|| no_daemon_there(&self.paths)));
                }
                Err(Attempt::Refused(failure)) => {
                    self.refused = Some(failure);
                    self.pause();
                }
                // It went away between accepting and answering: the next round waits for its lock.
                Err(Attempt::Broken) => self.connection = None,
            }
        }
    }

    fn initialize(&mut self) -> Result<(), Attempt> {
        let info = ClientInfo {
            name: "areyouj-cli".to_owned(),
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        };
        let params = encode::<request::Initialize>(&InitializeParams {
            client_info: Some(info),
            workspace_folders: None,
            quiet: false,
        });
        let result =
            self.attempt(request::Initialize::METHOD.as_str(), &params.map_err(Attempt::Refused)?)?;
        let result: InitializeResult = decode::<request::Initialize>(result).map_err(Attempt::Refused)?;
        self.daemon_version = result.server_info.version;
        Ok(())
    }

    /// Sends one request on this connection and waits for its answer. Notifications on the way are kept.
    fn attempt(&mut self, method: &str, params: &Value) -> Result<Value, Attempt> {
        let id = self.next_id;
        self.next_id += 1;
        let mut body = json!({"jsonrpc": "2.0", "id": id, "method": method});
        if !params.is_null() {
            body["params"] = params.clone();
        }
        let connection = self.connection.as_mut().ok_or(Attempt::Broken)?;
        connection.send(&body).map_err(|_| Attempt::Broken)?;
        let hello = method == request::Initialize::METHOD.as_str();
        let patience = if hello { HELLO_DEADLINE } else { ANSWER_DEADLINE };
        let deadline = Instant::now() + patience;
        loop {
            let connection = self.connection.as_mut().ok_or(Attempt::Broken)?;
            let Some(message) = connection.receive(Some(deadline)).map_err(|_| Attempt::Broken)? else {
                // A late answer must not be taken for that of a later request.
                self.connection = None;
                return Err(Attempt::Refused(self.unanswered(method, patience)));
            };
            if let Some(mut answer) = self.take_in(message).filter(|answer| answer["id"] == id) {
                return match answer.get("error") {
                    Some(error) => Err(Attempt::Refused(Failure::of_answer(error))),
                    None => Ok(answer["result"].take()),
                };
            }
        }
    }

    fn unanswered(&self, method: &str, patience: Duration) -> Failure {
        let socket = self.paths.daemon_socket();
        Failure::new(
            ErrorCode::DaemonUnavailable,
            format!(
                "what listens at {} did not answer {method} in {} seconds",
                socket.display(),
                patience.as_secs()
            ),
            format!(
                "End the daemon, whose process id is in {}, and try again: sessions go on. If that is no daemon, remove the socket.",
                self.paths.daemon_lock().display()
            ),
        )
    }

    /// Sorts a message that arrived; returns it if it is an answer.
    fn take_in(&mut self, mut message: Value) -> Option<Value> {
        let Some(method) = message.get("method").and_then(Value::as_str).map(str::to_owned) else {
            return Some(message);
        };
        if let Some(id) = message.get("id") {
            let error =
                json!({"code": rpc::METHOD_NOT_FOUND, "message": "the command line answers no requests"});
            let refusal = json!({"jsonrpc": "2.0", "id": id, "error": error});
            // If this cannot be written the next read says so.
            let _ = self.connection.as_mut().map(|connection| connection.send(&refusal));
            return None;
        }
        if self.notifications.len() >= NOTIFICATIONS_KEPT {
            self.notifications.pop_front();
            self.resync = true;
        }
        self.notifications.push_back(Notification { method, params: message["params"].take() });
        None
    }

    /// Waits a moment, but no longer than this connection lives: a daemon that is going away closes it.
    fn pause(&mut self) {
        let deadline = Instant::now() + RETRY_PAUSE;
        while let Some(connection) = &mut self.connection {
            match connection.receive(Some(deadline)) {
                Ok(Some(message)) => {
                    self.take_in(message);
                }
                Ok(None) => return,
                Err(_) => self.connection = None,
            }
        }
    }
}

impl Connection {
    fn send(&mut self, body: &Value) -> io::Result<()> {
        self.stream.write_all(&frame::encode(body.to_string().as_bytes()))
    }

    /// The next message; none if the deadline passes first. An error means that the connection is of no more use.
    fn receive(&mut self, deadline: Option<Instant>) -> io::Result<Option<Value>> {
        let mut bytes = vec![0; READ_BYTES];
        loop {
            if let Some(body) = self.decoder.next_frame()? {
                return Ok(Some(serde_json::from_slice(&body)?));
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(None);
            }
            self.stream.set_read_timeout(left)?;
            match self.stream.read(&mut bytes) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => self.decoder.push(&bytes[..count]),
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    return Ok(None);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn encode<R: Request>(params: &R::Params) -> Result<Value, Failure> {
    serde_json::to_value(params).map_err(|error| unexpected(R::METHOD.as_str(), &error))
}

fn decode<R: Request>(result: Value) -> Result<R::Result, Failure> {
    serde_json::from_value(result).map_err(|error| unexpected(R::METHOD.as_str(), &error))
}

/// An answer that has another shape than this version knows.
pub(crate) fn unexpected(method: &str, error: &serde_json::Error) -> Failure {
    Failure::new(
        ErrorCode::Internal,
        format!("{method} does not have the shape that this version knows: {error}"),
        "Run `areyouj daemon restart`, so that the daemon has the version of this program; sessions go on.",
    )
}

fn connection_lost() -> Failure {
    Failure::new(
        ErrorCode::DaemonUnavailable,
        "the daemon went away in the middle of the request, again and again",
        "Run `areyouj doctor` and look into the daemon's log.",
    )
}

fn no_daemon_there(paths: &Paths) -> Failure {
    let socket = paths.daemon_socket();
    Failure::new(
        ErrorCode::DaemonUnavailable,
        format!("what listens at {} does not talk like a daemon of AreYouJ", socket.display()),
        "Run `areyouj doctor`. If something else listens there, end it and remove the socket.",
    )
}

#[cfg(test)]
mod tests;
