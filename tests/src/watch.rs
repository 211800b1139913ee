//! Waits for notifications of the daemon, so that tests do not have to poll.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;

/// The maximum size of a message from the daemon: far larger than any real one.
const MESSAGE_LIMIT: usize = 64 * 1024 * 1024;

/// A client of the daemon that only receives notifications.
pub struct Watch {
    reader: BufReader<UnixStream>,
}

impl Watch {
    /// Connects to the daemon of this home. It receives every notification after this function returns.
    ///
    /// # Errors
    /// If no daemon listens, or it does not respond in time.
    pub fn open(home: &Path, deadline: Duration) -> Result<Watch> {
        let mut stream = UnixStream::connect(home.join("run/daemon-v1.sock")).context("no daemon listens")?;
        let request = json!({
            "jsonrpc": "2.0", "id": 1, "method": "initialize",
            "params": { "clientInfo": { "name": "areyouj-tests" } },
        })
        .to_string();
        write!(stream, "Content-Length: {}\r\n\r\n{request}", request.len())?;
        let mut watch = Watch { reader: BufReader::new(stream) };
        watch.wait_for_change(deadline)?;
        Ok(watch)
    }

    /// Waits for a message of the daemon, and discards all messages that have arrived by then.
    ///
    /// # Errors
    /// If no message arrives in time, or the daemon exits; then this watch cannot be used again.
    pub fn wait_for_change(&mut self, deadline: Duration) -> Result<()> {
        ensure!(!deadline.is_zero(), "the deadline has passed");
        self.reader.get_ref().set_read_timeout(Some(deadline))?;
        loop {
            self.message()?;
            if self.reader.buffer().is_empty() {
                return Ok(());
            }
        }
    }

    fn message(&mut self) -> Result<()> {
        let mut length = None;
        loop {
            let mut line = String::new();
            ensure!(self.reader.read_line(&mut line)? > 0, "the daemon closed the connection");
            match line.trim_end() {
                "" => break,
                header => {
                    if let Some(value) = header.strip_prefix("Content-Length: ") {
                        length = Some(value.parse::<usize>()?);
                    }
                }
            }
        }
        let length = length.context("a message without a length")?;
        ensure!(length <= MESSAGE_LIMIT, "a message of {length} bytes");
        let mut body = vec![0; length];
        self.reader.read_exact(&mut body)?;
        Ok(())
    }
}
