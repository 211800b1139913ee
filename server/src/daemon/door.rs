//! Who is at the daemon's door: whether the process that connected is inside a session, and how many connections there
//! can be.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use areyouj_core::orchestrator::{ErrorCode, Insider, Problem, Process, Remedy, SessionId};
use areyouj_core::text::plain;
use areyouj_host::peer::{Peer, Standing, Vantage};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::paths::Paths;

/// Open connections, at most. Each takes a descriptor; a person has a few editors and a few waiting commands.
const MAX_CONNECTIONS: usize = 512;

/// Open connections of one process, at most. An editor has one for each window, and a script that watches many sessions
/// one for each.
const MAX_OF_PROCESS: usize = 128;

/// Open connections from inside one session, at most. A script in it has one for each `areyouj` command that runs.
const MAX_OF_SESSION: usize = 16;

/// Open connections from inside all sessions, at most: enough remain for the person.
const MAX_INSIDE: usize = 128;

/// Connections that have not sent `initialize`, at most. With the limit of a message before that, they take 4 MiB.
const MAX_STRANGERS: usize = 64;

/// How long a client can take until its `initialize` has succeeded. It sends that at once; a machine under load can be
/// slow.
pub(super) const INTRODUCTION: Duration = Duration::from_secs(10);

/// Lines of the log about clients that were turned away, at most, in each [`LOG_WINDOW`]: they must not fill the disk.
const LOG_LINES: u32 = 60;

/// See [`LOG_LINES`].
const LOG_WINDOW: Duration = Duration::from_secs(60);

/// Characters of the path of a program, at most.
const PROGRAM_CHARS: usize = 200;

/// The major numbers of pseudo-terminals, of which each has 256.
const PTY_MAJORS: std::ops::RangeInclusive<u32> = 136..=143;

/// The major number of the machine's own terminals.
const TTY_MAJOR: u32 = 4;

/// The process that a connection belongs to, as the kernel describes it.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// What it is inside of; `None`: no session.
    pub(super) inside: Option<Insider>,
    pub(super) process: Arc<Process>,
}

#[cfg(test)]
impl Caller {
    /// A process outside all sessions.
    pub(super) fn person() -> Caller {
        Caller { inside: None, process: Arc::default() }
    }
}

/// The door. Clones share it.
#[derive(Clone)]
pub(super) struct Door(Arc<Inner>);

struct Inner {
    vantage: Vantage,
    paths: Paths,
    strangers: Arc<Semaphore>,
    open: Mutex<Open>,
    /// The beginning of the current window of the log, and its lines.
    logged: Mutex<(Instant, u32)>,
}

/// The numbers of open connections.
#[derive(Default)]
struct Open {
    all: usize,
    inside: usize,
    by_process: HashMap<i32, usize>,
    by_session: HashMap<Option<SessionId>, usize>,
}

/// The right to have a connection open, until it is dropped.
pub(super) struct Admission {
    door: Door,
    pid: i32,
    inside: Option<Option<SessionId>>,
}

impl Door {
    /// The door of the daemon with these paths, which is this process.
    ///
    /// # Errors
    /// `/proc` cannot be read.
    pub(super) fn new(paths: &Paths) -> io::Result<Door> {
        Ok(Door(Arc::new(Inner {
            vantage: Vantage::own()?,
            paths: paths.clone(),
            strangers: Arc::new(Semaphore::new(MAX_STRANGERS)),
            open: Mutex::default(),
            logged: Mutex::new((Instant::now(), 0)),
        })))
    }

    /// Room for one more connection that has not introduced itself; `None` if there is none.
    pub(super) fn stranger(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0.strangers).try_acquire_owned().ok()
    }

    /// Finds out who connected. It reads a few small files of `/proc`, more if the process has many ancestors.
    ///
    /// # Errors
    /// It cannot be found out.
    pub(super) fn caller(&self, peer: &Peer) -> io::Result<Caller> {
        // Before the standing, which checks that the process id still is that of the peer.
        let process = Arc::new(describe(peer.pid));
        let standing = self.0.vantage.standing(peer)?;
        let inside = match standing {
            Standing::Outside => None,
            Standing::Inside(inside) => Some(Insider {
                id: inside.session_dirs.iter().find_map(|directory| self.0.paths.session_of(directory)),
                marked: inside.marked.and_then(|id| id.parse().ok()),
                name: String::new(),
            }),
        };
        Ok(Caller { inside, process })
    }

    /// Admits a connection.
    ///
    /// # Errors
    /// Too many are open.
    pub(super) fn admit(&self, caller: &Caller) -> Result<Admission, Problem> {
        let mut open = self.lock();
        let pid = caller.process.pid;
        let session = caller.inside.as_ref().map(|inside| inside.id.or(inside.marked));
        // All processes of other PID namespaces have the same number, so they are only counted with all others.
        let of_process = open.by_process.get(&pid).copied().filter(|_| pid != 0).unwrap_or_default();
        let of_session = session.and_then(|id| open.by_session.get(&id).copied()).unwrap_or_default();
        let full = if of_process >= MAX_OF_PROCESS {
            Some((MAX_OF_PROCESS, "this process"))
        } else if session.is_some() && of_session >= MAX_OF_SESSION {
            Some((MAX_OF_SESSION, "this session"))
        } else if session.is_some() && open.inside >= MAX_INSIDE {
            Some((MAX_INSIDE, "all sessions together"))
        } else {
            (open.all >= MAX_CONNECTIONS).then_some((MAX_CONNECTIONS, "all programs together"))
        };
        if let Some((limit, whose)) = full {
            return Err(too_many(limit, whose));
        }
        open.all += 1;
        *open.by_process.entry(pid).or_default() += 1;
        if let Some(session) = session {
            open.inside += 1;
            *open.by_session.entry(session).or_default() += 1;
        }
        Ok(Admission { door: self.clone(), pid, inside: session })
    }

    /// Logs that a client was turned away.
    pub(super) fn log(&self, problem: &Problem) {
        if self.may_log(Instant::now()) {
            tracing::warn!(code = %problem.code, problem = %problem.message, "turned a client away");
        }
    }

    fn may_log(&self, now: Instant) -> bool {
        let mut logged = self.0.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if now.duration_since(logged.0) >= LOG_WINDOW {
            *logged = (now, 0);
        }
        logged.1 += 1;
        logged.1 <= LOG_LINES
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        let mut open = self.door.lock();
        open.all -= 1;
        leave(&mut open.by_process, &self.pid);
        if let Some(session) = &self.inside {
            open.inside -= 1;
            leave(&mut open.by_session, session);
        }
    }
}

fn leave<K: std::hash::Hash + Eq>(open: &mut HashMap<K, usize>, key: &K) {
    if let Some(number) = open.get_mut(key) {
        *number -= 1;
        if *number == 0 {
            open.remove(key);
        }
    }
}

/// The process with this id.
fn describe(pid: i32) -> Process {
    if pid == 0 {
        return Process::default();
    }
    let program = fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
    let program = plain::path(&String::from_utf8_lossy(program.as_os_str().as_bytes()));
    let stat = fs::read(format!("/proc/{pid}/stat")).unwrap_or_default();
    Process { pid, program: plain::short_line(&program, PROGRAM_CHARS), terminal: terminal(&stat) }
}

/// The controlling terminal in `PID (NAME) STATE PARENT GROUP SESSION TERMINAL …`.
fn terminal(stat: &[u8]) -> Option<String> {
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    let fields = std::str::from_utf8(stat.get(end + 1..)?).ok()?;
    let device: i32 = fields.split_ascii_whitespace().nth(4)?.parse().ok()?;
    let device = device.cast_unsigned();
    let (major, minor) = (device >> 8 & 0xfff, device & 0xff | device >> 12 & 0xf_ff00);
    match major {
        0 => None,
        major if PTY_MAJORS.contains(&major) => {
            Some(format!("pts/{}", (major - PTY_MAJORS.start()) * 256 + minor))
        }
        TTY_MAJOR => Some(format!("tty{minor}")),
        major => Some(format!("{major}:{minor}")),
    }
}

pub(super) fn unknown(error: &io::Error) -> Problem {
    Problem::new(
        ErrorCode::PeerUnknown,
        format!(
            "The daemon cannot find out whether the program that connected is inside a session: {error}."
        ),
        Remedy::TryAgain,
    )
}

pub(super) fn too_many(limit: usize, whose: &str) -> Problem {
    Problem::new(
        ErrorCode::TooManyConnections,
        format!("{limit} connections of {whose} are open, and that is the limit."),
        "Close some of the programs that use AreYouJ, then try again.",
    )
}

pub(super) fn too_many_strangers() -> Problem {
    Problem::new(
        ErrorCode::TooManyConnections,
        format!(
            "{MAX_STRANGERS} programs have connected and not yet sent `initialize`, and that is the limit."
        ),
        Remedy::TryAgain,
    )
}

#[cfg(test)]
mod tests {
    use areyouj_core::orchestrator::SESSION_ID_ALPHABET;

    use super::*;

    fn door() -> (tempfile::TempDir, Door) {
        let home = tempfile::tempdir().unwrap();
        let set = |name: &str| (name == "AREYOUJ_HOME").then(|| home.path().as_os_str().to_owned());
        let door = Door::new(&Paths::from_environment(set).unwrap()).unwrap();
        (home, door)
    }

    fn caller(pid: i32, session: Option<&str>) -> Caller {
        let inside = session.map(|id| Insider { id: id.parse().ok(), ..Insider::default() });
        Caller { inside, process: Arc::new(Process { pid, ..Process::default() }) }
    }

    /// A session's id for a number below 900.
    fn letters(number: i32) -> String {
        let letter = |place: i32| char::from(SESSION_ID_ALPHABET[usize::try_from(place).unwrap() % 30]);
        format!("AAAAAA{}{}", letter(number / 30), letter(number))
    }

    fn admitted(door: &Door, caller: &Caller, tries: usize) -> Vec<Admission> {
        (0..tries).filter_map(|_| door.admit(caller).ok()).collect()
    }

    #[test]
    fn connections_are_bounded_for_each_process_each_session_and_all() {
        let (_home, door) = door();
        let one = admitted(&door, &caller(7, None), 1_000);
        assert_eq!(one.len(), MAX_OF_PROCESS);
        let of_session: Vec<_> =
            (0..100).flat_map(|pid| admitted(&door, &caller(1_000 + pid, Some("K7M2Q9XD")), 1)).collect();
        assert_eq!(of_session.len(), MAX_OF_SESSION);
        let nowhere: Vec<_> =
            (0..100).flat_map(|pid| admitted(&door, &caller(2_000 + pid, Some("")), 1)).collect();
        assert_eq!(nowhere.len(), MAX_OF_SESSION, "sessions that are unknown count as one");
        let sessions: Vec<_> = (0..100)
            .flat_map(|number| admitted(&door, &caller(3_000 + number, Some(&letters(number))), 9))
            .collect();
        assert_eq!(of_session.len() + nowhere.len() + sessions.len(), MAX_INSIDE);
        let others: Vec<_> =
            (0..1_000).flat_map(|pid| admitted(&door, &caller(9_000 + pid, None), 1)).collect();
        assert_eq!(one.len() + MAX_INSIDE + others.len(), MAX_CONNECTIONS);
        drop((one, of_session, nowhere, sessions, others));
        let open = door.lock();
        assert_eq!((open.all, open.inside), (0, 0));
        assert!(open.by_process.is_empty() && open.by_session.is_empty());
    }

    #[test]
    fn clients_that_are_turned_away_do_not_fill_the_log() {
        let (_home, door) = door();
        let now = Instant::now();
        assert_eq!((0..1_000).filter(|_| door.may_log(now)).count(), LOG_LINES as usize);
        assert!(door.may_log(now + LOG_WINDOW));
    }

    #[test]
    fn processes_of_other_namespaces_do_not_share_the_bound_of_one() {
        let (_home, door) = door();
        assert_eq!(admitted(&door, &caller(0, None), 1_000).len(), MAX_CONNECTIONS);
    }

    #[test]
    fn a_process_is_described_by_its_program_and_its_terminal() {
        let own = describe(std::process::id().cast_signed());
        assert_eq!(own.program, std::env::current_exe().unwrap().display().to_string());
        assert_eq!(describe(0), Process::default());
        for (device, name) in [
            (0, None),
            (136 << 8 | 3, Some("pts/3")),
            (137 << 8 | 4, Some("pts/260")),
            (4 << 8 | 1, Some("tty1")),
            (5 << 8 | 1, Some("5:1")),
        ] {
            let stat = format!("9 (a) b) S 7 1 1 {device} -1 0");
            assert_eq!(terminal(stat.as_bytes()).as_deref(), name);
        }
        assert_eq!(terminal(b""), None);
    }
}
