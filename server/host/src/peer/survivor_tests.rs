//! Survivors of a host that a process of its own session killed.

use super::tests::{Shell, host_in};
use super::*;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

/// A Python program that marks itself as a host does, runs a script twice removed from it and without an environment,
/// and prints the process id of what the script became.
const LEAVING: &str = r#"
import os, resource, sys
mark, script = int(sys.argv[1]), sys.argv[2]
reading, writing = os.pipe()
os.set_inheritable(writing, True)
if os.fork() == 0:
    resource.setrlimit(resource.RLIMIT_RSS, (mark, mark))
    if os.fork() == 0:
        os.setsid()
        os.execve("/bin/sh", ["sh", "-c", "echo $$ >&%d; %s" % (writing, script)], {})
    os._exit(0)
os.close(writing)
os.wait()
print(int(os.read(reading, 20)), flush=True)
"#;

/// The process ids that a test kills at its end, whatever became of it.
struct Kept(Vec<i32>);

impl Drop for Kept {
    fn drop(&mut self) {
        for pid in &self.0 {
            let _ = nix::sys::signal::kill(Pid::from_raw(*pid), nix::sys::signal::Signal::SIGKILL);
        }
    }
}

/// Lets the shell start a process that leaves it, with the mark of this session.
fn leaving(shell: &mut Shell, directory: &std::path::Path, session: &str, script: &str) -> i32 {
    let program = directory.join("leaving.py");
    fs::write(&program, LEAVING).unwrap();
    let mark = mark::mark_of(session, nix::sys::resource::RLIM_INFINITY);
    shell
        .run(&format!("python3 {} {mark} '{script}' 2>/dev/null </dev/null", program.display()))
        .parse()
        .unwrap()
}

fn is_running(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X'])))
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < end, "{what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// Waits until the shell in this process runs its last program.
fn until_sleeping(pid: i32) {
    let command = format!("/proc/{pid}/comm");
    until("the survivor sleeps", || fs::read_to_string(&command).is_ok_and(|name| name == "sleep\n"));
}

#[test]
fn a_process_that_left_its_tree_and_its_environment_is_killed_and_its_starter_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let mut person = Shell::start(Command::new("/bin/sh"));
    let survivor = leaving(&mut person, directory.path(), "SVVR0001", "exec sleep 1000");
    let _kept = Kept(vec![survivor]);
    until_sleeping(survivor);
    assert_eq!(kill_survivors("SVVR0001").unwrap(), []);
    until("the survivor exits", || !is_running(survivor));
    assert_eq!(person.run("echo alive"), "alive");
}

#[test]
fn a_survivor_that_hid_its_session_and_took_a_hosts_name_is_killed_with_its_children() {
    let directory = tempfile::tempdir().unwrap();
    let mut person = Shell::start(Command::new("/bin/sh"));
    let host = directory.path().join("areyouj-host");
    std::os::unix::fs::symlink("/bin/sh", &host).unwrap();
    let children = directory.path().join("child");
    let script = format!(
        "ulimit -Hm 1000; exec {} -c \"sleep 1000 & echo \\$! >{}; wait\"",
        host.display(),
        children.display()
    );
    let survivor = leaving(&mut person, directory.path(), "SVVR0002", &script);
    let mut kept = Kept(vec![survivor]);
    until("it has a child", || fs::read_to_string(&children).is_ok_and(|text| text.ends_with('\n')));
    let child: i32 = fs::read_to_string(&children).unwrap().trim().parse().unwrap();
    kept.0.push(child);
    assert_eq!(kill_survivors("SVVR0002").unwrap(), []);
    until("both exit", || !is_running(survivor) && !is_running(child));
}

#[test]
fn a_process_below_a_living_host_and_a_persons_process_with_a_low_limit_are_never_killed() {
    let directory = tempfile::tempdir().unwrap();
    let mut host = host_in(directory.path(), "SVVR0003");
    // In the session of a living host, with the mark of the session that is searched.
    let mark = mark::mark_of("SVVR0004", nix::sys::resource::RLIM_INFINITY) / 1024;
    let inside = host.run(&format!("(ulimit -m {mark}; exec sleep 1000 </dev/null >/dev/null) & echo $!"));
    let mut person = Shell::start(Command::new("/bin/sh"));
    let persons = person.run("(ulimit -m 1000; exec sleep 1000 </dev/null >/dev/null) & echo $!");
    let (inside, persons): (i32, i32) = (inside.parse().unwrap(), persons.parse().unwrap());
    let _kept = Kept(vec![inside, persons]);
    until_sleeping(inside);
    until_sleeping(persons);
    assert_eq!(kill_survivors("SVVR0004").unwrap(), []);
    assert!(is_running(inside) && is_running(persons) && is_running(person.pid()) && is_running(host.pid()));
}
