//! The text of a permission request: everything that Claude asks, and the commands that answer it.

use std::fmt::Write as _;

use areyouj_protocol::{Json, Permission, PermissionKind, Timestamp};

use super::choices::{Question, questions};
use super::screen::{Colour, Paint};
use super::{plain, time};

/// The request with numbered options and the command for each. The text is complete, and invisible characters are
/// marked (see [`plain::exact`]), because a person decides by it.
pub(crate) fn render(permission: &Permission, now: Timestamp, paint: Paint) -> String {
    let id = plain::line(&permission.id);
    let mut text = format!(
        "{}  {}  {}\n",
        paint.paint(Colour::Bold, &id),
        paint.paint(Colour::Yellow, &plain::line(&permission.title)),
        paint.paint(Colour::Dim, &time::ago(now, permission.created_at))
    );
    match permission.kind {
        PermissionKind::Question => {
            let questions = questions(&permission.input);
            for question in &questions {
                text.push_str(&ask(question, paint));
            }
            let example = if questions.len() > 1 { " 1".repeat(questions.len()) } else { " 1".to_owned() };
            let _ = writeln!(
                text,
                "  answer: {}",
                paint.paint(Colour::Cyan, &format!("areyouj answer {id}{example}"))
            );
            let _ = writeln!(
                text,
                "          {}",
                paint.paint(
                    Colour::Dim,
                    "each argument: the number or the label of an option, or your own text"
                )
            );
        }
        PermissionKind::Plan => {
            let plan = permission.input.get("plan").and_then(Json::as_str);
            match plan {
                Some(plan) => {
                    text.push_str(&block("  ", plan));
                    text.push_str(&others(&permission.input, &["plan"], paint));
                }
                None => text.push_str(&block("  ", &json(&permission.input))),
            }
            options(
                &mut text,
                paint,
                &[("Approve the plan", format!("areyouj allow {id}")), keep_planning(&id)],
            );
        }
        PermissionKind::Tool => {
            text.push_str(&call(&permission.tool, &permission.input, paint));
            let mut choices = vec![("Allow once".to_owned(), format!("areyouj allow {id}"))];
            let offers: Vec<&str> = permission
                .always
                .iter()
                .filter(|offer| offer.by_default)
                .map(|offer| offer.text.as_str())
                .collect();
            if !offers.is_empty() {
                let rules = plain::line(&offers.join(", "));
                choices.push((format!("Allow always: {rules}"), format!("areyouj allow {id} --always")));
            }
            choices.push(("Deny".to_owned(), format!("areyouj deny {id} -m \"what to do instead\"")));
            options(&mut text, paint, &choices);
        }
    }
    text
}

fn keep_planning(id: &str) -> (&'static str, String) {
    ("Keep planning", format!("areyouj deny {id} -m \"what to change\""))
}

fn options(text: &mut String, paint: Paint, choices: &[(impl AsRef<str>, String)]) {
    for (number, (label, command)) in (1..).zip(choices) {
        let _ = writeln!(text, "  {number}. {}", label.as_ref());
        let _ = writeln!(text, "     {}", paint.paint(Colour::Cyan, command));
    }
}

fn ask(question: &Question, paint: Paint) -> String {
    let mut text = String::new();
    let several = if question.several { " (choose one or more)" } else { "" };
    let header = if question.header.is_empty() { String::new() } else { format!("[{}] ", question.header) };
    text.push_str(&block("  ", &format!("{header}{}{several}", question.question)));
    for (number, (label, description)) in (1..).zip(&question.options) {
        let _ = writeln!(text, "    {number}. {}", paint.paint(Colour::Bold, &one_line(label)));
        if !description.is_empty() {
            text.push_str(&block("       ", description));
        }
    }
    text
}

/// What the tool would do: its command or its change of a file, and all other input.
fn call(tool: &str, input: &Json, paint: Paint) -> String {
    let field = |name: &str| input.get(name).and_then(Json::as_str);
    let mut text = String::new();
    let mut shown: Vec<&str> = Vec::new();
    let file = ["file_path", "notebook_path"].into_iter().find_map(|name| Some((name, field(name)?)));
    if let Some((name, path)) = file {
        let _ = writeln!(text, "  {} {}", one_line(tool), one_line(path));
        shown.push(name);
        for (name, sign, colour) in [
            ("old_string", "-", Colour::Red),
            ("new_string", "+", Colour::Green),
            ("content", "+", Colour::Green),
        ] {
            if let Some(part) = field(name) {
                shown.push(name);
                for line in plain::exact(part).split('\n') {
                    let _ = writeln!(text, "    {}", paint.paint(colour, &format!("{sign} {line}")));
                }
            }
        }
    } else if let Some(command) = field("command") {
        shown.push("command");
        text.push_str(&block("  $ ", command));
    } else {
        let _ = writeln!(text, "  {}", one_line(tool));
    }
    text + &others(input, &shown, paint)
}

/// The members of the input that are not shown yet.
fn others(input: &Json, shown: &[&str], paint: Paint) -> String {
    let Json::Object(members) = input else { return String::new() };
    let mut text = String::new();
    for (name, value) in members.iter().filter(|(name, _)| !shown.contains(&name.as_str())) {
        let value = value.as_str().map_or_else(|| json(value), str::to_owned);
        let indented = plain::exact(&value).replace('\n', "\n      ");
        let name = paint.paint(Colour::Dim, &format!("{}:", one_line(name)));
        let _ = writeln!(text, "    {name} {indented}");
    }
    text
}

fn one_line(raw: &str) -> String {
    plain::exact(raw).replace('\n', "\u{240a}")
}

/// The whole text. The margin precedes the first line; the other lines are indented by its width.
fn block(margin: &str, raw: &str) -> String {
    let mut text = String::new();
    let blank = " ".repeat(margin.len());
    for (index, line) in plain::exact(raw).trim_end_matches('\n').split('\n').enumerate() {
        let _ = writeln!(text, "{}{line}", if index == 0 { margin } else { &blank });
    }
    text
}

fn json(value: &Json) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use areyouj_protocol::PermissionState;
    use serde_json::json;

    use super::*;

    fn rendered(
        kind: PermissionKind,
        tool: &str,
        input: serde_json::Value,
        suggestions: serde_json::Value,
    ) -> String {
        let permission = Permission {
            id: "K7M2Q9XD-3".to_owned(),
            session_id: "K7M2Q9XD".to_owned(),
            kind,
            tool: tool.to_owned(),
            input: serde_json::from_value(input).unwrap(),
            title: "Claude wants\nto run a command".to_owned(),
            suggestions: serde_json::from_value(suggestions).unwrap(),
            created_at: 0,
            state: PermissionState::Open,
            answered_by: None,
        };
        render(&permission, 60_000, Paint(false))
    }

    #[test]
    fn a_command_is_shown_completely_with_the_commands_that_answer() {
        let input = json!({"command": "ls\u{1b}[8m; rm -rf ~\nsecond line", "description": "List files"});
        let rule = |behavior: &str, content: &str| {
            json!({"type": "addRules", "behavior": behavior, "destination": "localSettings",
            "rules": [{"toolName": "Bash", "ruleContent": content}]})
        };
        let rules = json!([rule("deny", "rm:*"), rule("allow", "ls:*")]);
        assert_eq!(
            rendered(PermissionKind::Tool, "Bash", input, rules),
            "K7M2Q9XD-3  Claude wants to run a command  1m ago\n\
             \u{20}\u{20}$ ls\u{241b}[8m; rm -rf ~\n\
             \u{20}\u{20}\u{20}\u{20}second line\n\
             \u{20}\u{20}\u{20}\u{20}description: List files\n\
             \u{20}\u{20}1. Allow once\n\
             \u{20}\u{20}\u{20}\u{20}\u{20}areyouj allow K7M2Q9XD-3\n\
             \u{20}\u{20}2. Allow always: Bash(ls:*)\n\
             \u{20}\u{20}\u{20}\u{20}\u{20}areyouj allow K7M2Q9XD-3 --always\n\
             \u{20}\u{20}3. Deny\n\
             \u{20}\u{20}\u{20}\u{20}\u{20}areyouj deny K7M2Q9XD-3 -m \"what to do instead\"\n"
        );
    }

    #[test]
    fn a_change_of_a_file_is_shown_as_removed_and_added_lines() {
        let input = json!({"file_path": "/a/b.rs", "old_string": "one\ntwo", "new_string": "three", "replace_all": true});
        let text = rendered(PermissionKind::Tool, "Edit", input, json!([]));
        for line in ["  Edit /a/b.rs\n", "    - one\n    - two\n    + three\n", "    replace_all: true\n"] {
            assert!(text.contains(line), "{line}:\n{text}");
        }
        assert!(!text.contains("--always"), "{text}");
    }

    #[test]
    fn any_other_tool_is_shown_with_all_of_its_input() {
        let input = json!({"url": "http://127.0.0.1", "depth": {"a": [1]}});
        let text = rendered(
            PermissionKind::Tool,
            "mcp__web__get",
            input,
            json!([{"type": "setMode", "mode": "plan"}]),
        );
        assert!(text.contains("  mcp__web__get\n    url: http://127.0.0.1\n    depth: {"), "{text}");
        assert!(text.contains("2. Allow always: {\"type\":\"setMode\",\"mode\":\"plan\"}\n"), "{text}");
    }

    #[test]
    fn questions_have_numbered_options() {
        let question = |text: &str| {
            json!({"question": text, "header": "Colour", "multiSelect": false,
            "options": [{"label": "Red", "description": "warm"}, {"label": "Blue", "description": ""}]})
        };
        let input = json!({"questions": [question("First?"), question("Second?")]});
        let text = rendered(PermissionKind::Question, "AskUserQuestion", input, json!([]));
        assert!(text.contains("  [Colour] First?\n    1. Red\n       warm\n    2. Blue\n"), "{text}");
        assert!(text.contains("answer: areyouj answer K7M2Q9XD-3 1 1\n"), "{text}");
    }

    #[test]
    fn a_plan_is_shown_completely() {
        let text = rendered(
            PermissionKind::Plan,
            "ExitPlanMode",
            json!({"plan": "# Plan\n1. Do it", "to": "x"}),
            json!([]),
        );
        assert!(
            text.contains(
                "  # Plan\n  1. Do it\n    to: x\n  1. Approve the plan\n     areyouj allow K7M2Q9XD-3\n"
            ),
            "{text}"
        );
    }
}
