//! A program at a terminal and those who look at it: ours, tmux in control mode, and nobody in between.
//!
//! Every viewer is read in the same way by the same thread, so that what differs is what brings the bytes.

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

/// How long anything here may take.
pub(crate) const EVENT_TIMEOUT: Duration = Duration::from_secs(60);

/// Between two keys: whoever waits for the next one has gone to sleep by then.
const BETWEEN_KEYS: Duration = Duration::from_millis(1);

/// The size of every terminal, in columns and rows.
pub(crate) const SIZE: (u16, u16) = (80, 24);

/// What the program says when it has done what it was told.
const END: &[u8] = b"END";

/// The program that sits at every terminal.
pub(crate) fn program() -> Result<PathBuf> {
    Ok(programs()?.join("at-terminal"))
}

/// A terminal that somebody looks at.
pub(crate) trait Terminal {
    /// Those who look, at least one.
    fn viewers(&mut self) -> &mut [Viewer];

    /// Types these bytes into it.
    fn type_text(&mut self, bytes: &[u8]) -> Result<()>;

    /// Tells the program to do something, and waits until every viewer has seen it done. How long that took.
    fn tell(&mut self, line: &str) -> Result<Duration> {
        let begun = Instant::now();
        self.type_text(format!("{line}\n").as_bytes())?;
        watch(self.viewers(), END)?;
        Ok(begun.elapsed())
    }

    /// How many microseconds each of these lines was under way to each viewer.
    fn delays(&mut self, count: usize, pause_us: u64) -> Result<Vec<f64>> {
        self.type_text(format!("stamps {count} {pause_us}\n").as_bytes())?;
        let mut delays = Vec::new();
        each_piece(self.viewers(), END, |text| {
            let now = clock_gettime(ClockId::CLOCK_MONOTONIC)?;
            let now = now.tv_sec() * 1_000_000_000 + now.tv_nsec();
            for stamp in text.split(|byte| *byte == b'T').skip(1) {
                let digits = stamp.split(|byte| *byte == b'.').next().unwrap_or_default();
                let then: i64 = std::str::from_utf8(digits)?.parse().context("half a stamp")?;
                delays.push((now - then) as f64 / 1e3);
            }
            Ok(())
        })?;
        Ok(delays)
    }

    /// How many microseconds it takes until a key comes back, for that many keys.
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

/// Waits until each of these has seen this.
pub(crate) fn watch(viewers: &mut [Viewer], text: &[u8]) -> Result<()> {
    each_piece(viewers, text, |_| Ok(()))
}

/// Reads what all of these are shown until each has seen this.
fn each_piece(viewers: &mut [Viewer], text: &[u8], mut seen: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let begun = Instant::now();
    viewers.iter_mut().for_each(|viewer| viewer.look_for(text));
    while viewers.iter().any(|viewer| !viewer.has_found()) {
        ensure!(
            begun.elapsed() < EVENT_TIMEOUT,
            "a terminal does not show {:?}",
            String::from_utf8_lossy(text)
        );
        let mut fds: Vec<_> =
            viewers.iter().map(|viewer| PollFd::new(viewer.fd(), PollFlags::POLLIN)).collect();
        poll(&mut fds, PollTimeout::from(1_000_u16))?;
        let ready: Vec<bool> = fds.iter().map(|fd| fd.any().unwrap_or(true)).collect();
        for (viewer, _) in viewers.iter_mut().zip(ready).filter(|(_, ready)| *ready) {
            seen(viewer.read()?)?;
        }
    }
    Ok(())
}
