//! A client that watches one session in a separate thread: it attaches, reads, and attaches again after
//! `areyouj/resync`.

use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};

use crate::client::{Client, request};

const RESYNC: &[u8] = br#"{"jsonrpc":"2.0","method":"areyouj/resync""#;
const OUTPUT: &[u8] = br#"{"jsonrpc":"2.0","method":"areyouj/claudeOutput""#;

/// The length of the prefix of an output that contains its `seq`.
const NUMBER_WITHIN: usize = 160;

/// The statistics of a watcher.
#[derive(Debug, Default)]
struct Seen {
    bytes: AtomicU64,
    seq: AtomicU64,
    resyncs: AtomicU64,
    ends: AtomicBool,
}

/// A client that has attached and does not read yet.
pub(crate) struct Attached {
    client: Client,
    session: String,
    seen: Arc<Seen>,
}

/// A client that is reading.
pub(crate) struct Watcher {
    seen: Arc<Seen>,
    stream: UnixStream,
    thread: JoinHandle<Result<()>>,
}

impl Attached {
    pub(crate) fn open(home: &Path, session: &str) -> Result<Attached> {
        let mut client = Client::connect(home)?;
        let result = client.request("areyouj/session/attach", &json!({ "sessionId": session }))?;
        let seen = Arc::new(Seen::default());
        seen.seq.store(result["seq"].as_u64().context("no seq")?, Ordering::Release);
        Ok(Attached { client, session: session.to_owned(), seen })
    }

    /// Starts reading.
    pub(crate) fn start_reading(self) -> Result<Watcher> {
        let (seen, stream) = (Arc::clone(&self.seen), self.client.stream.try_clone()?);
        let thread = std::thread::Builder::new().name("watcher".into()).spawn(move || self.read())?;
        Ok(Watcher { seen, stream, thread })
    }

    fn read(mut self) -> Result<()> {
        loop {
            let body = match self.client.frame() {
                Ok(body) => body,
                Err(_) if self.seen.ends.load(Ordering::Acquire) => return Ok(()),
                Err(error) => return Err(error),
            };
            self.seen.bytes.fetch_add(body.len() as u64, Ordering::AcqRel);
            if body.starts_with(OUTPUT) {
                let seq = number(body).context("output without a seq")?;
                self.seen.seq.fetch_max(seq, Ordering::AcqRel);
            } else if body.starts_with(RESYNC) {
                self.seen.resyncs.fetch_add(1, Ordering::AcqRel);
                let since = self.seen.seq.load(Ordering::Acquire);
                let parameters = json!({ "sessionId": self.session, "since": since });
                self.client.send(&request(1, "areyouj/session/attach", &parameters))?;
            } else if body.starts_with(br#"{"jsonrpc":"2.0","id":"#) {
                let answer: Value = serde_json::from_slice(body)?;
                let seq = answer["result"]["seq"].as_u64().context("attaching failed")?;
                self.seen.seq.fetch_max(seq, Ordering::AcqRel);
            }
        }
    }
}

impl Watcher {
    /// The number of bytes received so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.seen.bytes.load(Ordering::Acquire)
    }

    /// The `seq` of the newest entry that it knows.
    pub(crate) fn seq(&self) -> u64 {
        self.seen.seq.load(Ordering::Acquire)
    }

    /// The number of `areyouj/resync` notifications.
    pub(crate) fn resyncs(&self) -> u64 {
        self.seen.resyncs.load(Ordering::Acquire)
    }

    /// Disconnects.
    pub(crate) fn finish(self) -> Result<()> {
        self.seen.ends.store(true, Ordering::Release);
        // An error means that the daemon has disconnected.
        let _ = self.stream.shutdown(Shutdown::Both);
        self.thread.join().map_err(|_| anyhow!("a watcher panicked"))?
    }
}

/// The `seq` of an output, without parsing the whole message.
fn number(body: &[u8]) -> Option<u64> {
    const NAME: &[u8] = b"\"seq\":";
    let head = &body[..body.len().min(NUMBER_WITHIN)];
    let begin = head.windows(NAME.len()).position(|window| window == NAME)? + NAME.len();
    let digits = head[begin..].split(|byte| !byte.is_ascii_digit()).next()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seq_of_an_output_is_found_in_its_prefix() {
        let body = br#"{"jsonrpc":"2.0","method":"areyouj/claudeOutput","params":{"sessionId":"A","seq":4711,"entry":null}}"#;
        assert_eq!(number(body), Some(4711));
        assert_eq!(number(b"{}"), None);
    }
}
