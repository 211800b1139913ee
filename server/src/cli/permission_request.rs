//! The text of a permission request: everything that Claude asks, and the commands that answer it.

use std::fmt::Write as _;

use areyouj_protocol::{AlwaysOffer, Permission, PermissionKind, Timestamp};

use super::choices::questions;
use super::screen::{Colour, Paint};
use super::{display, plain, time};

/// The whole request. A person decides by it, so nothing in it is hidden or left out (see [`display`]).
pub(crate) fn content(permission: &Permission, now: Timestamp, paint: Paint, width: Option<usize>) -> String {
    let id = paint.paint(Colour::Bold, &plain::line(&permission.id));
    let title = paint.paint(Colour::Yellow, &plain::line(&permission.title));
    let ago = paint.paint(Colour::Dim, &time::ago(now, permission.created_at));
    let mut text = format!("{id}  {title}  {ago}\n");
    if permission.controls_areyouj {
        let _ = writeln!(text, "  {}", paint.paint(Colour::Red, "Would control AreYouJ"));
    }
    text + &display::sections(&permission.display, paint, width)
}

/// The numbered answers with the command for each.
pub(crate) fn commands(permission: &Permission, paint: Paint) -> String {
    let id = plain::line(&permission.id);
    let mut text = String::new();
    match permission.kind {
        PermissionKind::Question => {
            let count = questions(&permission.input).len();
            let example = if count > 1 { " 1".repeat(count) } else { " 1".to_owned() };
            let command = paint.paint(Colour::Cyan, &format!("areyouj answer {id}{example}"));
            let _ = writeln!(text, "  answer: {command}");
            let explained = "each argument: the number or the label of an option, or your own text";
            let _ = writeln!(text, "          {}", paint.paint(Colour::Dim, explained));
        }
        PermissionKind::Plan => options(
            &mut text,
            paint,
            &[
                ("Approve the plan".to_owned(), format!("areyouj allow {id}")),
                ("Keep planning".to_owned(), format!("areyouj deny {id} -m \"what to change\"")),
            ],
        ),
        PermissionKind::Tool => {
            let mut choices = vec![("Allow once".to_owned(), format!("areyouj allow {id}"))];
            choices.extend(always(&id, &permission.always));
            choices.push(("Deny".to_owned(), format!("areyouj deny {id} -m \"what to do instead\"")));
            options(&mut text, paint, &choices);
        }
    }
    text
}

/// "Always" by the rules, and each broader suggestion by its number.
fn always(id: &str, offers: &[AlwaysOffer]) -> Vec<(String, String)> {
    let words = |offer: &AlwaysOffer| format!("{}, {}", plain::line(&offer.text), plain::line(&offer.stored));
    let rules: Vec<String> = offers.iter().filter(|offer| offer.by_default).map(words).collect();
    let mut choices = Vec::new();
    if !rules.is_empty() {
        choices.push((format!("Allow always: {}", rules.join("; ")), format!("areyouj allow {id} --always")));
    }
    for (number, offer) in (1..).zip(offers).filter(|(_, offer)| !offer.by_default) {
        let command = format!("areyouj allow {id} --always --suggestion {number}");
        choices.push((format!("Allow always: {}", words(offer)), command));
    }
    choices
}

fn options(text: &mut String, paint: Paint, choices: &[(String, String)]) {
    for (number, (label, command)) in (1..).zip(choices) {
        let _ = writeln!(text, "  {number}. {label}");
        let _ = writeln!(text, "     {}", paint.paint(Colour::Cyan, command));
    }
}

#[cfg(test)]
mod tests {
    use areyouj_core::text::{always, display};
    use areyouj_protocol::PermissionState;
    use serde_json::json;

    use super::*;

    fn rendered(
        kind: PermissionKind,
        tool: &str,
        input: serde_json::Value,
        suggestions: serde_json::Value,
    ) -> String {
        let suggestions: Vec<serde_json::Value> = serde_json::from_value(suggestions).unwrap();
        let permission = Permission {
            id: "K7M2Q9XD-3".to_owned(),
            session_id: "K7M2Q9XD".to_owned(),
            kind,
            tool: tool.to_owned(),
            display: display::sections(tool, &input),
            input: serde_json::from_value(input).unwrap(),
            title: "Claude wants\nto run a command".to_owned(),
            digest: "0f".to_owned(),
            controls_areyouj: false,
            always: always::offers(&suggestions),
            suggestions: Vec::new(),
            created_at: 0,
            state: PermissionState::Open,
            answered_by: None,
            granted: Vec::new(),
        };
        let (now, paint) = (60_000, Paint(false));
        content(&permission, now, paint, None) + &commands(&permission, paint)
    }

    #[test]
    fn a_command_is_shown_completely_with_the_commands_that_answer() {
        let input = json!({"command": "ls\u{1b}[8m; rm -rf ~\nsecond line", "description": "List files"});
        let rule = |behavior: &str, content: &str| {
            json!({"type": "addRules", "behavior": behavior, "destination": "localSettings",
            "rules": [{"toolName": "Bash", "ruleContent": content}]})
        };
        let rules = json!([{"type": "addRules", "behavior": "deny", "destination": "session"}, rule("allow", "ls:*")]);
        assert_eq!(
            rendered(PermissionKind::Tool, "Bash", input, rules),
            "K7M2Q9XD-3  Claude wants to run a command  1m ago\n\
             \u{20}\u{20}Tool: Bash\n\
             \u{20}\u{20}Command, 2 lines, 28 characters:\n\
             \u{20}\u{20}\u{20}\u{20}$ ls\u{27e8}ESC\u{27e9}[8m; rm -rf ~\n\
             \u{20}\u{20}\u{20}\u{20}\u{20}\u{20}second line\n\
             \u{20}\u{20}description: List files\n\
             \u{20}\u{20}1. Allow once\n\
             \u{20}\u{20}\u{20}\u{20}\u{20}areyouj allow K7M2Q9XD-3\n\
             \u{20}\u{20}2. Allow always: Bash(ls:*), stored in the local settings of this project \
             (.claude/settings.local.json)\n\
             \u{20}\u{20}\u{20}\u{20}\u{20}areyouj allow K7M2Q9XD-3 --always\n\
             \u{20}\u{20}3. Allow always: {\"type\":\"addRules\",\"behavior\":\"deny\",\"destination\":\"session\"}, for this session only\n\
             \u{20}\u{20}\u{20}\u{20}\u{20}areyouj allow K7M2Q9XD-3 --always --suggestion 1\n\
             \u{20}\u{20}4. Deny\n\
             \u{20}\u{20}\u{20}\u{20}\u{20}areyouj deny K7M2Q9XD-3 -m \"what to do instead\"\n"
        );
    }

    #[test]
    fn a_change_of_a_file_is_shown_as_removed_and_added_lines() {
        let input = json!({"file_path": "/a/b.rs", "old_string": "one\ntwo", "new_string": "three", "replace_all": true});
        let text = rendered(PermissionKind::Tool, "Edit", input, json!([]));
        for line in [
            "  Tool: Edit\n  File: /a/b.rs\n",
            "  Old text, 2 lines, 7 characters:\n    - one\n    - two\n",
            "    + three\n",
            "  replace_all: true\n",
        ] {
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
        assert!(text.contains("  Tool: mcp__web__get\n  url: http://127.0.0.1\n  depth, 5 lines"), "{text}");
        assert!(text.contains("2. Allow always: the permission mode plan, stored in a place that"), "{text}");
        assert!(text.contains("--always --suggestion 1\n"), "{text}");
    }

    #[test]
    fn questions_have_numbered_options() {
        let question = |text: &str| {
            json!({"question": text, "header": "Colour", "multiSelect": false,
            "options": [{"label": "Red", "description": "warm"}, {"label": "Blue", "description": ""}]})
        };
        let input = json!({"questions": [question("First?"), question("Second?")]});
        let text = rendered(PermissionKind::Question, "AskUserQuestion", input, json!([]));
        assert!(text.contains("  First?\n    1. Red\n       warm\n    2. Blue\n"), "{text}");
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
                "    # Plan\n    1. Do it\n  to: x\n  1. Approve the plan\n     areyouj allow K7M2Q9XD-3\n"
            ),
            "{text}"
        );
    }
}
