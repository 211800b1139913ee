//! What “always” means, in words.

use areyouj_protocol::Json;

use super::plain;

/// The rules that “always” adds, as Claude writes them: those that allow something, else the first suggestion. One
/// line, with nothing hidden in it.
pub fn in_words(suggestions: &[Json]) -> String {
    let rules: Vec<String> = suggestions
        .iter()
        .filter(|suggestion| {
            let word = |name| suggestion.get(name).and_then(Json::as_str);
            (word("type"), word("behavior")) == (Some("addRules"), Some("allow"))
        })
        .flat_map(|suggestion| suggestion.get("rules").map_or(&[][..], Json::elements))
        .map(|rule| {
            let tool = rule.get("toolName").and_then(Json::as_str).unwrap_or_default();
            match rule.get("ruleContent").and_then(Json::as_str) {
                Some(content) => format!("{tool}({content})"),
                None => tool.to_owned(),
            }
        })
        .collect();
    match suggestions {
        [first, ..] if rules.is_empty() => plain::path(&serde_json::to_string(first).unwrap_or_default()),
        _ => plain::path(&rules.join(", ")),
    }
}
