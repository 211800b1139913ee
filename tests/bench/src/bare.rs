//! Claude started directly: the peer of starting it through AreYouJ.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use areyouj_core::driver::stream;
use areyouj_core::orchestrator::{
    Driver, HOST_KEY_BYTES, HostKey, Input, LaunchOrder, Position, SessionSpec,
};
use areyouj_tests::cli::Cli;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use uuid::Uuid;

use crate::processes::{self, Owned};

/// The deadline for a start: a minute without a response is a hang.
const EVENT_TIMEOUT: Duration = Duration::from_secs(60);

/// The deadline for the exit after its input was closed.
const EXIT_TIMEOUT: Duration = Duration::from_secs(10);

/// The size of one read: the response is long.
const READ_BYTES: usize = 64 << 10;

/// Part of every response to a control request.
const ANSWER: &[u8] = br#""type":"control_response""#;

/// A started Claude that has received an `initialize` request.
struct Bare {
    // Dropped first, so that Claude exits normally.
    stdin: ChildStdin,
    stdout: ChildStdout,
    output: Vec<u8>,
    child: Owned,
}

/// Starts one Claude per directory at once, with the arguments and the environment of a session. Returns the time of
/// each from the first start until its response to `initialize`.
pub(crate) fn starts(cli: &Cli, claude: &Path, directories: &[PathBuf]) -> Result<Vec<Duration>> {
    let begun = Instant::now();
    let mut starting = directories
        .iter()
        .map(|directory| Bare::start(cli, claude, directory))
        .collect::<Result<Vec<_>>>()?;
    let mut ready = Vec::new();
    let mut done = Vec::new();
    while !starting.is_empty() {
        ensure!(begun.elapsed() < EVENT_TIMEOUT, "a bare Claude does not become ready");
        let mut fds: Vec<_> =
            starting.iter().map(|bare| PollFd::new(bare.stdout.as_fd(), PollFlags::POLLIN)).collect();
        let left = EVENT_TIMEOUT.saturating_sub(begun.elapsed());
        poll(&mut fds, PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX))?;
        let readable: Vec<bool> = fds.iter().map(|fd| fd.any().unwrap_or(true)).collect();
        let mut remaining = Vec::new();
        for (mut bare, readable) in starting.into_iter().zip(readable) {
            if readable && bare.has_answered()? {
                ready.push(begun.elapsed());
                done.push(bare);
            } else {
                remaining.push(bare);
            }
        }
        starting = remaining;
    }
    done.into_iter().try_for_each(Bare::stop)?;
    Ok(ready)
}

impl Bare {
    fn start(cli: &Cli, claude: &Path, directory: &Path) -> Result<Bare> {
        let order = LaunchOrder {
            allowed: None,
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
            // No host runs here.
            key: HostKey([0; HOST_KEY_BYTES]),
        };
        let initialize = Input::Initialize { request_id: format!("{}1-1", stream::INITIALIZE_PREFIX) };
        let Ok(initialize) = stream::encode(&initialize) else { bail!("initialize cannot be encoded") };
        let mut command: Command = processes::command(cli, claude, &[]);
        command.args(stream::arguments(&order)).envs(stream::ENVIRONMENT.iter().copied());
        command.current_dir(directory).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = Owned(command.spawn().context("Claude cannot be started")?);
        let mut stdin = child.0.stdin.take().context("no standard input")?;
        let stdout = child.0.stdout.take().context("no standard output")?;
        let flags = OFlag::from_bits_retain(fcntl(&stdout, FcntlArg::F_GETFL)?);
        fcntl(&stdout, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
        stdin.write_all(&initialize)?;
        Ok(Bare { stdin, stdout, output: Vec::new(), child })
    }

    /// Reads the available output, and searches it for the complete line of the response.
    fn has_answered(&mut self) -> Result<bool> {
        let mut chunk = vec![0; READ_BYTES];
        loop {
            match self.stdout.read(&mut chunk) {
                Ok(0) => bail!("Claude exited before it was ready"),
                Ok(read) => self.output.extend_from_slice(&chunk[..read]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
        }
        let whole = self.output.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
        Ok(self.output[..whole].windows(ANSWER.len()).any(|bytes| bytes == ANSWER))
    }

    /// Closes its input and waits for its exit, so that its files are consistent for the next one.
    fn stop(self) -> Result<()> {
        let Bare { stdin, stdout, child, .. } = self;
        drop(stdin);
        let pid = i32::try_from(child.0.id())?;
        // Pending output must not block its exit.
        drop(stdout);
        ensure!(areyouj_tests::processes::wait_for_exit(pid, EXIT_TIMEOUT), "a bare Claude does not exit");
        Ok(())
    }
}
