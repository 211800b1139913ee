//! AreYouJ: a separate host with viewers, and sessions of the whole product.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use areyouj_host::launch::{Launch, Sizing};
use areyouj_host::wire::{CONTRACT, Size, ToHost};
use areyouj_tests::home::TestHome;
use areyouj_tests::sandbox::programs;
use serde_json::{Value, json};

use super::viewer::{Transport, Viewer};
use super::{EVENT_TIMEOUT, SIZE, Terminal, program, watch};
use crate::client::Client;
use crate::processes::Owned;

/// A terminal of a session host.
pub(crate) struct Hosted {
    keys: UnixStream,
    viewers: Vec<Viewer>,
    /// The host, if it was not started by a daemon.
    host: Option<(Owned, tempfile::TempDir)>,
}

impl Hosted {
    /// Starts a host without a daemon, with one viewer; returns when the program is ready.
    pub(crate) fn start() -> Result<Hosted> {
        let directory = tempfile::tempdir()?;
        let launch = Launch {
            launch: 1,
            session: "AAAAAAAA".into(),
            floor: 0,
            terminal: Some(Sizing::Smallest),
            directory: "/".into(),
            program: program()?,
            arguments: Vec::new(),
            environment: vec![("PATH".into(), "/usr/bin:/bin".into())],
        };
        launch.write(&directory.path().join("launch"))?;
        let socket = directory.path().join("socket");
        let mut command = Command::new(programs()?.join("areyouj-host"));
        command.arg(directory.path()).arg(&socket).env_clear();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut host = Owned(command.spawn().context("areyouj-host cannot be started")?);
        let mut output = [0; 6];
        host.0.stdout.take().context("no standard output")?.read_exact(&mut output)?;
        ensure!(&output == b"ready\n", "the host did not start");
        let mut hosted = Hosted::attach_viewers(&socket, 1)?;
        hosted.host = Some((host, directory));
        watch(&mut hosted.viewers, b"ready")?;
        Ok(hosted)
    }

    /// The socket of a host that was started without a daemon.
    pub(crate) fn socket(&self) -> Option<PathBuf> {
        self.host.as_ref().map(|(_, directory)| directory.path().join("socket"))
    }

    /// Attaches this many viewers to the host at this socket.
    fn attach_viewers(socket: &Path, viewers: usize) -> Result<Hosted> {
        let streams = (0..viewers).map(|_| attach(socket)).collect::<Result<Vec<_>>>()?;
        let keys = streams[0].try_clone()?;
        let viewers = streams
            .into_iter()
            .map(|stream| Viewer::new(stream.into(), Transport::Frames))
            .collect::<Result<Vec<_>>>()?;
        Ok(Hosted { keys, viewers, host: None })
    }
}

fn attach(socket: &Path) -> Result<UnixStream> {
    let mut stream = UnixStream::connect(socket)?;
    let (columns, rows) = SIZE;
    let mut frame = Vec::new();
    ToHost::Attach { contract: CONTRACT, size: Size { columns, rows }, read_only: false }.encode(&mut frame);
    stream.write_all(&frame)?;
    Ok(stream)
}

impl Terminal for Hosted {
    fn viewers(&mut self) -> &mut [Viewer] {
        &mut self.viewers
    }

    fn type_text(&mut self, bytes: &[u8]) -> Result<()> {
        let mut frame = Vec::new();
        ToHost::Typed(bytes.to_vec()).encode(&mut frame);
        Ok(self.keys.write_all(&frame)?)
    }
}

/// A daemon, and sessions with a terminal.
pub(crate) struct Product {
    pub(crate) home: TestHome,
    client: Client,
    /// The number of requests so far, for unique ids.
    requests: u64,
}

impl Product {
    /// A home with a running daemon, in which the program runs in place of Claude.
    pub(crate) fn start() -> Result<Product> {
        let home = TestHome::with_claude(&program()?);
        std::fs::create_dir_all(home.path().join("config"))?;
        std::fs::write(home.path().join("config/config.toml"), "max_active_sessions = 1000\n")?;
        home.ok(&["daemon", "start"]);
        let client = Client::connect(home.path())?;
        Ok(Product { home, client, requests: 0 })
    }

    /// The socket of a session's host.
    fn socket(&self, id: &str) -> PathBuf {
        self.home.path().join("run").join(format!("{id}.sock"))
    }

    /// Creates a session; returns when its id is known.
    pub(crate) fn create(&mut self, directory: &Path) -> Result<String> {
        self.requests += 1;
        let environment: serde_json::Map<String, Value> = self
            .home
            .cli
            .environment
            .iter()
            .map(|(name, value)| (name.clone(), json!(value.to_string_lossy())))
            .collect();
        let created = self.client.request(
            "areyouj/session/create",
            &json!({
                "requestId": format!("create-{}", self.requests),
                "directory": directory,
                "driver": "terminal",
                "environment": environment,
            }),
        )?;
        Ok(created["session"]["id"].as_str().with_context(|| format!("no id in {created}"))?.to_owned())
    }

    /// Attaches this many viewers to a session's terminal, as soon as it exists.
    pub(crate) fn attach(&mut self, id: &str, viewers: usize) -> Result<Hosted> {
        let (socket, begun) = (self.socket(id), Instant::now());
        while !socket.exists() {
            ensure!(begun.elapsed() < EVENT_TIMEOUT, "{id} has no host");
            std::thread::park_timeout(std::time::Duration::from_micros(100));
        }
        loop {
            // The socket exists a moment before the host listens on it.
            match Hosted::attach_viewers(&socket, viewers) {
                Err(_) if begun.elapsed() < EVENT_TIMEOUT => {}
                hosted => return hosted,
            }
        }
    }

    /// Creates a session with this many viewers; returns when the program is ready.
    pub(crate) fn session(&mut self, viewers: usize) -> Result<(String, Hosted)> {
        let directory = self.home.project("project");
        let id = self.create(&directory)?;
        let mut hosted = self.attach(&id, viewers)?;
        watch(&mut hosted.viewers, b"ready")?;
        Ok((id, hosted))
    }
}
