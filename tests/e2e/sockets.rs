//! Things other than a daemon at the path of the daemon's socket.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "this module is only for tests: a panic is a failed test"
)]

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{FileTypeExt, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use areyouj_tests::bystander::Bystander;
use areyouj_tests::home::{TestHome, text_of};

fn socket(home: &TestHome) -> PathBuf {
    home.path().join("run/daemon-v1.sock")
}

fn is_socket(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket())
}

/// A process that listens in place of the daemon. Its socket file remains on drop, like that of a killed process.
struct Impostor {
    socket: PathBuf,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Impostor {
    /// `act` is called with each connection. If it returns the connection, it stays open until drop.
    fn at(socket: PathBuf, act: fn(UnixStream) -> Option<UnixStream>) -> Impostor {
        let listener = UnixListener::bind(&socket).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut open = Vec::new();
            while let Ok((stream, _)) = listener.accept() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                open.extend(act(stream));
            }
        });
        Impostor { socket, stop, thread: Some(thread) }
    }
}

impl Drop for Impostor {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Another connection, so that it checks the flag.
        let _ = UnixStream::connect(&self.socket);
        self.thread.take().map(JoinHandle::join);
    }
}

/// A command must fail while the impostor is listening, without removing its socket. Afterwards everything must work
/// again.
fn is_detected(act: fn(UnixStream) -> Option<UnixStream>) {
    let home = TestHome::with_stand_in("obedient");
    let bystander = Bystander::of(&home);
    home.ok(&["daemon", "stop"]);
    let socket = socket(&home);
    let impostor = Impostor::at(socket.clone(), act);
    let error = home.rejection(&["ls"]);
    assert_eq!(error["code"], "daemon_unavailable", "{error}");
    assert!(text_of(&error, "message").contains(socket.to_str().unwrap()), "{error}");
    assert!(is_socket(&socket), "a socket with a listener must not be removed");
    bystander.assert_alive();
    drop(impostor);
    assert!(is_socket(&socket), "a stale socket exists");
    bystander.assert_responsive(&home);
}

#[test]
fn a_process_that_answers_garbage_is_not_a_daemon() {
    is_detected(|mut stream| {
        let _ = stream.read(&mut [0; 64]);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n\xff\xfe<html>");
        Some(stream)
    });
}

#[test]
fn a_process_that_answers_invalid_json_rpc_is_not_a_daemon() {
    is_detected(|mut stream| {
        let _ = stream.read(&mut [0; 64]);
        let _ = stream.write_all(b"Content-Length: 9\r\n\r\n[1, null]Content-Length: 3\r\n\r\n{\"a");
        Some(stream)
    });
}

/// This test takes 15 seconds: the timeout for the daemon's first response.
#[test]
fn waiting_for_a_process_that_never_answers_is_limited() {
    is_detected(Some);
}

#[test]
fn a_process_that_disconnects_is_not_a_daemon() {
    is_detected(|_| None);
}

#[test]
fn a_file_a_directory_or_a_link_in_place_of_the_socket_is_reported_and_not_changed() {
    let home = TestHome::with_stand_in("obedient");
    let bystander = Bystander::of(&home);
    home.ok(&["daemon", "stop"]);
    let socket = socket(&home);
    let precious = home.path().join("precious");
    fs::write(&precious, "precious").unwrap();
    let make: [(&str, &dyn Fn()); 3] = [
        ("a file", &|| fs::write(&socket, "precious").unwrap()),
        ("a directory", &|| fs::create_dir(&socket).unwrap()),
        ("a symbolic link", &|| symlink(&precious, &socket).unwrap()),
    ];
    for (what, make) in make {
        make();
        let error = home.rejection(&["ls"]);
        assert_eq!(error["code"], "daemon_start_failed", "{error}");
        let message = text_of(&error, "message");
        assert!(message.contains(what) && message.contains(socket.to_str().unwrap()), "{error}");
        bystander.assert_alive();
        let found = fs::symlink_metadata(&socket).unwrap();
        if found.is_dir() { fs::remove_dir(&socket).unwrap() } else { fs::remove_file(&socket).unwrap() }
    }
    assert_eq!(fs::read_to_string(precious).unwrap(), "precious");
    bystander.assert_responsive(&home);
}
