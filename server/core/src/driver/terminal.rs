//! The driver of terminal sessions: Claude's own interface in a pseudo-terminal.
//!
//! Claude's hooks report what happens; the session's own settings add them to the person's. The screen is never parsed.
//! Messages are pasted, and permission requests are answered through the hook that waits for the answer.

mod hook;
mod keys;

pub(super) use hook::{decode_hook, request_id_of};
pub use keys::Keys;

use std::ffi::OsString;
use std::path::Path;

use serde_json::{Value, json};

use super::stream::decision;
use crate::orchestrator::{Input, LaunchOrder, Problem, Written};

/// The environment variable with which a hook finds its session's host.
pub const HOST_SOCKET: &str = "AREYOUJ_HOST_SOCKET";

/// The type of the terminal. Viewers can have others; all of them understand this one.
pub const ENVIRONMENT: &[(&str, &str)] = &[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")];

/// The hooks that AreYouJ uses.
const HOOKS: &[&str] = &[
    "SessionStart",
    "UserPromptSubmit",
    "PreToolUse",
    "PostToolUse",
    "PostToolUseFailure",
    "PermissionRequest",
    "PostCompact",
    "Stop",
    "StopFailure",
    "SessionEnd",
];

/// The hook whose result is a person's answer. Claude waits for it as long as a person can take.
pub const ASKING_HOOK: &str = "PermissionRequest";
const ASKING_SECONDS: u32 = 7 * 24 * 3_600;

/// How long Claude waits for a hook that only reports, in seconds: it takes milliseconds.
const TELLING_SECONDS: u32 = 10;

const PASTE_BEGINS: &[u8] = b"\x1b[200~";
const PASTE_ENDS: &[u8] = b"\x1b[201~";
const ENTER: &[u8] = b"\r";
const ESCAPE: &[u8] = b"\x1b";

/// Claude's arguments, without the program's name. `program` is the `areyouj` program, which is also the hook.
pub fn arguments(order: &LaunchOrder, program: &Path) -> Vec<OsString> {
    let conversation = if order.resume { "--resume" } else { "--session-id" };
    let mut arguments: Vec<OsString> = vec![conversation.into(), order.claude_session.to_string().into()];
    arguments.extend(["--settings".into(), settings(program).to_string().into()]);
    if let Some(model) = &order.spec.model {
        arguments.extend(["--model".into(), model.into()]);
    }
    if let Some(mode) = &order.spec.permission_mode {
        arguments.extend(["--permission-mode".into(), mode.into()]);
    }
    arguments
}

fn settings(program: &Path) -> Value {
    let command = format!("{} hook", quoted(program));
    let hooks = HOOKS.iter().map(|name| {
        let timeout = if *name == ASKING_HOOK { ASKING_SECONDS } else { TELLING_SECONDS };
        let hook = json!({"type": "command", "command": command, "timeout": timeout});
        ((*name).to_owned(), json!([{"hooks": [hook]}]))
    });
    json!({ "hooks": Value::Object(hooks.collect()) })
}

/// A path, quoted for a shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\'', r"'\''"))
}

/// An order for the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Write these bytes to the terminal.
    Write(Vec<u8>),
    /// Release a hook, which then prints these bytes.
    AnswerHook {
        /// The offset of the hook's record.
        hook: u64,
        /// What it prints.
        bytes: Vec<u8>,
    },
}

/// The order for this input; `None` for an input that terminals do not have.
///
/// # Errors
///
/// The answer does not fit its permission request.
pub fn encode(input: &Input) -> Result<Option<Order>, Problem> {
    Ok(match input {
        Input::Message { text, .. } => Some(Order::Write(paste(text))),
        Input::Enter => Some(Order::Write(ENTER.to_vec())),
        Input::Interrupt { .. } => Some(Order::Write(ESCAPE.to_vec())),
        Input::Answer { request, answer } => {
            let bytes = hook::answer(&decision(request, answer)?)?;
            hook::number(&request.request_id).map(|hook| Order::AnswerHook { hook, bytes })
        }
        Input::ReleaseHook { request_id } => {
            hook::number(request_id).map(|hook| Order::AnswerHook { hook, bytes: Vec::new() })
        }
        Input::Initialize { .. } | Input::Refuse { .. } => None,
    })
}

/// The message as one paste, and Enter. Nothing in it can end the paste or become a shell command.
fn paste(text: &str) -> Vec<u8> {
    let text: String = text.chars().filter(|character| is_pasted(*character)).collect();
    // Claude runs a text after a leading exclamation mark as a shell command.
    let guard = if text.starts_with('!') { " " } else { "" };
    // A backslash at the end turns Enter into a new line.
    let end = if text.ends_with('\\') { " " } else { "" };
    [PASTE_BEGINS, guard.as_bytes(), text.as_bytes(), end.as_bytes(), PASTE_ENDS, ENTER].concat()
}

/// Whether this character is pasted: control characters other than white space could end the paste.
fn is_pasted(character: char) -> bool {
    !character.is_control() || matches!(character, '\n' | '\t')
}

/// What was written to the terminal.
pub(super) fn decode_input(bytes: &[u8]) -> Written {
    if bytes.starts_with(PASTE_BEGINS) { Written::Pasted } else { Written::Other }
}

/// Whether these bytes only send or stop what Claude has.
pub(super) fn is_harmless(bytes: &[u8]) -> bool {
    bytes == ENTER || bytes == ESCAPE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        let id = uuid::Uuid::from_u128(1);
        match encode(&Input::Message { id, text: text.to_owned(), steer: false }).unwrap() {
            Some(Order::Write(bytes)) => {
                assert_eq!(decode_input(&bytes), Written::Pasted);
                String::from_utf8(bytes).unwrap()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_message_is_one_paste_that_nothing_in_it_can_end() {
        assert_eq!(message("one\n\ttwo"), "\u{1b}[200~one\n\ttwo\u{1b}[201~\r");
        assert_eq!(message("a\u{1b}[201~\rrm -rf /\r"), "\u{1b}[200~a[201~rm -rf /\u{1b}[201~\r");
        assert_eq!(message("\u{9b}201~x\u{3}"), "\u{1b}[200~201~x\u{1b}[201~\r");
    }

    #[test]
    fn a_message_is_never_a_shell_command() {
        assert_eq!(message("!rm -rf /"), "\u{1b}[200~ !rm -rf /\u{1b}[201~\r");
        assert_eq!(message("C:\\"), "\u{1b}[200~C:\\ \u{1b}[201~\r");
        assert_eq!(message("\u{1b}!x"), "\u{1b}[200~ !x\u{1b}[201~\r");
    }

    #[test]
    fn every_hook_calls_this_program_wherever_it_is() {
        let settings = settings(Path::new("/opt/it's here/areyouj"));
        for name in HOOKS {
            let hook = &settings["hooks"][name][0]["hooks"][0];
            assert_eq!(hook["command"], r"'/opt/it'\''s here/areyouj' hook");
            assert_eq!(hook["timeout"] == ASKING_SECONDS, *name == ASKING_HOOK);
        }
    }
}
