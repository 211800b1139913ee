//! A program at a terminal that does what it is told, line by line: it sits in Claude's place, and in that of the program of
//! the peers.
//!
//! `lines LENGTH BYTES` writes that much in lines of that length, then END; `stamps COUNT MICROSECONDS` writes the time, so
//! often and with that much in between, then END; `echo` gives every byte back until an EOT; `flood` writes until the
//! terminal is gone.

use std::fs;
use std::io::{self, BufRead, Read, Write};
use std::process::ExitCode;
use std::time::Duration;

use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};
use nix::time::{ClockId, clock_gettime};

/// What is written at a time where there is much of it.
const PIECE: usize = 64 << 10;

/// The length of a line that tells the time, its end included.
const STAMP: usize = 80;

/// What ends an echo.
const EOT: u8 = 4;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        // The terminal is gone: that is how it ends.
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
        let number = |place: usize| words.get(place).and_then(|word| word.parse().ok()).unwrap_or(0);
        match words.first() {
            Some(&"lines") => lines(&mut out, number(1), number(2))?,
            Some(&"stamps") => stamps(&mut out, number(1), number(2) as u64)?,
            Some(&"echo") => echo(&mut input, &mut out)?,
            Some(&"flood") => lines(&mut out, STAMP, usize::MAX)?,
            _ => {}
        }
    }
}

/// Says of itself what Claude says, so that the daemon knows that it is idle.
fn record() -> io::Result<()> {
    let Some(config) = std::env::var_os("CLAUDE_CONFIG_DIR") else { return Ok(()) };
    let (sessions, pid) = (std::path::Path::new(&config).join("sessions"), std::process::id());
    fs::create_dir_all(&sessions)?;
    fs::write(sessions.join(format!("{pid}.json")), format!(r#"{{"pid":{pid},"status":"idle"}}"#))
}

fn lines(out: &mut impl Write, length: usize, bytes: usize) -> io::Result<()> {
    let length = length.max(2);
    let line: Vec<u8> = (0..length - 1).map(|at| b'a' + (at % 26) as u8).chain([b'\n']).collect();
    let piece = line.repeat((PIECE / length).max(1));
    let mut left = bytes - bytes % length;
    while left > 0 {
        let some = left.min(piece.len());
        out.write_all(&piece[..some])?;
        left -= some;
    }
    end(out)
}

fn stamps(out: &mut impl Write, count: usize, microseconds: u64) -> io::Result<()> {
    for _ in 0..count {
        std::thread::park_timeout(Duration::from_micros(microseconds));
        let now = clock_gettime(ClockId::CLOCK_MONOTONIC)?;
        let nanoseconds = now.tv_sec() * 1_000_000_000 + now.tv_nsec();
        let text = format!("T{nanoseconds}.");
        out.write_all(format!("{text:-<width$}\n", width = STAMP - 1).as_bytes())?;
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
