//! A stand-in for the Claude CLI, for faults that the real one does not have and for many sessions at once.
//!
//! Tests of Claude's behaviour use the real one. `AREYOUJ_STANDIN` selects the mode:
//!
//! | mode | behaviour |
//! |---|---|
//! | `obedient` | answers `initialize`, and every message with one line of text |
//! | `exits` | prints an error and exits with 1 before it is ready |
//! | `refuses` | prints an error about its arguments and exits with 2 before it is ready |
//! | `silent` | reads its input and never responds |
//! | `garbage` | prints invalid lines between valid ones; otherwise obedient |
//! | `flood` | prints very long output for every message; otherwise obedient |
//! | `deep` | requests permission in each turn for a tool whose input is as deeply nested as the message says; reports whether the input came back |
//! | `twins` | asks two questions of the same text in each turn; reports the message with which they were denied |

use std::fs::{self, OpenOptions};
use std::io::{self, BufRead, StdoutLock, Write};
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};

/// The number of deltas in a flood, and the size of each in bytes: 16 MiB together, more than all buffers in between
/// can hold.
const FLOOD_DELTAS: (usize, usize) = (4096, 4096);

fn main() -> io::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.iter().any(|argument| argument == "--version") {
        println!("0.0.0 (stand-in)");
        return Ok(ExitCode::SUCCESS);
    }
    let mode = std::env::var("AREYOUJ_STANDIN").unwrap_or_default();
    match mode.as_str() {
        "exits" => {
            eprintln!("stand-in: the moon is in the wrong phase");
            Ok(ExitCode::from(1))
        }
        "refuses" => {
            eprintln!("error: unknown option '--stand-in'");
            Ok(ExitCode::from(2))
        }
        "silent" => {
            io::copy(&mut io::stdin().lock(), &mut io::sink())?;
            Ok(ExitCode::SUCCESS)
        }
        "obedient" | "garbage" | "flood" | "deep" | "twins" => {
            let session = value_of(&arguments, "--session-id").or_else(|| value_of(&arguments, "--resume"));
            let mut claude = StandIn {
                mode,
                session: session.unwrap_or_default(),
                out: io::stdout().lock(),
                turns: 0,
                pending: None,
            };
            claude.run()?;
            Ok(ExitCode::SUCCESS)
        }
        other => {
            eprintln!("stand-in: AREYOUJ_STANDIN={other:?} is not a mode");
            Ok(ExitCode::from(64))
        }
    }
}

fn value_of(arguments: &[String], option: &str) -> Option<String> {
    let place = arguments.iter().position(|argument| argument == option)?;
    arguments.get(place + 1).cloned()
}

struct StandIn {
    mode: String,
    session: String,
    out: StdoutLock<'static>,
    turns: u64,
    /// The permission request that waits for an answer.
    pending: Option<PendingRequest>,
}

/// A permission request for a tool.
struct PendingRequest {
    /// The message of the turn.
    message: Value,
    /// The tool's input.
    input: String,
    /// The request.
    request: String,
}

/// A placeholder for JSON text that is nested deeper than a `Value` can be.
const DEEP_PLACEHOLDER: &str = "deep";

impl StandIn {
    fn run(&mut self) -> io::Result<()> {
        for line in io::stdin().lock().lines() {
            let line = line?;
            if let Some(PendingRequest { message, input, .. }) =
                self.pending.take_if(|_| line.contains(r#""behavior":"#))
            {
                if self.mode == "twins" {
                    let answer: Value = serde_json::from_str(&line)?;
                    let denied = answer["response"]["response"]["message"].as_str().unwrap_or("none");
                    self.finish(&message["uuid"], &format!("The answer: {denied}"))?;
                    continue;
                }
                let answer = format!(r#""behavior":"allow","updatedInput":{input}}}"#);
                let outcome = if line.contains(&answer) { "came back whole" } else { "did not come back" };
                self.finish(&message["uuid"], &format!("The input {outcome}."))?;
                continue;
            }
            let Ok(message) = serde_json::from_str::<Value>(&line) else { continue };
            match message["type"].as_str() {
                Some("control_request") => self.control(&message)?,
                Some("user") => self.turn(&message)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn control(&mut self, request: &Value) -> io::Result<()> {
        let response = match request["request"]["subtype"].as_str() {
            Some("initialize") => json!({ "commands": [], "models": [], "agents": [] }),
            _ => json!({}),
        };
        let pending = if self.pending.is_some() { json!([DEEP_PLACEHOLDER]) } else { json!([]) };
        let answer = json!({ "type": "control_response", "response": {
            "subtype": "success", "request_id": request["request_id"], "response": response,
            "pending_permission_requests": pending,
        } });
        match &self.pending {
            Some(pending) => {
                let line = with_deep(&answer, &pending.request);
                self.print_line(&line)
            }
            None => self.print(&answer),
        }
    }

    fn turn(&mut self, message: &Value) -> io::Result<()> {
        self.turns += 1;
        self.record(message)?;
        let uuid = &message["uuid"];
        self.state("running")?;
        self.lifecycle(uuid, "queued")?;
        self.lifecycle(uuid, "started")?;
        self.print(
            &json!({ "type": "system", "subtype": "init", "model": "stand-in", "permissionMode": "default" }),
        )?;
        let mut echo = message.clone();
        echo["isReplay"] = json!(true);
        self.print(&echo)?;
        if self.mode == "flood" {
            self.flood()?;
        }
        if self.mode == "deep" {
            let levels = message["message"]["content"].as_str().and_then(|text| text.parse().ok());
            let levels = levels.unwrap_or(1);
            let input = format!("{}1{}", r#"{"a":"#.repeat(levels), "}".repeat(levels));
            return self.request_permission(message, "Deep", input);
        }
        if self.mode == "twins" {
            let options = [json!({ "label": "Red" }), json!({ "label": "Blue" })];
            let question = json!({ "question": "Which?", "options": options, "multiSelect": false });
            let input = json!({ "questions": [&question, &question] }).to_string();
            return self.request_permission(message, "AskUserQuestion", input);
        }
        self.finish(uuid, &format!("The stand-in received message {}.", self.turns))
    }

    /// Calls a tool, and requests permission for it. The answer ends the turn.
    fn request_permission(&mut self, message: &Value, tool: &str, input: String) -> io::Result<()> {
        let call = json!({ "type": "assistant", "parent_tool_use_id": null, "message": {
            "id": format!("msg_{}", self.turns), "type": "message", "role": "assistant", "model": "stand-in",
            "content": [{ "type": "tool_use", "id": "toolu_1", "name": tool, "input": DEEP_PLACEHOLDER }],
        } });
        let ask = json!({ "type": "control_request", "request_id": format!("ask-{}", self.turns), "request": {
            "subtype": "can_use_tool", "tool_name": tool, "input": DEEP_PLACEHOLDER,
        } });
        let request = with_deep(&ask, &input);
        self.print_line(&with_deep(&call, &input))?;
        self.print_line(&request)?;
        self.pending = Some(PendingRequest { message: message.clone(), input, request });
        self.state("requires_action")
    }

    fn finish(&mut self, uuid: &Value, text: &str) -> io::Result<()> {
        self.print(&json!({ "type": "assistant", "parent_tool_use_id": null, "message": {
            "id": format!("msg_{}", self.turns), "type": "message", "role": "assistant", "model": "stand-in",
            "content": [{ "type": "text", "text": text }],
        } }))?;
        self.print(&json!({
            "type": "result", "subtype": "success", "is_error": false, "num_turns": 1, "duration_ms": 1,
            "result": text, "total_cost_usd": 0.01 * self.turns as f64, "usage": {}, "modelUsage": {},
        }))?;
        self.lifecycle(uuid, "completed")?;
        self.state("idle")
    }

    /// Stores the message where Claude stores its record of the conversation.
    fn record(&self, message: &Value) -> io::Result<()> {
        let Some(config) = std::env::var_os("CLAUDE_CONFIG_DIR") else { return Ok(()) };
        let folder = Path::new(&config).join("projects/stand-in");
        fs::create_dir_all(&folder)?;
        let record = folder.join(format!("{}.jsonl", self.session));
        writeln!(OpenOptions::new().create(true).append(true).open(record)?, "{message}")
    }

    fn flood(&mut self) -> io::Result<()> {
        let text = "x".repeat(FLOOD_DELTAS.1);
        for _ in 0..FLOOD_DELTAS.0 {
            self.print(&json!({ "type": "stream_event", "parent_tool_use_id": null, "event": {
                "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": text },
            } }))?;
        }
        Ok(())
    }

    fn state(&mut self, state: &str) -> io::Result<()> {
        self.print(&json!({ "type": "system", "subtype": "session_state_changed", "state": state }))
    }

    fn lifecycle(&mut self, uuid: &Value, state: &str) -> io::Result<()> {
        self.print(&json!({ "type": "command_lifecycle", "command_uuid": uuid, "state": state }))
    }

    fn print(&mut self, line: &Value) -> io::Result<()> {
        if self.mode == "garbage" {
            self.out.write_all(
                b"\r\n{\"type\":\"tomorrow's news\"}\nno JSON\n\xff\xfe\0\n[1,2\n{\"type\":7}\n\"\"\n",
            )?;
        }
        let mut line = line.clone();
        line["session_id"] = json!(self.session);
        self.print_line(&line.to_string())
    }

    fn print_line(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.out, "{line}")?;
        self.out.flush()
    }
}

/// The JSON text of a value, with [`DEEP_PLACEHOLDER`] replaced by this text.
fn with_deep(value: &Value, text: &str) -> String {
    value.to_string().replace(&json!(DEEP_PLACEHOLDER).to_string(), text)
}
