//! A session with its host, and a daemon's side of the connection to it.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use areyouj_host::key::{KEY_BYTES, Key};
use areyouj_host::launch::Launch;
use areyouj_host::tree;
use areyouj_host::wire::{CONTRACT, FromHost, ToHost};
use areyouj_journal::{Kind, Reader, Record};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::Pid;

/// Far longer than anything here takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(30);

/// The key of every session here.
pub(crate) const KEY: [u8; KEY_BYTES] = *b"the key of every session of this";

/// Passes bytes on between two sockets; see there.
const RELAY: &str = include_str!("relay.py");

/// A session's directory, and the host that has it.
pub(crate) struct Session {
    home: tempfile::TempDir,
    pub(crate) launch: Launch,
    /// The mark in the environment of all processes of this session.
    pub(crate) mark: String,
    pub(crate) host: Option<Child>,
    /// The key that the host gets; a daemon of an earlier version gives none.
    pub(crate) key: Option<Key>,
}

impl Session {
    /// A session that runs this program in Claude's place.
    pub(crate) fn of(program: &str, arguments: &[&str]) -> Session {
        static SESSIONS: AtomicU32 = AtomicU32::new(0);
        let number = SESSIONS.fetch_add(1, Ordering::Relaxed);
        let value = format!("{}-{number}", std::process::id());
        let launch = Launch {
            terminal: None,
            launch: 1,
            session: "K7M2Q9XD".into(),
            floor: 0,
            directory: "/".into(),
            program: program.into(),
            arguments: arguments.iter().map(Into::into).collect(),
            environment: vec![
                ("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into()),
                ("AREYOUJ_HOST_TEST".into(), value.clone().into()),
            ],
        };
        let mark = format!("AREYOUJ_HOST_TEST={value}");
        Session { home: tempfile::tempdir().unwrap(), launch, mark, host: None, key: Some(Key::new(KEY)) }
    }

    pub(crate) fn shell(script: &str) -> Session {
        Session::of("/bin/sh", &["-c", script])
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// All files of the session, without its socket.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let (mut files, mut directories) = (Vec::new(), vec![self.home.path().to_owned()]);
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(directory).unwrap() {
                let (kind, path) = entry.map(|entry| (entry.file_type().unwrap(), entry.path())).unwrap();
                if kind.is_dir() {
                    directories.push(path);
                } else if kind.is_file() {
                    files.push(path);
                }
            }
        }
        files
    }

    /// Starts a host by a command that ends with the host's own, and returns what it prints.
    pub(crate) fn start_by(&mut self, prefix: &[&str]) -> String {
        self.launch.write(&self.path("launch")).unwrap();
        let words: Vec<&OsStr> = prefix.iter().map(OsStr::new).collect();
        let socket = self.path("socket");
        let words = [
            &words[..],
            &[env!("CARGO_BIN_EXE_areyouj-host").as_ref(), self.home.path().as_ref(), socket.as_ref()],
        ]
        .concat();
        let mut host = Command::new(words[0])
            .args(&words[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        if let Some(key) = &self.key {
            // A host that cannot start does not read it.
            let _ = host.stdin.as_ref().unwrap().write_all(key.bytes());
        }
        drop(host.stdin.take());
        let mut said = String::new();
        host.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        self.host = Some(host);
        said
    }

    /// Starts the host and connects to it.
    pub(crate) fn start(&mut self) -> Controller {
        assert_eq!(self.start_by(&[]), "ready\n");
        self.connect()
    }

    pub(crate) fn connect(&self) -> Controller {
        let mut controller = self.connect_silently();
        controller.send(&ToHost::Hello { contract: 9, key: self.key.clone() });
        match controller.receive() {
            Some(FromHost::Welcome { contract: CONTRACT, launch, host_pid, .. }) => {
                assert_eq!((launch, host_pid), (self.launch.launch, self.host.as_ref().unwrap().id()));
            }
            other => panic!("{other:?}"),
        }
        controller
    }

    pub(crate) fn connect_silently(&self) -> Controller {
        self.connect_to("socket")
    }

    fn connect_to(&self, socket: &str) -> Controller {
        let stream = UnixStream::connect(self.path(socket)).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        Controller { stream, buffer: Vec::new() }
    }

    /// Lets the session's program start a relay to its own host.
    pub(crate) fn run_relay(&mut self, orphan: bool) {
        self.run_relay_to(&self.path("socket"), orphan);
    }

    /// Lets the session's program, a shell, start a relay to this host.
    pub(crate) fn run_relay_to(&mut self, host: &Path, orphan: bool) {
        std::fs::write(self.path("relay.py"), RELAY).unwrap();
        let orphan = if orphan { "orphan" } else { "" };
        let [program, socket] = [self.path("relay.py"), self.path("relay")];
        let (program, host, socket) = (program.display(), host.display(), socket.display());
        let script = self.launch.arguments[1].to_str().unwrap();
        let with_relay =
            format!("python3 {program} {host} {socket} {orphan} </dev/null >/dev/null 2>&1 & {script}");
        self.launch.arguments[1] = with_relay.into();
    }

    /// A connection whose other end is a process inside the session: the relay's.
    pub(crate) fn connect_inside(&self) -> Controller {
        let until = Instant::now() + DEADLINE;
        while !self.path("relay").exists() {
            assert!(Instant::now() < until, "there is no relay");
            std::thread::yield_now();
        }
        self.connect_to("relay")
    }

    pub(crate) fn journal(&self) -> Reader {
        Reader::open(&self.path("journal"), 0).unwrap()
    }

    /// All records up to Claude's end or the failure to start it.
    pub(crate) fn records_to_the_end(&self, controller: &mut Controller) -> Vec<Record> {
        controller.records_until(&mut self.journal(), |records| {
            records.last().is_some_and(|last| matches!(last.kind, Kind::Exited | Kind::SpawnFailed))
        })
    }

    /// Waits for the end of the host and returns its status and log.
    pub(crate) fn ended(&mut self) -> (ExitStatus, String) {
        let mut host = self.host.take().unwrap();
        let mut log = String::new();
        let mut stderr = host.stderr.take().unwrap();
        wait_for_end(&stderr);
        stderr.read_to_string(&mut log).unwrap();
        (host.wait().unwrap(), log)
    }

    /// Limits the size of files for the host, which has the effect of a full disk.
    pub(crate) fn limit_files(&self, bytes: &str) {
        let pid = self.host_pid().to_string();
        let limit = format!("--fsize={bytes}:unlimited");
        assert!(Command::new("prlimit").args(["--pid", &pid, &limit]).status().unwrap().success());
    }

    pub(crate) fn host_pid(&self) -> Pid {
        Pid::from_raw(self.host.as_ref().unwrap().id() as i32)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(mut host) = self.host.take() {
            let _ = host.kill();
            let _ = host.wait();
        }
        tree::kill_marked(&self.mark);
    }
}

/// Waits until there are no more writers to a host's log.
fn wait_for_end(log: &ChildStderr) {
    let until = Instant::now() + DEADLINE;
    loop {
        let mut fds = [PollFd::new(log.as_fd(), PollFlags::empty())];
        let left = until.saturating_duration_since(Instant::now());
        assert!(!left.is_zero(), "the host does not end");
        poll(&mut fds, PollTimeout::try_from(left).unwrap()).unwrap();
        if fds[0].any().unwrap() {
            return;
        }
    }
}

/// A daemon's side of a connection.
pub(crate) struct Controller {
    pub(crate) stream: UnixStream,
    buffer: Vec<u8>,
}

impl Controller {
    pub(crate) fn send(&mut self, frame: &ToHost) {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes);
        self.stream.write_all(&bytes).unwrap();
    }

    pub(crate) fn write(&mut self, bytes: impl Into<Vec<u8>>) {
        self.send(&ToHost::Write(bytes.into()));
    }

    /// The next frame; `None` once the host has closed the connection.
    pub(crate) fn receive(&mut self) -> Option<FromHost> {
        self.next_frame().expect("a frame in time")
    }

    /// The next frame; `None` also if the host closed the connection before it had read everything.
    pub(crate) fn try_receive(&mut self) -> Option<FromHost> {
        match self.next_frame() {
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => None,
            frame => frame.expect("a frame in time"),
        }
    }

    fn next_frame(&mut self) -> std::io::Result<Option<FromHost>> {
        loop {
            if let Some((frame, taken)) = FromHost::decode(&self.buffer).unwrap() {
                self.buffer.drain(..taken);
                return Ok(Some(frame));
            }
            let mut piece = [0; 4096];
            match self.stream.read(&mut piece)? {
                0 => return Ok(None),
                read => self.buffer.extend(&piece[..read]),
            }
        }
    }

    /// The next frame that does not concern the journal.
    pub(crate) fn answer(&mut self) -> FromHost {
        loop {
            match self.receive().expect("an answer") {
                FromHost::Appended { .. } | FromHost::Stalled(_) => {}
                answer => return answer,
            }
        }
    }

    pub(crate) fn refusal(&mut self) -> String {
        match self.answer() {
            FromHost::Refused(why) => why,
            other => panic!("{other:?}"),
        }
    }

    /// The host's next report about an error of its journal.
    pub(crate) fn stall(&mut self) -> Option<String> {
        loop {
            match self.receive().expect("word of the journal") {
                FromHost::Appended { .. } => {}
                FromHost::Stalled(why) => return why,
                other => panic!("{other:?}"),
            }
        }
    }

    pub(crate) fn status(&mut self) -> (Option<u32>, bool, u64) {
        self.send(&ToHost::Status);
        match self.answer() {
            FromHost::State { claude_pid, exited, pending_input, .. } => (claude_pid, exited, pending_input),
            other => panic!("{other:?}"),
        }
    }

    /// Reads the journal, as the host reports its growth, until there is enough.
    pub(crate) fn records_until(
        &mut self,
        journal: &mut Reader,
        enough: impl Fn(&[Record]) -> bool,
    ) -> Vec<Record> {
        self.send(&ToHost::Subscribe { from: journal.offset() });
        let mut records = Vec::new();
        while !enough(&records) {
            match self.receive().expect("more records") {
                FromHost::Appended { end } => {
                    while let Some(record) = journal.next_below(end).unwrap() {
                        records.push(record);
                    }
                }
                FromHost::Stalled(_) => {}
                other => panic!("{other:?}"),
            }
        }
        records
    }

    /// Reads the journal until Claude has written so many bytes, and returns them.
    pub(crate) fn output(&mut self, journal: &mut Reader, length: usize) -> Vec<u8> {
        let records = self.records_until(journal, |records| length_of(records, Kind::Output) >= length);
        bytes_of(&records, Kind::Output)
    }
}

/// The payloads of the records of this kind, together.
pub(crate) fn bytes_of(records: &[Record], kind: Kind) -> Vec<u8> {
    records.iter().filter(|record| record.kind == kind).fold(Vec::new(), |mut bytes, record| {
        bytes.extend_from_slice(&record.payload);
        bytes
    })
}

/// Their length.
pub(crate) fn length_of(records: &[Record], kind: Kind) -> usize {
    records.iter().filter(|record| record.kind == kind).map(|record| record.payload.len()).sum()
}
