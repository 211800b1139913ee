//! What a permission request would run, as sections for display. Nothing is left out: each value in the tool's input is
//! in a section, as exact text or as JSON.

use areyouj_protocol::{DisplaySection, DisplayStyle};
use serde_json::Value;

use super::lookalike::Reading;
use super::plain::short_line;
use super::segments::{segments, size};

/// The longest name of an argument that is displayed as a label, in characters. An argument with a longer or unusual
/// name is displayed as JSON, name and value.
const MAX_LABEL_CHARS: usize = 60;

/// Longest title of a request, in characters: one line in lists and pop-ups.
pub const TITLE_CHARS: usize = 300;

/// What is displayed in place of a plan that is nowhere.
const NO_PLAN: &str =
    "This request does not contain the plan. Read the plan in the transcript before you approve it.";

/// The tool that asks questions.
const QUESTIONS: &str = "AskUserQuestion";

/// The arguments of Claude's own tools that have a label and looks of their own: the tool, the argument, the rest.
const KNOWN: [(&str, &str, &str, DisplayStyle); 14] = [
    ("Bash", "command", "Command", DisplayStyle::Command),
    ("Read", "file_path", "File", DisplayStyle::Path),
    ("Write", "file_path", "File", DisplayStyle::Path),
    ("Write", "content", "Content", DisplayStyle::Added),
    ("Edit", "file_path", "File", DisplayStyle::Path),
    ("Edit", "old_string", "Old text", DisplayStyle::Removed),
    ("Edit", "new_string", "New text", DisplayStyle::Added),
    ("MultiEdit", "file_path", "File", DisplayStyle::Path),
    ("NotebookEdit", "notebook_path", "File", DisplayStyle::Path),
    ("NotebookEdit", "new_source", "New text", DisplayStyle::Added),
    ("WebFetch", "url", "URL", DisplayStyle::Path),
    ("WebFetch", "prompt", "Prompt", DisplayStyle::Text),
    ("WebSearch", "query", "Query", DisplayStyle::Text),
    ("ExitPlanMode", "plan", "Plan", DisplayStyle::Plan),
];

/// Claude's own tools, whose other arguments are words for people. The texts of any other tool can be code.
const OWN: [&str; 12] = [
    "AskUserQuestion",
    "Bash",
    "Edit",
    "ExitPlanMode",
    "MultiEdit",
    "NotebookEdit",
    "Read",
    "Skill",
    "Task",
    "WebFetch",
    "WebSearch",
    "Write",
];

/// The sections of a request to run this tool with this input. The first one is the tool's name.
pub fn sections(tool: &str, input: &Value) -> Vec<DisplaySection> {
    let mut sections = vec![section("Tool", DisplayStyle::Tool, None, tool)];
    let Some(members) = input.as_object() else {
        if !input.is_null() {
            sections.push(json("Input", None, input));
        }
        return sections;
    };
    let mut rest: Vec<(&String, &Value)> = members.iter().collect();
    for (_, name, label, style) in KNOWN.into_iter().filter(|(known, ..)| *known == tool) {
        if let Some(index) = rest.iter().position(|(member, value)| *member == name && value.is_string()) {
            let (name, value) = rest.remove(index);
            sections.push(section(
                label,
                style,
                Some(&pointer("", name)),
                value.as_str().unwrap_or_default(),
            ));
        }
    }
    if tool == QUESTIONS
        && let Some(index) =
            rest.iter().position(|(member, value)| *member == "questions" && value.is_array())
    {
        let (_, questions) = rest.remove(index);
        for (number, question) in (1..).zip(questions.as_array().into_iter().flatten()) {
            ask(&mut sections, number, question);
        }
    }
    for (number, (name, value)) in rest.into_iter().enumerate() {
        sections.push(argument(tool, number, name, value));
    }
    sections
}

/// The title of a request to approve this plan: its first line. `None` if it has none.
pub fn plan_title(plan: &str) -> Option<String> {
    let mut lines = plan.lines().map(|line| line.trim_start_matches(['#', ' ']));
    let first_line = lines.find(|line| !line.trim().is_empty())?;
    Some(short_line(&format!("Plan: {first_line}"), TITLE_CHARS))
}

/// These sections with a plan that is not in the input.
pub fn with_plan(mut sections: Vec<DisplaySection>, plan: &str) -> Vec<DisplaySection> {
    sections.push(section("Plan, in the tool call", DisplayStyle::Plan, None, plan));
    sections
}

/// These sections of a request to approve a plan. If none of them is the plan, one says so.
pub fn without_plan(mut sections: Vec<DisplaySection>) -> Vec<DisplaySection> {
    if !sections.iter().any(|section| section.style == DisplayStyle::Plan) {
        sections.push(section("Plan", DisplayStyle::Text, None, NO_PLAN));
    }
    sections
}

/// One of several questions: its text, its choices, and everything else.
fn ask(sections: &mut Vec<DisplaySection>, number: usize, question: &Value) {
    let label = format!("Question {number}");
    let at = format!("/questions/{}", number - 1);
    let Some(members) = question.as_object() else {
        sections.push(json(&label, Some(&at), question));
        return;
    };
    if let Some(text) = question.get("question").and_then(Value::as_str) {
        let several = question.get("multiSelect") == Some(&Value::Bool(true));
        let choices = if several { " (one or more choices)" } else { "" };
        sections.push(section(
            &format!("{label}{choices}"),
            DisplayStyle::Question,
            Some(&pointer(&at, "question")),
            text,
        ));
    }
    if let Some(options) = question.get("options").and_then(Value::as_array) {
        for (index, option) in options.iter().enumerate() {
            let at = format!("{at}/options/{index}");
            choice(sections, &format!("Choice {number}.{}", index + 1), &at, option);
        }
    }
    for (name, value) in members {
        let displayed = match name.as_str() {
            "question" => value.is_string(),
            "options" => value.is_array(),
            "multiSelect" => value.is_boolean(),
            _ => false,
        };
        if !displayed && value.as_str() != Some("") {
            sections.push(detail(&label, &pointer(&at, name), name, value));
        }
    }
}

fn choice(sections: &mut Vec<DisplaySection>, label: &str, at: &str, option: &Value) {
    let text = option.get("label").and_then(Value::as_str);
    let (Some(members), Some(text)) = (option.as_object(), text) else {
        sections.push(json(label, Some(at), option));
        return;
    };
    sections.push(section(label, DisplayStyle::Choice, Some(&pointer(at, "label")), text));
    for (name, value) in members.iter().filter(|(name, _)| *name != "label") {
        if value.as_str() != Some("") {
            sections.push(detail(label, &pointer(at, name), name, value));
        }
    }
}

/// A detail of a question or of a choice.
fn detail(of: &str, pointer: &str, name: &str, value: &Value) -> DisplaySection {
    match value.as_str() {
        Some(text) if is_label(name) => {
            section(&format!("{of}, {name}"), DisplayStyle::Text, Some(pointer), text)
        }
        _ => json(of, None, &named(name, value)),
    }
}

/// An argument without a label of its own.
fn argument(tool: &str, number: usize, name: &str, value: &Value) -> DisplaySection {
    if !is_label(name) {
        return json(&format!("Argument {}", number + 1), None, &named(name, value));
    }
    let pointer = pointer("", name);
    match value.as_str() {
        Some(text) if OWN.contains(&tool) => section(name, DisplayStyle::Text, Some(&pointer), text),
        Some(text) => read(name, DisplayStyle::Text, Some(&pointer), text, Reading::Code),
        None => json(name, Some(&pointer), value),
    }
}

fn named(name: &str, value: &Value) -> Value {
    Value::Object([(name.to_owned(), value.clone())].into_iter().collect())
}

/// Whether the name of an argument can be a label as it is.
pub(super) fn is_label(name: &str) -> bool {
    let usual = |next: char| next.is_ascii_alphanumeric() || matches!(next, '_' | '-' | '.');
    !name.is_empty() && name.len() <= MAX_LABEL_CHARS && name.chars().all(usual)
}

pub(super) fn json(label: &str, pointer: Option<&str>, value: &Value) -> DisplaySection {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    read(label, DisplayStyle::Json, pointer, &text, Reading::Code)
}

pub(super) fn section(label: &str, style: DisplayStyle, pointer: Option<&str>, text: &str) -> DisplaySection {
    let reading = match style {
        DisplayStyle::Tool | DisplayStyle::Command | DisplayStyle::Path | DisplayStyle::Json => Reading::Code,
        DisplayStyle::Removed
        | DisplayStyle::Added
        | DisplayStyle::Plan
        | DisplayStyle::Question
        | DisplayStyle::Choice
        | DisplayStyle::Text => Reading::Prose,
    };
    read(label, style, pointer, text, reading)
}

/// A text that can be code.
pub(super) fn code(label: &str, pointer: Option<&str>, text: &str) -> DisplaySection {
    read(label, DisplayStyle::Text, pointer, text, Reading::Code)
}

fn read(
    label: &str,
    style: DisplayStyle,
    pointer: Option<&str>,
    text: &str,
    reading: Reading,
) -> DisplaySection {
    DisplaySection {
        label: label.to_owned(),
        style,
        pointer: pointer.map(str::to_owned),
        size: size(text),
        segments: segments(text, reading),
    }
}

/// The JSON Pointer (RFC 6901) of a member.
pub(super) fn pointer(of: &str, member: &str) -> String {
    format!("{of}/{}", member.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::text::hostile::FRAGMENTS;

    fn exact(section: &DisplaySection) -> String {
        section.segments.iter().map(|segment| segment.text.as_str()).collect()
    }

    /// Each section as its label, its style and its exact text.
    fn parts(tool: &str, input: &Value) -> Vec<(String, DisplayStyle, String)> {
        let sections = sections(tool, input);
        sections.iter().map(|section| (section.label.clone(), section.style, exact(section))).collect()
    }

    fn part(label: &str, style: DisplayStyle, text: &str) -> (String, DisplayStyle, String) {
        (label.to_owned(), style, text.to_owned())
    }

    #[test]
    fn claudes_own_tools_have_labels_and_come_first() {
        let input = json!({"description": "List", "command": "ls", "timeout": 5});
        assert_eq!(
            parts("Bash", &input),
            [
                part("Tool", DisplayStyle::Tool, "Bash"),
                part("Command", DisplayStyle::Command, "ls"),
                part("description", DisplayStyle::Text, "List"),
                part("timeout", DisplayStyle::Json, "5"),
            ]
        );
        let input = json!({"new_string": "b", "old_string": "a", "file_path": "/x", "replace_all": true});
        let labels: Vec<String> = parts("Edit", &input).into_iter().map(|(label, ..)| label).collect();
        assert_eq!(labels, ["Tool", "File", "Old text", "New text", "replace_all"]);
        assert_eq!(
            parts("ExitPlanMode", &json!({"plan": "# A"}))[1],
            part("Plan", DisplayStyle::Plan, "# A")
        );
    }

    #[test]
    fn a_command_of_another_tool_is_no_shell_command() {
        for tool in ["mcp__shell__run", "bash", "Bash2"] {
            let input = json!({"command": "ls"});
            assert_eq!(parts(tool, &input)[1], part("command", DisplayStyle::Text, "ls"), "{tool}");
        }
    }

    #[test]
    fn a_name_that_could_hide_something_is_shown_as_json() {
        for name in ["", "a b", "a\u{202e}b", "a\n", "Command:", &"x".repeat(61)] {
            let input = json!({ name: "value" });
            let [_, (label, style, text)] = &parts("mcp__a__b", &input)[..] else { panic!("{name}") };
            assert_eq!((label.as_str(), *style), ("Argument 1", DisplayStyle::Json), "{name:?}");
            assert_eq!(serde_json::from_str::<Value>(text).unwrap(), input);
        }
    }

    #[test]
    fn a_question_has_its_choices_and_everything_else() {
        let input = json!({"questions": [
            {"question": "Which?", "header": "Port", "multiSelect": true, "options": [
                {"label": "80", "description": "plain"}, {"label": "443", "description": "", "preview": "x"}, 7]},
            {"question": "Why?", "multiSelect": false, "options": []},
            "odd"], "answers": {"a": "b"}});
        assert_eq!(
            parts("AskUserQuestion", &input)[1..],
            [
                part("Question 1 (one or more choices)", DisplayStyle::Question, "Which?"),
                part("Choice 1.1", DisplayStyle::Choice, "80"),
                part("Choice 1.1, description", DisplayStyle::Text, "plain"),
                part("Choice 1.2", DisplayStyle::Choice, "443"),
                part("Choice 1.2, preview", DisplayStyle::Text, "x"),
                part("Choice 1.3", DisplayStyle::Json, "7"),
                part("Question 1, header", DisplayStyle::Text, "Port"),
                part("Question 2", DisplayStyle::Question, "Why?"),
                part("Question 3", DisplayStyle::Json, "\"odd\""),
                part("answers", DisplayStyle::Json, "{\n  \"a\": \"b\"\n}"),
            ]
        );
    }

    #[test]
    fn an_input_that_is_no_object_is_shown() {
        assert_eq!(parts("Bash", &json!(["ls"]))[1], part("Input", DisplayStyle::Json, "[\n  \"ls\"\n]"));
        assert_eq!(parts("Bash", &Value::Null).len(), 1);
        assert_eq!(parts("Bash", &json!({"command": ["ls"]}))[1].1, DisplayStyle::Json);
    }

    fn any_input() -> impl Strategy<Value = Value> {
        let text =
            prop::collection::vec(prop::sample::select(FRAGMENTS), 0..6).prop_map(|texts| texts.concat());
        let leaf =
            prop_oneof![text.prop_map(Value::from), any::<i64>().prop_map(Value::from), Just(Value::Null)];
        let name = prop::sample::select(vec![
            "command",
            "file_path",
            "content",
            "plan",
            "questions",
            "question",
            "options",
            "label",
            "description",
            "multiSelect",
            "header",
            "a/b~c",
            "x\u{202e}",
        ]);
        leaf.prop_recursive(4, 30, 5, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((name.clone(), inner), 0..6).prop_map(|members| {
                    Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
                }),
            ]
        })
    }

    /// Every text in a value.
    fn texts<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::String(text) => found.push(text),
            Value::Array(elements) => elements.iter().for_each(|element| texts(element, found)),
            Value::Object(members) => members.values().for_each(|member| texts(member, found)),
            _ => {}
        }
    }

    proptest! {
        #[test]
        fn every_value_is_in_a_section_and_a_pointer_leads_to_the_exact_text(
            input in any_input(),
            tool in prop::sample::select(vec!["Bash", "Write", "ExitPlanMode", "AskUserQuestion", "mcp__a__b"]),
        ) {
            let sections = sections(tool, &input);
            prop_assert_eq!(exact(&sections[0]), tool);
            for section in &sections {
                prop_assert!(section.label.chars().all(|next| next == ' ' || next.is_ascii_graphic()));
                if let Some(pointer) = &section.pointer {
                    let value = input.pointer(pointer);
                    prop_assert!(value.is_some(), "{}", pointer);
                    if let Some(Value::String(text)) = value {
                        let json = section.style == DisplayStyle::Json;
                        let exact = exact(section);
                        prop_assert!(exact == *text || (json && serde_json::from_str::<String>(&exact).ok().as_ref() == Some(text)));
                    }
                }
            }
            let whole: Vec<String> = sections.iter().map(exact).collect();
            let mut all = Vec::new();
            texts(&input, &mut all);
            for text in all {
                let escaped = Value::from(text).to_string();
                let seen = whole.iter().any(|shown| shown.contains(text) || shown.contains(&escaped));
                prop_assert!(seen, "{:?} of {} is in no section", text, input);
            }
        }
    }
}
