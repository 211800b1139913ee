//! Whether a command appears to run AreYouJ itself. This is a mark for people and rules out "always". It is no
//! protection: a command can run a program in ways that its text does not show.

use serde_json::Value;

/// The names of our programs.
const PROGRAMS: [&str; 2] = ["areyouj", "areyouj-host"];

/// Whether the tool appears to run AreYouJ: the command of Bash, or any text in the input of a tool of somebody else's.
pub fn controls_areyouj(tool: &str, input: &Value) -> bool {
    match tool {
        "Bash" => input.get("command").and_then(Value::as_str).is_some_and(runs_areyouj),
        _ if tool.starts_with("mcp__") => any_text(input),
        _ => false,
    }
}

fn any_text(value: &Value) -> bool {
    match value {
        Value::String(text) => runs_areyouj(text),
        Value::Array(elements) => elements.iter().any(any_text),
        Value::Object(members) => members.values().any(any_text),
        _ => false,
    }
}

/// Whether the name of a program of ours, or a path to it, is a word of the command as a shell reads it. Shells join
/// quoted parts of a word: `are"you"j` is the same name.
fn runs_areyouj(command: &str) -> bool {
    let joined: String = command.chars().filter(|next| !matches!(next, '"' | '\'' | '\\')).collect();
    [command, &joined].into_iter().any(|text| {
        text.split(|next: char| !(next.is_alphanumeric() || matches!(next, '_' | '-' | '.')))
            .any(|word| PROGRAMS.iter().any(|program| word.eq_ignore_ascii_case(program)))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_command_that_runs_areyouj_is_marked_however_it_is_written() {
        for command in [
            "areyouj allow K7M2Q9XD-1",
            "cd /tmp && areyouj ls",
            "/usr/local/bin/areyouj new",
            "~/.cargo/bin/areyouj send x y",
            "sh -c 'areyouj terminate X'",
            "env A=1 areyouj rm X",
            "AREYOUJ_HOME=/x areyouj ls",
            "are\"you\"j ls",
            "are\\youj ls",
            "$(areyouj ls)",
            "true;areyouj ls",
            "areyouj-host --version",
        ] {
            assert!(controls_areyouj("Bash", &json!({ "command": command })), "{command}");
        }
        assert!(controls_areyouj("mcp__shell__run", &json!({ "args": ["areyouj", "ls"] })));
    }

    #[test]
    fn a_command_that_only_resembles_it_is_not_marked() {
        for command in ["ls", "cat areyouj.md", "grep -r areyouj_core src", "cargo test -p areyouj-core"] {
            assert!(!controls_areyouj("Bash", &json!({ "command": command })), "{command}");
        }
        assert!(!controls_areyouj("Write", &json!({ "content": "areyouj ls" })));
        assert!(!controls_areyouj("Bash", &json!({ "command": "ls", "description": "areyouj" })));
    }
}
