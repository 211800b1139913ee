//! Measures when a connected client receives the status changes of sessions.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::client::Client;

/// The deadline for an event that must happen.
const EVENT_TIMEOUT: Duration = Duration::from_secs(120);

/// Waits until this many sessions have reached this status; returns the time of each since `begun`.
pub(crate) fn arrivals(
    client: &mut Client,
    status: &str,
    count: usize,
    begun: Instant,
) -> Result<Vec<Duration>> {
    let mut arrived = Vec::new();
    while arrived.len() < count {
        ensure!(begun.elapsed() < EVENT_TIMEOUT, "{} of {count} sessions reached {status}", arrived.len());
        let frame = client.frame()?;
        let elapsed = begun.elapsed();
        let notification: Value = serde_json::from_slice(frame)?;
        if notification["method"] == "areyouj/sessionStatusChanged"
            && notification["params"]["status"] == status
        {
            arrived.push(elapsed);
        }
    }
    Ok(arrived)
}
