//! AreYouJ: many Claude Code sessions, one per project directory, run and watched from the editor.
//!
//! One library, two programs: `areyouj` (command line, sidecar and daemon) and `areyouj-host` (one small process per
//! session that owns Claude). ARCHITECTURE.md tells how the parts fit.

pub mod cli;
pub mod client;
pub mod config;
pub mod daemon;
pub mod edge;
mod file_uri;
#[cfg(feature = "fuzzing")]
pub mod fuzz;
pub mod paths;
pub mod rpc;
#[cfg(test)]
mod texts;
