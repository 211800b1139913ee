//! What "always" means: which of Claude's suggestions it applies, and in words what each allows and where it is stored.

use areyouj_protocol::AlwaysOffer;
use serde_json::Value;

use super::segments;

/// The suggestions that an answer with "always" applies, as indexes: the chosen ones, or those that add a rule which
/// allows something. Whole directories and permission modes are broader than the request, so a person must choose them.
///
/// `None` if there is none, or no suggestion has a chosen index.
pub fn applied(suggestions: &[Value], chosen: Option<&[usize]>) -> Option<Vec<usize>> {
    let applied = match chosen {
        Some(chosen) => chosen.to_vec(),
        None => (0..suggestions.len()).filter(|index| is_rule(&suggestions[*index])).collect(),
    };
    let known = applied.iter().all(|index| *index < suggestions.len());
    (known && !applied.is_empty()).then_some(applied)
}

/// The suggestions in words.
pub fn offers(suggestions: &[Value]) -> Vec<AlwaysOffer> {
    suggestions.iter().map(offer).collect()
}

/// What these suggestions allow and where Claude stores it, one line for each.
pub fn granted(suggestions: &[Value], applied: &[usize]) -> Vec<String> {
    let offers = applied.iter().filter_map(|index| suggestions.get(*index)).map(offer);
    offers.map(|AlwaysOffer { text, stored, .. }| format!("{text}, {stored}")).collect()
}

/// Whether the suggestion adds a rule that allows something.
fn is_rule(suggestion: &Value) -> bool {
    (word(suggestion, "type"), word(suggestion, "behavior")) == ("addRules", "allow")
}

fn offer(suggestion: &Value) -> AlwaysOffer {
    AlwaysOffer {
        text: allowed(suggestion),
        stored: stored(word(suggestion, "destination")),
        by_default: is_rule(suggestion),
    }
}

fn allowed(suggestion: &Value) -> String {
    let text = match word(suggestion, "type") {
        "addRules" if is_rule(suggestion) => {
            elements(suggestion, "rules").map(rule).collect::<Option<Vec<_>>>()
        }
        "addDirectories" => elements(suggestion, "directories")
            .map(|directory| directory.as_str().map(str::to_owned))
            .collect::<Option<Vec<_>>>()
            .map(|directories| vec![format!("access to {}", directories.join(", "))]),
        "setMode" => Some(vec![format!("the permission mode {}", word(suggestion, "mode"))]),
        _ => None,
    };
    match text {
        Some(parts) if !parts.is_empty() => segments::line(&parts.join(", ")),
        _ => segments::line(&suggestion.to_string()),
    }
}

/// A rule as Claude writes it.
fn rule(rule: &Value) -> Option<String> {
    let tool = rule.get("toolName")?.as_str()?;
    Some(match rule.get("ruleContent").and_then(Value::as_str) {
        Some(content) => format!("{tool}({content})"),
        None => tool.to_owned(),
    })
}

fn stored(destination: &str) -> String {
    let place = match destination {
        "session" | "cliArg" => return "for this session only".to_owned(),
        "localSettings" => "the local settings of this project (.claude/settings.local.json)".to_owned(),
        "projectSettings" => "the shared settings of this project (.claude/settings.json)".to_owned(),
        "userSettings" => "your user settings (~/.claude/settings.json)".to_owned(),
        "" => "a place that Claude does not name".to_owned(),
        other => segments::line(other),
    };
    format!("stored in {place}")
}

fn word<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn elements<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn suggestions() -> Vec<Value> {
        vec![
            json!({"type": "setMode", "mode": "acceptEdits", "destination": "session"}),
            json!({"type": "addRules", "behavior": "allow", "destination": "localSettings",
                "rules": [{"toolName": "Bash", "ruleContent": "npm test"}, {"toolName": "Read"}]}),
            json!({"type": "addRules", "behavior": "deny", "destination": "session", "rules": [{"toolName": "Bash"}]}),
            json!({"type": "addDirectories", "directories": ["/a", "/b\u{202e}"], "destination": "moon"}),
        ]
    }

    #[test]
    fn always_applies_rules_and_what_was_chosen() {
        let suggestions = suggestions();
        assert_eq!(applied(&suggestions, None), Some(vec![1]));
        assert_eq!(applied(&suggestions, Some(&[3, 0])), Some(vec![3, 0]));
        assert_eq!(applied(&suggestions, Some(&[4])), None);
        assert_eq!(applied(&suggestions, Some(&[])), None);
        assert_eq!(applied(&suggestions[..1], None), None, "a permission mode is never a default");
    }

    #[test]
    fn what_is_granted_says_where_it_is_stored() {
        assert_eq!(
            granted(&suggestions(), &[1, 0, 3]),
            [
                "Bash(npm test), Read, stored in the local settings of this project (.claude/settings.local.json)",
                "the permission mode acceptEdits, for this session only",
                "access to /a, /b\u{27e8}U+202E\u{27e9}, stored in moon",
            ]
        );
        let words = offers(&suggestions());
        assert_eq!(
            words.iter().map(|offer| offer.by_default).collect::<Vec<_>>(),
            [false, true, false, false]
        );
        assert!(words[2].text.starts_with("{\"type\":\"addRules\""), "{}", words[2].text);
    }
}
