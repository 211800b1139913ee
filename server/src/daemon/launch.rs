//! Starting a host, and looking into Claude's own record of a conversation.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader as AsyncBufReader};
use tokio::process::Command;
use uuid::Uuid;

use super::{Shared, checks};
use crate::client::start::SESSION_MARK;
use crate::driver::stream;
use crate::host::launch::Launch;
use crate::host::tree;
use crate::orchestrator::{LaunchOrder, MessageId, Problem, SessionId};
use crate::paths;

/// A host starts in a few milliseconds; on a machine that swaps, in seconds.
const HOST_START: Duration = Duration::from_secs(15);

/// How often Claude's record is tried to be read, and the time in between: descriptors may be free again by then.
const RECORD_TRIES: u32 = 10;
const RECORD_PAUSE: Duration = Duration::from_secs(1);

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
    let mut line = String::new();
    let mut said = Ok(());
    if let Some(output) = output {
        let mut output = AsyncBufReader::new(output.take(HOST_LINE));
        said = match tokio::time::timeout(HOST_START, output.read_line(&mut line)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(failed(format!("The session host did not start: {error}."))),
            Err(_) => Err(failed("The session host did not start in time.".to_owned())),
        };
    }
    if said.is_err() {
        // It may start Claude yet, and nobody would know of it.
        let _ = child.kill().await;
        let mark = mark(order.session);
        let _ = tokio::task::spawn_blocking(move || tree::kill_marked(&mark)).await;
    } else {
        // Somebody has to wait for it, however long it lives.
        tokio::spawn(async move {
            let _ = child.wait().await;
        });
    }
    said?;
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

/// What Claude's own record says, see [`read_record`]. A record that cannot be read for long is taken to hold
/// everything: what may have begun is not begun again by itself.
pub(super) async fn inspect(
    shared: Arc<Shared>,
    session: SessionId,
    claude_session: Uuid,
    messages: Vec<MessageId>,
) -> (bool, Vec<MessageId>) {
    for _ in 0..RECORD_TRIES {
        let (shared, asked) = (Arc::clone(&shared), messages.clone());
        let read = tokio::task::spawn_blocking(move || {
            let environment = shared.environment(session).map_err(|problem| problem.message)?;
            read_record(&environment, claude_session, &asked).map_err(|error| error.to_string())
        });
        match read.await {
            Ok(Ok(inspected)) => return inspected,
            Ok(Err(error)) => tracing::warn!(%session, error, "Claude's record cannot be read"),
            Err(error) => tracing::error!(%session, %error, "Claude's record cannot be read"),
        }
        tokio::time::sleep(RECORD_PAUSE).await;
    }
    (true, messages)
}

/// Whether Claude's own record has the conversation, and which of these messages are in it.
fn read_record(
    environment: &BTreeMap<String, String>,
    claude_session: Uuid,
    messages: &[MessageId],
) -> io::Result<(bool, Vec<MessageId>)> {
    let Some(record) = conversation_record(environment, claude_session)? else {
        return Ok((false, Vec::new()));
    };
    let file = fs::File::open(&record)?;
    let mut conversation = false;
    let mut seen = Vec::new();
    for line in BufReader::new(file).split(b'\n') {
        let line = line?;
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
    Ok((conversation, seen))
}

fn conversation_record(
    environment: &BTreeMap<String, String>,
    claude_session: Uuid,
) -> io::Result<Option<PathBuf>> {
    let set = |name: &str| environment.get(name).filter(|value| !value.is_empty());
    let config = set("CLAUDE_CONFIG_DIR")
        .map(PathBuf::from)
        .or_else(|| set("HOME").map(|home| Path::new(home).join(".claude")));
    let Some(config) = config else { return Ok(None) };
    let name = format!("{claude_session}.jsonl");
    // Claude derives the folder from the directory in a way of its own; the name of the file is enough.
    let folders = match fs::read_dir(config.join("projects")) {
        Ok(folders) => folders,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    for folder in folders {
        let record = folder?.path().join(&name);
        match fs::metadata(&record) {
            Ok(metadata) if metadata.is_file() => return Ok(Some(record)),
            Err(error) if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Err(error);
            }
            _ => {}
        }
    }
    Ok(None)
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
        assert_eq!(read_record(&environment, conversation, &[begun]).unwrap(), (false, vec![]));
        fs::write(&record, "{\"type\":\"mode\"}\n").unwrap();
        assert_eq!(read_record(&environment, conversation, &[begun]).unwrap(), (false, vec![]));
        fs::write(&record, format!("{{\"type\":\"user\",\"uuid\":\"{begun}\"}}\nnot json\n")).unwrap();
        assert_eq!(read_record(&environment, conversation, &[begun, waiting]).unwrap(), (true, vec![begun]));
    }
}
