//! Clients that send invalid data, do not read, or connect in large numbers, while other clients are served normally.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::Trial;
use super::kills::{Size, Workload};
use super::ledger::Rules;
use super::load::Tolerance;
use crate::watch::Watch;

/// The maximum growth of the daemon's private memory, in kilobytes.
const GROWTH_KB: u64 = 8 << 10;

/// The number of clients that connect and send nothing.
const CONNECTIONS: usize = 200;

/// The size in bytes of the requests whose responses are never read.
const UNREAD_REQUEST_BYTES: usize = 1 << 20;

/// How long a client waits for a response.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) fn clients(trial: &mut Trial) -> Result<()> {
    let workload = Workload::new(trial, &Size { busy: 3, waiting: 1, producers: 3 }, Tolerance::Nothing)?;
    let daemon = workload.arena.daemon()?;
    let socket = workload.arena.home().join("run/daemon-v1.sock");
    // Run each kind once before measuring, so that permanent allocations are already made.
    for kind in 0..KINDS.len() {
        misbehave(trial, &socket, kind)?;
    }
    let before = private_kb(daemon)?;
    let mut open = Vec::new();
    for _ in 0..trial.rounds {
        let kind = trial.random.usize(..KINDS.len());
        if let Some(stream) = misbehave(trial, &socket, kind)? {
            open.push(stream);
            open.drain(..open.len().saturating_sub(CONNECTIONS));
        }
        let answered = workload.arena.response_time()?;
        trial.must(answered < RESPONSE_TIMEOUT, || {
            format!("with {:?}, a response took {answered:?}", KINDS[kind])
        });
    }
    drop(open);
    // The daemon must first detect that they have disconnected.
    let dropped = Instant::now();
    let mut after = private_kb(daemon)?;
    while after > before + GROWTH_KB && dropped.elapsed() < RESPONSE_TIMEOUT {
        thread::park_timeout(Duration::from_millis(100));
        after = private_kb(daemon)?;
    }
    trial.must(after <= before + GROWTH_KB, || format!("the daemon grew from {before} to {after} kB"));
    let same = workload.arena.daemon()?;
    trial.must(same == daemon, || "the daemon restarted because of its clients".to_owned());
    trial.figure("clients that misbehaved", trial.rounds);
    trial.figure("private memory of the daemon before and after", format!("{before} kB, {after} kB"));
    workload.close(trial, Rules::default())
}

/// The kinds of misbehavior.
const KINDS: &[&str] = &[
    "random bytes",
    "a header without end",
    "a body of many gigabytes",
    "a body that never arrives",
    "invalid JSON",
    "requests of the wrong shape",
    "a request before initialize",
    "responses that are never read",
    "deep nesting",
    "a disconnect in the middle of a request",
    "many connections",
    "a client that stops reading notifications",
];

/// Misbehaves once. Returns a connection that must stay open.
fn misbehave(trial: &mut Trial, socket: &std::path::Path, kind: usize) -> Result<Option<UnixStream>> {
    let mut stream = UnixStream::connect(socket).context("the daemon accepts no more connections")?;
    stream.set_write_timeout(Some(Duration::from_millis(200)))?;
    stream.set_read_timeout(Some(RESPONSE_TIMEOUT))?;
    let framed = |body: &str| format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes();
    let initialize = framed(
        r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"clientInfo":{"name":"bad-client"}}}"#,
    );
    let list = framed(r#"{"jsonrpc":"2.0","id":2,"method":"areyouj/session/list","params":{}}"#);
    // The daemon is allowed to disconnect at any time.
    let mut send = |bytes: &[u8]| {
        let _ = stream.write_all(bytes);
    };
    match KINDS[kind] {
        "random bytes" => {
            let bytes: Vec<u8> = (0..trial.random.usize(1..4_096)).map(|_| trial.random.u8(..)).collect();
            send(&bytes);
        }
        "a header without end" => send(&b"X-Header: yes\r\n".repeat(100_000)),
        "a body of many gigabytes" => send(b"Content-Length: 99999999999999\r\n\r\n{"),
        "a body that never arrives" => send(b"Content-Length: 1000000\r\n\r\n{"),
        "invalid JSON" => send(&framed("{\"jsonrpc\": \"2.0\", \"id\": \u{1F4A9}")),
        "requests of the wrong shape" => {
            send(&initialize);
            for params in ["[]", "7", "{\"sessionId\":{}}", "{\"text\":[1]}", "null"] {
                let method = ["message/send", "session/get", "no/such/method"][trial.random.usize(..3)];
                send(&framed(&format!(
                    r#"{{"jsonrpc":"2.0","id":3,"method":"areyouj/{method}","params":{params}}}"#
                )));
            }
        }
        "a request before initialize" => send(&list),
        "responses that are never read" => {
            send(&initialize);
            send(&list.repeat(UNREAD_REQUEST_BYTES / list.len()));
            return Ok(Some(stream));
        }
        "deep nesting" => send(&framed(&"[".repeat(1 << 20))),
        "a disconnect in the middle of a request" => {
            send(&initialize);
            send(&list[..list.len() / 2]);
        }
        "many connections" => {
            let crowd: Vec<UnixStream> =
                (0..CONNECTIONS).map_while(|_| UnixStream::connect(socket).ok()).collect();
            drop(crowd);
        }
        _ => {
            send(&initialize);
            return Ok(Some(stream));
        }
    }
    // Another client must be served immediately while this connection is still open.
    let served = socket.parent().and_then(|run| run.parent()).map(|home| Watch::open(home, RESPONSE_TIMEOUT));
    trial.must(served.is_some_and(|served| served.is_ok()), || {
        format!("with {:?}, no other client is served", KINDS[kind])
    });
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let _ = (&stream).take(1 << 20).read_to_end(&mut Vec::new());
    Ok(None)
}

/// The private memory of this process, in kilobytes.
fn private_kb(pid: i32) -> Result<u64> {
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let kb = |line: &str| line.split_whitespace().nth(1).and_then(|number| number.parse::<u64>().ok());
    Ok(rollup.lines().filter(|line| line.starts_with("Private_")).filter_map(kb).sum())
}
