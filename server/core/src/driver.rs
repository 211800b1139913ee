//! Drivers: how a session's Claude is started, spoken to and understood.
//!
//! A driver puts what the orchestrator wants into Claude's words ([`stream::encode`], [`terminal::encode`]) and reads facts
//! out of what Claude says; [`ingest`] does the latter for a whole journal. A driver decides nothing.

pub mod ingest;
mod json;
pub mod lines;
pub mod stream;
pub mod terminal;
