//! AreYouJ: many Claude Code sessions, one per project directory, controlled from the editor.
//!
//! One library, two programs: `areyouj` (command line, sidecar and daemon) and `areyouj-host` (one small process per
//! session that owns Claude). ARCHITECTURE.md describes the structure.

pub mod cli;
pub mod client;
pub mod config;
pub mod daemon;
pub mod edge;
pub mod environment;
mod file_uri;
#[cfg(feature = "fuzzing")]
pub mod fuzz;
pub mod ownership;
pub mod paths;
pub mod rpc;
#[cfg(test)]
mod texts;
