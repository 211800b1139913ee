//! `areyouj lsp`: the language server that an editor starts. It finds or starts the daemon.
//!
//! The native extensions use the daemon's own methods through it; for any other editor it translates. It outlives the
//! daemon: it connects to the next one and sends `initialize` again, so that the editor keeps its language server. The
//! end of standard input means that the editor has exited; its sessions continue.
//!
//! [`router`] decides about every message without I/O. The I/O is in plain threads: two for the editor's streams, two
//! for the daemon's socket, and this one. There is no async runtime: handlers wait only for messages, which arrive
//! here.

mod actions;
mod daemon_connection;
mod documents;
mod leniency;
mod message;
mod permission_box;
mod permission_requests;
mod progress;
mod router;
mod server;
mod transport;

use std::io;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use areyouj_protocol::{ErrorCode, Remedy};

use crate::client::{Failure, start};
use crate::paths::Paths;
use crate::rpc::frame::FrameError;
use daemon_connection::socket::{Received, Socket};
use router::{Action, Event, Router};
use transport::{Outgoing, log_error, read_frames};

/// The maximum number of messages that wait for the router. Senders block when the inbox is full.
const INBOX_MESSAGES: usize = 64;

/// The timeout of one attempt to find or start a daemon.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an editor that has shut down the connection can take to read the last messages.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// A report of a thread.
enum Report {
    Editor(Vec<u8>),
    /// The editor closed a stream, or sent an invalid frame.
    EditorGone(Result<(), FrameError>),
    /// A message of the daemon of this connection.
    Daemon(u32, Vec<u8>),
    DaemonGone(u32),
    Connected(UnixStream),
    Unreachable(Failure),
}

/// Serves the editor on standard input and output until it exits.
pub fn run(paths: &Paths) -> ExitCode {
    let (reports, inbox) = sync_channel(INBOX_MESSAGES);
    let outgoing = Arc::new(Outgoing::default());
    let (editor, queue) = (reports.clone(), Arc::clone(&outgoing));
    thread::spawn(move || {
        let end = read_frames(io::stdin().lock(), |body| editor.send(Report::Editor(body)).is_ok());
        queue.hurry();
        let _ = editor.send(Report::EditorGone(end));
    });
    let (editor, queue) = (reports.clone(), Arc::clone(&outgoing));
    thread::spawn(move || {
        if queue.write(io::stdout().lock()).is_err() {
            let _ = editor.send(Report::EditorGone(Ok(())));
        }
    });
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let mut edge = Edge { paths, reports, outgoing, socket: None, sockets: 0 };
    let status = edge.serve(&inbox, Router::new(environment));
    edge.outgoing.close(FLUSH_TIMEOUT);
    ExitCode::from(status)
}

struct Edge<'a> {
    paths: &'a Paths,
    reports: SyncSender<Report>,
    outgoing: Arc<Outgoing>,
    socket: Option<Socket>,
    /// The number of sockets opened so far, which identifies the newest.
    sockets: u32,
}

impl Edge<'_> {
    /// Returns the exit status.
    fn serve(&mut self, inbox: &Receiver<Report>, mut router: Router) -> u8 {
        while let Ok(report) = inbox.recv() {
            let event = match report {
                Report::Editor(body) => Event::Editor(body),
                Report::EditorGone(Ok(())) => return 0,
                Report::EditorGone(Err(error)) => {
                    log_error(&format!("{error}, so later messages cannot be read"));
                    return 1;
                }
                Report::Daemon(number, body) if self.is_open(number) => Event::Daemon(body),
                Report::DaemonGone(number) if self.is_open(number) => {
                    let lived = self.socket.take().map_or(Duration::ZERO, |socket| socket.lived());
                    Event::DaemonGone { lived }
                }
                // The report belongs to an abandoned connection.
                Report::Daemon(..) | Report::DaemonGone(_) => continue,
                Report::Connected(stream) => match self.open(stream) {
                    Ok(()) => Event::Connected,
                    Err(error) => Event::Unreachable(unusable(&error)),
                },
                Report::Unreachable(failure) => Event::Unreachable(failure),
            };
            for action in router.step(event) {
                match action {
                    Action::ToEditor(body) => self.outgoing.send(&body),
                    Action::ToDaemon(body) => {
                        if let Some(socket) = &self.socket {
                            socket.send(&body);
                        }
                    }
                    Action::Disconnect => self.socket = None,
                    Action::Connect(pause) => self.connect(pause),
                    Action::Exit(status) => return status,
                }
            }
        }
        0
    }

    fn is_open(&self, number: u32) -> bool {
        self.socket.is_some() && self.sockets == number
    }

    fn open(&mut self, stream: UnixStream) -> io::Result<()> {
        self.sockets += 1;
        let (number, reports) = (self.sockets, self.reports.clone());
        let receive = move |received| {
            let report = match received {
                Received::Body(body) => Report::Daemon(number, body),
                Received::End => Report::DaemonGone(number),
            };
            reports.send(report).is_ok()
        };
        self.socket = Some(Socket::open(stream, receive)?);
        Ok(())
    }

    fn connect(&self, pause: Duration) {
        let (paths, reports) = (self.paths.clone(), self.reports.clone());
        thread::spawn(move || {
            thread::park_timeout(pause);
            let report = match start::find_or_start(&paths, Instant::now() + CONNECT_TIMEOUT) {
                Ok(stream) => Report::Connected(stream),
                Err(failure) => Report::Unreachable(failure),
            };
            let _ = reports.send(report);
        });
    }
}

fn unusable(error: &io::Error) -> Failure {
    Failure::new(
        ErrorCode::DaemonUnavailable,
        format!("the connection to the daemon cannot be used: {error}"),
        Remedy::TryAgain,
    )
}
