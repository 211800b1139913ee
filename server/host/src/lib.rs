//! The session host: one small process per launch of Claude, which outlives daemon and editor.
//!
//! It owns Claude's pipes and process tree, appends every byte in and out to the session's journal before it acts on
//! it, and serves one daemon at a time on a socket. It does not interpret the bytes. It has one thread and one poll
//! loop; it wakes for events only and keeps no memory that it does not need at the moment, because one host runs per
//! session.

mod connection;
pub mod descriptors;
#[cfg(feature = "fuzzing")]
pub mod fuzz;
mod hooks;
pub mod key;
pub mod key_classes;
pub mod launch;
pub mod memory;
mod newcomers;
pub mod peer;
mod process;
mod recorder;
pub mod screen;
pub mod sequences;
mod serve;
mod setup;
mod terminal;
pub mod tree;
pub mod wire;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use setup::Failure;
pub use setup::UMASK;

/// The columns and rows of a terminal that had no viewer yet.
pub fn terminal_size() -> (u16, u16) {
    (terminal::SIZE.columns, terminal::SIZE.rows)
}

/// The exit status when another host has the session.
const LOCKED: u8 = 3;

/// Runs the host of the session whose files are in this directory until its daemon releases it. Owns the whole
/// process: its descriptors, signals and children. Call it before anything else.
///
/// Prints `ready` on standard output, and closes it, once the socket accepts connections and Claude's start has
/// succeeded or failed; otherwise `locked` or `error: …`. Later errors go to standard error.
pub fn run(session_dir: &Path, socket: &Path) -> ExitCode {
    let host = match setup::host(session_dir, socket) {
        Ok(host) => host,
        Err(Failure::Locked) => {
            say("locked");
            return ExitCode::from(LOCKED);
        }
        Err(Failure::Error(error)) => {
            say(&format!("error: {error}"));
            return ExitCode::FAILURE;
        }
    };
    say("ready");
    match setup::close_stdout().and_then(|()| host.serve()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log(&format!("the host ends: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Notifies the process that started this host, which need not read it.
fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// Writes a line to the host's log. A log that cannot be written must not end a session.
fn log(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
