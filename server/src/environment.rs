//! What a new session gets of its creator's environment.

use std::collections::BTreeMap;

/// Variables that a program sets for its own children: an editor, and a Claude that runs a command. A session outlives
/// them, and a Claude that finds them takes itself for a part of them.
const OF_THE_CREATOR: &[&str] = &[
    "CHROME_DESKTOP",
    "CLAUDECODE",
    "CLAUDE_CODE_ENTRYPOINT",
    "CLAUDE_CODE_SSE_PORT",
    "CODE_SERVER_*",
    "ELECTRON_*",
    "MYVIMDIR",
    "MYVIMRC",
    "NODE_CHANNEL_FD",
    "NVIM",
    "NVIM_LISTEN_ADDRESS",
    "NVIM_LOG_FILE",
    "NVIM_SYSTEM_RPLUGIN_MANIFEST",
    "ORIGINAL_XDG_CURRENT_DESKTOP",
    "VIM",
    "VIMRUNTIME",
    "VSCODE_*",
];

/// The default of `environment_deny`: what unlocks a password store or types a password for one command.
pub const DENIED: &[&str] = &["BW_SESSION", "OP_SESSION_*", "SSHPASS"];

/// Which variables a new session gets. A pattern is a name in which `*` means any characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentPolicy {
    allow: Vec<String>,
    deny: Vec<String>,
}

impl EnvironmentPolicy {
    /// The policy with these patterns: every variable by default, except the [`DENIED`] ones.
    pub fn new(allow: Option<Vec<String>>, deny: Option<Vec<String>>) -> EnvironmentPolicy {
        EnvironmentPolicy {
            allow: allow.unwrap_or_else(|| vec!["*".to_owned()]),
            deny: deny.unwrap_or_else(|| DENIED.iter().map(|name| (*name).to_owned()).collect()),
        }
    }

    /// The part of the environment that a session gets.
    pub fn apply(&self, environment: BTreeMap<String, String>) -> BTreeMap<String, String> {
        environment.into_iter().filter(|(name, _)| self.keeps(name)).collect()
    }

    fn keeps(&self, name: &str) -> bool {
        let any = |patterns: &[String]| patterns.iter().any(|pattern| matches(pattern, name));
        any(&self.allow) && !any(&self.deny) && !OF_THE_CREATOR.iter().any(|pattern| matches(pattern, name))
    }
}

/// Whether this can be a pattern of names of variables.
pub fn is_pattern(text: &str) -> bool {
    !text.is_empty() && !text.contains(['=', '\0'])
}

/// Whether the name fits the pattern. The parts between the stars are searched in order, which needs no backtracking.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = name.find(part) else { return false };
        name = &name[at + part.len()..];
    }
    name.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(allow: Option<&[&str]>, deny: Option<&[&str]>, names: &[&str]) -> Vec<String> {
        let owned = |patterns: &[&str]| patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        let policy = EnvironmentPolicy::new(allow.map(owned), deny.map(owned));
        let environment = names.iter().map(|name| ((*name).to_owned(), "value".to_owned()));
        policy.apply(environment.collect()).into_keys().collect()
    }

    #[test]
    fn a_session_gets_everything_but_one_off_secrets_and_what_belongs_to_its_creator() {
        let names = [
            "BW_SESSION",
            "CLAUDECODE",
            "GITHUB_TOKEN",
            "HOME",
            "NVIM",
            "OP_SESSION_my",
            "PATH",
            "SSHPASS",
            "VSCODE_IPC_HOOK",
        ];
        assert_eq!(kept(None, None, &names), ["GITHUB_TOKEN", "HOME", "PATH"]);
    }

    #[test]
    fn lists_replace_the_defaults_and_denied_variables_win() {
        let names = ["AWS_KEY", "AWS_REGION", "BW_SESSION", "HOME", "NVIM", "PATH"];
        assert_eq!(kept(None, Some(&["AWS_*"]), &names), ["BW_SESSION", "HOME", "PATH"]);
        assert_eq!(kept(Some(&["HOME", "AWS_*"]), Some(&["*_KEY"]), &names), ["AWS_REGION", "HOME"]);
        assert_eq!(kept(Some(&["NVIM"]), Some(&[]), &names), [""; 0]);
    }

    #[test]
    fn a_star_means_any_characters() {
        for (pattern, name) in [
            ("PATH", "PATH"),
            ("*", ""),
            ("*", "PATH"),
            ("A*", "A"),
            ("A*Z", "AXYZ"),
            ("A*B*C", "A-B-B-C"),
            ("*TOKEN*", "MY_TOKEN_2"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("PATH", "PATHS"), ("A*", "BA"), ("A*A", "A"), ("A*B*C", "ACB"), ("*TOKEN", "TOKENS")]
        {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }
}
