//! What a connected client sees of sessions: the moments at which they come to a status.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::client::Client;

/// How long it may take until something that is sure to happen is seen.
const EVENT_TIMEOUT: Duration = Duration::from_secs(120);

/// Waits until that many sessions have come to this status; when each did, counted from `begun`.
pub(crate) fn arrivals(
    client: &mut Client,
    status: &str,
    count: usize,
    begun: Instant,
) -> Result<Vec<Duration>> {
    let mut arrived = Vec::new();
    while arrived.len() < count {
        ensure!(begun.elapsed() < EVENT_TIMEOUT, "{} of {count} sessions came to {status}", arrived.len());
        let frame = client.frame()?;
        let seen = begun.elapsed();
        let told: Value = serde_json::from_slice(frame)?;
        if told["method"] == "areyouj/sessionStatusChanged" && told["params"]["status"] == status {
            arrived.push(seen);
        }
    }
    Ok(arrived)
}
