//! Clients that lie, send rubbish, do not read, or come in crowds, beside clients that are served all the same.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::Trial;
use super::kills::{Field, Size};
use super::ledger::Rules;
use super::load::Fate;
use crate::watch::Watch;

/// Kilobytes by which the daemon's own memory may have grown in the end.
const GROWTH_KB: u64 = 8 << 10;

/// Clients that come in a crowd and say nothing.
const CROWD: usize = 200;

/// Bytes of requests whose answers are never read.
const UNREAD: usize = 1 << 20;

/// How long a liar waits for an answer.
const ANSWER: Duration = Duration::from_secs(10);

pub(super) fn clients(trial: &mut Trial) -> Result<()> {
    let field = Field::new(trial, &Size { talking: 3, asking: 1, producers: 3 }, Fate::Served)?;
    let daemon = field.arena.daemon()?;
    let socket = field.arena.home().join("run/daemon-v1.sock");
    // Once before the memory is taken: what is used for ever is used from now on.
    for kind in 0..KINDS.len() {
        lie(trial, &socket, kind)?;
    }
    let before = private_kb(daemon)?;
    let mut held = Vec::new();
    for _ in 0..trial.rounds {
        let kind = trial.random.usize(..KINDS.len());
        if let Some(stream) = lie(trial, &socket, kind)? {
            held.push(stream);
            held.drain(..held.len().saturating_sub(CROWD));
        }
        let answered = field.arena.answers()?;
        trial.must(answered < ANSWER, || format!("beside {:?} an answer took {answered:?}", KINDS[kind]));
    }
    drop(held);
    // It has to notice first that they have gone.
    let gone = Instant::now();
    let mut after = private_kb(daemon)?;
    while after > before + GROWTH_KB && gone.elapsed() < ANSWER {
        thread::park_timeout(Duration::from_millis(100));
        after = private_kb(daemon)?;
    }
    trial.must(after <= before + GROWTH_KB, || format!("the daemon grew from {before} to {after} kB"));
    let same = field.arena.daemon()?;
    trial.must(same == daemon, || "the daemon did not survive its clients".to_owned());
    trial.figure("clients that misbehaved", trial.rounds);
    trial.figure("private memory of the daemon before and after", format!("{before} kB, {after} kB"));
    field.close(trial, Rules::default())
}

/// How clients misbehave.
const KINDS: &[&str] = &[
    "random bytes",
    "a header without end",
    "a body of many gigabytes",
    "a body that never comes",
    "no JSON",
    "requests of the wrong shape",
    "a request before initialize",
    "answers that are never read",
    "deep nesting",
    "a hangup in the middle",
    "a crowd",
    "a watcher that stops reading",
];

/// Misbehaves once. Returns a connection that is to stay open.
fn lie(trial: &mut Trial, socket: &std::path::Path, kind: usize) -> Result<Option<UnixStream>> {
    let mut stream = UnixStream::connect(socket).context("the daemon takes no more connections")?;
    stream.set_write_timeout(Some(Duration::from_millis(200)))?;
    stream.set_read_timeout(Some(ANSWER))?;
    let framed = |body: &str| format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes();
    let initialize =
        framed(r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"clientInfo":{"name":"liar"}}}"#);
    let list = framed(r#"{"jsonrpc":"2.0","id":2,"method":"areyouj/session/list","params":{}}"#);
    // That the daemon hangs up in the middle is one of its rights.
    let mut say = |bytes: &[u8]| {
        let _ = stream.write_all(bytes);
    };
    match KINDS[kind] {
        "random bytes" => {
            let bytes: Vec<u8> = (0..trial.random.usize(1..4_096)).map(|_| trial.random.u8(..)).collect();
            say(&bytes);
        }
        "a header without end" => say(&b"X-Header: yes\r\n".repeat(100_000)),
        "a body of many gigabytes" => say(b"Content-Length: 99999999999999\r\n\r\n{"),
        "a body that never comes" => say(b"Content-Length: 1000000\r\n\r\n{"),
        "no JSON" => say(&framed("{\"jsonrpc\": \"2.0\", \"id\": \u{1F4A9}")),
        "requests of the wrong shape" => {
            say(&initialize);
            for params in ["[]", "7", "{\"sessionId\":{}}", "{\"text\":[1]}", "null"] {
                let method = ["message/send", "session/get", "no/such/method"][trial.random.usize(..3)];
                say(&framed(&format!(
                    r#"{{"jsonrpc":"2.0","id":3,"method":"areyouj/{method}","params":{params}}}"#
                )));
            }
        }
        "a request before initialize" => say(&list),
        "answers that are never read" => {
            say(&initialize);
            say(&list.repeat(UNREAD / list.len()));
            return Ok(Some(stream));
        }
        "deep nesting" => say(&framed(&"[".repeat(1 << 20))),
        "a hangup in the middle" => {
            say(&initialize);
            say(&list[..list.len() / 2]);
        }
        "a crowd" => {
            let crowd: Vec<UnixStream> = (0..CROWD).map_while(|_| UnixStream::connect(socket).ok()).collect();
            drop(crowd);
        }
        _ => {
            say(&initialize);
            return Ok(Some(stream));
        }
    }
    // Whatever the answer is: another client is served at once, with this connection still open.
    let served = socket.parent().and_then(|run| run.parent()).map(|home| Watch::open(home, ANSWER));
    trial.must(served.is_some_and(|served| served.is_ok()), || {
        format!("beside {:?} nobody is served", KINDS[kind])
    });
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let _ = (&stream).take(1 << 20).read_to_end(&mut Vec::new());
    Ok(None)
}

/// Kilobytes of memory that belong to this process alone.
fn private_kb(pid: i32) -> Result<u64> {
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let kb = |line: &str| line.split_whitespace().nth(1).and_then(|number| number.parse::<u64>().ok());
    Ok(rollup.lines().filter(|line| line.starts_with("Private_")).filter_map(kb).sum())
}
