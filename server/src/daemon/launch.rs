//! Starting a host, and reading Claude's own record of a conversation.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, PipeReader, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use nix::sys::stat::Mode;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader as AsyncBufReader};
use tokio::process::{Child, Command};
use uuid::Uuid;

use super::claude::files::{ClaudeFiles, directory_and_home, home_of};
use super::claude::find::find_claude;
use super::directory_checks::check_directory;
use super::gate::Kind;
use super::launch_files::{self, LAUNCH_FILE};
use super::shared::Shared;
use super::trusted::Trusted;
use crate::client::start::SESSION_MARK;
use crate::config::TerminalSize;
use crate::paths;
use areyouj_core::driver::{stream, terminal};
use areyouj_core::orchestrator::{
    ConversationState, Driver, ErrorCode, HostKey, LaunchOrder, MessageId, Problem, Remedy, SessionId,
    WouldRun,
};
use areyouj_host::key::Key;
use areyouj_host::launch::{Launch, Sizing};
use areyouj_host::tree;

/// A host starts in a few milliseconds; on a machine that swaps, in seconds.
const HOST_START_TIMEOUT: Duration = Duration::from_secs(15);

/// Attempts to read Claude's record, and the pause between them: descriptors can be free again after it.
const RECORD_ATTEMPTS: u32 = 10;
const RECORD_PAUSE: Duration = Duration::from_secs(1);

/// Maximum length of a host's first line.
const HOST_LINE_BYTES: u64 = 4_096;

/// The mark of this session's processes in their environment.
pub(super) fn mark(session: SessionId) -> String {
    format!("{SESSION_MARK}={session}")
}

/// Why there is no host.
pub(super) struct NoHost {
    pub(super) problem: Problem,
    /// Another attempt would fail too, until a person changes something.
    pub(super) permanent: bool,
}

/// Why a launch ends before it has a host.
pub(super) enum Refusal {
    /// A problem.
    NoHost(NoHost),
    /// Nobody trusts the directory.
    Untrusted(WouldRun),
}

impl From<NoHost> for Refusal {
    fn from(no_host: NoHost) -> Refusal {
        Refusal::NoHost(no_host)
    }
}

/// Starts the host of this launch, and returns when it listens.
pub(super) async fn start(shared: &Shared, order: &LaunchOrder) -> Result<(), Refusal> {
    let temporary = |problem| NoHost { problem, permanent: false };
    let permanent = |problem: Problem| {
        let restart = || Remedy::restart(order.session);
        let remedy = problem.remedy.as_ref().map_or_else(restart, |first| first.then_restart(order.session));
        NoHost { problem: Problem { remedy: Some(remedy), ..problem }, permanent: true }
    };
    let environment = shared.environment(order.session).map_err(temporary)?;
    let checks = Checks {
        session: order.session,
        directory: order.spec.directory.clone(),
        environment: environment.clone(),
        claude: shared.config.claude.clone(),
        resumed: order.resume.then_some(order.claude_session),
        trust: trust_of(shared, order).map_err(temporary)?,
    };
    let place = directory_and_home(&environment, &order.spec.directory);
    let checked = shared.gate.run(Kind::Start, place, move || Ok(checks.run()));
    let checked = checked.await.map_err(temporary)?;
    let program = match checked.map_err(permanent)? {
        Checked::Ready(program) => program,
        Checked::Untrusted(would_run) => return Err(Refusal::Untrusted(would_run)),
    };
    let files = HostFiles::new(shared, order, program, environment)?;
    // Run to the end: an abandoned write could replace the launch file of a later launch.
    let host = shared.gate.run_to_end(Kind::Own, order.session.to_string(), move || files.start());
    let host = host.await.map_err(temporary)?;
    let ready = wait_until_ready(host, order.session).await;
    if ready.is_err() {
        // It may have failed before it read the file, and left it there.
        launch_files::remove(&shared.paths.session_dir(&order.session));
    }
    Ok(ready?)
}

/// What persons trust. `None`: Claude itself asks, in its terminal.
fn trust_of(shared: &Shared, order: &LaunchOrder) -> Result<Option<Trusted>, Problem> {
    let asks = order.spec.driver == Driver::Stream;
    asks.then(|| Trusted::load(shared, order.allowed.clone())).transpose()
}

/// The result of the checks.
enum Checked {
    /// Claude's program can start.
    Ready(PathBuf),
    /// Nobody trusts the directory.
    Untrusted(WouldRun),
}

/// What must be true outside of AreYouJ before a host starts. The file systems might not respond.
struct Checks {
    session: SessionId,
    directory: String,
    environment: BTreeMap<String, String>,
    /// The configured Claude.
    claude: Option<PathBuf>,
    /// The conversation that Claude is to resume.
    resumed: Option<Uuid>,
    /// What persons trust, unless Claude itself asks.
    trust: Option<Trusted>,
}

impl Checks {
    fn run(&self) -> Result<Checked, Problem> {
        check_directory(&self.directory)?;
        let program = find_claude(&self.environment, self.claude.as_deref())?;
        let files = ClaudeFiles::of(&self.environment, &self.directory);
        let open = self.resumed.and_then(|conversation| files.open_elsewhere(conversation, None));
        if let Some(open) = open {
            return Err(open.problem(self.session));
        }
        let untrusted = match &self.trust {
            Some(trusted) => trusted.untrusted(&self.directory, &files)?,
            None => None,
        };
        Ok(untrusted.map_or(Checked::Ready(program), Checked::Untrusted))
    }
}

/// What a host is started with.
struct HostFiles {
    launch: Launch,
    session: SessionId,
    /// The session's directory.
    directory: PathBuf,
    socket: PathBuf,
    /// The file mode mask for Claude.
    umask: Mode,
    key: Key,
}

impl HostFiles {
    fn new(
        shared: &Shared,
        order: &LaunchOrder,
        program: PathBuf,
        environment: BTreeMap<String, String>,
    ) -> Result<HostFiles, NoHost> {
        let mut variables: BTreeMap<OsString, OsString> =
            environment.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        let socket = shared.paths.host_socket(&order.session);
        let arguments = match order.spec.driver {
            Driver::Stream => stream::arguments(order).into_iter().map(OsString::from).collect(),
            Driver::Terminal => {
                let own = paths::own_program().map_err(|error| {
                    failed(format!("This program was not found: {error}."), order.session)
                })?;
                variables.insert(terminal::HOST_SOCKET.into(), socket.clone().into());
                terminal::arguments(order, &own)
            }
        };
        let fixed = match order.spec.driver {
            Driver::Stream => stream::ENVIRONMENT,
            Driver::Terminal => terminal::ENVIRONMENT,
        };
        for (name, value) in fixed {
            variables.insert(name.into(), value.into());
        }
        variables.insert(SESSION_MARK.into(), order.session.to_string().into());
        let launch = Launch {
            launch: order.launch,
            session: order.session.to_string(),
            floor: order.position.next,
            terminal: (order.spec.driver == Driver::Terminal).then_some(sizing(shared.config.terminal_size)),
            directory: order.spec.directory.clone().into(),
            program,
            arguments,
            environment: variables.into_iter().collect(),
        };
        let directory = shared.paths.session_dir(&order.session);
        let HostKey(key) = order.key;
        Ok(HostFiles {
            launch,
            session: order.session,
            directory,
            socket,
            umask: shared.umask,
            key: Key::new(key),
        })
    }

    /// Writes the launch file and starts the host.
    fn start(&self) -> Result<Child, Problem> {
        let failed = |message: String| failed(message, self.session).problem;
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.directory)
            .and_then(|()| self.launch.write(&self.directory.join(LAUNCH_FILE)))
            .map_err(|error| failed(format!("The session's files cannot be written: {error}.")))?;
        let program =
            paths::host_program().map_err(|error| failed(format!("areyouj-host was not found: {error}.")))?;
        let log =
            OpenOptions::new().create(true).append(true).mode(0o600).open(self.directory.join("host.log"));
        let log = log.map_err(|error| failed(format!("The host's log cannot be written: {error}.")))?;
        let key = self.key_to_read().map_err(|error| failed(format!("There is no pipe: {error}.")))?;
        Command::new(program)
            .arg(&self.directory)
            .arg(&self.socket)
            .env_clear()
            .env(areyouj_host::UMASK, format!("{:o}", self.umask.bits()))
            .current_dir("/")
            .stdin(key)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(|error| failed(format!("The session host cannot be started: {error}.")))
    }

    /// The host's standard input: the key, and nothing after it. A pipe has room for it.
    fn key_to_read(&self) -> io::Result<PipeReader> {
        let (reader, mut writer) = io::pipe()?;
        writer.write_all(self.key.bytes())?;
        Ok(reader)
    }
}

/// Returns when the host listens.
async fn wait_until_ready(mut child: Child, session: SessionId) -> Result<(), NoHost> {
    let failed = |message: String| failed(message, session);
    let output = child.stdout.take();
    let mut line = String::new();
    let mut read = Ok(());
    if let Some(output) = output {
        let mut output = AsyncBufReader::new(output.take(HOST_LINE_BYTES));
        read = match tokio::time::timeout(HOST_START_TIMEOUT, output.read_line(&mut line)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(failed(format!("The session host did not start: {error}."))),
            Err(_) => Err(failed("The session host did not start in time.".to_owned())),
        };
    }
    if read.is_err() {
        // It can still start Claude, which nothing would follow.
        let _ = child.kill().await;
        let mark = mark(session);
        let _ = tokio::task::spawn_blocking(move || tree::kill_marked(&mark)).await;
    } else {
        // Collects its exit status, however long it lives.
        tokio::spawn(async move {
            let _ = child.wait().await;
        });
    }
    read?;
    if line.trim_end() == "ready" {
        return Ok(());
    }
    let words = if line.trim().is_empty() { "it said nothing" } else { line.trim() };
    Err(failed(format!("The session host did not start: {words}.")))
}

fn sizing(size: TerminalSize) -> Sizing {
    match size {
        TerminalSize::Smallest => Sizing::Smallest,
        TerminalSize::Latest => Sizing::Latest,
    }
}

pub(super) fn failed(message: String, session: SessionId) -> NoHost {
    let remedy = Remedy::restart_after(session, "See host.log and the daemon's log.");
    let problem = Problem::new(ErrorCode::HostFailed, message, remedy);
    NoHost { problem, permanent: false }
}

/// What Claude's own record says, see [`ClaudeFiles::conversation`], and the place that was searched. A record that stays
/// unreadable is assumed to hold everything, so that no message runs twice.
pub(super) async fn inspect(
    shared: Arc<Shared>,
    session: SessionId,
    directory: String,
    claude_session: Uuid,
    messages: Vec<MessageId>,
) -> (ConversationState, Vec<MessageId>, String) {
    for _ in 0..RECORD_ATTEMPTS {
        let (directory, asked) = (directory.clone(), messages.clone());
        let read = async {
            let environment = shared.environment(session)?;
            let home = home_of(&environment, &directory);
            let read = move || {
                let files = ClaudeFiles::of(&environment, &directory);
                let read = files.conversation(claude_session, &asked);
                let placed = read.map(|(conversation, seen)| (conversation, seen, files.place()));
                Ok(placed.map_err(|error| error.to_string()))
            };
            shared.gate.run(Kind::Inspect, home, read).await
        };
        match read.await {
            Ok(Ok(inspected)) => return inspected,
            Ok(Err(error)) => tracing::warn!(%session, error, "Claude's record cannot be read"),
            Err(problem) => {
                tracing::warn!(%session, problem = %problem.message, "Claude's record cannot be read");
            }
        }
        tokio::time::sleep(RECORD_PAUSE).await;
    }
    (ConversationState::Begun, messages, String::new())
}
