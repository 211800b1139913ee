//! Prints permission requests whose commands try to hide something, as the daemon sends them, with what a client must
//! display. The tests of the extensions compare their own display with it.
//!
//! Usage: `hostile-display [COUNT]`. Prints one JSON value: an array of `{text, lines, permission}`. `lines` is the
//! command as it must be displayed, line by line, without colours.

use std::error::Error;

use areyouj_core::text::{display, hostile};
use areyouj_protocol::{DisplaySegment, Json, Permission, PermissionKind, PermissionState};
use serde_json::json;

/// The number of requests without an argument.
const COUNT: u64 = 2_000;

fn main() -> Result<(), Box<dyn Error>> {
    let count = std::env::args().nth(1).map_or(Ok(COUNT), |count| count.parse())?;
    let table: Result<Vec<_>, Box<dyn Error>> = (0..count).map(request).collect();
    println!("{}", serde_json::to_string(&table?)?);
    Ok(())
}

fn request(number: u64) -> Result<serde_json::Value, Box<dyn Error>> {
    let text = hostile::text(number);
    let input = json!({ "command": text });
    let sections = display::sections("Bash", &input);
    let command = sections.iter().find(|section| section.pointer.as_deref() == Some("/command"));
    let shown: String =
        command.into_iter().flat_map(|section| &section.segments).map(DisplaySegment::displayed).collect();
    // A line break at the end of the text begins no line.
    let shown = shown.strip_suffix('\n').unwrap_or(&shown);
    let permission = Permission {
        id: format!("K7M2Q9XD-{number}"),
        session_id: "K7M2Q9XD".to_owned(),
        kind: PermissionKind::Tool,
        tool: "Bash".to_owned(),
        input: serde_json::from_value::<Json>(input)?,
        title: "Run a command".to_owned(),
        display: sections,
        digest: "0".repeat(64),
        controls_areyouj: false,
        suggestions: Vec::new(),
        always: Vec::new(),
        created_at: 1,
        state: PermissionState::Open,
        answered_by: None,
        granted: Vec::new(),
    };
    let lines: Vec<&str> = shown.split('\n').collect();
    Ok(json!({ "text": text, "lines": lines, "permission": permission }))
}
