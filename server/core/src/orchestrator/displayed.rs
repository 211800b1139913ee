//! A permission request as it is displayed, and the digest by which an answer names what was displayed.

use std::fmt::Write as _;

use areyouj_protocol::DisplaySection;
use hmac_sha256::Hash;
use serde_json::Value;

use super::{Answer, PermissionKind, PermissionRequest, PermissionRow};
use crate::text::{always, controls, display, trust};

/// The beginning of what is hashed. It changes with the meaning of the parts that follow.
const DIGEST_VERSION: &str = "areyouj permission request 1";

/// A permission request as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Displayed {
    /// Everything that it would run.
    pub sections: Vec<DisplaySection>,
    /// Identifies the request, its sections and the input that Claude gets: hexadecimal SHA-256.
    pub digest: String,
    /// It appears to run AreYouJ itself.
    pub controls_areyouj: bool,
}

impl PermissionRow {
    /// The request as people see it.
    pub fn displayed(&self) -> Displayed {
        let request = &self.request;
        let sections = match request.kind {
            PermissionKind::Trust => trust::sections(request.input.shown()),
            PermissionKind::Tool | PermissionKind::Question | PermissionKind::Plan => {
                display::sections(&request.tool, request.input.shown())
            }
        };
        let sections = match &request.plan {
            Some(plan) => display::with_plan(sections, plan),
            None if request.kind == PermissionKind::Plan => display::without_plan(sections),
            None => sections,
        };
        let controls_areyouj = request.controls_areyouj();
        let mut digest = Digest::new();
        digest.part(DIGEST_VERSION);
        digest.part(&self.id.to_string());
        digest.part(&request.tool);
        digest.part(&request.title);
        digest.part(&request.input.text());
        digest.part(&Value::from(request.suggestions.clone()).to_string());
        digest.part(if controls_areyouj { "controls" } else { "" });
        for section in &sections {
            digest.section(section);
        }
        Displayed { sections, digest: digest.hexadecimal(), controls_areyouj }
    }

    /// What the answer allowed for later calls, and where Claude stores it, one line for each suggestion.
    pub fn granted(&self) -> Vec<String> {
        match &self.answer {
            Some(Answer::AllowAlways { suggestions }) => {
                let applied = always::applied(&self.request.suggestions, suggestions.as_deref());
                always::granted(&self.request.suggestions, &applied.unwrap_or_default())
            }
            _ => Vec::new(),
        }
    }
}

impl PermissionRequest {
    /// Whether the request appears to run AreYouJ itself. It is never allowed always.
    pub fn controls_areyouj(&self) -> bool {
        controls::controls_areyouj(&self.tool, self.input.shown())
    }
}

/// A hash of parts. The length of each part is hashed too, so that no two sequences of parts are the same.
struct Digest(Hash);

impl Digest {
    fn new() -> Digest {
        Digest(Hash::new())
    }

    fn part(&mut self, part: &str) {
        self.0.update((part.len() as u64).to_be_bytes());
        self.0.update(part);
    }

    fn section(&mut self, section: &DisplaySection) {
        self.part(&section.label);
        self.part(section.pointer.as_deref().unwrap_or_default());
        self.0.update([section.style as u8]);
        self.0.update((section.segments.len() as u64).to_be_bytes());
        for segment in &section.segments {
            self.0.update([segment.kind as u8]);
            self.part(&segment.text);
            self.part(segment.displayed());
        }
    }

    fn hexadecimal(self) -> String {
        self.0.finalize().iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::orchestrator::{PermissionState, ToolInput};

    fn row(id: &str, tool: &str, input: &str, suggestions: Vec<Value>) -> PermissionRow {
        PermissionRow {
            id: id.parse().unwrap(),
            launch: 1,
            request: PermissionRequest {
                request_id: "r".to_owned(),
                kind: PermissionKind::Tool,
                tool: tool.to_owned(),
                input: ToolInput::parse(input).unwrap(),
                title: "Run".to_owned(),
                suggestions,
                tool_use_id: None,
                plan: None,
            },
            created_at: 1,
            state: PermissionState::Open,
            answered_by: None,
            answer: None,
            delivered: false,
        }
    }

    #[test]
    fn the_hash_is_sha_256() {
        let mut hash = Hash::new();
        hash.update("abc");
        assert_eq!(
            Digest(hash).hexadecimal(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn any_difference_changes_the_digest() {
        let deep = |inside: &str| format!(r#"{{"a":{}{inside}{}}}"#, "[".repeat(100), "]".repeat(100));
        let rows = [
            row("K7M2Q9XD-1", "Bash", r#"{"command":"ls"}"#, vec![]),
            row("K7M2Q9XD-2", "Bash", r#"{"command":"ls"}"#, vec![]),
            row("K7M2Q9XD-1", "mcp__a__Bash", r#"{"command":"ls"}"#, vec![]),
            row("K7M2Q9XD-1", "Bash", r#"{"command":"ls "}"#, vec![]),
            row("K7M2Q9XD-1", "Bash", r#"{"command":"ls","b":1}"#, vec![]),
            row("K7M2Q9XD-1", "Bash", r#"{"b":1,"command":"ls"}"#, vec![]),
            row("K7M2Q9XD-1", "Bash", r#"{"command":"ls","b":"1"}"#, vec![]),
            row("K7M2Q9XD-1", "Bash", r#"{"command":"ls"}"#, vec!["x".into()]),
            row("K7M2Q9XD-1", "Bash", &deep("1"), vec![]),
            row("K7M2Q9XD-1", "Bash", &deep("2"), vec![]),
            row("K7M2Q9XD-1", "Bash", &deep(" 2"), vec![]),
        ];
        let digests: HashSet<String> = rows.iter().map(|row| row.displayed().digest).collect();
        assert_eq!(digests.len(), rows.len());
        assert!(digests.iter().all(|digest| digest.len() == 64));
        assert_eq!(rows[0].displayed(), rows[0].clone().displayed());
    }

    #[test]
    fn what_always_granted_is_known_after_the_answer() {
        let rule = serde_json::json!({"type": "addRules", "behavior": "allow", "destination": "session",
            "rules": [{"toolName": "Bash", "ruleContent": "ls"}]});
        let mut row = row("K7M2Q9XD-1", "Bash", "{}", vec![rule]);
        assert_eq!(row.granted(), Vec::<String>::new());
        row.answer = Some(Answer::AllowAlways { suggestions: None });
        assert_eq!(row.granted(), ["Bash(ls), for this session only"]);
        row.answer = Some(Answer::Allow);
        assert_eq!(row.granted(), Vec::<String>::new());
    }
}
