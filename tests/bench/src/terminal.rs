//! A program in a terminal with viewers: through AreYouJ, through tmux in control mode, and directly.
//!
//! The same thread reads every viewer in the same way, so that only the transport differs.

mod hosted;
mod raw;
mod tmux;
mod viewer;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use areyouj_tests::sandbox::programs;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::time::{ClockId, clock_gettime};

pub(crate) use hosted::{Hosted, Product};
pub(crate) use raw::Raw;
pub(crate) use tmux::Tmux;
pub(crate) use viewer::Viewer;

/// The deadline for every operation.
pub(crate) const EVENT_TIMEOUT: Duration = Duration::from_secs(60);

/// The interval between two keys: long enough that the waiting process is asleep.
const BETWEEN_KEYS: Duration = Duration::from_millis(1);

/// The size of every terminal, in columns and rows.
pub(crate) const SIZE: (u16, u16) = (80, 24);

/// The output of the program after every command.
const END: &[u8] = b"END";

/// The program that runs in every terminal.
pub(crate) fn program() -> Result<PathBuf> {
    Ok(programs()?.join("at-terminal"))
}

/// A terminal with viewers.
pub(crate) trait Terminal {
    /// The viewers, at least one.
    fn viewers(&mut self) -> &mut [Viewer];

    /// Types these bytes into the terminal.
    fn type_text(&mut self, bytes: &[u8]) -> Result<()>;

    /// Sends a command to the program, and waits until every viewer has received its end. Returns the duration.
    fn run_command(&mut self, line: &str) -> Result<Duration> {
        let begun = Instant::now();
        self.type_text(format!("{line}\n").as_bytes())?;
        watch(self.viewers(), END)?;
        Ok(begun.elapsed())
    }

    /// Measures the latency of each of these lines to each viewer, in microseconds.
    fn delays(&mut self, count: usize, pause_us: u64) -> Result<Vec<f64>> {
        self.type_text(format!("stamps {count} {pause_us}\n").as_bytes())?;
        let mut delays = Vec::new();
        each_chunk(self.viewers(), END, |text| {
            let now = clock_gettime(ClockId::CLOCK_MONOTONIC)?;
            let now = now.tv_sec() * 1_000_000_000 + now.tv_nsec();
            for stamp in text.split(|byte| *byte == b'T').skip(1) {
                let digits = stamp.split(|byte| *byte == b'.').next().unwrap_or_default();
                let then: i64 = std::str::from_utf8(digits)?.parse().context("an incomplete time stamp")?;
                delays.push((now - then) as f64 / 1e3);
            }
            Ok(())
        })?;
        Ok(delays)
    }

    /// Measures the round trip of this many keys, in microseconds.
    fn echoes(&mut self, count: usize) -> Result<Vec<f64>> {
        let mut echoes = Vec::new();
        self.type_text(b"echo\n")?;
        for _ in 0..count {
            std::thread::park_timeout(BETWEEN_KEYS);
            let begun = Instant::now();
            self.type_text(b"x")?;
            watch(&mut self.viewers()[..1], b"x")?;
            echoes.push(begun.elapsed().as_secs_f64() * 1e6);
        }
        self.type_text(&[4])?;
        watch(self.viewers(), END)?;
        Ok(echoes)
    }
}

/// Waits until all viewers have received this text.
pub(crate) fn watch(viewers: &mut [Viewer], text: &[u8]) -> Result<()> {
    each_chunk(viewers, text, |_| Ok(()))
}

/// Reads the output of all viewers until all have received this text.
fn each_chunk(
    viewers: &mut [Viewer],
    text: &[u8],
    mut received: impl FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let begun = Instant::now();
    viewers.iter_mut().for_each(|viewer| viewer.expect(text));
    while viewers.iter().any(|viewer| !viewer.is_found()) {
        ensure!(
            begun.elapsed() < EVENT_TIMEOUT,
            "a terminal does not output {:?}",
            String::from_utf8_lossy(text)
        );
        let mut fds: Vec<_> =
            viewers.iter().map(|viewer| PollFd::new(viewer.fd(), PollFlags::POLLIN)).collect();
        poll(&mut fds, PollTimeout::from(1_000_u16))?;
        let ready: Vec<bool> = fds.iter().map(|fd| fd.any().unwrap_or(true)).collect();
        for (viewer, _) in viewers.iter_mut().zip(ready).filter(|(_, ready)| *ready) {
            received(viewer.read()?)?;
        }
    }
    Ok(())
}
