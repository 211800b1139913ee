//! Other users of the machine: the daemon does not respond to them, and clients do not use their daemons.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "this module is only for tests: a panic is a failed test"
)]

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::{fs, thread};

use areyouj_tests::bystander::Bystander;
use areyouj_tests::home::{EVENT_TIMEOUT, NOBODY, TestHome};
use nix::unistd::geteuid;
use rustix::process::{Gid, Uid};
use rustix::thread::{set_thread_res_gid, set_thread_res_uid};

const HELLO: &str =
    r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"clientInfo":{"name":"other-user"}}}"#;

/// The response of the daemon at this socket to a client of this user.
fn answer_to(user: u32, socket: PathBuf) -> std::io::Result<Vec<u8>> {
    let client = thread::spawn(move || {
        // Changes the user of only this thread, which exits afterwards.
        let (uid, gid) = (Uid::from_raw(user), Gid::from_raw(user));
        set_thread_res_gid(gid, gid, gid)?;
        set_thread_res_uid(uid, uid, uid)?;
        let mut stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(EVENT_TIMEOUT))?;
        // The connection can already be closed, which is the expected response.
        let _ = write!(stream, "Content-Length: {}\r\n\r\n{HELLO}", HELLO.len());
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => Ok(answer),
            read => read.map(|_| answer),
        }
    });
    client.join().unwrap()
}

#[test]
fn a_client_of_another_user_gets_no_response_even_if_permissions_allow_the_connection() {
    if !geteuid().is_root() {
        eprintln!("SKIPPED, NOTHING WAS TESTED: only root can become another user");
        return;
    }
    let home = TestHome::new();
    let bystander = Bystander::of(&home);
    let socket = home.path().join("run/daemon-v1.sock");
    let open = |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
    for path in [home.path().parent().unwrap(), home.path(), &home.path().join("run"), &socket] {
        open(path);
    }
    assert_eq!(answer_to(NOBODY, socket.clone()).unwrap(), b"", "another user received a response");
    let own = answer_to(0, socket).unwrap();
    assert!(
        String::from_utf8_lossy(&own).contains("serverInfo"),
        "the same request of the owner must be answered"
    );
    bystander.assert_responsive(&home);
}

#[test]
fn a_client_sends_nothing_to_a_daemon_of_another_user() {
    if !geteuid().is_root() {
        eprintln!("SKIPPED, NOTHING WAS TESTED: only root can connect to the daemon of another user");
        return;
    }
    let home = TestHome::with_permissions("obedient");
    let bystander = Bystander::of(&home);
    let mut root = home.cli.clone();
    root.user = None;
    for arguments in [&["ls", "--json"][..], &["new", ".", "--json"], &["daemon", "stop", "--json"]] {
        let run = home.expect(root.run(arguments));
        assert_eq!(home.error_of(&run)["code"], "daemon_foreign", "{run}");
    }
    assert_eq!(home.sessions(), [bystander.id.as_str()]);
    bystander.assert_responsive(&home);
}

#[test]
fn a_root_whose_home_directory_is_that_of_another_user_creates_nothing_there() {
    if !geteuid().is_root() {
        eprintln!("SKIPPED, NOTHING WAS TESTED: only root can use the home directory of another user");
        return;
    }
    let home = TestHome::with_stand_in("obedient");
    let foreign = home.project("home-of-nobody");
    std::os::unix::fs::chown(&foreign, Some(NOBODY), Some(NOBODY)).unwrap();
    let mut root = home.cli.clone().with("HOME", foreign.to_str().unwrap());
    for name in ["AREYOUJ_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"] {
        root.environment.remove(name);
    }
    let run = home.expect(root.run(&["ls", "--json"]));
    let error = home.error_of(&run);
    assert_eq!(error["code"], "directory_not_accessible", "{run}");
    assert!(error["message"].as_str().unwrap().contains(foreign.to_str().unwrap()), "{run}");
    let doctor = home.expect(root.run(&["doctor"]));
    assert!(doctor.stdout.contains(&format!("{} belongs to uid {NOBODY}", foreign.display())), "{doctor}");
    assert_eq!(
        fs::read_dir(&foreign).unwrap().count(),
        0,
        "something was created in the home of another user"
    );
}
