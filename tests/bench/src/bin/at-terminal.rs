//! A program in a terminal that executes commands, one per line. It runs in place of Claude, and in the terminals of
//! the peers.
//!
//! `lines LENGTH BYTES` writes this many bytes in lines of this length, then END. `stamps COUNT MICROSECONDS` writes
//! the time this many times at this interval, then END. `echo` echoes every byte until an EOT. `flood` writes until the
//! terminal is closed.

use std::fs;
use std::io::{self, BufRead, Read, Write};
use std::process::ExitCode;
use std::time::Duration;

use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};
use nix::time::{ClockId, clock_gettime};

/// The size of one write of a large output.
const CHUNK_BYTES: usize = 64 << 10;

/// The length of a line with a time stamp, including the line break.
const STAMP_LINE_BYTES: usize = 80;

/// The byte that ends an echo.
const EOT: u8 = 4;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        // The terminal was closed, which is the normal exit.
        Err(_) => ExitCode::FAILURE,
    }
}

fn run() -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(b"ready\n")?;
    out.flush()?;
    record()?;
    let mut settings = tcgetattr(io::stdin())?;
    settings.local_flags.remove(LocalFlags::ECHO | LocalFlags::ICANON);
    tcsetattr(io::stdin(), SetArg::TCSANOW, &settings)?;
    let mut input = io::stdin().lock();
    loop {
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |index: usize| words.get(index).and_then(|word| word.parse().ok()).unwrap_or(0);
        match words.first() {
            Some(&"lines") => lines(&mut out, number(1), number(2))?,
            Some(&"stamps") => stamps(&mut out, number(1), number(2) as u64)?,
            Some(&"echo") => echo(&mut input, &mut out)?,
            Some(&"flood") => lines(&mut out, STAMP_LINE_BYTES, usize::MAX)?,
            _ => {}
        }
    }
}

/// Writes the same status file as Claude, so that the daemon knows that it is idle.
fn record() -> io::Result<()> {
    let Some(config) = std::env::var_os("CLAUDE_CONFIG_DIR") else { return Ok(()) };
    let (sessions, pid) = (std::path::Path::new(&config).join("sessions"), std::process::id());
    fs::create_dir_all(&sessions)?;
    fs::write(sessions.join(format!("{pid}.json")), format!(r#"{{"pid":{pid},"status":"idle"}}"#))
}

fn lines(out: &mut impl Write, length: usize, bytes: usize) -> io::Result<()> {
    let length = length.max(2);
    let line: Vec<u8> = (0..length - 1).map(|at| b'a' + (at % 26) as u8).chain([b'\n']).collect();
    let chunk = line.repeat((CHUNK_BYTES / length).max(1));
    let mut left = bytes - bytes % length;
    while left > 0 {
        let length = left.min(chunk.len());
        out.write_all(&chunk[..length])?;
        left -= length;
    }
    end(out)
}

fn stamps(out: &mut impl Write, count: usize, microseconds: u64) -> io::Result<()> {
    for _ in 0..count {
        std::thread::park_timeout(Duration::from_micros(microseconds));
        let now = clock_gettime(ClockId::CLOCK_MONOTONIC)?;
        let nanoseconds = now.tv_sec() * 1_000_000_000 + now.tv_nsec();
        let text = format!("T{nanoseconds}.");
        out.write_all(format!("{text:-<width$}\n", width = STAMP_LINE_BYTES - 1).as_bytes())?;
        out.flush()?;
    }
    end(out)
}

fn echo(input: &mut impl Read, out: &mut impl Write) -> io::Result<()> {
    let mut byte = [0];
    loop {
        input.read_exact(&mut byte)?;
        if byte[0] == EOT {
            return end(out);
        }
        out.write_all(&byte)?;
        out.flush()?;
    }
}

fn end(out: &mut impl Write) -> io::Result<()> {
    out.write_all(b"END\n")?;
    out.flush()
}
