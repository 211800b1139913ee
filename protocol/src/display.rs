//! What a permission request would run, exactly and with nothing hidden: the display that a person decides by.

use serde::{Deserialize, Serialize};

/// A part of what a permission request would run, for example a command or the content of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DisplaySection {
    /// The label to display, for example `Command`, `File`, `Question 1` or the name of an argument. One line without
    /// hidden characters.
    pub label: String,
    /// What the section is, for its looks.
    pub style: DisplayStyle,
    /// The JSON Pointer of the value in the request's `input` if the section is exactly this text, for example
    /// `/command` or `/questions/0/options/1/label`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// The size of the exact text, to display in the section's header.
    pub size: DisplaySize,
    /// The text in order. The `text` members of all segments joined are the exact text, byte for byte.
    pub segments: Vec<DisplaySegment>,
}

/// What a section of a display is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum DisplayStyle {
    /// The name of the tool; the first section of every request.
    Tool,
    /// A shell command. Only the tool Bash has one.
    Command,
    /// A path or a URL.
    Path,
    /// Text that the tool removes from a file.
    Removed,
    /// Text that the tool writes to a file.
    Added,
    /// A plan. It is Markdown: clients can colour it and must display each of its characters.
    Plan,
    /// A question.
    Question,
    /// The label of a choice.
    Choice,
    /// Any other text.
    Text,
    /// A value that is not text, as JSON.
    Json,
}

/// The size of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DisplaySize {
    /// The number of lines. A line break at the end begins no further line.
    pub lines: u32,
    /// The number of characters (Unicode scalar values).
    pub characters: u32,
}

/// A piece of exact text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DisplaySegment {
    /// What the piece is. Treat an unknown kind as one with a mark.
    pub kind: SegmentKind,
    /// The exact text. Display it only if there is no `shown`.
    pub text: String,
    /// The text to display in place of the exact one, for example `⟨3,000 spaces⟩` or `⟨U+202E⟩`. It contains no
    /// control, hidden or reordering character; only that of kind `dense` contains line breaks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<String>,
}

impl DisplaySegment {
    /// The text to display.
    pub fn displayed(&self) -> &str {
        self.shown.as_deref().unwrap_or(&self.text)
    }
}

/// What a segment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum SegmentKind {
    /// Ordinary text, with line breaks and tabs.
    Plain,
    /// A long run of spaces or tabs, which could push the text behind it out of sight.
    Blanks,
    /// A long run of empty lines.
    EmptyLines,
    /// A control character, or several of the same.
    Control,
    /// A character that is not displayed.
    Invisible,
    /// A character that reorders the text around it, or breaks its line.
    Reorders,
    /// A character that looks like a space.
    BlankLookalike,
    /// A combining mark without a letter of its own, which would cover another character.
    Combining,
    /// A word or sign that looks like another one: letters of several scripts, foreign letters that look like ASCII, or
    /// the brackets of a mark.
    Lookalike,
    /// The rest of a text with a very large number of marks, as one segment.
    Dense,
}

/// What "always" can allow: one suggestion of Claude's in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct AlwaysOffer {
    /// What it allows. One line without hidden characters.
    pub text: String,
    /// Where Claude stores it, to display behind `text` and a comma: `for this session only`, or for example
    /// `stored in the local settings of this project (.claude/settings.local.json)`.
    pub stored: String,
    /// An answer without `suggestions` applies it. Others, for example a permission mode, must be chosen by index.
    pub by_default: bool,
}
