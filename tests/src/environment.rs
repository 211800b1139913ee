//! An environment that isolates Claude from the user's settings, and in which it can reach only the scripted API.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::json;

/// The API key for the scripted API; it is not a real key.
const API_KEY: &str = "sk-ant-test-key-of-the-scripted-api";

/// The number of characters at the end of a key by which Claude remembers that the user approved it.
const APPROVED_CHARACTERS: usize = 20;

/// Nothing listens on this address: connections beyond loopback fail immediately.
const CLOSED_PROXY: &str = "http://127.0.0.1:9";

/// The directory of projects in the user's home.
pub const PROJECTS: &str = "projects";

/// Creates the directories below `root`, and returns all variables. Claude's onboarding is already completed.
///
/// # Errors
/// If the directories cannot be created.
pub fn isolated(root: &Path, api: &str) -> Result<BTreeMap<String, OsString>> {
    let user = root.join("user");
    let config = user.join(".claude");
    let temporary = root.join("tmp");
    for directory in [&config, &temporary] {
        fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
    }
    let approved = &API_KEY[API_KEY.len() - APPROVED_CHARACTERS..];
    // Directories below it are trusted, too.
    let trusted = user.join(PROJECTS);
    let settings = json!({
        "hasCompletedOnboarding": true,
        "projects": { trusted.to_string_lossy(): { "hasTrustDialogAccepted": true } },
        "customApiKeyResponses": { "approved": [approved], "rejected": [] },
    });
    fs::write(config.join(".claude.json"), settings.to_string())?;
    let variables: [(&str, OsString); 16] = [
        ("PATH", "/usr/local/bin:/usr/bin:/bin".into()),
        ("HOME", user.into()),
        ("SHELL", "/bin/bash".into()),
        ("LANG", "C.UTF-8".into()),
        ("TMPDIR", temporary.clone().into()),
        ("CLAUDE_CODE_TMPDIR", temporary.into()),
        ("CLAUDE_CONFIG_DIR", config.into()),
        ("ANTHROPIC_API_KEY", API_KEY.into()),
        ("ANTHROPIC_BASE_URL", api.into()),
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1".into()),
        ("DISABLE_AUTOUPDATER", "1".into()),
        ("DISABLE_TELEMETRY", "1".into()),
        ("DISABLE_ERROR_REPORTING", "1".into()),
        // Claude rejects some modes for root outside of a sandbox.
        ("IS_SANDBOX", "1".into()),
        ("HTTPS_PROXY", CLOSED_PROXY.into()),
        ("NO_PROXY", "127.0.0.1,localhost".into()),
    ];
    Ok(variables.map(|(name, value)| (name.to_owned(), value)).into())
}
