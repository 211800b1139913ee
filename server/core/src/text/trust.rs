//! What a directory would make Claude run, as sections for display. Nothing is left out: each value of the request's
//! input is in a section, as exact text or as JSON.

use areyouj_protocol::{DisplaySection, DisplayStyle};
use serde_json::{Map, Value};

use super::display::{code, is_label, json, pointer, section};

/// The lists of a request for trust, in the order of their display, with the label of an entry, the member that the
/// label is about, and the member that the entry is about with its looks.
const LISTS: [List; 7] = [
    List { name: "hooks", label: "Hook", of: Some("event"), about: "command", style: DisplayStyle::Command },
    List {
        name: "commands",
        label: "Command",
        of: Some("setting"),
        about: "command",
        style: DisplayStyle::Command,
    },
    List {
        name: "mcpServers",
        label: "MCP server",
        of: Some("name"),
        about: "command",
        style: DisplayStyle::Command,
    },
    List {
        name: "environment",
        label: "Variable",
        of: Some("name"),
        about: "value",
        style: DisplayStyle::Json,
    },
    List {
        name: "settings",
        label: "Setting",
        of: Some("setting"),
        about: "value",
        style: DisplayStyle::Json,
    },
    List { name: "files", label: "Also loaded", of: None, about: "file", style: DisplayStyle::Path },
    List { name: "unreadable", label: "Not shown", of: None, about: "why", style: DisplayStyle::Text },
];

/// The files of a project whose names need no section of their own.
const USUAL_FILES: [&str; 3] = [".claude/settings.json", ".claude/settings.local.json", ".mcp.json"];

/// Members of an object that have no section yet.
type Members<'a> = Vec<(&'a String, &'a Value)>;

/// One list of a request for trust.
struct List {
    name: &'static str,
    label: &'static str,
    of: Option<&'static str>,
    about: &'static str,
    style: DisplayStyle,
}

/// The sections of a request for trust with this input. The first two are the name and the directory.
pub fn sections(input: &Value) -> Vec<DisplaySection> {
    let mut sections = vec![section("Tool", DisplayStyle::Tool, None, "Trust")];
    let Some(members) = input.as_object() else {
        sections.push(json("Input", None, input));
        return sections;
    };
    let mut rest: Members<'_> = members.iter().collect();
    if let Some(directory) = taken(&mut rest, "directory").and_then(Value::as_str) {
        sections.push(section("Directory", DisplayStyle::Path, Some("/directory"), directory));
    }
    for list in &LISTS {
        match taken(&mut rest, list.name) {
            Some(Value::Array(entries)) => {
                for (number, entry) in entries.iter().enumerate() {
                    list.entry(&mut sections, &format!("/{}/{number}", list.name), entry);
                }
            }
            Some(other) => sections.push(json(list.label, Some(&pointer("", list.name)), other)),
            None => {}
        }
    }
    for (name, value) in rest {
        sections.push(json(
            "More",
            None,
            &Value::Object([(name.clone(), value.clone())].into_iter().collect()),
        ));
    }
    if sections.len() == 2 {
        let nothing =
            "Nothing was found that runs by itself. Claude can still read what is in the directory.";
        sections.push(section("Runs", DisplayStyle::Text, None, nothing));
    }
    sections
}

/// Removes and returns the member of this name.
fn taken<'a>(members: &mut Members<'a>, name: &str) -> Option<&'a Value> {
    let index = members.iter().position(|(member, _)| *member == name)?;
    Some(members.remove(index).1)
}

impl List {
    fn entry(&self, sections: &mut Vec<DisplaySection>, at: &str, entry: &Value) {
        if let Some(text) = entry.as_str() {
            sections.push(section(self.label, self.style, Some(at), text));
            return;
        }
        let Some(members) = entry.as_object() else {
            sections.push(json(self.label, Some(at), entry));
            return;
        };
        let mut rest: Members<'_> = members.iter().collect();
        let label = self.label_of(members, &mut rest);
        match taken(&mut rest, self.about) {
            Some(Value::String(text)) => {
                let at = pointer(at, self.about);
                sections.push(match self.style {
                    DisplayStyle::Json => code(&label, Some(&at), text),
                    style => section(&label, style, Some(&at), text),
                });
            }
            Some(other) => sections.push(json(&label, Some(&pointer(at, self.about)), other)),
            None => {}
        }
        for (name, value) in rest {
            let at = pointer(at, name);
            match value.as_str().filter(|_| is_label(name)) {
                Some(text) => sections.push(code(&format!("{label}, {name}"), Some(&at), text)),
                None => {
                    let named = Value::Object([(name.clone(), value.clone())].into_iter().collect());
                    sections.push(json(&label, None, &named));
                }
            }
        }
    }

    /// The label of an entry: what it is about and its file, if both can be part of a label as they are.
    fn label_of(&self, members: &Map<String, Value>, rest: &mut Members<'_>) -> String {
        let mut label = self.label.to_owned();
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        if let Some(of) = self.of
            && let Some(name) = text(of).filter(|name| is_label(name))
        {
            taken(rest, of);
            label = format!("{label} {name}");
        }
        if let Some(file) = text("file").filter(|file| USUAL_FILES.contains(file)) {
            taken(rest, "file");
            label = format!("{label} in {file}");
        }
        label
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parts(input: &Value) -> Vec<(String, String)> {
        let exact =
            |section: &DisplaySection| section.segments.iter().map(|part| part.text.as_str()).collect();
        sections(input).iter().map(|section| (section.label.clone(), exact(section))).collect()
    }

    fn part(label: &str, text: &str) -> (String, String) {
        (label.to_owned(), text.to_owned())
    }

    #[test]
    fn every_kind_of_thing_has_a_label_with_its_file() {
        let (settings, servers) = (".claude/settings.json", ".mcp.json");
        let input = json!({
            "directory": "/project",
            "environment": [{"name": "PATH", "value": "/evil", "file": settings}],
            "hooks": [{"event": "SessionStart", "command": "./x.sh", "matcher": "startup", "file": settings}],
            "commands": [{"setting": "apiKeyHelper", "command": "./key.sh", "file": settings}],
            "mcpServers": [{"name": "docs", "command": "node", "args": "[\"a.js\"]", "file": servers}],
            "files": [".claude/agents/a.md"],
            "unreadable": [{"file": "/above/.mcp.json", "why": "It is not JSON."}],
        });
        let expected = [
            part("Tool", "Trust"),
            part("Directory", "/project"),
            part("Hook SessionStart in .claude/settings.json", "./x.sh"),
            part("Hook SessionStart in .claude/settings.json, matcher", "startup"),
            part("Command apiKeyHelper in .claude/settings.json", "./key.sh"),
            part("MCP server docs in .mcp.json", "node"),
            part("MCP server docs in .mcp.json, args", "[\"a.js\"]"),
            part("Variable PATH in .claude/settings.json", "/evil"),
            part("Also loaded", ".claude/agents/a.md"),
            part("Not shown", "It is not JSON."),
            part("Not shown, file", "/above/.mcp.json"),
        ];
        assert_eq!(parts(&input), expected);
    }

    #[test]
    fn hostile_names_never_become_labels_and_nothing_is_left_out() {
        let input = json!({
            "directory": "/p\u{202e}",
            "hooks": [{"event": "a\nDirectory: /b", "command": 7, "other thing": {"x": 1}}, 8],
            "mcpServers": "none",
            "unknown": [9],
        });
        let parts = parts(&input);
        let labels: Vec<&str> = parts.iter().map(|(label, _)| label.as_str()).collect();
        assert_eq!(
            labels,
            ["Tool", "Directory", "Hook", "Hook, event", "Hook", "Hook", "MCP server", "More"]
        );
        let all: String = parts.iter().map(|(_, text)| text.as_str()).collect();
        for value in ["a\nDirectory: /b", "7", "other thing", "\"x\": 1", "8", "none", "unknown", "9"] {
            assert!(all.contains(value), "{value} in {all}");
        }
    }

    #[test]
    fn a_directory_in_which_nothing_runs_says_so() {
        assert_eq!(parts(&json!({"directory": "/project"})).len(), 3);
    }
}
