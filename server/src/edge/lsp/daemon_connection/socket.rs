//! The daemon's socket: one thread reads it, one writes it.

use std::io::{self, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::super::transport::{complain, frame, read_frames};

/// What the reading thread reports.
pub(in super::super) enum Heard {
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
    /// Starts the threads. `hear` returns false once nobody listens.
    ///
    /// # Errors
    /// When the system has no descriptor left.
    pub(in super::super) fn open(
        stream: UnixStream,
        hear: impl Fn(Heard) -> bool + Send + 'static,
    ) -> io::Result<Socket> {
        let (input, mut output) = (stream.try_clone()?, stream.try_clone()?);
        thread::spawn(move || {
            if let Err(error) = read_frames(input, |body| hear(Heard::Body(body))) {
                complain(&format!("from the daemon: {error}"));
            }
            hear(Heard::End);
        });
        // A thread of its own: a daemon that waits for its answers to be read reads nothing itself.
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

    /// How long the connection has lived.
    pub(in super::super) fn lived(&self) -> Duration {
        self.since.elapsed()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}
