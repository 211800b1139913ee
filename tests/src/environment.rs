//! The environment in which Claude sees nothing of the person's own and reaches nothing but the scripted API.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::json;

/// The key that the scripted API is called with; it opens nothing.
const API_KEY: &str = "sk-ant-test-key-of-the-scripted-api";

/// How much of a key Claude keeps to remember that the person approved of it.
const APPROVED_CHARACTERS: usize = 20;

/// Nothing listens here: whatever tries to leave loopback is refused at once.
const CLOSED_PROXY: &str = "http://127.0.0.1:9";

/// Where in a person's home the projects are.
pub const PROJECTS: &str = "projects";

/// All variables, and the directories that they name, made below `root`. Onboarding is settled beforehand.
///
/// # Errors
/// When the directories cannot be made.
pub fn isolated(root: &Path, api: &str) -> Result<BTreeMap<String, OsString>> {
    let user = root.join("user");
    let config = user.join(".claude");
    let temporary = root.join("tmp");
    for directory in [&config, &temporary] {
        fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
    }
    let approved = &API_KEY[API_KEY.len() - APPROVED_CHARACTERS..];
    // What is below is trusted, too.
    let trusted = user.join(PROJECTS);
    let settled = json!({
        "hasCompletedOnboarding": true,
        "projects": { trusted.to_string_lossy(): { "hasTrustDialogAccepted": true } },
        "customApiKeyResponses": { "approved": [approved], "rejected": [] },
    });
    fs::write(config.join(".claude.json"), settled.to_string())?;
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
        // Claude refuses some modes to root outside of a sandbox.
        ("IS_SANDBOX", "1".into()),
        ("HTTPS_PROXY", CLOSED_PROXY.into()),
        ("NO_PROXY", "127.0.0.1,localhost".into()),
    ];
    Ok(variables.map(|(name, value)| (name.to_owned(), value)).into())
}
