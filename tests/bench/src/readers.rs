//! Many sockets read by one thread, which counts the bytes: the receiving side of AreYouJ and of the peer.

use std::io::{ErrorKind, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use anyhow::{Context, Result, anyhow};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

/// The size of one read.
const READ_BYTES: usize = 64 << 10;

/// The maximum number of ready sockets per wait.
const EVENTS: usize = 512;

/// The interval between two checks whether the readers must stop.
const STOP_CHECK_MS: u16 = 50;

/// A thread that reads from sockets until it is stopped.
pub(crate) struct Readers {
    bytes: Arc<AtomicU64>,
    end: Arc<AtomicBool>,
    thread: JoinHandle<Result<Vec<u64>>>,
}

impl Readers {
    /// Starts reading from these sockets.
    pub(crate) fn start(streams: Vec<UnixStream>) -> Result<Readers> {
        let (bytes, end) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (counted, ended) = (Arc::clone(&bytes), Arc::clone(&end));
        let thread = std::thread::Builder::new()
            .name("readers".into())
            .spawn(move || read(streams, &counted, &ended))?;
        Ok(Readers { bytes, end, thread })
    }

    /// The total number of bytes received so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Acquire)
    }

    /// Stops the thread; returns the number of bytes received on each socket.
    pub(crate) fn finish(self) -> Result<Vec<u64>> {
        self.end.store(true, Ordering::Release);
        self.thread.join().map_err(|_| anyhow!("the readers panicked"))?
    }
}

fn read(mut streams: Vec<UnixStream>, bytes: &AtomicU64, end: &AtomicBool) -> Result<Vec<u64>> {
    let epoll = Epoll::new(EpollCreateFlags::empty())?;
    for (index, stream) in streams.iter().enumerate() {
        stream.set_nonblocking(true)?;
        epoll.add(stream.as_fd(), EpollEvent::new(EpollFlags::EPOLLIN, index as u64))?;
    }
    let mut counts = vec![0; streams.len()];
    let mut buffer = vec![0; READ_BYTES];
    let mut ready = vec![EpollEvent::empty(); EVENTS];
    while !end.load(Ordering::Acquire) {
        let count = epoll.wait(&mut ready, EpollTimeout::from(STOP_CHECK_MS))?;
        for event in &ready[..count] {
            let index = usize::try_from(event.data())?;
            match streams[index].read(&mut buffer) {
                Ok(0) => return Err(anyhow!("a connection was closed")),
                Ok(read) => {
                    counts[index] += read as u64;
                    bytes.fetch_add(read as u64, Ordering::AcqRel);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error).context("a connection broke"),
            }
        }
    }
    Ok(counts)
}
