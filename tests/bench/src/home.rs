//! A separate daemon for a row, with sessions that run the Claude stand-in.

use std::fs;

use anyhow::{Context, Result};
use areyouj_tests::home::TestHome;

/// A home with a running daemon that allows this many active sessions. `mode` is the mode of the stand-in.
pub(crate) fn start_daemon(mode: &str, sessions: usize) -> Result<TestHome> {
    let home = TestHome::with_stand_in(mode);
    let directory = home.path().join("config");
    fs::create_dir_all(&directory)?;
    fs::write(directory.join("config.toml"), format!("max_active_sessions = {}\n", sessions.max(1)))?;
    home.ok(&["daemon", "start"]);
    Ok(home)
}

/// Creates this many idle sessions; returns their ids.
pub(crate) fn idle_sessions(home: &TestHome, count: usize) -> Vec<String> {
    let ids: Vec<String> =
        (0..count).map(|number| home.new_session(&home.project(&format!("project-{number}")), &[])).collect();
    ids.iter().for_each(|id| home.wait(id, "idle"));
    ids
}

/// The private memory of this process, in bytes.
pub(crate) fn private_memory(pid: i32) -> Result<u64> {
    let path = format!("/proc/{pid}/smaps_rollup");
    let rollup = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let kilobytes = |name: &str| -> u64 {
        let line = rollup.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    };
    Ok((kilobytes("Private_Clean:") + kilobytes("Private_Dirty:")) * 1024)
}
