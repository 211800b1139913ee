//! Reading and writing frames: on standard input and output, and the shared code for the daemon's socket.
//!
//! This replaces the transport of tower-lsp-server, in which a notification can overtake the response before it, a
//! message has no size limit, and a malformed message ends the server.

use std::collections::VecDeque;
use std::io::{self, BufWriter, Read, Write};
use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::rpc::frame::{self, Decoder, FrameError};

/// The size of a read, and of a write if enough is queued, in bytes.
const CHUNK_BYTES: usize = 64 * 1024;

/// The maximum number of bytes that wait to be written; a larger message must be alone in the queue. Senders block when
/// the queue is full: for an editor that does not read, the daemon then drops notifications and sends `areyouj/resync`.
const QUEUE_BYTES: usize = 1 << 20;

/// Encodes a body as a frame.
pub(super) fn frame(body: &[u8]) -> Vec<u8> {
    frame::encode(body)
}

/// Reads until the end, until an invalid frame, or until `take` returns false. A message that is too large is skipped:
/// an editor sends the whole text of every document that is opened.
///
/// # Errors
/// If the input is not a valid frame.
pub(super) fn read_frames(
    mut input: impl Read,
    mut take: impl FnMut(Vec<u8>) -> bool,
) -> Result<(), FrameError> {
    let mut decoder = Decoder::default();
    let mut bytes = vec![0; CHUNK_BYTES];
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
                Err(error @ FrameError::TooLarge(..)) => log_error(&format!("{error} and was skipped")),
                Err(error) => return Err(error),
            }
        }
    }
}

/// Writes to standard error, where editors collect the logs of their servers.
pub(super) fn log_error(what: &str) {
    // Standard error can be closed.
    let _ = writeln!(io::stderr().lock(), "areyouj lsp: {what}");
}

/// The queue of messages to the editor.
#[derive(Default)]
pub(super) struct Outgoing {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    frames: VecDeque<Vec<u8>>,
    /// The size in bytes of frames that are not written yet, including those that the writer has taken.
    bytes: usize,
    /// Senders no longer wait for space.
    hurried: bool,
    /// No more messages will be added.
    closed: bool,
    /// The writer has returned.
    finished: bool,
}

impl Queue {
    fn has_room(&self, bytes: usize) -> bool {
        self.bytes == 0 || self.bytes + bytes <= QUEUE_BYTES || self.hurried || self.finished
    }
}

impl Outgoing {
    /// Adds a message, as soon as there is space.
    pub(super) fn send(&self, body: &[u8]) {
        let frame = frame(body);
        let mut queue = self.lock();
        while !queue.has_room(frame.len()) {
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        if !queue.finished {
            queue.bytes += frame.len();
            queue.frames.push_back(frame);
            self.changed.notify_all();
        }
    }

    /// Writes messages until the queue is closed and empty.
    ///
    /// # Errors
    /// If the editor no longer reads.
    pub(super) fn write(&self, output: impl Write) -> io::Result<()> {
        let mut output = BufWriter::with_capacity(CHUNK_BYTES, output);
        let written = loop {
            let mut queue = self.lock();
            while queue.frames.is_empty() && !queue.closed {
                queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
            let frames = mem::take(&mut queue.frames);
            drop(queue);
            if frames.is_empty() {
                break Ok(());
            }
            let all = frames.iter().try_for_each(|frame| output.write_all(frame));
            if let Err(error) = all.and_then(|()| output.flush()) {
                break Err(error);
            }
            self.lock().bytes -= frames.iter().map(Vec::len).sum::<usize>();
            self.changed.notify_all();
        };
        self.lock().finished = true;
        self.changed.notify_all();
        written
    }

    /// Senders no longer wait for space: the editor has exited, and the remaining work must finish.
    pub(super) fn hurry(&self) {
        self.lock().hurried = true;
        self.changed.notify_all();
    }

    /// Closes the queue, and waits until everything is written or the timeout has passed.
    pub(super) fn close(&self, timeout: Duration) {
        self.lock().closed = true;
        self.changed.notify_all();
        let unfinished = |queue: &mut Queue| !queue.finished;
        drop(self.changed.wait_timeout_while(self.lock(), timeout, unfinished));
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(30);

    /// An editor that has exited.
    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn messages_are_written_in_order_and_all_before_the_end() {
        let outgoing = Arc::new(Outgoing::default());
        let sender = Arc::clone(&outgoing);
        let body = |number: u8| vec![b'0' + number; QUEUE_BYTES / 2];
        let sending = thread::spawn(move || {
            (0..5).for_each(|number| sender.send(&body(number)));
            sender.close(TIMEOUT);
        });
        let mut written = Vec::new();
        outgoing.write(&mut written).unwrap();
        sending.join().unwrap();
        let expected: Vec<u8> = (0..5).flat_map(|number| frame(&body(number))).collect();
        assert!(written == expected);
    }

    #[test]
    fn a_sender_waits_for_space_unless_its_message_is_alone_or_the_editor_has_exited() {
        let mut queue = Queue::default();
        assert!(queue.has_room(2 * QUEUE_BYTES));
        queue.bytes = 1;
        assert!(queue.has_room(QUEUE_BYTES - 1) && !queue.has_room(QUEUE_BYTES));
        queue.hurried = true;
        assert!(queue.has_room(QUEUE_BYTES));
    }

    #[test]
    fn senders_do_not_wait_for_an_editor_that_does_not_read_or_has_exited() {
        let outgoing = Outgoing::default();
        outgoing.send(&vec![b'x'; 2 * QUEUE_BYTES]);
        outgoing.hurry();
        outgoing.send(b"{}");
        outgoing.close(Duration::ZERO);
        assert!(outgoing.write(Closed).is_err());
        outgoing.send(&vec![b'x'; 2 * QUEUE_BYTES]);
        outgoing.send(b"{}");
        outgoing.close(TIMEOUT);
    }
}
