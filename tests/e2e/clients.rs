//! Clients that talk to the daemon directly, and do not do their part.

#![allow(clippy::unwrap_used, clippy::panic, reason = "everything here is a test: a panic is a failed one")]

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use areyouj_tests::home::{EVENT_TIMEOUT, TestHome};

/// More bytes of requests than fit between client and daemon while nobody reads.
const REQUESTS: usize = 16 << 20;

/// What the sockets between client and daemon hold, and some requests more.
const TAKEN: usize = 4 << 20;

/// A client that may not go on writing for this long is held up.
const HELD_UP: Duration = Duration::from_secs(1);

fn framed(body: &str) -> String {
    format!("Content-Length: {}\r\n\r\n{body}", body.len())
}

fn connect(home: &TestHome) -> UnixStream {
    let mut stream = UnixStream::connect(home.path().join("run/daemon-v1.sock")).unwrap();
    stream.set_read_timeout(Some(EVENT_TIMEOUT)).unwrap();
    stream.set_write_timeout(Some(HELD_UP)).unwrap();
    let initialize = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"quiet":true}}"#;
    stream.write_all(framed(initialize).as_bytes()).unwrap();
    stream
}

/// How many times `what` is in what the daemon says until it says nothing more.
fn count(stream: &mut UnixStream, what: &str) -> usize {
    let mut said = Vec::new();
    stream.read_to_end(&mut said).unwrap();
    String::from_utf8(said).unwrap().matches(what).count()
}

#[test]
fn a_client_that_does_not_read_its_answers_is_held_up_and_gets_all_of_them_when_it_does() {
    let home = TestHome::with_stand_in("obedient");
    home.ok(&["daemon", "start"]);
    for body in [r#"{"jsonrpc":"2.0","id":1,"method":"areyouj/daemon/status","params":{}}"#, "no JSON"] {
        let mut stream = connect(&home);
        let request = framed(body);
        let (mut written, all) = (0, request.repeat(REQUESTS / request.len()));
        let held_up = loop {
            match stream.write(&all.as_bytes()[written..]) {
                Ok(0) => break false,
                Ok(count) => written += count,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    break true;
                }
                Err(error) => panic!("{error}"),
            }
        };
        assert!(held_up, "{written} bytes of requests were taken in and no answer was read");
        assert!(written < TAKEN, "{written} bytes of requests were taken in before");
        home.ok(&["ls"]);

        let asked = written.div_ceil(request.len());
        let mut writer = stream.try_clone().unwrap();
        let rest = all[written..asked * request.len()].to_owned();
        let writing = thread::spawn(move || {
            writer.set_write_timeout(Some(EVENT_TIMEOUT))?;
            writer.write_all(rest.as_bytes())?;
            writer.shutdown(std::net::Shutdown::Write)
        });
        assert_eq!(count(&mut stream, "\"jsonrpc\""), asked + 1);
        writing.join().unwrap().unwrap();
    }
}

#[test]
fn an_id_that_nobody_should_have_to_keep_is_refused() {
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
