//! What may be found at the path of the daemon's socket instead of a daemon.

#![allow(clippy::unwrap_used, clippy::panic, reason = "everything here is a test: a panic is a failed one")]

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

/// Something that listens in the daemon's place. When it goes, its socket stays, as that of a killed process does.
struct Impostor {
    socket: PathBuf,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Impostor {
    /// `act` is what it does with each connection, which is then kept open to the end if it gives it back.
    fn at(socket: PathBuf, act: fn(UnixStream) -> Option<UnixStream>) -> Impostor {
        let listener = UnixListener::bind(&socket).unwrap();
        let over = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&over);
        let thread = std::thread::spawn(move || {
            let mut kept = Vec::new();
            while let Ok((stream, _)) = listener.accept() {
                if told.load(Ordering::SeqCst) {
                    return;
                }
                kept.extend(act(stream));
            }
        });
        Impostor { socket, over, thread: Some(thread) }
    }
}

impl Drop for Impostor {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        // One more connection, so that it looks.
        let _ = UnixStream::connect(&self.socket);
        self.thread.take().map(JoinHandle::join);
    }
}

/// A command is refused while the impostor is there, which is left alone; when it is gone everything goes on.
fn is_found_out(act: fn(UnixStream) -> Option<UnixStream>) {
    let home = TestHome::with_stand_in("obedient");
    let bystander = Bystander::of(&home);
    home.ok(&["daemon", "stop"]);
    let socket = socket(&home);
    let impostor = Impostor::at(socket.clone(), act);
    let error = home.rejection(&["ls"]);
    assert_eq!(error["code"], "daemon_unavailable", "{error}");
    assert!(text_of(&error, "message").contains(socket.to_str().unwrap()), "{error}");
    assert!(is_socket(&socket), "what somebody listens at is not removed");
    bystander.assert_alive();
    drop(impostor);
    assert!(is_socket(&socket), "a stale socket is there");
    bystander.assert_responsive(&home);
}

#[test]
fn something_that_answers_garbage_is_no_daemon() {
    is_found_out(|mut stream| {
        let _ = stream.read(&mut [0; 64]);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n\xff\xfe<html>");
        Some(stream)
    });
}

#[test]
fn something_that_answers_json_that_makes_no_sense_is_no_daemon() {
    is_found_out(|mut stream| {
        let _ = stream.read(&mut [0; 64]);
        let _ = stream.write_all(b"Content-Length: 9\r\n\r\n[1, null]Content-Length: 3\r\n\r\n{\"a");
        Some(stream)
    });
}

/// It takes the quarter of a minute that a daemon is given to answer its first question.
#[test]
fn something_that_never_answers_is_not_waited_for_for_ever() {
    is_found_out(Some);
}

#[test]
fn something_that_hangs_up_is_no_daemon() {
    is_found_out(|_| None);
}

#[test]
fn a_file_a_directory_or_a_link_in_the_place_of_the_socket_is_named_and_left_alone() {
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
