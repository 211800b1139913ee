//! The peer: tmux, with clients in control mode.

use std::io::Write;
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::{Context, Result};

use super::viewer::{Transport, Viewer};
use super::{SIZE, Terminal, program, watch};
use crate::processes::Owned;

/// A separate server, and its clients.
pub(crate) struct Tmux {
    sockets: tempfile::TempDir,
    clients: Vec<Owned>,
    inputs: Vec<ChildStdin>,
    viewers: Vec<Viewer>,
    server: i32,
}

impl Tmux {
    /// Starts the program with this many clients; returns when it is ready.
    pub(crate) fn start(clients: usize) -> Result<Tmux> {
        let mut tmux = Tmux {
            sockets: tempfile::tempdir()?,
            clients: Vec::new(),
            inputs: Vec::new(),
            viewers: Vec::new(),
            server: 0,
        };
        let (columns, rows) = (SIZE.0.to_string(), SIZE.1.to_string());
        let program = program()?.to_string_lossy().into_owned();
        tmux.client(&["new-session", "-x", &columns, "-y", &rows, &format!("exec {program}")])?;
        watch(&mut tmux.viewers, b"ready")?;
        for _ in 1..clients {
            tmux.client(&["attach"])?;
        }
        let mut command = tmux.command();
        let pid = command.args(["display-message", "-p", "#{pid}"]).output()?;
        tmux.server = String::from_utf8_lossy(&pid.stdout).trim().parse().context("tmux has no pid")?;
        // The initial output for clients must not be measured. The response to a command shows that a client has
        // attached.
        for number in 0..clients {
            tmux.inputs[number].write_all(b"display-message -p attached\n")?;
        }
        Ok(tmux)
    }

    fn command(&self) -> Command {
        let mut command = Command::new("tmux");
        command.arg("-S").arg(self.sockets.path().join("socket")).args(["-f", "/dev/null"]);
        command.env_remove("TMUX").env("TERM", "xterm-256color");
        command
    }

    fn client(&mut self, arguments: &[&str]) -> Result<()> {
        let mut command = self.command();
        command.arg("-C").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child: Child = command.stderr(Stdio::null()).spawn().context("tmux cannot be started")?;
        self.inputs.push(child.stdin.take().context("no standard input")?);
        let output = child.stdout.take().context("no standard output")?;
        self.clients.push(Owned(child));
        self.viewers.push(Viewer::new(output.into(), Transport::Control)?);
        Ok(())
    }

    /// The process id of the server.
    pub(crate) fn server(&self) -> i32 {
        self.server
    }

    /// Starts the program again in a new window of the first client; returns when it is ready.
    pub(crate) fn new_window(&mut self) -> Result<()> {
        let program = program()?.to_string_lossy().into_owned();
        self.inputs[0].write_all(format!("new-window 'exec {program}'\n").as_bytes())?;
        watch(&mut self.viewers[..1], b"ready")
    }
}

impl Terminal for Tmux {
    fn viewers(&mut self) -> &mut [Viewer] {
        &mut self.viewers
    }

    fn type_text(&mut self, bytes: &[u8]) -> Result<()> {
        let keys: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(self.inputs[0].write_all(format!("send-keys -H {}\n", keys.join(" ")).as_bytes())?)
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let _ = self.command().arg("kill-server").stderr(Stdio::null()).status();
        // Zero means that no server has started: as a process id it addresses the process group of this process.
        if self.server != 0 && !areyouj_tests::processes::wait_for_exit(self.server, super::EVENT_TIMEOUT) {
            let _ = areyouj_tests::processes::kill(self.server);
        }
    }
}
