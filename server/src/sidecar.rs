//! `areyouj lsp`: what an editor starts. It finds or starts the daemon, and passes messages on between the two.
//!
//! When the daemon goes away, the sidecar gets another one and introduces the editor there as it introduced itself here
//! ([`relay`]); the editor goes on with the same process. The end of standard input means that the editor is gone: its
//! sessions go on. Plain threads: one reads the editor, one each reads and writes the daemon, and this one decides.

mod documents;
mod relay;

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::client::{Failure, start};
use crate::paths::Paths;
use crate::rpc::frame::{self, Decoder, FrameError};
use relay::{Action, Event, Relay};

/// Messages that may wait to be decided about. Whoever sends more waits: an editor that does not read holds up the daemon's
/// pushes to it, and the daemon drops those and says so.
const INBOX: usize = 64;

/// How long one try to find or start a daemon may take.
const TRY: Duration = Duration::from_secs(10);

/// Bytes read at a time.
const READ_BYTES: usize = 64 * 1024;

/// What the threads report.
enum Report {
    Editor(Vec<u8>),
    /// It ended, or said what is no message.
    EditorGone(Result<(), FrameError>),
    /// What the daemon of this connection said.
    Daemon(u32, Vec<u8>),
    DaemonGone(u32),
    Connected(UnixStream),
    Unreachable(Failure),
}

/// The connection to the daemon.
struct Line {
    number: u32,
    since: Instant,
    stream: UnixStream,
    to_daemon: Sender<Vec<u8>>,
}

/// Serves the editor at standard input and output until it is gone.
pub fn run(paths: &Paths) -> ExitCode {
    let (reports, inbox) = sync_channel(INBOX);
    let editor = reports.clone();
    thread::spawn(move || {
        let end = read_frames(io::stdin().lock(), |body| editor.send(Report::Editor(body)).is_ok());
        let _ = editor.send(Report::EditorGone(end));
    });
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    match (Sidecar { paths, reports, line: None, lines: 0 }).serve(&inbox, Relay::new(environment)) {
        Ok(code) => ExitCode::from(code),
        // The editor does not listen any more.
        Err(_) => ExitCode::SUCCESS,
    }
}

struct Sidecar<'a> {
    paths: &'a Paths,
    reports: SyncSender<Report>,
    line: Option<Line>,
    lines: u32,
}

impl Sidecar<'_> {
    fn serve(&mut self, inbox: &Receiver<Report>, mut relay: Relay) -> io::Result<u8> {
        while let Ok(report) = inbox.recv() {
            let event = match report {
                Report::Editor(body) => Event::Editor(body),
                Report::EditorGone(Ok(())) => return Ok(0),
                Report::EditorGone(Err(error)) => {
                    complain(&format!("{error}, so nothing that follows can be understood"));
                    return Ok(1);
                }
                Report::Daemon(number, body) if self.is_current(number) => Event::Daemon(body),
                Report::DaemonGone(number) if self.is_current(number) => {
                    let lived = self.line.as_ref().map_or(Duration::ZERO, |line| line.since.elapsed());
                    self.hang_up();
                    Event::DaemonGone { lived }
                }
                // Of a connection that was given up.
                Report::Daemon(..) | Report::DaemonGone(_) => continue,
                Report::Connected(stream) => match self.pick_up(stream) {
                    Ok(()) => Event::Connected,
                    Err(error) => Event::Unreachable(lost(&error)),
                },
                Report::Unreachable(failure) => Event::Unreachable(failure),
            };
            for action in relay.step(event) {
                match action {
                    Action::ToEditor(body) => {
                        let mut output = io::stdout().lock();
                        output.write_all(&frame::encode(&body))?;
                        output.flush()?;
                    }
                    Action::ToDaemon(body) => {
                        if let Some(line) = &self.line {
                            // A line that is broken says so by itself.
                            let _ = line.to_daemon.send(frame::encode(&body));
                        }
                    }
                    Action::HangUp => self.hang_up(),
                    Action::Connect(pause) => self.connect(pause),
                    Action::Exit(code) => return Ok(code),
                }
            }
        }
        Ok(0)
    }

    fn is_current(&self, number: u32) -> bool {
        self.line.as_ref().is_some_and(|line| line.number == number)
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

    fn pick_up(&mut self, stream: UnixStream) -> io::Result<()> {
        self.lines += 1;
        let number = self.lines;
        let (input, mut output) = (stream.try_clone()?, stream.try_clone()?);
        let reports = self.reports.clone();
        thread::spawn(move || {
            if let Err(error) = read_frames(input, |body| reports.send(Report::Daemon(number, body)).is_ok())
            {
                complain(&format!("from the daemon: {error}"));
            }
            let _ = reports.send(Report::DaemonGone(number));
        });
        // A thread of its own: while the daemon waits for its answers to be read, it reads nothing.
        let (to_daemon, frames) = channel::<Vec<u8>>();
        thread::spawn(move || {
            for frame in frames {
                if output.write_all(&frame).is_err() {
                    // The reading thread says so.
                    let _ = output.shutdown(Shutdown::Both);
                    return;
                }
            }
        });
        self.line = Some(Line { number, since: Instant::now(), stream, to_daemon });
        Ok(())
    }

    fn hang_up(&mut self) {
        if let Some(line) = self.line.take() {
            let _ = line.stream.shutdown(Shutdown::Both);
        }
    }
}

/// Reads until the end, until what is read is no frame, or until nobody takes it. A message that is too large is passed over:
/// an editor sends the whole of every document that is opened.
fn read_frames(mut input: impl Read, mut take: impl FnMut(Vec<u8>) -> bool) -> Result<(), FrameError> {
    let mut decoder = Decoder::default();
    let mut bytes = vec![0; READ_BYTES];
    loop {
        match input.read(&mut bytes) {
            Ok(0) => return Ok(()),
            Ok(read) => decoder.push(&bytes[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return Ok(()),
        }
        loop {
            match decoder.next_frame() {
                Ok(Some(body)) => {
                    if !take(body) {
                        return Ok(());
                    }
                }
                Ok(None) => break,
                Err(error @ FrameError::TooLarge(_)) => complain(&format!("{error} and was passed over")),
                Err(error) => return Err(error),
            }
        }
    }
}

/// Says it where editors collect what their servers complain about.
fn complain(what: &str) {
    // Nobody may be listening.
    let _ = writeln!(io::stderr().lock(), "areyouj lsp: {what}");
}

fn lost(error: &io::Error) -> Failure {
    Failure::new(
        areyouj_protocol::ErrorCode::DaemonUnavailable,
        format!("the connection to the daemon cannot be used: {error}"),
        "Try again in a moment.",
    )
}
