//! A daemon of its own for a row, with sessions that run the stand-in for Claude.

use std::fs;

use anyhow::{Context, Result};
use areyouj_tests::home::TestHome;

/// A home whose daemon runs and allows that many sessions at a time. `mode` is the stand-in's.
pub(crate) fn serving(mode: &str, sessions: usize) -> Result<TestHome> {
    let home = TestHome::with_stand_in(mode);
    let directory = home.path().join("config");
    fs::create_dir_all(&directory)?;
    fs::write(directory.join("config.toml"), format!("max_active_sessions = {}\n", sessions.max(1)))?;
    home.ok(&["daemon", "start"]);
    Ok(home)
}

/// That many idle sessions; their ids.
pub(crate) fn idle_sessions(home: &TestHome, count: usize) -> Vec<String> {
    let ids: Vec<String> =
        (0..count).map(|number| home.new_session(&home.project(&format!("project-{number}")), &[])).collect();
    ids.iter().for_each(|id| home.wait(id, "idle"));
    ids
}

/// The memory that only this process has, in bytes.
pub(crate) fn private_memory(pid: i32) -> Result<u64> {
    let path = format!("/proc/{pid}/smaps_rollup");
    let rollup = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let kilobytes = |name: &str| -> u64 {
        let line = rollup.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    };
    Ok((kilobytes("Private_Clean:") + kilobytes("Private_Dirty:")) * 1024)
}
