//! The daemon's socket: one thread reads it, one writes it.

use std::io::{self, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::super::transport::{frame, log_error, read_frames};

/// A report of the reading thread.
pub(in super::super) enum Received {
    Body(Vec<u8>),
    /// The last report: the connection is lost.
    End,
}

/// An open connection to the daemon.
pub(in super::super) struct Socket {
    since: Instant,
    stream: UnixStream,
    frames: Sender<Vec<u8>>,
}

impl Socket {
    /// Starts the threads. `receive` returns false when reports are no longer needed.
    ///
    /// # Errors
    /// If the system has no file descriptors left.
    pub(in super::super) fn open(
        stream: UnixStream,
        receive: impl Fn(Received) -> bool + Send + 'static,
    ) -> io::Result<Socket> {
        let (input, mut output) = (stream.try_clone()?, stream.try_clone()?);
        thread::spawn(move || {
            if let Err(error) = read_frames(input, |body| receive(Received::Body(body))) {
                log_error(&format!("from the daemon: {error}"));
            }
            receive(Received::End);
        });
        // A separate thread: a daemon whose responses are not read stops reading, too.
        let (frames, written) = channel::<Vec<u8>>();
        thread::spawn(move || {
            for frame in written {
                if output.write_all(&frame).is_err() {
                    // The reading thread reports it.
                    let _ = output.shutdown(Shutdown::Both);
                    return;
                }
            }
        });
        Ok(Socket { since: Instant::now(), stream, frames })
    }

    /// Sends a message. If the connection is lost, the reading thread reports it.
    pub(in super::super) fn send(&self, body: &[u8]) {
        let _ = self.frames.send(frame(body));
    }

    /// How long the connection has existed.
    pub(in super::super) fn lived(&self) -> Duration {
        self.since.elapsed()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}
