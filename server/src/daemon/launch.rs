//! Starting a host, and looking into Claude's own record of a conversation.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader as AsyncBufReader};
use tokio::process::Command;
use uuid::Uuid;

use super::{Shared, checks};
use crate::client::start::SESSION_MARK;
use crate::driver::stream;
use crate::host::launch::Launch;
use crate::orchestrator::{LaunchOrder, MessageId, Problem, SessionId};
use crate::paths;

/// A host starts in a few milliseconds; on a machine that swaps, in seconds.
const HOST_START: Duration = Duration::from_secs(15);

/// Longest first line of a host.
const HOST_LINE: u64 = 4_096;

/// The mark of this session's processes, as it stands in their environment.
pub(super) fn mark(session: SessionId) -> String {
    format!("{SESSION_MARK}={session}")
}

/// Why there is no host.
pub(super) struct NoHost {
    pub(super) problem: Problem,
    /// Trying again by itself makes no sense.
    pub(super) permanent: bool,
}

/// Starts the host of this launch; returns when it listens.
pub(super) async fn start(shared: &Shared, order: &LaunchOrder) -> Result<(), NoHost> {
    let environment =
        shared.environment(order.session).map_err(|problem| NoHost { problem, permanent: false })?;
    let prepared = prepare(shared, order, environment)?;
    spawn(shared, order, &prepared).await
}

fn prepare(
    shared: &Shared,
    order: &LaunchOrder,
    environment: BTreeMap<String, String>,
) -> Result<PathBuf, NoHost> {
    let permanent = |problem: Problem| {
        let hint = format!("{} Then: areyouj restart {}", problem.hint, order.session);
        NoHost { problem: Problem { hint, ..problem }, permanent: true }
    };
    checks::check_directory(&order.directory).map_err(permanent)?;
    let program = checks::find_claude(&environment, shared.config.claude.as_deref()).map_err(permanent)?;
    let mut variables: BTreeMap<OsString, OsString> =
        environment.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
    for (name, value) in stream::ENVIRONMENT {
        variables.insert(name.into(), value.into());
    }
    variables.insert(SESSION_MARK.into(), order.session.to_string().into());
    let launch = Launch {
        launch: order.launch,
        session: order.session.to_string(),
        floor: order.position.next,
        directory: order.directory.clone().into(),
        program,
        arguments: stream::arguments(order).into_iter().map(OsString::from).collect(),
        environment: variables.into_iter().collect(),
    };
    let directory = shared.paths.session_dir(&order.session);
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&directory)
        .and_then(|()| launch.write(&directory.join("launch")))
        .map_err(|error| failed(format!("The session's files cannot be written: {error}."), order.session))?;
    Ok(directory)
}

async fn spawn(shared: &Shared, order: &LaunchOrder, directory: &Path) -> Result<(), NoHost> {
    let failed = |message: String| failed(message, order.session);
    let program =
        paths::host_program().map_err(|error| failed(format!("areyouj-host was not found: {error}.")))?;
    let log = OpenOptions::new().create(true).append(true).mode(0o600).open(directory.join("host.log"));
    let log = log.map_err(|error| failed(format!("The host's log cannot be written: {error}.")))?;
    let mut child = Command::new(program)
        .arg(directory)
        .arg(shared.paths.host_socket(&order.session))
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .map_err(|error| failed(format!("The session host cannot be started: {error}.")))?;
    let output = child.stdout.take();
    // Somebody has to wait for it, however long it lives.
    tokio::spawn(async move {
        let _ = child.wait().await;
    });
    let mut line = String::new();
    if let Some(output) = output {
        let mut output = AsyncBufReader::new(output.take(HOST_LINE));
        match tokio::time::timeout(HOST_START, output.read_line(&mut line)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(failed(format!("The session host did not start: {error}."))),
            Err(_) => return Err(failed("The session host did not start in time.".to_owned())),
        }
    }
    if line.trim_end() == "ready" {
        return Ok(());
    }
    let words = if line.trim().is_empty() { "it said nothing" } else { line.trim() };
    Err(failed(format!("The session host did not start: {words}.")))
}

fn failed(message: String, session: SessionId) -> NoHost {
    let hint = format!("See host.log and the daemon's log, then try again with: areyouj restart {session}");
    let problem = Problem { code: "host_failed".to_owned(), message, hint, log: None };
    NoHost { problem, permanent: false }
}

/// What Claude's own record says: whether it has the conversation, and which of these messages are in it.
pub(super) fn inspect(
    environment: &BTreeMap<String, String>,
    claude_session: Uuid,
    messages: &[MessageId],
) -> (bool, Vec<MessageId>) {
    let Some(record) = conversation_record(environment, claude_session) else { return (false, Vec::new()) };
    let Ok(file) = fs::File::open(&record) else { return (false, Vec::new()) };
    let mut conversation = false;
    let mut seen = Vec::new();
    for line in BufReader::new(file).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        if !line.contains("\"type\":\"user\"") {
            continue;
        }
        conversation = true;
        seen.extend(messages.iter().filter(|id| line.contains(&id.to_string())));
        if messages.is_empty() {
            break;
        }
    }
    (conversation, seen)
}

fn conversation_record(environment: &BTreeMap<String, String>, claude_session: Uuid) -> Option<PathBuf> {
    let set = |name: &str| environment.get(name).filter(|value| !value.is_empty());
    let config = set("CLAUDE_CONFIG_DIR")
        .map(PathBuf::from)
        .or_else(|| set("HOME").map(|home| Path::new(home).join(".claude")))?;
    let name = format!("{claude_session}.jsonl");
    // Claude derives the folder from the directory in a way of its own; the name of the file is enough.
    let folders = fs::read_dir(config.join("projects")).ok()?;
    folders.filter_map(Result::ok).map(|folder| folder.path().join(&name)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claudes_own_record_tells_what_had_begun() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("projects/-some-where");
        fs::create_dir_all(&folder).unwrap();
        let environment =
            BTreeMap::from([("CLAUDE_CONFIG_DIR".to_owned(), home.path().to_str().unwrap().to_owned())]);
        let conversation = Uuid::from_u128(1);
        let (begun, waiting) = (Uuid::from_u128(2), Uuid::from_u128(3));
        let record = folder.join(format!("{conversation}.jsonl"));
        assert_eq!(inspect(&environment, conversation, &[begun]), (false, vec![]));
        fs::write(&record, "{\"type\":\"mode\"}\n").unwrap();
        assert_eq!(inspect(&environment, conversation, &[begun]), (false, vec![]));
        fs::write(&record, format!("{{\"type\":\"user\",\"uuid\":\"{begun}\"}}\nnot json\n")).unwrap();
        assert_eq!(inspect(&environment, conversation, &[begun, waiting]), (true, vec![begun]));
    }
}
