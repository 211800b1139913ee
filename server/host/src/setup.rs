//! Everything a host does before it serves: its lock, journal, socket, signals and Claude.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, absolute};

use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::signal::{SigHandler, SigSet, Signal, signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{chdir, dup2_stdin, dup2_stdout, setsid};

use super::key::Key;
use super::launch::Launch;
use super::newcomers::Newcomers;
use super::peer::{self, Vantage};
use super::process::Process;
use super::recorder::Recorder;
use super::serve::{Host, Launched};
use super::terminal::{self, Terminal};
use areyouj_journal::{Kind, SpawnFailed, Started, Writer};

/// The variable with the file mode mask for Claude, in octal. The daemon has another one for its own files.
pub const UMASK: &str = "AREYOUJ_UMASK";

/// Why a host cannot start.
pub(super) enum Failure {
    /// Another host has the session.
    Locked,
    /// The error, for people.
    Error(String),
}

/// Makes an error that names what failed.
fn cannot<E: fmt::Display>(what: &str) -> impl FnOnce(E) -> Failure {
    move |error| Failure::Error(format!("cannot {what}: {error}"))
}

/// Prepares this process to be a host, and starts Claude.
pub(super) fn host(session_dir: &Path, socket: &Path) -> Result<Host, Failure> {
    crate::descriptors::close_inherited();
    let claude_mask = private_umask();
    let session_dir = absolute(session_dir).map_err(cannot("find the session's directory"))?;
    let socket = absolute(socket).map_err(cannot("find the socket"))?;
    // The host must not keep the daemon's working directory busy for the life of the session.
    chdir("/").map_err(cannot("enter /"))?;
    crate::memory::keep_small();
    // Fails only if this process leads a group already, and then nothing else can be done about it.
    let _ = setsid();
    prctl::set_child_subreaper(true).map_err(cannot("become a subreaper"))?;
    // By this name others find the host above a process of its session, whatever the program's file is called.
    prctl::set_name(peer::HOST_NAME).map_err(cannot("set the process name"))?;
    // No process of the session can read this one's memory or run code in it.
    prctl::set_dumpable(false).map_err(cannot("protect the process"))?;
    let key = take_key().map_err(cannot("read the key"))?;
    let vantage = Vantage::own().map_err(cannot("read /proc"))?;

    let lock = lock(&session_dir.join("host.lock"))?;
    let launch = Launch::take(&session_dir.join("launch")).map_err(cannot("read the launch file"))?;
    let writer =
        Writer::open(&session_dir.join("journal"), launch.floor).map_err(cannot("open the journal"))?;
    let signals = take_signals().map_err(cannot("take signals"))?;
    let listener = listen(&socket).map_err(cannot(&format!("listen on {}", socket.to_string_lossy())))?;

    let mut recorder = Recorder::new(writer);
    let number = launch.launch;
    let terminal = launch.terminal.map(Terminal::new);
    let process = match Process::start(launch, terminal::SIZE, claude_mask) {
        Ok(process) => {
            let started = Started { launch: number, pid: process.pid() };
            recorder.record(Kind::Started, &started.encode());
            if terminal.is_some() {
                recorder.record(Kind::Resized, &terminal::SIZE.encode());
            }
            Some(process)
        }
        Err(reason) => {
            recorder.record(Kind::SpawnFailed, &SpawnFailed { launch: number, reason }.encode());
            None
        }
    };
    let terminal = terminal.filter(|_| process.is_some());
    let launched = Launched { process, terminal, launch: number };
    let newcomers = Newcomers::new(vantage, key, launched.terminal.is_some());
    Ok(Host::new(lock, (socket, listener), signals, recorder, launched, newcomers))
}

/// Reads the key from standard input, and closes it.
fn take_key() -> io::Result<Option<Key>> {
    let key = Key::read(&File::from(io::stdin().as_fd().try_clone_to_owned()?))?;
    dup2_stdin(&File::open("/dev/null")?)?;
    Ok(key)
}

/// Makes the files of this process private, and returns the mask for Claude: the one of the daemon's starter.
fn private_umask() -> Mode {
    let inherited = umask(Mode::S_IRWXG | Mode::S_IRWXO);
    let given = std::env::var(UMASK).ok().and_then(|mask| u32::from_str_radix(&mask, 8).ok());
    given.map_or(inherited, Mode::from_bits_truncate)
}

/// Closes standard output, so that its reader sees the end.
pub(super) fn close_stdout() -> io::Result<()> {
    let null = OpenOptions::new().write(true).open("/dev/null")?;
    dup2_stdout(&null).map_err(io::Error::from)
}

fn lock(path: &Path) -> Result<File, Failure> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(cannot(&format!("open {}", path.to_string_lossy())))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Failure::Locked),
        Err(TryLockError::Error(error)) => Err(cannot("lock the session")(error)),
    }
}

/// Binds the socket for this user alone. An existing socket is stale: this host holds the session's lock.
fn listen(socket: &Path) -> io::Result<UnixListener> {
    match fs::remove_file(socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mask = umask(Mode::from_bits_truncate(0o177));
    let listener = UnixListener::bind(socket);
    umask(mask);
    let listener = listener?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Redirects the signals that concern a host to a descriptor.
fn take_signals() -> nix::Result<SignalFd> {
    forget_inherited_signals();
    let mut taken = SigSet::empty();
    // SIGXFSZ would end the host at a limit on file sizes, which is only a journal that cannot be written.
    for signal in [Signal::SIGCHLD, Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGXFSZ] {
        taken.add(signal);
    }
    // Set, not added: signals that the parent blocked must not stay blocked in Claude's tree.
    taken.thread_set_mask()?;
    SignalFd::with_flags(&taken, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)
}

/// Restores signals that the parent ignores, which would be inherited: a shell ignores some for background processes,
/// and the children of a process that ignores SIGCHLD vanish without a status.
#[expect(unsafe_code, reason = "nix has no safe call that sets a disposition")]
fn forget_inherited_signals() {
    for number in Signal::iterator().filter(|number| *number != Signal::SIGPIPE) {
        // SAFETY: the default disposition runs no code of this process. SIGPIPE stays ignored, as std set it up and
        // undoes it in children.
        let result: Result<SigHandler, Errno> = unsafe { signal(number, SigHandler::SigDfl) };
        // SIGKILL and SIGSTOP cannot be set.
        let _ = result;
    }
}
