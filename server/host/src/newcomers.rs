//! Connections that have not introduced themselves, and who may do what on the host's socket.
//!
//! A daemon and viewers come from a person's processes, and a daemon knows the key of the launch. Hooks come from below
//! this host. Anything else is refused, closed and recorded. Until the first frame's kind is known and allowed, a
//! connection costs one piece of memory.

use std::fs;
use std::io;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use super::connection::Connection;
use super::hooks::MAX_TOLD;
use super::key::Key;
use super::log;
use super::peer::{Inside, Peer, Standing, Vantage};
use super::recorder::Recorder;
use super::wire::{FromHost, Introduction, MAX_INTRODUCTION, ToHost};
use areyouj_journal::{Kind, Origin, Refused, Tried};

/// Connections that have not introduced themselves yet: a daemon, viewers, and hooks of tools that run at the same
/// time. Beyond this number the oldest hook is closed, or the oldest of all.
const MAX_NEWCOMERS: usize = 64;

/// Those of one process: each kind of client opens one connection and introduces itself at once.
const MAX_OF_ONE_PROCESS: usize = 8;

/// Bytes of all unfinished first frames: two of the largest reports. A report beyond that is closed, and Claude asks by
/// itself.
const MAX_UNFINISHED: usize = 2 * MAX_TOLD;

/// How long a first frame can take. Every client sends it at once; a stopped one connects again.
const FIRST_FRAME_TIMEOUT: Duration = Duration::from_secs(10);

/// Refused connections of a launch that are recorded one by one: enough for a person to see what happened. Later ones are
/// counted.
const MAX_RECORDED: u32 = 16;

/// The session's name in a record, in bytes: the file name of a directory can be longer than an id.
const SESSION_BYTES: usize = 64;

/// The connections that have not introduced themselves.
pub(super) struct Newcomers {
    waiting: Vec<Newcomer>,
    vantage: Vantage,
    /// The key of this launch; a daemon of an earlier version gave none.
    key: Option<Key>,
    /// Claude has hooks: those of a terminal.
    hooks: bool,
    recorded: u32,
    /// Refused connections that are not recorded.
    more: u32,
}

struct Newcomer {
    connection: Connection,
    caller: Caller,
    /// When its first frame must be complete.
    by: Instant,
}

/// A process that connected.
struct Caller {
    peer: Peer,
    origin: Origin,
    session: Option<String>,
}

impl Newcomers {
    pub(super) fn new(vantage: Vantage, key: Option<Key>, hooks: bool) -> Newcomers {
        Newcomers { waiting: Vec::new(), vantage, key, hooks, recorded: 0, more: 0 }
    }

    /// Whether only a daemon with a key is obeyed.
    pub(super) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// The connections.
    pub(super) fn connections(&self) -> impl Iterator<Item = &Connection> {
        self.waiting.iter().map(|newcomer| &newcomer.connection)
    }

    /// When to call [`Newcomers::read`] at the latest.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.waiting.iter().map(|newcomer| newcomer.by).min()
    }

    /// Takes a new connection, or refuses it. `recorder`: where to record that, while Claude runs.
    ///
    /// # Errors
    /// It cannot be served, or comes from another user.
    pub(super) fn accept(
        &mut self,
        stream: UnixStream,
        now: Instant,
        recorder: Option<&mut Recorder>,
    ) -> io::Result<()> {
        let (mut connection, peer) = Connection::accept(stream)?;
        let caller = self.caller(peer);
        // A process that was killed, usually, and never a threat: nothing that it sent is read.
        if caller.origin == Origin::Unknown {
            return Ok(());
        }
        if caller.origin == Origin::OtherSession {
            self.refuse(&mut connection, &caller, Tried::Connect, recorder);
            return Ok(());
        }
        let of_process = |newcomer: &&Newcomer| newcomer.caller.peer.pid == caller.peer.pid;
        if self.waiting.iter().filter(of_process).count() >= MAX_OF_ONE_PROCESS {
            connection.send(&FromHost::Refused("this process has too many connections".to_owned()));
            return Ok(());
        }
        if self.waiting.len() >= MAX_NEWCOMERS {
            // Nothing inside the session can crowd out a daemon or a viewer.
            let of_session = |newcomer: &Newcomer| newcomer.caller.origin == Origin::OwnSession;
            let oldest = self.waiting.iter().position(of_session).unwrap_or_default();
            self.waiting.remove(oldest);
        }
        self.waiting.push(Newcomer { connection, caller, by: now + FIRST_FRAME_TIMEOUT });
        Ok(())
    }

    /// Reads from all newcomers, and returns those that have introduced themselves and may be what they say, in order.
    pub(super) fn read(
        &mut self,
        now: Instant,
        mut recorder: Option<&mut Recorder>,
    ) -> Vec<(Connection, ToHost)> {
        let mut introduced = Vec::new();
        let mut unfinished = 0;
        for mut newcomer in std::mem::take(&mut self.waiting) {
            newcomer.connection.receive();
            let Some((introduction, length)) = newcomer.connection.introduction() else {
                if !newcomer.connection.is_over() && now < newcomer.by {
                    self.waiting.push(newcomer);
                }
                continue;
            };
            if let Err(tried) = allowed(&newcomer.caller, introduction, length, self.hooks) {
                if let Some(tried) = tried {
                    self.refuse(&mut newcomer.connection, &newcomer.caller, tried, recorder.as_deref_mut());
                }
                continue;
            }
            match newcomer.connection.next_frame() {
                Some(ToHost::Hello { key, .. }) if self.key.is_some() && self.key != key => {
                    let caller = &newcomer.caller;
                    self.refuse(&mut newcomer.connection, caller, Tried::WrongKey, recorder.as_deref_mut());
                }
                Some(frame) => introduced.push((newcomer.connection, frame)),
                None => {
                    unfinished += newcomer.connection.received();
                    let fits = unfinished <= MAX_UNFINISHED;
                    if fits && !newcomer.connection.is_over() && now < newcomer.by {
                        self.waiting.push(newcomer);
                    }
                }
            }
        }
        introduced
    }

    /// Claude has ended: records how many more connections were refused.
    pub(super) fn end(&mut self, recorder: &mut Recorder) {
        if self.more > 0 {
            let refused = Refused { more: std::mem::take(&mut self.more), ..Refused::default() };
            recorder.record(Kind::Refused, &refused.encode());
        }
    }

    /// Where the process stands.
    fn caller(&self, peer: Peer) -> Caller {
        let (origin, session) = match self.vantage.standing(&peer) {
            Ok(Standing::Outside) => (Origin::Outside, None),
            Ok(Standing::Inside(_)) if self.vantage.is_above(&peer).unwrap_or(false) => {
                (Origin::OwnSession, None)
            }
            Ok(Standing::Inside(inside)) => (Origin::OtherSession, session_of(&inside)),
            Err(_) => (Origin::Unknown, None),
        };
        Caller { peer, origin, session }
    }

    fn refuse(
        &mut self,
        connection: &mut Connection,
        caller: &Caller,
        tried: Tried,
        recorder: Option<&mut Recorder>,
    ) {
        let pid = caller.peer.pid;
        let why = match tried {
            Tried::WrongKey => "the key is not that of this launch",
            Tried::Connect => "a process inside another session has no access",
            Tried::Orders | Tried::Attach | Tried::Hook => "this process has no right to that",
        };
        connection.send(&FromHost::Refused(why.to_owned()));
        log(&format!("refused process {pid}: {why} ({tried:?}, {:?})", caller.origin));
        let Some(recorder) = recorder else { return };
        // Records that cannot be written are kept in memory.
        if self.recorded >= MAX_RECORDED || recorder.is_stuck() {
            self.more += 1;
            return;
        }
        self.recorded += 1;
        let refused = Refused {
            origin: caller.origin,
            tried,
            pid: u32::try_from(pid).unwrap_or_default(),
            more: 0,
            session: caller.session.clone().unwrap_or_default(),
            name: fs::read(format!("/proc/{pid}/comm"))
                .map(|name| String::from_utf8_lossy(name.trim_ascii_end()).into_owned())
                .unwrap_or_default(),
        };
        recorder.record(Kind::Refused, &refused.encode());
    }
}

/// Whether this process may introduce itself like this, with a frame of this length. Otherwise what it tried, if that
/// concerns a person.
fn allowed(
    caller: &Caller,
    introduction: Introduction,
    length: usize,
    hooks: bool,
) -> Result<(), Option<Tried>> {
    let (may, maximum, tried) = match introduction {
        Introduction::Hello => (caller.origin == Origin::Outside, MAX_INTRODUCTION, Tried::Orders),
        Introduction::Attach => (caller.origin == Origin::Outside, MAX_INTRODUCTION, Tried::Attach),
        // The payload has one byte besides the report, and the kind comes first.
        Introduction::Hook => (hooks && caller.origin == Origin::OwnSession, MAX_TOLD + 2, Tried::Hook),
        Introduction::Other if caller.origin == Origin::Outside => return Err(None),
        Introduction::Other => (false, 0, Tried::Orders),
    };
    match (may, length <= maximum) {
        (true, true) => Ok(()),
        (true, false) => Err(None),
        (false, _) => Err(Some(tried)),
    }
}

/// The session, as the process's outermost host or its mark names it.
fn session_of(inside: &Inside) -> Option<String> {
    let named = inside.session_dirs.first().and_then(|directory| directory.file_name());
    let mut session =
        named.map(|name| name.to_string_lossy().into_owned()).or_else(|| inside.marked.clone())?;
    session.truncate(session.floor_char_boundary(SESSION_BYTES));
    Some(session)
}
