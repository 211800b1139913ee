//! Frames in and out: standard input and output, and what they have in common with the daemon's socket.
//!
//! Not the transport of tower-lsp-server: there a notification that follows an answer can overtake it, a message has no
//! limit, and a malformed one ends the server.

use std::collections::VecDeque;
use std::io::{self, BufWriter, Read, Write};
use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::rpc::frame::{self, Decoder, FrameError};

/// Bytes read at a time, and written at a time if there are as many.
const CHUNK_BYTES: usize = 64 * 1024;

/// Bytes that can wait to be written. A larger message waits alone. Whoever adds to a full queue waits: an editor that does
/// not read slows down its daemon's notifications, which the daemon then drops and says so.
const QUEUE_BYTES: usize = 1 << 20;

/// The body in a frame.
pub(super) fn frame(body: &[u8]) -> Vec<u8> {
    frame::encode(body)
}

/// Reads until the end, until what is read is not a frame, or until `take` returns false. A message that is too large is
/// skipped: an editor sends the whole of every document that is opened.
///
/// # Errors
/// When what is read is not a frame.
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
                Err(error @ FrameError::TooLarge(_)) => complain(&format!("{error} and was skipped")),
                Err(error) => return Err(error),
            }
        }
    }
}

/// Writes to where editors collect the complaints of their servers.
pub(super) fn complain(what: &str) {
    // Nobody may be listening.
    let _ = writeln!(io::stderr().lock(), "areyouj lsp: {what}");
}

/// What the editor is still to be sent, in order.
#[derive(Default)]
pub(super) struct Outgoing {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    frames: VecDeque<Vec<u8>>,
    /// Bytes of frames that are not written yet, those included that the writer has taken.
    bytes: usize,
    /// Nobody waits for room any more.
    hurried: bool,
    /// Nothing more will be added.
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
    /// Adds a message, once there is room.
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

    /// Writes what is added until the queue is closed and empty.
    ///
    /// # Errors
    /// When the editor does not listen any more.
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

    /// Lets nobody wait for room any more: the editor is gone, and what is left to do must be done.
    pub(super) fn hurry(&self) {
        self.lock().hurried = true;
        self.changed.notify_all();
    }

    /// Adds nothing any more, and waits until everything is written, but no longer than this.
    pub(super) fn close(&self, patience: Duration) {
        self.lock().closed = true;
        self.changed.notify_all();
        let unfinished = |queue: &mut Queue| !queue.finished;
        drop(self.changed.wait_timeout_while(self.lock(), patience, unfinished));
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

    const PATIENCE: Duration = Duration::from_secs(30);

    /// An editor that is gone.
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
            sender.close(PATIENCE);
        });
        let mut written = Vec::new();
        outgoing.write(&mut written).unwrap();
        sending.join().unwrap();
        let expected: Vec<u8> = (0..5).flat_map(|number| frame(&body(number))).collect();
        assert!(written == expected);
    }

    #[test]
    fn a_sender_waits_for_room_unless_its_message_is_alone_or_the_editor_is_gone() {
        let mut queue = Queue::default();
        assert!(queue.has_room(2 * QUEUE_BYTES));
        queue.bytes = 1;
        assert!(queue.has_room(QUEUE_BYTES - 1) && !queue.has_room(QUEUE_BYTES));
        queue.hurried = true;
        assert!(queue.has_room(QUEUE_BYTES));
    }

    #[test]
    fn nothing_waits_for_an_editor_that_does_not_read_or_is_gone() {
        let outgoing = Outgoing::default();
        outgoing.send(&vec![b'x'; 2 * QUEUE_BYTES]);
        outgoing.hurry();
        outgoing.send(b"{}");
        outgoing.close(Duration::ZERO);
        assert!(outgoing.write(Closed).is_err());
        outgoing.send(&vec![b'x'; 2 * QUEUE_BYTES]);
        outgoing.send(b"{}");
        outgoing.close(PATIENCE);
    }
}
