//! Drivers: how to start a session's Claude, how to write to it, and what its output means.
//!
//! A driver encodes the orchestrator's input for Claude ([`stream::encode`], [`terminal::encode`]) and decodes Claude's
//! output into facts; [`ingest`] does the latter for a whole journal. A driver decides nothing.

pub mod digest;
pub mod ingest;
mod json;
pub mod lines;
pub mod stream;
pub mod terminal;
