//! The text and the buttons of a permission request in a message box, which every editor can display. A message box
//! cannot scroll and has no colours, so it offers to allow only what it displays as a whole.

use areyouj_core::text::segments::{self, counted};
use areyouj_protocol::{Answer, DisplaySection, DisplaySegment, DisplayStyle, Permission, PermissionKind};

/// The most lines of a message box that editors display without scrolling.
const MAX_LINES: usize = 20;

/// The most characters of a message box.
const MAX_CHARACTERS: usize = 1_000;

/// The longest title of a button, in characters: editors cut longer ones.
const MAX_BUTTON_CHARACTERS: usize = 60;

/// The characters of a request that is too long which the message box displays.
const BEGINNING_CHARACTERS: usize = 400;

/// The lines of the same.
const BEGINNING_LINES: usize = 8;

/// The titles of the buttons, and the answer that each gives.
pub(super) type Choices = Vec<(String, Answer)>;

/// The text of the message box and its buttons.
pub(super) fn message_box(permission: &Permission) -> (String, Choices) {
    let deny = ("Deny".to_owned(), Answer::Deny { message: None });
    let mut text = format!("{}: {}", permission.id, permission.title);
    if permission.controls_areyouj {
        text.push_str("\n\nWould control AreYouJ.");
    }
    text.push_str("\n\n");
    text.push_str(&shown(&permission.display));
    let offers = permission.always.iter().filter(|offer| offer.by_default);
    let offers: Vec<String> = offers.map(|offer| format!("{}, {}", offer.text, offer.stored)).collect();
    let always = permission.kind == PermissionKind::Tool && !offers.is_empty();
    if always {
        // A permanent permission must be displayed before it can be granted.
        text.push_str(&format!("\nAlways allow: {}", offers.join("; ")));
    }
    let text = text.trim_end().to_owned();
    let (lines, characters) = (text.lines().count(), text.chars().count());
    if lines > MAX_LINES || characters > MAX_CHARACTERS {
        return (beginning(permission, &text, lines, characters), vec![deny]);
    }
    let choices = match permission.kind {
        PermissionKind::Question => choices(permission),
        PermissionKind::Tool | PermissionKind::Plan => Some(vec![("Allow".to_owned(), Answer::Allow {})]),
    };
    let Some(mut buttons) = choices else {
        return (format!("{text}\n\nAnswer with: areyouj answer {}", permission.id), vec![deny]);
    };
    if always {
        buttons.push(("Always allow".to_owned(), Answer::AllowAlways { suggestions: None }));
    }
    if permission.kind != PermissionKind::Question {
        buttons.push(deny);
    }
    (text, buttons)
}

/// The beginning of a text that is too long for a message box.
fn beginning(permission: &Permission, text: &str, lines: usize, characters: usize) -> String {
    let lines_of = text.split('\n').take(BEGINNING_LINES).collect::<Vec<_>>().join("\n");
    let cut: String = lines_of.chars().take(BEGINNING_CHARACTERS).collect();
    format!(
        "{cut}\u{2026}\n\nThis is the beginning of {} lines, {} characters. To read all of it, run: areyouj permissions {}",
        counted(lines),
        counted(characters),
        permission.id
    )
}

/// Every section with its label.
pub(super) fn shown(sections: &[DisplaySection]) -> String {
    let mut text = String::new();
    for section in sections {
        let shown: String = section.segments.iter().map(DisplaySegment::displayed).collect();
        let block = matches!(
            section.style,
            DisplayStyle::Command | DisplayStyle::Added | DisplayStyle::Removed | DisplayStyle::Plan
        );
        match block || section.size.lines > 1 {
            true => {
                let lines = if section.size.lines == 1 { "line" } else { "lines" };
                let (count, characters) = (section.size.lines as usize, section.size.characters as usize);
                let size = format!("{} {lines}, {} characters", counted(count), counted(characters));
                text.push_str(&format!("{} ({size}):\n{shown}\n", section.label));
            }
            false => text.push_str(&format!("{}: {shown}\n", section.label)),
        }
    }
    text
}

/// A button for each choice of a question. Only one question with one choice can be answered in a message box, and only
/// if its buttons display the whole labels.
fn choices(permission: &Permission) -> Option<Choices> {
    let input = serde_json::to_value(&permission.input).unwrap_or_default();
    let [question] = input["questions"].as_array()?.as_slice() else { return None };
    if question["multiSelect"] == true {
        return None;
    }
    let mut choices = Choices::new();
    for option in question["options"].as_array()? {
        let label = option["label"].as_str()?;
        let title = segments::line(label);
        let is_new = !choices.iter().any(|(known, _)| *known == title);
        if title.is_empty() || title.chars().count() > MAX_BUTTON_CHARACTERS || !is_new {
            return None;
        }
        choices.push((title, Answer::Choose { choices: vec![vec![label.to_owned()]] }));
    }
    Some(choices)
}

#[cfg(test)]
mod tests {
    use areyouj_core::text::display;
    use areyouj_core::text::hostile::{self, is_displayable};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn exact(text: &str) -> String {
        let segments = segments::segments(text, areyouj_core::text::lookalike::Reading::Code);
        segments.iter().map(DisplaySegment::displayed).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn a_message_box_offers_to_allow_only_what_it_displays_whole(number in any::<u64>()) {
            let text = hostile::text(number);
            let display = display::sections("Bash", &json!({ "command": text }));
            let permission: Permission = serde_json::from_value(json!({
                "id": "K7M2Q9XD-1", "sessionId": "K7M2Q9XD", "kind": "tool", "tool": "Bash",
                "input": { "command": text }, "title": "Run", "display": display, "digest": "0f",
                "controlsAreyouj": false, "suggestions": [], "always": [], "createdAt": 1, "state": "open",
                "answeredBy": null, "granted": [],
            })).unwrap();
            let (message, buttons) = message_box(&permission);
            prop_assert!(message.chars().all(is_displayable));
            prop_assert!(message.chars().count() <= MAX_CHARACTERS && message.lines().count() <= MAX_LINES);
            let whole = message.contains(exact(&text).trim_end());
            let can_allow = buttons.iter().any(|(_, answer)| *answer == Answer::Allow {});
            prop_assert!(whole || !can_allow, "{}", message);
            prop_assert!(can_allow || message.contains("areyouj permissions K7M2Q9XD-1"), "{}", message);
        }
    }
}
