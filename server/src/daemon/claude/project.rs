//! What a directory makes Claude run: hooks, servers, commands and variables of its files. All of it is the text of
//! strangers, and is shown to the person who decides whether to trust the directory.

use std::fs;
use std::io;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::files::read_bounded;
use super::trust::Place;
use crate::daemon::refusals::internal;
use areyouj_core::orchestrator::{Problem, ToolInput, WouldRun};
use areyouj_core::text::plain::short_line;

/// The largest file that is shown: a person cannot judge more.
const MAX_FILE_BYTES: u64 = 256 << 10;

/// The longest value that is shown whole, in characters.
const MAX_VALUE_CHARS: usize = 4_000;

/// How many things are shown, of all kinds together.
const MAX_ITEMS: usize = 300;

/// How deep below `.claude` files are looked for: `skills/NAME/SKILL.md` is three levels deep.
const MAX_DEPTH: usize = 3;

/// Longest title, in characters.
const TITLE_CHARS: usize = 120;

/// The folders below `.claude` whose files can bring hooks, servers, scripts or instructions.
const FOLDERS: [&str; 6] = ["agents", "commands", "output-styles", "plugins", "skills", "workflows"];

/// The ends of the names of settings whose value is a command.
const COMMANDS: [&str; 5] = ["Helper", "Refresh", "Export", "Command", "Script"];

/// Reads what would run in a directory. `own`: Claude's own directory, whose files are the person's.
///
/// # Errors
/// What was read cannot be shown.
pub(in crate::daemon) fn would_run(place: &Place, own: Option<&Path>) -> Result<WouldRun, Problem> {
    let shown = place.directory.display().to_string();
    let items = [("directory".to_owned(), Value::from(shown.clone()))].into_iter().collect();
    let mut found = Found { place, items, count: 0 };
    found.everything(own);
    let input = ToolInput::parse(&Value::from(found.items).to_string());
    let input = input.map_err(|error| internal(&error.to_string()))?;
    Ok(WouldRun { title: short_line(&format!("Trust {shown}?"), TITLE_CHARS), input })
}

/// What has been found so far, by kind.
struct Found<'a> {
    place: &'a Place,
    items: Map<String, Value>,
    count: usize,
}

impl Found<'_> {
    fn everything(&mut self, own: Option<&Path>) {
        let place = self.place;
        let directory = &place.directory;
        for name in ["settings.json", "settings.local.json"] {
            self.settings(&directory.join(".claude").join(name));
        }
        if let Some(root) = place.repository.as_ref().filter(|root| *root != directory) {
            self.settings(&root.join(".claude/settings.local.json"));
        }
        directory.ancestors().for_each(|above| self.servers(&above.join(".mcp.json")));
        let inside = |above: &&Path| place.repository.as_ref().is_none_or(|root| above.starts_with(root));
        for above in directory.ancestors().take_while(inside) {
            let folder = above.join(".claude");
            if own != Some(&*folder) {
                FOLDERS.iter().for_each(|name| self.files(&folder.join(name), MAX_DEPTH));
            }
        }
        self.file(&directory.join(".claude/scheduled_tasks.json"));
    }

    fn add(&mut self, kind: &str, item: Value) {
        self.count += 1;
        match self.count.cmp(&MAX_ITEMS) {
            std::cmp::Ordering::Less => self.push(kind, item),
            std::cmp::Ordering::Equal => {
                let why = format!(
                    "There are more than {MAX_ITEMS} entries; the rest is not shown. Read the files."
                );
                self.push("unreadable", json!({ "file": self.name(&self.place.directory), "why": why }));
            }
            std::cmp::Ordering::Greater => {}
        }
    }

    fn push(&mut self, kind: &str, item: Value) {
        let items = self.items.entry(kind).or_insert_with(|| Value::Array(Vec::new()));
        if let Some(items) = items.as_array_mut() {
            items.push(item);
        }
    }

    fn unreadable(&mut self, file: &Path, why: &str) {
        let file = self.name(file);
        self.add("unreadable", json!({ "file": file, "why": why }));
    }

    /// A file's path, relative to the directory if it lies below.
    fn name(&self, file: &Path) -> String {
        let below =
            file.strip_prefix(&self.place.directory).ok().filter(|below| !below.as_os_str().is_empty());
        below.unwrap_or(file).display().to_string()
    }

    /// The members of a file with one JSON object.
    fn object(&mut self, file: &Path) -> Option<Map<String, Value>> {
        match read_bounded(file, MAX_FILE_BYTES) {
            Ok(bytes) => match serde_json::from_slice(&bytes) {
                Ok(Value::Object(members)) => return Some(members),
                Ok(_) => self.unreadable(file, "It is not a JSON object."),
                Err(_) => self.unreadable(file, "It is not JSON."),
            },
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
            Err(error) => self.unreadable(file, &format!("It cannot be read: {error}.")),
        }
        None
    }

    fn settings(&mut self, file: &Path) {
        let Some(members) = self.object(file) else { return };
        let shown = self.name(file);
        for (name, value) in &members {
            match (name.as_str(), value) {
                ("$schema", _) => {}
                ("hooks", Value::Object(events)) => {
                    events.iter().for_each(|(event, value)| self.hooks(&shown, event, value));
                }
                ("env", Value::Object(variables)) => {
                    for (name, value) in variables {
                        self.add("environment", json!({ "name": name, "value": text(value), "file": shown }));
                    }
                }
                _ => match command(name, value) {
                    Some(command) => {
                        self.add("commands", json!({ "setting": name, "command": command, "file": shown }));
                    }
                    None => {
                        self.add("settings", json!({ "setting": name, "value": text(value), "file": shown }));
                    }
                },
            }
        }
    }

    /// The hooks of one event: a list of matchers, each with a list of hooks.
    fn hooks(&mut self, file: &str, event: &str, matchers: &Value) {
        let Some(list) = matchers.as_array() else {
            self.add("hooks", json!({ "event": event, "command": text(matchers), "file": file }));
            return;
        };
        for matcher in list {
            let hooks = matcher.get("hooks").and_then(Value::as_array);
            let hooks = hooks.map_or_else(|| vec![matcher], |hooks| hooks.iter().collect());
            for hook in hooks {
                let mut item = json!({ "event": event, "command": only_command(hook), "file": file });
                if let Some(matched) = matcher.get("matcher").filter(|matched| matched.as_str() != Some("")) {
                    item["matcher"] = Value::from(text(matched));
                }
                self.add("hooks", item);
            }
        }
    }

    fn servers(&mut self, file: &Path) {
        let Some(members) = self.object(file) else { return };
        let shown = self.name(file);
        for (name, value) in &members {
            match value {
                Value::Object(servers) if name == "mcpServers" => {
                    for (name, server) in servers {
                        let mut item = json!({ "name": name, "file": shown });
                        match server.as_object() {
                            Some(members) => {
                                for (member, value) in members {
                                    let member = match member.as_str() {
                                        "name" | "file" => format!("{member} of the server"),
                                        _ => member.clone(),
                                    };
                                    item[member] = Value::from(text(value));
                                }
                            }
                            None => item["command"] = Value::from(text(server)),
                        }
                        self.add("mcpServers", item);
                    }
                }
                _ if name == "$schema" => {}
                _ => self.add("settings", json!({ "setting": name, "value": text(value), "file": shown })),
            }
        }
    }

    /// The files of a folder and of those below it.
    fn files(&mut self, folder: &Path, depth: usize) {
        let Ok(entries) = fs::read_dir(folder) else { return };
        // One more than can be shown, so that the rest is noticed.
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).take(MAX_ITEMS + 1).collect();
        paths.sort();
        for path in paths {
            if self.count > MAX_ITEMS {
                return;
            }
            match fs::metadata(&path) {
                Ok(found) if found.is_dir() && depth > 1 => self.files(&path, depth - 1),
                _ => self.file(&path),
            }
        }
    }

    fn file(&mut self, path: &Path) {
        if fs::symlink_metadata(path).is_ok() {
            let shown = self.name(path);
            self.add("files", Value::from(shown));
        }
    }
}

/// The command of a setting, if it is one.
fn command(name: &str, value: &Value) -> Option<String> {
    match value {
        Value::String(command) if COMMANDS.iter().any(|end| name.ends_with(end)) => Some(shortened(command)),
        Value::Object(members) if members.get("command").is_some_and(Value::is_string) => {
            Some(only_command(value))
        }
        _ => None,
    }
}

/// The command of an object that has nothing else to show; otherwise the whole object.
fn only_command(value: &Value) -> String {
    let command = value.get("command").and_then(Value::as_str);
    let plain = value.as_object().is_some_and(|members| {
        let is_plain = |(name, value): (&String, &Value)| match name.as_str() {
            "command" => true,
            "type" => value == "command",
            "timeout" | "padding" => value.is_number(),
            _ => false,
        };
        members.iter().all(is_plain)
    });
    command.filter(|_| plain).map_or_else(|| text(value), shortened)
}

/// A value as text: a string as it is, anything else as JSON.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => shortened(text),
        other => shortened(&other.to_string()),
    }
}

/// At most [`MAX_VALUE_CHARS`] characters; what is missing is said.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_VALUE_CHARS) {
        None => text.to_owned(),
        Some((end, _)) => {
            let missing = text[end..].chars().count();
            format!("{}\n… and {missing} more characters, which are not shown: read the file.", &text[..end])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What would run in a directory with these files.
    fn input(files: &[(&str, &str)]) -> Value {
        let home = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = home.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let place = Place::of(home.path().to_str().unwrap()).unwrap();
        let mut input = would_run(&place, None).unwrap().input.shown().clone();
        input.as_object_mut().unwrap().remove("directory");
        input
    }

    #[test]
    fn everything_in_the_files_is_found() {
        let settings = r#"{"$schema": "x", "model": "opus", "permissions": {"allow": ["Bash"]},
            "awsAuthRefresh": "aws login", "statusLine": {"type": "command", "command": "./line.sh", "padding": 1},
            "fileSuggestion": {"type": "command", "command": "./files.sh", "other": 1},
            "env": {"A": "1", "B": 2},
            "hooks": {"Stop": [{"matcher": "", "hooks": [{"type": "command", "command": "a", "timeout": 5},
                {"type": "prompt", "prompt": "b"}]}], "Odd": "c"}}"#;
        let servers =
            r#"{"mcpServers": {"docs": {"command": "node", "args": ["a b"], "name": "posing"}, "odd": 7}}"#;
        let files = [
            (".claude/settings.local.json", settings),
            (".mcp.json", servers),
            (".claude/skills/deploy/SKILL.md", ""),
            (".claude/CLAUDE.md", ""),
        ];
        let file = ".claude/settings.local.json";
        let expected = json!({
            "settings": [
                {"setting": "model", "value": "opus", "file": file},
                {"setting": "permissions", "value": "{\"allow\":[\"Bash\"]}", "file": file},
            ],
            "commands": [
                {"setting": "awsAuthRefresh", "command": "aws login", "file": file},
                {"setting": "statusLine", "command": "./line.sh", "file": file},
                {"setting": "fileSuggestion",
                    "command": "{\"type\":\"command\",\"command\":\"./files.sh\",\"other\":1}", "file": file},
            ],
            "environment": [{"name": "A", "value": "1", "file": file}, {"name": "B", "value": "2", "file": file}],
            "hooks": [
                {"event": "Stop", "command": "a", "file": file},
                {"event": "Stop", "command": "{\"type\":\"prompt\",\"prompt\":\"b\"}", "file": file},
                {"event": "Odd", "command": "c", "file": file},
            ],
            "mcpServers": [
                {"name": "docs", "command": "node", "args": "[\"a b\"]", "name of the server": "posing",
                    "file": ".mcp.json"},
                {"name": "odd", "command": "7", "file": ".mcp.json"},
            ],
            "files": [".claude/skills/deploy/SKILL.md"],
        });
        assert_eq!(input(&files), expected);
    }

    #[test]
    fn too_much_is_bounded_and_said() {
        let long = format!(r#"{{"apiKeyHelper": "{}"}}"#, "x".repeat(MAX_VALUE_CHARS + 7));
        let command = input(&[(".claude/settings.json", &long)])["commands"][0]["command"].to_string();
        assert!(command.contains("7 more characters"), "{command}");

        let variables: Vec<String> =
            (0..2 * MAX_ITEMS).map(|number| format!(r#""V{number}": "x""#)).collect();
        let many = format!(r#"{{"env": {{{}}}}}"#, variables.join(","));
        let found = input(&[(".claude/settings.json", &many), (".claude/agents/a.md", "")]);
        assert_eq!(found["environment"].as_array().unwrap().len(), MAX_ITEMS - 1);
        assert_eq!(found["unreadable"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn files_that_cannot_be_read_are_named() {
        for content in ["{", "[]", &format!("{{\"a\":\"{}\"}}", "x".repeat(300 << 10))] {
            let found = input(&[(".mcp.json", content)]);
            assert_eq!(found["unreadable"][0]["file"], ".mcp.json", "{found}");
        }
        assert_eq!(input(&[]), json!({}));
    }
}
