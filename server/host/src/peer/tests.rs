//! Tests with real processes. A stand-in for a host is a script interpreter with the host's name and arguments.

use super::*;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

/// A shell that runs the lines it is given and answers each with a line.
pub(super) struct Shell {
    child: Child,
    input: ChildStdin,
    output: BufReader<std::process::ChildStdout>,
}

impl Shell {
    pub(super) fn start(mut command: Command) -> Shell {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut shell = Shell { child, input, output: BufReader::new(output) };
        // Once it answers, it runs its own program.
        assert_eq!(shell.run("echo begun"), "begun");
        shell
    }

    pub(super) fn run(&mut self, line: &str) -> String {
        writeln!(self.input, "{line}").unwrap();
        let mut answer = String::new();
        self.output.read_line(&mut answer).unwrap();
        answer.trim_end().to_owned()
    }

    pub(super) fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A shell that the kernel knows by a host's name, with a session's directory as its first argument.
pub(super) fn host_in(directory: &Path, session: &str) -> Shell {
    let program = directory.join("areyouj-host");
    if !program.exists() {
        symlink("/bin/sh", &program).unwrap();
    }
    let script = directory.join(session);
    fs::write(&script, "while read -r line; do eval \"$line\"; done\n").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).unwrap();
    let mut command = Command::new(program);
    command.arg(script).arg("socket");
    Shell::start(command)
}

#[test]
fn a_process_of_a_person_is_outside() {
    let shell = Shell::start(Command::new("/bin/sh"));
    assert_eq!(Vantage::own().unwrap().standing_of(shell.pid()).unwrap(), Standing::Outside);
}

#[test]
fn what_is_below_a_host_is_inside_its_session() {
    let directory = tempfile::tempdir().unwrap();
    let mut host = host_in(directory.path(), "K7M2Q9XD");
    let child = host.run("sleep 1000 </dev/null >/dev/null & echo $!").parse().unwrap();
    let vantage = Vantage::own().unwrap();
    let inside = Inside { session_dirs: vec![directory.path().join("K7M2Q9XD")], marked: None };
    assert_eq!(vantage.standing_of(child).unwrap(), Standing::Inside(inside));
    // The host itself is no part of the session: the daemon started it.
    assert_eq!(vantage.standing_of(host.pid()).unwrap(), Standing::Outside);
    host.run("kill -9 $!; echo killed");
}

#[test]
fn a_process_that_calls_itself_a_host_names_its_true_session_first() {
    let directory = tempfile::tempdir().unwrap();
    let mut host = host_in(directory.path(), "K7M2Q9XD");
    let script = directory.path().join("forged");
    fs::write(&script, "sleep 1000 </dev/null >/dev/null & echo $!; wait\n").unwrap();
    let child = host.run(&format!("{0}/areyouj-host {0}/forged socket &", directory.path().display()));
    let child = child.parse().unwrap();
    let Standing::Inside(inside) = Vantage::own().unwrap().standing_of(child).unwrap() else { panic!() };
    assert_eq!(inside.session_dirs, ["K7M2Q9XD", "forged"].map(|name| directory.path().join(name)));
    host.run(&format!("kill -9 $! {child}; echo killed"));
}

#[test]
fn a_marked_process_is_inside_when_its_host_is_gone_and_cannot_remove_the_mark() {
    let mut command = Command::new("/bin/sh");
    let mark = mark_children("K7M2Q9XD").unwrap();
    // SAFETY: the closure makes one system call.
    #[expect(unsafe_code, reason = "there is no other way to run code between fork and exec")]
    unsafe {
        command.pre_exec(mark);
    }
    let mut shell = Shell::start(command);
    let vantage = Vantage::own().unwrap();
    let child = shell.run("env -i setsid sleep 1000 </dev/null >/dev/null & echo $!").parse().unwrap();
    let inside = Inside { session_dirs: Vec::new(), marked: Some("K7M2Q9XD".to_owned()) };
    assert_eq!(vantage.standing_of(child).unwrap(), Standing::Inside(inside));
    // A lower limit hides the session's name, and nothing else.
    assert_eq!(shell.run("ulimit -m 1000; echo lowered"), "lowered");
    assert_eq!(vantage.standing_of(shell.pid()).unwrap(), Standing::Inside(Inside::default()));
    shell.run(&format!("kill -9 {child}; echo killed"));
}

#[test]
fn a_marked_process_that_calls_itself_a_host_names_no_session() {
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("areyouj-host");
    symlink("/bin/sh", &program).unwrap();
    let other = directory.path().join("ABCDEFGH");
    fs::write(&other, "while read -r line; do eval \"$line\"; done\n").unwrap();
    let mut command = Command::new(&program);
    command.arg(&other).arg("socket");
    let mark = mark_children("K7M2Q9XD").unwrap();
    // SAFETY: the closure makes one system call.
    #[expect(unsafe_code, reason = "there is no other way to run code between fork and exec")]
    unsafe {
        command.pre_exec(mark);
    }
    let mut forged = Shell::start(command);
    let child = forged.run("sleep 1000 </dev/null >/dev/null & echo $!").parse().unwrap();
    let inside = Inside { session_dirs: Vec::new(), marked: Some("K7M2Q9XD".to_owned()) };
    assert_eq!(Vantage::own().unwrap().standing_of(child).unwrap(), Standing::Inside(inside));
    forged.run("kill -9 $!; echo killed");
}

#[test]
fn a_peer_that_has_exited_has_no_standing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let program = format!(
        "import socket,os,sys\ns=socket.socket(socket.AF_UNIX)\ns.connect({:?})\nprint('begun',flush=True)\nsys.stdin.read()",
        path.display().to_string()
    );
    let mut child = Command::new("python3")
        .args(["-c", &program])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let (stream, _) = listener.accept().unwrap();
    let peer = of(&stream).unwrap();
    assert_eq!(peer.pid, child.id().cast_signed());
    let vantage = Vantage::own().unwrap();
    assert_eq!(vantage.standing(&peer).unwrap(), Standing::Outside);
    drop(child.stdin.take());
    child.wait().unwrap();
    assert!(vantage.standing(&peer).is_err());
}

#[test]
fn a_peer_is_identified_by_the_process_that_connected() {
    let (one, _other) = UnixStream::pair().unwrap();
    let peer = of(&one).unwrap();
    assert_eq!(peer.pid, std::process::id().cast_signed());
    assert_eq!(peer.uid, nix::unistd::geteuid().as_raw());
}
