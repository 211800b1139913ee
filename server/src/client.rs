//! The blocking client of the command line: JSON-RPC over the daemon's Unix socket.
//!
//! It finds the daemon or starts one ([`start`]). When the connection breaks during a call, it reconnects, starts a daemon
//! if necessary, and sends the same request again. That is safe because every request that changes something carries an
//! id that is chosen once per command: a repeat returns the first answer.
//!
//! It uses plain `std` and no async runtime, because a command must finish within milliseconds.

mod connect;
mod failure;
mod inside;
pub mod start;

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use areyouj_protocol::{
    ClientInfo, ErrorCode, ErrorData, InitializeParams, InitializeResult, Remedy, Request, request, rpc,
};
use serde_json::Value;

pub(crate) use connect::connect_socket;
pub use failure::Failure;
pub(crate) use failure::problem_of_file;
pub(crate) use inside::is_inside;

use crate::paths::Paths;
use crate::rpc::envelope;
use crate::rpc::frame::{self, Decoder};

/// How long a request is retried before the command fails. A daemon restarts much faster.
const RETRY_TIMEOUT: Duration = Duration::from_secs(10);

/// How long one answer can take. The slowest request first terminates all sessions, which takes up to seven seconds for all
/// of them together.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// How long the answer to `initialize` can take. A daemon answers it from memory, so a process that does not answer in this
/// time hangs, or is not a daemon.
const INITIALIZE_TIMEOUT: Duration = Duration::from_secs(15);

/// The pause before a request is retried that the daemon refused as retryable.
const RETRY_PAUSE: Duration = Duration::from_millis(100);

/// Notifications that are kept while the client waits for an answer. When there are more, the oldest are dropped, and the
/// reader gets [`Pushed::Resync`].
const MAX_NOTIFICATIONS: usize = 4096;

/// Bytes that are read at a time.
const READ_BYTES: usize = 64 * 1024;

/// A connection to the daemon that reconnects when it breaks.
pub struct Client {
    paths: Paths,
    start: bool,
    connection: Option<Connection>,
    connected_at: Option<Instant>,
    next_id: u64,
    notifications: VecDeque<Notification>,
    resync: bool,
    daemon_version: String,
    /// The last retryable refusal of the daemon.
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
    /// Notifications were lost, or the connection is new: read the state again and attach again.
    Resync,
    /// The deadline has passed.
    Nothing,
}

struct Connection {
    stream: UnixStream,
    decoder: Decoder,
}

/// Why an attempt at a request failed.
enum Attempt {
    /// The connection cannot be used any more.
    Broken,
    /// The daemon refused the request.
    Refused(Failure),
}

impl Client {
    /// Connects to the daemon. If none is running, starts one if `start` is set, and fails otherwise.
    pub fn connect(paths: &Paths, start: bool) -> Result<Client, Failure> {
        let mut client = Client::disconnected(paths, start);
        client.reconnect()?;
        client.resync = false;
        Ok(client)
    }

    fn disconnected(paths: &Paths, start: bool) -> Client {
        Client {
            paths: paths.clone(),
            start,
            connection: None,
            connected_at: None,
            next_id: 1,
            notifications: VecDeque::new(),
            resync: false,
            daemon_version: String::new(),
            refused: None,
        }
    }

    /// The version of the daemon on the other end.
    pub fn daemon_version(&self) -> &str {
        &self.daemon_version
    }

    /// Sends a request and waits for its answer. Retries it if the connection breaks or the refusal is retryable.
    pub fn call<R: Request>(&mut self, params: &R::Params) -> Result<R::Result, Failure> {
        let params = encode::<R>(params)?;
        // The time counts from the first failure, because a good answer can take long.
        let mut deadline = None;
        loop {
            if self.connection.is_none() {
                self.reconnect()?;
            }
            let attempt = self.attempt(R::METHOD.as_str(), &params);
            let may_retry = Instant::now() < *deadline.get_or_insert_with(|| Instant::now() + RETRY_TIMEOUT);
            match attempt {
                Ok(result) => return decode::<R>(result),
                Err(Attempt::Broken) if may_retry => self.connection = None,
                // If the daemon repeatedly refuses with a reason and then exits, the reason is the refusal.
                Err(Attempt::Broken) => return Err(self.refused.take().unwrap_or_else(connection_lost)),
                Err(Attempt::Refused(failure)) if failure.retryable && may_retry => {
                    self.refused = Some(failure);
                    self.pause();
                }
                Err(Attempt::Refused(failure)) => return Err(failure),
            }
        }
    }

    /// Sends a request once, for a request that ends the daemon. `None` means that the connection broke before the answer
    /// arrived.
    pub fn call_once<R: Request>(&mut self, params: &R::Params) -> Result<Option<R::Result>, Failure> {
        let params = encode::<R>(params)?;
        match self.attempt(R::METHOD.as_str(), &params) {
            Ok(result) => decode::<R>(result).map(Some),
            Err(Attempt::Broken) => Ok(None),
            Err(Attempt::Refused(failure)) => Err(failure),
        }
    }

    /// The next notification. Waits for it until the deadline, or without a limit. Reconnects when the connection breaks.
    pub fn next_notification(&mut self, deadline: Option<Instant>) -> Result<Pushed, Failure> {
        loop {
            // The resync comes first, because the dropped notifications were older than the kept ones.
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
                    self.sort(message);
                }
                Ok(None) => return Ok(Pushed::Nothing),
                Err(_) => self.connection = None,
            }
        }
    }

    fn reconnect(&mut self) -> Result<(), Failure> {
        let deadline = Instant::now() + RETRY_TIMEOUT;
        self.connection = None;
        loop {
            // The pause prevents a tight loop with a daemon that closes every connection at once.
            if let Some(connected_at) = self.connected_at {
                thread::park_timeout(RETRY_PAUSE.saturating_sub(connected_at.elapsed()));
            }
            self.connected_at = Some(Instant::now());
            let stream = if self.start {
                start::find_or_start(&self.paths, deadline)?
            } else {
                connect_socket(&self.paths.daemon_socket())?.ok_or_else(start::not_running)?
            };
            // A daemon that does not read must not block the command without a limit.
            stream.set_write_timeout(Some(ANSWER_TIMEOUT)).map_err(|_| connection_lost())?;
            self.connection = Some(Connection { stream, decoder: Decoder::default() });
            self.resync = true;
            match self.initialize() {
                Ok(()) => return Ok(()),
                Err(Attempt::Refused(failure)) if !failure.retryable => return Err(failure),
                Err(Attempt::Refused(failure)) if Instant::now() >= deadline => return Err(failure),
                Err(Attempt::Broken) if Instant::now() >= deadline => {
                    return Err(self.refused.take().unwrap_or_else(|| not_a_daemon(&self.paths)));
                }
                Err(Attempt::Refused(failure)) => {
                    self.refused = Some(failure);
                    self.pause();
                }
                // The daemon exited between accepting and answering: the next round waits for its lock.
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
            status_changes: false,
        });
        let result =
            self.attempt(request::Initialize::METHOD.as_str(), &params.map_err(Attempt::Refused)?)?;
        let result: InitializeResult = decode::<request::Initialize>(result).map_err(Attempt::Refused)?;
        self.daemon_version = result.server_info.version;
        Ok(())
    }

    /// Sends one request on this connection and waits for its answer. Keeps notifications that arrive before it.
    fn attempt(&mut self, method: &str, params: &Value) -> Result<Value, Attempt> {
        let id = self.next_id;
        self.next_id += 1;
        let body = envelope::request(id, method, (!params.is_null()).then_some(params));
        let connection = self.connection.as_mut().ok_or(Attempt::Broken)?;
        connection.send(&body).map_err(|_| Attempt::Broken)?;
        let is_initialize = method == request::Initialize::METHOD.as_str();
        let timeout = if is_initialize { INITIALIZE_TIMEOUT } else { ANSWER_TIMEOUT };
        let deadline = Instant::now() + timeout;
        loop {
            let connection = self.connection.as_mut().ok_or(Attempt::Broken)?;
            let Some(message) = connection.receive(Some(deadline)).map_err(|_| Attempt::Broken)? else {
                // A late answer must not be mistaken for the answer to a later request.
                self.connection = None;
                return Err(Attempt::Refused(self.unanswered(method, timeout)));
            };
            if let Some(mut answer) = self.sort(message).filter(|answer| answer["id"] == id) {
                return match answer.get("error") {
                    Some(error) => Err(Attempt::Refused(refusal(error))),
                    None => Ok(answer["result"].take()),
                };
            }
        }
    }

    fn unanswered(&self, method: &str, timeout: Duration) -> Failure {
        let socket = self.paths.daemon_socket();
        Failure::new(
            ErrorCode::DaemonUnavailable,
            format!(
                "the process listening on {} did not answer {method} within {} seconds",
                socket.display(),
                timeout.as_secs()
            ),
            format!(
                "Kill the daemon, whose process id is in {}, and try again; sessions keep running. If the process is not a daemon, remove the socket.",
                self.paths.daemon_lock().display()
            ),
        )
    }

    /// Keeps a notification and declines a request. Returns an answer.
    fn sort(&mut self, mut message: Value) -> Option<Value> {
        let Some(method) = message.get("method").and_then(Value::as_str).map(str::to_owned) else {
            return Some(message);
        };
        if let Some(id) = message.get("id") {
            let text = "the command line does not answer requests";
            let refusal = envelope::error(id, rpc::METHOD_NOT_FOUND, text, None);
            // If this cannot be written, the next read fails.
            let _ = self.connection.as_mut().map(|connection| connection.send(&refusal));
            return None;
        }
        if self.notifications.len() >= MAX_NOTIFICATIONS {
            self.notifications.pop_front();
            self.resync = true;
        }
        self.notifications.push_back(Notification { method, params: message["params"].take() });
        None
    }

    /// Pauses before a retry. The pause ends early when the daemon closes the connection, as it does when it exits.
    fn pause(&mut self) {
        let deadline = Instant::now() + RETRY_PAUSE;
        while let Some(connection) = &mut self.connection {
            match connection.receive(Some(deadline)) {
                Ok(Some(message)) => {
                    self.sort(message);
                }
                Ok(None) => return,
                Err(_) => self.connection = None,
            }
        }
    }
}

impl Connection {
    fn send(&mut self, message: &[u8]) -> io::Result<()> {
        self.stream.write_all(&frame::encode(message))
    }

    /// The next message; `None` if the deadline passes first. After an error the connection cannot be used any more.
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
        format!("{method} has a format that this version does not know: {error}"),
        Remedy::RestartDaemon,
    )
}

fn connection_lost() -> Failure {
    Failure::new(
        ErrorCode::DaemonUnavailable,
        "the daemon repeatedly closed the connection before it answered",
        Remedy::doctor_after("See the daemon's log."),
    )
}

fn not_a_daemon(paths: &Paths) -> Failure {
    let socket = paths.daemon_socket();
    Failure::new(
        ErrorCode::DaemonUnavailable,
        format!("the process listening on {} is not an AreYouJ daemon", socket.display()),
        Remedy::doctor_after("Stop that process and remove the socket, then try again."),
    )
}

/// What the JSON-RPC error in an answer says.
pub(crate) fn refusal(error: &Value) -> Failure {
    let message =
        error["message"].as_str().unwrap_or("the daemon refused the request without a reason").to_owned();
    match serde_json::from_value::<ErrorData>(error["data"].clone()) {
        Ok(data) => {
            let remedy = data.remedy.or(data.hint.map(Remedy::Other));
            Failure { code: data.code, message, remedy, log: None, retryable: data.retryable }
        }
        Err(_) => {
            let code = match error["code"].as_i64().and_then(|code| i32::try_from(code).ok()) {
                Some(rpc::METHOD_NOT_FOUND) => ErrorCode::UnknownMethod,
                Some(rpc::INVALID_PARAMS) => ErrorCode::InvalidParams,
                Some(rpc::INVALID_REQUEST | rpc::PARSE_ERROR) => ErrorCode::InvalidRequest,
                Some(rpc::SERVER_NOT_INITIALIZED) => ErrorCode::NotInitialized,
                _ => ErrorCode::Internal,
            };
            Failure { code: code.as_str().to_owned(), message, remedy: None, log: None, retryable: false }
        }
    }
}

#[cfg(test)]
mod tests;
