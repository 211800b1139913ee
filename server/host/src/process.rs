//! Claude's process: its start, its pipes or its terminal, and the end of its whole process tree.

mod pipes;
mod pty;

use std::fs;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SigSet, Signal, kill, killpg};
use nix::sys::stat::{Mode, umask};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use nix::unistd::{Pid, getppid};

use super::key_classes::KeyClasses;
use super::launch::Launch;
use super::recorder::Recorder;
use super::wire::Size;
use super::{log, peer, tree};
use areyouj_journal::{How, Kind};
use pipes::{Input, Output};
use pty::Pty;

/// Maximum bytes that wait for Claude to read them: as much as one frame brings.
const MAX_PENDING: usize = super::wire::MAX_FRAME;

/// How much output to read at a time, so that the daemon is served in between.
const READ_AT_ONCE: usize = 1 << 20;

/// The capacity of a pipe (the kernel's default limit): it holds what Claude wrote before its exit, while one of its
/// children can continue to write without end.
const PIPE_CAPACITY: usize = 1 << 20;

/// How long a Claude at a terminal has to record the end of its answer.
const TERMINAL_CLOSE_GRACE: Duration = Duration::from_millis(300);

/// How long the processes that Claude leaves behind in its group can take to exit by themselves.
const LEFTOVER_GRACE: Duration = Duration::from_millis(500);

/// How long killed processes can take to exit. One that is stuck in the kernel, or of another user, must not keep the
/// session from ending.
const KILL_PATIENCE: Duration = Duration::from_secs(5);

/// How often to search for children that the kernel's list left out.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Claude and its descriptors.
pub(super) struct Process {
    child: Child,
    pid: Pid,
    input: Input,
    keys: KeyClasses,
    outputs: [Output; 2],
    /// Its terminal, if it has one instead of pipes.
    pty: Option<Pty>,
    stop: Option<Stop>,
    stage: Stage,
}

/// A stop under way.
struct Stop {
    /// The next signal.
    next: Signal,
    /// When to send it.
    at: Instant,
    kill_grace: Duration,
}

/// How far the end has progressed.
#[derive(Clone, Copy)]
enum Stage {
    Running,
    /// Claude has exited. It stays a zombie for now, so that the number of its group cannot be reused.
    Draining,
    /// The rest of its group got SIGTERM.
    Terminating {
        until: Instant,
    },
    /// All remaining processes are being killed.
    Killing {
        how: How,
        until: Instant,
    },
    /// No process is left, and the rest of the output is read.
    Closing {
        how: How,
    },
    Ended,
}

impl Process {
    /// Starts Claude with this file mode mask, on a terminal of this size if it gets one. The error is for people.
    pub(super) fn start(launch: Launch, size: Size, mask: Mode) -> Result<Process, String> {
        let mut command = Command::new(&launch.program);
        command.args(launch.arguments).env_clear().envs(launch.environment).current_dir(&launch.directory);
        tie_to_this_process(&mut command, mask);
        let started = mark_as_inside(&mut command, &launch.session).and_then(|()| match launch.terminal {
            None => Process::with_pipes(command),
            Some(_) => Process::with_terminal(command, size),
        });
        started.map_err(|error| reason(&launch.program, &launch.directory, &error))
    }

    fn with_pipes(mut command: Command) -> io::Result<Process> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn()?;
        let input = Input::new(child.stdin.take().map(OwnedFd::from))?;
        let stdout = Output::new(Kind::Output, child.stdout.take().map(OwnedFd::from))?;
        let stderr = Output::new(Kind::ErrorOutput, child.stderr.take().map(OwnedFd::from))?;
        Ok(Process::of(child, input, [stdout, stderr], None))
    }

    fn with_terminal(mut command: Command, size: Size) -> io::Result<Process> {
        let pty = Pty::open_for(&mut command, size)?;
        let child = command.spawn()?;
        // The command holds the other side of the terminal, whose end would otherwise never be seen.
        drop(command);
        let input = Input::new(Some(pty.duplicate()?))?;
        let output = Output::new(Kind::Output, Some(pty.duplicate()?))?;
        Ok(Process::of(child, input, [output, Output::new(Kind::ErrorOutput, None)?], Some(pty)))
    }

    fn of(child: Child, input: Input, outputs: [Output; 2], pty: Option<Pty>) -> Process {
        let pid = Pid::from_raw(child.id().cast_signed());
        Process {
            child,
            pid,
            input,
            keys: KeyClasses::default(),
            outputs,
            pty,
            stop: None,
            stage: Stage::Running,
        }
    }

    /// Claude's process id.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(self.stage, Stage::Running)
    }

    /// The descriptors that have output.
    pub(super) fn outputs(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.outputs.iter().filter_map(Output::fd)
    }

    /// The descriptor for input, while bytes wait for it.
    pub(super) fn input(&self) -> Option<BorrowedFd<'_>> {
        self.input.wanting_fd()
    }

    /// Bytes that Claude has not read.
    pub(super) fn pending_input(&self) -> u64 {
        self.input.pending() as u64
    }

    /// When [`Process::advance`] must be called without an event.
    pub(super) fn deadline(&self, now: Instant) -> Option<Instant> {
        match self.stage {
            Stage::Running => self.stop.as_ref().map(|stop| stop.at),
            Stage::Terminating { until } => Some(until),
            Stage::Killing { until, .. } => Some(until.min(now + LOOK_AGAIN)),
            Stage::Draining | Stage::Closing { .. } | Stage::Ended => None,
        }
    }

    /// Records some of the available output, and shows the recorded output.
    pub(super) fn read(&mut self, recorder: &mut Recorder, mut show: impl FnMut(&[u8])) {
        self.outputs.iter_mut().for_each(|output| output.record(recorder, READ_AT_ONCE, &mut show));
    }

    /// Releases memory that is not needed while there is no output.
    pub(super) fn trim(&mut self) {
        self.outputs.iter_mut().for_each(Output::trim);
    }

    /// Changes the size of the terminal; Claude gets a signal.
    pub(super) fn resize(&self, size: Size) {
        if let Some(pty) = &self.pty
            && let Err(error) = pty.resize(size)
        {
            log(&format!("the terminal's size cannot be set: {error}"));
        }
    }

    /// Records the classes of keys that a person pressed, and writes the keys that Claude has room for. They need not
    /// survive a power cut, because nothing that a person typed is sent again.
    pub(super) fn type_in(&mut self, keys: &[u8], recorder: &mut Recorder) -> Result<(), String> {
        if !self.input.is_open() {
            return Err("Claude has ended".to_owned());
        }
        let classes = self.keys.of(keys);
        recorder.record_first(Kind::Keys, &classes).map_err(|error| format!("not recorded: {error}"))?;
        self.input.push(keys);
        Ok(())
    }

    /// Records input for Claude, and writes what Claude has room for.
    pub(super) fn write(&mut self, bytes: &[u8], recorder: &mut Recorder) -> Result<(), String> {
        if !self.input.is_open() {
            return Err("Claude's input is closed".to_owned());
        }
        let pending = self.input.pending();
        if pending > 0 && pending + bytes.len() > MAX_PENDING {
            return Err(format!("Claude has not read {pending} bytes of its input"));
        }
        recorder.record_first(Kind::Input, bytes).map_err(|error| format!("not recorded: {error}"))?;
        // After a power cut the record must be there, or Claude would get the input once more.
        recorder.sync();
        self.input.push(bytes);
        Ok(())
    }

    /// Writes more of the waiting input.
    pub(super) fn flush(&mut self) {
        self.input.flush();
    }

    /// Begins to end Claude. A later call can shorten the graces, not extend them.
    pub(super) fn stop(&mut self, close_grace: Duration, kill_grace: Duration, now: Instant) {
        // A terminal has no end of input that Claude acts on: it gets a signal, once it has recorded the end of its
        // answer.
        let close_grace =
            if self.pty.is_some() { close_grace.min(TERMINAL_CLOSE_GRACE) } else { close_grace };
        self.input.close();
        match &mut self.stop {
            None => {
                self.stop = Some(Stop { next: Signal::SIGTERM, at: now + close_grace, kill_grace });
            }
            Some(stop) => {
                let grace = if stop.next == Signal::SIGTERM { close_grace } else { kill_grace };
                stop.at = stop.at.min(now + grace);
                stop.kill_grace = stop.kill_grace.min(kill_grace);
            }
        }
    }

    /// Reaps children that have exited: Claude's orphans become children of this process.
    pub(super) fn reap(&self) {
        self.strays();
    }

    /// Does what is due, and returns how Claude ended once no process is left.
    pub(super) fn advance(
        &mut self,
        now: Instant,
        recorder: &mut Recorder,
        show: &mut dyn FnMut(&[u8]),
    ) -> Option<How> {
        loop {
            self.stage = match self.stage {
                Stage::Running if !self.has_ended() => {
                    self.escalate(now, recorder);
                    return None;
                }
                Stage::Running => {
                    self.input.abandon();
                    Stage::Draining
                }
                Stage::Draining => {
                    if !self.drain(recorder, show) {
                        return None;
                    }
                    self.send(Signal::SIGTERM);
                    Stage::Terminating { until: now + LEFTOVER_GRACE }
                }
                Stage::Terminating { until } => {
                    if !self.strays().is_empty() && now < until {
                        return None;
                    }
                    self.send(Signal::SIGKILL);
                    Stage::Killing { how: self.bury(), until: now + KILL_PATIENCE }
                }
                Stage::Killing { how, until } => {
                    if !reap_all() {
                        if now < until {
                            // Children only: their numbers cannot be reused before they are reaped, and their own
                            // children become this process's as they die.
                            for child in tree::children() {
                                let _ = kill(child, Signal::SIGKILL);
                            }
                            return None;
                        }
                        log("some processes that Claude started cannot be killed and remain");
                    }
                    Stage::Closing { how }
                }
                Stage::Closing { how } => {
                    if !self.drain(recorder, show) {
                        return None;
                    }
                    self.stage = Stage::Ended;
                    return Some(how);
                }
                Stage::Ended => return None,
            };
        }
    }

    /// Sends the next signal of a stop, if it is due.
    fn escalate(&mut self, now: Instant, recorder: &mut Recorder) {
        while let Some(stop) = self.stop.take_if(|stop| stop.at <= now) {
            recorder.record(Kind::Signalled, &(stop.next as i32).to_le_bytes());
            self.send(stop.next);
            if stop.next == Signal::SIGTERM {
                self.stop = Some(Stop { next: Signal::SIGKILL, at: now + stop.kill_grace, ..stop });
            }
        }
    }

    fn send(&self, signal: Signal) {
        // Claude is alive or a zombie whenever this is called, so both numbers are its own.
        if killpg(self.pid, signal).is_err() {
            let _ = kill(self.pid, signal);
        }
    }

    fn has_ended(&self) -> bool {
        let look = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        // A status that nix has no name for (a real-time signal) is an error, and an end as well.
        !matches!(waitid(Id::Pid(self.pid), look), Ok(WaitStatus::StillAlive) | Err(Errno::EINTR))
    }

    /// Takes Claude's exit status.
    fn bury(&mut self) -> How {
        /// Replaces a status that was lost.
        const LOST: How = How::Code(-1);
        self.child.wait().map_or(LOST, |status| {
            status.code().map(How::Code).or(status.signal().map(How::Signal)).unwrap_or(LOST)
        })
    }

    /// Reaps children other than Claude and returns those that live.
    fn strays(&self) -> Vec<Pid> {
        let mut strays = tree::children();
        strays.retain(|pid| {
            *pid != self.pid && waitpid(*pid, Some(WaitPidFlag::WNOHANG)) == Ok(WaitStatus::StillAlive)
        });
        strays
    }

    /// Records the rest of the output. Returns false while it cannot be recorded.
    fn drain(&mut self, recorder: &mut Recorder, show: &mut dyn FnMut(&[u8])) -> bool {
        self.outputs.iter_mut().for_each(|output| output.record(recorder, PIPE_CAPACITY, show));
        !recorder.is_stuck()
    }
}

/// Reaps every exited child. Returns true if no child is left.
fn reap_all() -> bool {
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => return false,
            Err(Errno::ECHILD) => return true,
            // One was reaped; EINVAL for a signal that nix has no name for.
            _ => {}
        }
    }
}

/// Makes the program die with this process, unblocks all signals for it, and sets its file mode mask.
#[expect(unsafe_code, reason = "there is no other way to run code between fork and exec")]
fn tie_to_this_process(command: &mut Command, mask: Mode) {
    let host = Pid::this();
    let tie = move || {
        set_pdeathsig(Signal::SIGKILL)?;
        // Had the host died before that call, no signal would ever come.
        if getppid() != host {
            return Err(io::Error::from(Errno::ESRCH));
        }
        // std leaves the mask, in which the host blocks the signals that it reads from its descriptor.
        SigSet::empty().thread_set_mask()?;
        umask(mask);
        Ok(())
    };
    // SAFETY: the closure makes four system calls, allocates nothing and takes no lock.
    unsafe {
        command.pre_exec(tie);
    }
}

/// Marks the program and everything that it starts as inside this session, see [`peer`].
#[expect(unsafe_code, reason = "there is no other way to run code between fork and exec")]
fn mark_as_inside(command: &mut Command, session: &str) -> io::Result<()> {
    let mark = peer::mark_children(session)?;
    // SAFETY: the closure makes one system call, allocates nothing and takes no lock.
    unsafe {
        command.pre_exec(mark);
    }
    Ok(())
}

/// Why Claude cannot be started, for people.
fn reason(program: &Path, directory: &Path, error: &io::Error) -> String {
    let place = directory.to_string_lossy();
    match fs::metadata(directory) {
        Err(error) => format!("cannot enter the directory {place}: {error}"),
        Ok(metadata) if !metadata.is_dir() => format!("{place} is not a directory"),
        Ok(_) => format!("cannot start {}: {error}", program.to_string_lossy()),
    }
}
