//! Telling a client what is wrong while nobody can serve it.

use std::time::Duration;

use areyouj_protocol::rpc;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::framing::{Incoming, error_frame, read_body};
use crate::orchestrator::Problem;

/// How long a client may take to ask and to read the answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Answers this client's first request with the problem, and hangs up.
pub(super) async fn refuse(stream: UnixStream, problem: Problem) {
    let ours = nix::unistd::geteuid().as_raw();
    if stream.peer_cred().is_ok_and(|peer| peer.uid() == ours) {
        // Whoever does not ask or does not read gets no answer.
        let _ = timeout(PATIENCE, answer(stream, &problem)).await;
    }
}

async fn answer(stream: UnixStream, problem: &Problem) -> std::io::Result<()> {
    let (input, mut output) = stream.into_split();
    let mut input = BufReader::new(input);
    while let Some(body) = read_body(&mut input).await? {
        if let Ok(Incoming { id: Some(id), method: Some(_), .. }) = serde_json::from_slice(&body) {
            output.write_all(&error_frame(&id, rpc::REFUSED, problem, false)).await?;
            return output.shutdown().await;
        }
    }
    Ok(())
}
