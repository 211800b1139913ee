//! Clients that connect to the daemon directly and violate the protocol.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "this module is only for tests: a panic is a failed test"
)]

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use areyouj_tests::home::{EVENT_TIMEOUT, TestHome};

/// The size in bytes of requests that cannot be buffered between client and daemon.
const REQUEST_BYTES: usize = 16 << 20;

/// The size in bytes of the socket buffers between client and daemon, and of some requests more.
const BUFFERED_BYTES: usize = 4 << 20;

/// A client that cannot write for this long counts as blocked.
const BLOCKED_TIMEOUT: Duration = Duration::from_secs(1);

fn framed(body: &str) -> String {
    format!("Content-Length: {}\r\n\r\n{body}", body.len())
}

fn connect(home: &TestHome) -> UnixStream {
    introduced(home, r#"{"quiet":true}"#)
}

fn introduced(home: &TestHome, params: &str) -> UnixStream {
    let mut stream = UnixStream::connect(home.path().join("run/daemon-v1.sock")).unwrap();
    stream.set_read_timeout(Some(EVENT_TIMEOUT)).unwrap();
    stream.set_write_timeout(Some(BLOCKED_TIMEOUT)).unwrap();
    let initialize = format!(r#"{{"jsonrpc":"2.0","id":0,"method":"initialize","params":{params}}}"#);
    stream.write_all(framed(&initialize).as_bytes()).unwrap();
    stream
}

/// The number of times that `text` occurs in the daemon's output until the connection is closed.
fn count(stream: &mut UnixStream, text: &str) -> usize {
    let mut output = Vec::new();
    stream.read_to_end(&mut output).unwrap();
    String::from_utf8(output).unwrap().matches(text).count()
}

#[test]
fn a_client_that_does_not_read_responses_is_blocked_and_receives_all_when_it_reads() {
    let home = TestHome::with_stand_in("obedient");
    home.ok(&["daemon", "start"]);
    for body in [r#"{"jsonrpc":"2.0","id":1,"method":"areyouj/daemon/status","params":{}}"#, "not JSON"] {
        let mut stream = connect(&home);
        let request = framed(body);
        let (mut written, all) = (0, request.repeat(REQUEST_BYTES / request.len()));
        let blocked = loop {
            match stream.write(&all.as_bytes()[written..]) {
                Ok(0) => break false,
                Ok(count) => written += count,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    break true;
                }
                Err(error) => panic!("{error}"),
            }
        };
        assert!(blocked, "{written} bytes of requests were accepted although no response was read");
        assert!(written < BUFFERED_BYTES, "{written} bytes of requests were accepted before");
        home.ok(&["ls"]);

        let sent = written.div_ceil(request.len());
        let mut writer = stream.try_clone().unwrap();
        let rest = all[written..sent * request.len()].to_owned();
        let writing = thread::spawn(move || {
            writer.set_write_timeout(Some(EVENT_TIMEOUT))?;
            writer.write_all(rest.as_bytes())?;
            writer.shutdown(std::net::Shutdown::Write)
        });
        assert_eq!(count(&mut stream, "\"jsonrpc\""), sent + 1);
        writing.join().unwrap().unwrap();
    }
}

#[test]
fn an_invalid_or_very_long_request_id_is_rejected() {
    let home = TestHome::with_stand_in("obedient");
    home.ok(&["daemon", "start"]);
    for id in ["{}", "[1]", "true", &format!("\"{}\"", "x".repeat(1_000))] {
        let mut stream = connect(&home);
        let request =
            format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"areyouj/daemon/status","params":{{}}}}"#);
        stream.write_all(framed(&request).as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        assert_eq!(count(&mut stream, "\"code\":\"invalid_request\""), 1, "{id}");
    }
}

#[test]
fn a_change_of_a_status_is_sent_once_and_once_more_to_a_client_that_asks_for_it() {
    let home = TestHome::with_stand_in("obedient");
    home.ok(&["daemon", "start"]);
    let clients = ["{}", r#"{"statusChanges":true}"#].map(|params| introduced(&home, params));
    // The daemon knows a client for certain once it has answered it.
    let answers = clients.map(|mut stream| {
        stream
            .write_all(framed(r#"{"jsonrpc":"2.0","id":1,"method":"areyouj/daemon/status"}"#).as_bytes())
            .unwrap();
        let mut answered = Vec::new();
        while !String::from_utf8_lossy(&answered).contains("\"id\":1") {
            let mut some = [0; 4096];
            let length = stream.read(&mut some).unwrap();
            assert!(length > 0, "the daemon closed the connection");
            answered.extend(&some[..length]);
        }
        stream
    });
    home.ok(&["new", "."]);
    home.ok(&["daemon", "stop", "--sessions"]);
    let seen = answers.map(|mut stream| {
        let mut said = Vec::new();
        stream.read_to_end(&mut said).unwrap();
        let said = String::from_utf8(said).unwrap();
        ["areyouj/sessionListUpdate", "areyouj/sessionStatusChanged"]
            .map(|method| said.matches(method).count())
    });
    let [[updates, none], [same, changes]] = seen;
    assert!(updates > changes && changes > 0, "{seen:?}");
    assert_eq!((same, none), (updates, 0), "{seen:?}");
}

/// Clients that have not introduced themselves, as many as the daemon has room for but one.
const STRANGERS: usize = 60;

/// The resident memory of a process, in kilobytes.
fn resident_kb(pid: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn clients_that_do_not_introduce_themselves_take_little_memory_and_leave_room_for_others() {
    let home = TestHome::with_stand_in("obedient");
    home.ok(&["daemon", "start"]);
    let socket = home.path().join("run/daemon-v1.sock");
    let before = resident_kb(home.daemon_pid());
    let announced = "Content-Length: 65536\r\n\r\n".to_owned() + &"x".repeat(65_000);
    let strangers: Vec<UnixStream> = (0..STRANGERS)
        .map(|_| {
            let mut stream = UnixStream::connect(&socket).unwrap();
            stream.write_all(announced.as_bytes()).unwrap();
            stream
        })
        .collect();
    // A larger message is refused before it is read.
    for _ in 0..STRANGERS {
        let mut stream = UnixStream::connect(&socket).unwrap();
        stream.write_all(b"Content-Length: 33554432\r\n\r\n").unwrap();
        assert_eq!(count(&mut stream, "\"code\":\"invalid_request\""), 1);
    }
    home.ok(&["ls"]);
    let grown = resident_kb(home.daemon_pid()).saturating_sub(before);
    let each = grown / STRANGERS as u64;
    assert!(each < 256, "{STRANGERS} strangers take {grown} kB, {each} kB each");
    for mut stranger in strangers {
        stranger.set_read_timeout(Some(EVENT_TIMEOUT)).unwrap();
        assert_eq!(count(&mut stranger, "\"code\":\"initialize_timeout\""), 1);
    }
}

#[test]
fn one_process_has_a_limited_number_of_connections_and_others_are_served() {
    let home = TestHome::with_stand_in("obedient");
    home.ok(&["daemon", "start"]);
    let mut open = Vec::new();
    let refused = loop {
        let mut stream = connect(&home);
        let mut answer = [0; 4096];
        let length = stream.read(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
        open.push(stream);
        if answer.contains("\"error\"") {
            break answer;
        }
    };
    assert!(refused.contains("too_many_connections"), "{refused}");
    assert_eq!(open.len(), 129);
    home.ok(&["ls"]);
    drop(open);
    home.until("there is room again", || {
        let mut stream = connect(&home);
        let mut answer = [0; 4096];
        let length = stream.read(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer[..length]).contains("serverInfo").then_some(()))
    });
}

#[test]
fn a_client_that_asks_often_does_not_fill_the_audit_trail() {
    const REQUESTS: usize = 20_000;
    let home = TestHome::with_stand_in("obedient");
    home.ok(&["daemon", "start"]);
    let mut stream = connect(&home);
    let requests: String = (1..=REQUESTS)
        .map(|id| {
            let params = format!(r#"{{"requestId":"{id}","sessionId":"K7M2Q9XD","name":"x"}}"#);
            framed(&format!(
                r#"{{"jsonrpc":"2.0","id":{id},"method":"areyouj/session/rename","params":{params}}}"#
            ))
        })
        .collect();
    let mut writer = stream.try_clone().unwrap();
    let writing = thread::spawn(move || {
        writer.set_write_timeout(Some(EVENT_TIMEOUT))?;
        writer.write_all(requests.as_bytes())?;
        writer.shutdown(std::net::Shutdown::Write)
    });
    assert_eq!(count(&mut stream, "session_not_found"), REQUESTS);
    writing.join().unwrap().unwrap();
    let trail = home.json(&["audit", "--since", "1h"]);
    let entries = trail.as_array().unwrap();
    let renames = entries.iter().filter(|entry| entry["operation"] == "session/rename");
    assert!(renames.count() <= 101 * 3, "at most so many in each of the few minutes that this took: {trail}");
    assert_eq!(entries[0]["actor"], "person");
}
