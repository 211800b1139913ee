//! `areyouj lsp`: the language server that an editor starts. It finds or starts the daemon.
//!
//! The native extensions speak the daemon's own methods through it; for any other editor it translates. It outlives the
//! daemon: it connects to the next one and introduces the editor again, so that the editor keeps its language server. The
//! end of standard input means that the editor is gone; its sessions continue.
//!
//! [`router`] decides about every message without I/O. Around it are plain threads: two for the editor's streams, two for
//! the daemon's socket, and this one. There is no runtime: handlers wait only for messages, which arrive here.

mod actions;
mod daemon_connection;
mod documents;
mod leniency;
mod message;
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
use daemon_connection::socket::{Heard, Socket};
use router::{Action, Event, Router};
use transport::{Outgoing, complain, read_frames};

/// Messages that can wait to be decided about. A further sender waits.
const INBOX: usize = 64;

/// How long one try to find or start a daemon can take.
const TRY: Duration = Duration::from_secs(10);

/// How long an editor that said goodbye has to read what was sent to it.
const FAREWELL: Duration = Duration::from_secs(1);

/// What the threads report.
enum Report {
    Editor(Vec<u8>),
    /// It closed a stream, or sent what is not a message.
    EditorGone(Result<(), FrameError>),
    /// What the daemon of this connection sent.
    Daemon(u32, Vec<u8>),
    DaemonGone(u32),
    Connected(UnixStream),
    Unreachable(Failure),
}

/// Serves the editor at standard input and output until it is gone.
pub fn run(paths: &Paths) -> ExitCode {
    let (reports, inbox) = sync_channel(INBOX);
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
    edge.outgoing.close(FAREWELL);
    ExitCode::from(status)
}

struct Edge<'a> {
    paths: &'a Paths,
    reports: SyncSender<Report>,
    outgoing: Arc<Outgoing>,
    socket: Option<Socket>,
    /// Sockets that were opened; the number of the newest.
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
                    complain(&format!("{error}, so nothing that follows can be understood"));
                    return 1;
                }
                Report::Daemon(number, body) if self.is_open(number) => Event::Daemon(body),
                Report::DaemonGone(number) if self.is_open(number) => {
                    let lived = self.socket.take().map_or(Duration::ZERO, |socket| socket.lived());
                    Event::DaemonGone { lived }
                }
                // Of a connection that was given up.
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
                    Action::HangUp => self.socket = None,
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
        let hear = move |heard| {
            let report = match heard {
                Heard::Body(body) => Report::Daemon(number, body),
                Heard::End => Report::DaemonGone(number),
            };
            reports.send(report).is_ok()
        };
        self.socket = Some(Socket::open(stream, hear)?);
        Ok(())
    }

    fn connect(&self, pause: Duration) {
        let (paths, reports) = (self.paths.clone(), self.reports.clone());
        thread::spawn(move || {
            thread::park_timeout(pause);
            let report = match start::find_or_start(&paths, Instant::now() + TRY) {
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
