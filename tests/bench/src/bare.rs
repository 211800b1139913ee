//! Claude started by nobody in between: the peer of everything that starts it for a person.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use areyouj_core::driver::stream;
use areyouj_core::orchestrator::{Driver, Input, LaunchOrder, Position, SessionSpec};
use areyouj_tests::cli::Cli;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use uuid::Uuid;

use crate::processes::{self, Owned};

/// How long a start may take: a minute without an answer is a hang.
const EVENT_TIMEOUT: Duration = Duration::from_secs(60);

/// How long it may take to end once its input is closed.
const FAREWELL: Duration = Duration::from_secs(10);

/// How much is read at once: the answer is long.
const READ_BYTES: usize = 64 << 10;

/// Every answer to a control request begins so.
const ANSWER: &[u8] = br#""type":"control_response""#;

/// A started Claude that was asked to describe itself.
struct Bare {
    // Dropped first, so that it ends by itself.
    stdin: ChildStdin,
    stdout: ChildStdout,
    said: Vec<u8>,
    child: Owned,
}

/// Starts that many at once, with the arguments and the environment of a session; how long each took from the start
/// of the first until it had described itself.
pub(crate) fn starts(cli: &Cli, claude: &Path, directories: &[PathBuf]) -> Result<Vec<Duration>> {
    let begun = Instant::now();
    let mut starting = directories
        .iter()
        .map(|directory| Bare::start(cli, claude, directory))
        .collect::<Result<Vec<_>>>()?;
    let mut ready = Vec::new();
    let mut done = Vec::new();
    while !starting.is_empty() {
        ensure!(begun.elapsed() < EVENT_TIMEOUT, "a bare Claude does not get ready");
        let mut fds: Vec<_> =
            starting.iter().map(|bare| PollFd::new(bare.stdout.as_fd(), PollFlags::POLLIN)).collect();
        let left = EVENT_TIMEOUT.saturating_sub(begun.elapsed());
        poll(&mut fds, PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX))?;
        let heard: Vec<bool> = fds.iter().map(|fd| fd.any().unwrap_or(true)).collect();
        let mut still = Vec::new();
        for (mut bare, heard) in starting.into_iter().zip(heard) {
            if heard && bare.has_answered()? {
                ready.push(begun.elapsed());
                done.push(bare);
            } else {
                still.push(bare);
            }
        }
        starting = still;
    }
    done.into_iter().try_for_each(Bare::end)?;
    Ok(ready)
}

impl Bare {
    fn start(cli: &Cli, claude: &Path, directory: &Path) -> Result<Bare> {
        let order = LaunchOrder {
            session: "AAAAAAAA".parse().ok().context("an id")?,
            launch: 1,
            spec: SessionSpec {
                directory: String::new(),
                driver: Driver::Stream,
                model: None,
                permission_mode: None,
            },
            claude_session: Uuid::new_v4(),
            resume: false,
            position: Position { next: 0, line_start: 0, line_skip: 0 },
        };
        let initialize = Input::Initialize { request_id: format!("{}1-1", stream::INITIALIZE_PREFIX) };
        let Ok(initialize) = stream::encode(&initialize) else { bail!("initialize cannot be said") };
        let mut command: Command = processes::command(cli, claude, &[]);
        command.args(stream::arguments(&order)).envs(stream::ENVIRONMENT.iter().copied());
        command.current_dir(directory).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = Owned(command.spawn().context("Claude cannot be started")?);
        let mut stdin = child.0.stdin.take().context("no standard input")?;
        let stdout = child.0.stdout.take().context("no standard output")?;
        let flags = OFlag::from_bits_retain(fcntl(&stdout, FcntlArg::F_GETFL)?);
        fcntl(&stdout, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
        stdin.write_all(&initialize)?;
        Ok(Bare { stdin, stdout, said: Vec::new(), child })
    }

    /// Reads what it has said since, and looks for the whole line of its answer.
    fn has_answered(&mut self) -> Result<bool> {
        let mut piece = vec![0; READ_BYTES];
        loop {
            match self.stdout.read(&mut piece) {
                Ok(0) => bail!("Claude ended before it was ready"),
                Ok(read) => self.said.extend_from_slice(&piece[..read]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
        }
        let whole = self.said.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
        Ok(self.said[..whole].windows(ANSWER.len()).any(|bytes| bytes == ANSWER))
    }

    /// Closes its input and waits, so that it leaves its files in order for the next one.
    fn end(self) -> Result<()> {
        let Bare { stdin, stdout, child, .. } = self;
        drop(stdin);
        let pid = i32::try_from(child.0.id())?;
        // Its output must not stand in its way.
        drop(stdout);
        ensure!(areyouj_tests::processes::wait_for_exit(pid, FAREWELL), "a bare Claude does not end");
        Ok(())
    }
}
