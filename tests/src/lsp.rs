//! A minimal editor for tests, connected to `areyouj lsp`.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "this module is only for tests: a panic is a failed test"
)]

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

use crate::home::{EVENT_TIMEOUT, TestHome};
use crate::processes;

/// A sidecar process, and the messages from it.
pub struct Editor {
    child: Child,
    input: Option<ChildStdin>,
    messages: Receiver<Value>,
    /// Notifications that the test has not consumed yet.
    notifications: VecDeque<Value>,
    next_id: u64,
}

impl Editor {
    /// Starts an editor that supports the `areyouj/…` methods and has this folder open.
    pub fn start(home: &TestHome, folder: &Path) -> Editor {
        let mut editor = Editor::start_uninitialized(home);
        editor.initialize(folder).unwrap();
        editor
    }

    /// Starts an editor that has not sent `initialize` yet.
    pub fn start_uninitialized(home: &TestHome) -> Editor {
        let mut child = Command::new(&home.cli.program)
            .arg("lsp")
            .env_clear()
            .envs(&home.cli.environment)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, messages) = channel();
        let output = child.stdout.take().unwrap();
        std::thread::spawn(move || {
            let mut output = BufReader::new(output);
            while let Some(message) = read(&mut output) {
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        let input = child.stdin.take();
        Editor { child, input, messages, notifications: VecDeque::new(), next_id: 0 }
    }

    /// Sends `initialize` and `initialized`.
    ///
    /// # Errors
    /// The error of the response.
    pub fn initialize(&mut self, folder: &Path) -> Result<Value, Value> {
        let uri = format!("file://{}", folder.display().to_string().replace(' ', "%20"));
        let params = json!({
            "processId": std::process::id(),
            "clientInfo": { "name": "a test" },
            "capabilities": { "experimental": { "areyouj": {} } },
            "workspaceFolders": [{ "uri": uri, "name": "folder" }],
        });
        let result = self.try_request("initialize", &params)?;
        self.notify("initialized", &json!({}));
        Ok(result)
    }

    /// Sends a request, and returns the result.
    pub fn request(&mut self, method: &str, params: &Value) -> Value {
        self.try_request(method, params).unwrap_or_else(|error| panic!("{method} failed: {error}"))
    }

    /// Sends a request, and returns the result or the error.
    ///
    /// # Errors
    /// The error of the response.
    pub fn try_request(&mut self, method: &str, params: &Value) -> Result<Value, Value> {
        let id = self.send_request(method, params);
        self.response(id)
    }

    /// Sends a request, and returns its id.
    pub fn send_request(&mut self, method: &str, params: &Value) -> u64 {
        self.next_id += 1;
        let id = self.next_id;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        id
    }

    /// Waits for the response to a request.
    ///
    /// # Errors
    /// The error of the response.
    pub fn response(&mut self, id: u64) -> Result<Value, Value> {
        loop {
            let mut message = self.receive();
            if message["id"] != id {
                self.notifications.push_back(message);
            } else if message["error"].is_null() {
                return Ok(message["result"].take());
            } else {
                return Err(message["error"].take());
            }
        }
    }

    /// Sends a notification.
    pub fn notify(&mut self, method: &str, params: &Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// Waits for a notification that fulfils a condition, and returns its parameters; earlier ones are discarded.
    pub fn wait(&mut self, method: &str, holds: impl Fn(&Value) -> bool) -> Value {
        loop {
            let mut message = self.notifications.pop_front().unwrap_or_else(|| self.receive());
            if message["method"] == method && holds(&message["params"]) {
                return message["params"].take();
            }
        }
    }

    /// Waits until the sidecar exits.
    pub fn exit(mut self, deadline: Duration) -> ExitStatus {
        let pid = i32::try_from(self.child.id()).unwrap();
        assert!(processes::wait_for_exit(pid, deadline), "the sidecar does not exit");
        self.child.wait().unwrap()
    }

    /// Closes the connection without `shutdown`, like a killed editor.
    pub fn disconnect(mut self, deadline: Duration) -> ExitStatus {
        self.input = None;
        self.exit(deadline)
    }

    fn send(&mut self, message: &Value) {
        let body = message.to_string();
        let input = self.input.as_mut().unwrap();
        write!(input, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    }

    fn receive(&self) -> Value {
        self.messages
            .recv_timeout(EVENT_TIMEOUT)
            .unwrap_or_else(|error| panic!("no message from the sidecar: {error}"))
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        self.input = None;
        let _ = self.child.wait();
    }
}

fn read(output: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            header => length = header.strip_prefix("Content-Length: ")?.parse().ok()?,
        }
    }
    let mut body = vec![0; length];
    output.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}
