//! The orchestrator's input as lines for Claude.

use serde::Serialize;
use serde_json::{Value, json};

use super::permission::{self, Decision};
use crate::orchestrator::{Input, Problem};

/// The line to write, with its newline; empty for an input that only a terminal has.
///
/// # Errors
///
/// The answer does not fit its permission request.
pub fn encode(input: &Input) -> Result<Vec<u8>, Problem> {
    let mut line = match input {
        Input::Initialize { request_id } => control_request(request_id, &json!({"subtype": "initialize"})),
        // Without the flag, a message that Claude received and did not start would run after the interrupt.
        Input::Interrupt { request_id } => {
            control_request(request_id, &json!({"subtype": "interrupt", "cancel_queued": true}))
        }
        Input::Message { id, text, steer } => {
            let mut message = json!({
                "type": "user",
                "message": {"role": "user", "content": text},
                "parent_tool_use_id": null,
                "session_id": "",
                "uuid": id,
            });
            if *steer {
                // "next" waits for the running tool call; "now" would interrupt the turn.
                message["priority"] = json!("next");
            }
            message.to_string()
        }
        Input::Answer { request, answer } => {
            let response = permission::decision(request, answer)?;
            control_response(Response::Success { request_id: &request.request_id, response })?
        }
        Input::Refuse { request_id, message } => {
            control_response(Response::Error { request_id, error: message })?
        }
        // Only terminals have these.
        Input::Enter | Input::ReleaseHook { .. } => return Ok(Vec::new()),
    };
    line.push('\n');
    Ok(line.into_bytes())
}

fn control_request(request_id: &str, request: &Value) -> String {
    json!({"type": "control_request", "request_id": request_id, "request": request}).to_string()
}

/// The response to a request of Claude's. Not a [`Value`], which cannot hold every [`Decision`].
#[derive(Serialize)]
#[serde(tag = "subtype", rename_all = "lowercase")]
enum Response<'a> {
    Success { request_id: &'a str, response: Decision },
    Error { request_id: &'a str, error: &'a str },
}

fn control_response(response: Response<'_>) -> Result<String, Problem> {
    #[derive(Serialize)]
    struct ControlResponse<'a> {
        r#type: &'static str,
        response: Response<'a>,
    }

    let response = ControlResponse { r#type: "control_response", response };
    serde_json::to_string(&response).map_err(|error| permission::unreadable(&error))
}

#[cfg(test)]
mod tests {
    use super::encode;
    use crate::driver::stream::decode_input;
    use crate::orchestrator::{Answer, Input, PermissionKind, PermissionRequest, ToolInput, Written};
    use serde_json::{Value, json};
    use uuid::Uuid;

    fn line(input: &Input) -> Value {
        let line = encode(input).unwrap();
        let newlines = line.iter().filter(|byte| **byte == b'\n').count();
        assert_eq!((newlines, line.last()), (1, Some(&b'\n')));
        serde_json::from_slice(&line).unwrap()
    }

    fn answer() -> Input {
        Input::Answer {
            request: Box::new(PermissionRequest {
                request_id: "r1".to_owned(),
                kind: PermissionKind::Tool,
                tool: "Bash".to_owned(),
                input: ToolInput::parse(r#"{"command":"ls"}"#).unwrap(),
                title: "ls".to_owned(),
                suggestions: Vec::new(),
                tool_use_id: None,
                plan: None,
            }),
            answer: Answer::Allow,
        }
    }

    #[test]
    fn a_message_carries_its_id() {
        let id = Uuid::from_u128(7);
        let message = Input::Message { id, text: "a\n\"b\"".to_owned(), steer: false };
        let expected = json!({"type": "user", "message": {"role": "user", "content": "a\n\"b\""},
            "parent_tool_use_id": null, "session_id": "", "uuid": id.to_string()});
        assert_eq!(line(&message), expected);
    }

    #[test]
    fn a_steering_message_goes_next() {
        let message = Input::Message { id: Uuid::from_u128(7), text: "a".to_owned(), steer: true };
        assert_eq!(line(&message)["priority"], "next");
    }

    #[test]
    fn control_requests_carry_our_id() {
        let initialize = Input::Initialize { request_id: "areyouj-init-1".to_owned() };
        let expected = json!({"type": "control_request", "request_id": "areyouj-init-1",
            "request": {"subtype": "initialize"}});
        assert_eq!(line(&initialize), expected);
        let interrupt = Input::Interrupt { request_id: "areyouj-2".to_owned() };
        assert_eq!(line(&interrupt)["request"], json!({"subtype": "interrupt", "cancel_queued": true}));
    }

    #[test]
    fn an_answer_goes_to_the_request_it_answers() {
        let response = json!({"behavior": "allow", "updatedInput": {"command": "ls"}});
        let expected = json!({"type": "control_response",
            "response": {"subtype": "success", "request_id": "r1", "response": response}});
        assert_eq!(line(&answer()), expected);
    }

    #[test]
    fn an_unknown_request_is_refused() {
        let refusal = Input::Refuse { request_id: "r2".to_owned(), message: "Not known.".to_owned() };
        let expected = json!({"type": "control_response",
            "response": {"subtype": "error", "request_id": "r2", "error": "Not known."}});
        assert_eq!(line(&refusal), expected);
    }

    #[test]
    fn what_was_written_is_recognised_in_the_journal() {
        let id = Uuid::from_u128(7);
        let written = |input: &Input| decode_input(&encode(input).unwrap());
        let message = Input::Message { id, text: "a".to_owned(), steer: true };
        assert_eq!(written(&message), Written::Message(id));
        assert_eq!(written(&answer()), Written::Answer { request_id: "r1".to_owned() });
        let refusal = Input::Refuse { request_id: "r2".to_owned(), message: String::new() };
        assert_eq!(written(&refusal), Written::Other);
        assert_eq!(written(&Input::Interrupt { request_id: "areyouj-2".to_owned() }), Written::Other);
    }
}
