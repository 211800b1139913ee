//! Where a session's Claude is.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::config;
use areyouj_core::orchestrator::Problem;

/// The Claude executable for a session with this environment.
pub(in crate::daemon) fn find_claude(
    environment: &BTreeMap<String, String>,
    configured: Option<&Path>,
) -> Result<PathBuf, Problem> {
    let found = config::find_claude(|name| environment.get(name).map(OsString::from), configured);
    found.map(|(path, _)| path).map_err(|missing| {
        Problem::new(missing.code(), format!("Claude was not found: {missing}."), missing.remedy())
    })
}
