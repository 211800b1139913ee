//! A message, as server-sent events or as one JSON value.

use std::collections::{HashSet, VecDeque};
use std::convert::Infallible;

use axum::body::Bytes;
use futures_util::Stream;
use futures_util::stream;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::request;
use super::script::{Block, Delay};

/// A response message with its metadata.
pub(super) struct Message {
    id: String,
    model: Value,
    input_tokens: usize,
    blocks: Vec<Block>,
}

/// The names of released holds.
type Released = watch::Receiver<HashSet<String>>;

impl Message {
    /// `number` must be unique for every message; ids are derived from it.
    pub(super) fn new(number: u64, request: &Value, blocks: Vec<Block>) -> Message {
        Message {
            id: format!("msg_{number:04}"),
            model: request["model"].clone(),
            input_tokens: request::tokens(request["messages"].to_string().len()),
            blocks,
        }
    }

    /// Waits for all delays in the message, and returns it as one JSON value.
    pub(super) async fn whole(self, mut released: Released) -> Value {
        for block in &self.blocks {
            if let Block::Text(parts) = block {
                for (delay, _) in parts {
                    wait(delay, &mut released).await;
                }
            }
        }
        let content: Vec<Value> =
            self.blocks.iter().enumerate().map(|(index, block)| self.whole_block(index, block)).collect();
        json!({
            "id": self.id, "type": "message", "role": "assistant", "model": self.model, "content": content,
            "stop_reason": self.stop_reason(), "stop_sequence": null, "usage": self.usage(self.output_tokens()),
        })
    }

    /// The message as server-sent events, each after its delay.
    pub(super) fn into_stream(self, released: Released) -> impl Stream<Item = Result<Bytes, Infallible>> {
        let events: VecDeque<(Delay, Value)> = self.events().into();
        stream::unfold((events, released), |(mut events, mut released)| async move {
            let (delay, event) = events.pop_front()?;
            wait(&delay, &mut released).await;
            let name = event["type"].as_str().unwrap_or_default();
            let frame = format!("event: {name}\ndata: {event}\n\n");
            Some((Ok(Bytes::from(frame)), (events, released)))
        })
    }

    fn events(&self) -> Vec<(Delay, Value)> {
        let mut events = vec![(
            Delay::None,
            json!({ "type": "message_start", "message": {
                "id": self.id, "type": "message", "role": "assistant", "model": self.model, "content": [],
                "stop_reason": null, "stop_sequence": null, "usage": self.usage(1),
            } }),
        )];
        for (index, block) in self.blocks.iter().enumerate() {
            let start = self.empty_block(index, block);
            events.push((
                Delay::None,
                json!({ "type": "content_block_start", "index": index, "content_block": start }),
            ));
            events.extend(deltas(block).into_iter().map(|(delay, delta)| {
                (delay, json!({ "type": "content_block_delta", "index": index, "delta": delta }))
            }));
            events.push((Delay::None, json!({ "type": "content_block_stop", "index": index })));
        }
        events.push((
            Delay::None,
            json!({
                "type": "message_delta",
                "delta": { "stop_reason": self.stop_reason(), "stop_sequence": null },
                "usage": { "output_tokens": self.output_tokens() },
            }),
        ));
        events.push((Delay::None, json!({ "type": "message_stop" })));
        events
    }

    fn empty_block(&self, index: usize, block: &Block) -> Value {
        match block {
            Block::Thinking(_) => json!({ "type": "thinking", "thinking": "", "signature": "" }),
            Block::Text(_) => json!({ "type": "text", "text": "" }),
            Block::ToolUse { name, .. } => {
                json!({ "type": "tool_use", "id": self.tool_use_id(index), "name": name, "input": {} })
            }
        }
    }

    fn whole_block(&self, index: usize, block: &Block) -> Value {
        let mut whole = self.empty_block(index, block);
        match block {
            Block::Thinking(text) => {
                whole["thinking"] = json!(text);
                whole["signature"] = json!(SIGNATURE);
            }
            Block::Text(parts) => {
                whole["text"] = json!(parts.iter().map(|(_, part)| part.as_str()).collect::<String>());
            }
            Block::ToolUse { input, .. } => whole["input"] = input.clone(),
        }
        whole
    }

    fn tool_use_id(&self, index: usize) -> String {
        format!("toolu_{}_{index}", self.id)
    }

    fn stop_reason(&self) -> &'static str {
        let calls = self.blocks.iter().any(|block| matches!(block, Block::ToolUse { .. }));
        if calls { "tool_use" } else { "end_turn" }
    }

    fn output_tokens(&self) -> usize {
        self.blocks
            .iter()
            .map(|block| match block {
                Block::Thinking(text) => request::tokens(text.len()),
                Block::Text(parts) => parts.len(),
                Block::ToolUse { input, .. } => request::tokens(input.to_string().len()),
            })
            .sum()
    }

    fn usage(&self, output_tokens: usize) -> Value {
        json!({
            "input_tokens": self.input_tokens, "output_tokens": output_tokens,
            "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0,
        })
    }
}

/// Claude requires a signature for thinking, but does not verify it.
const SIGNATURE: &str = "c2lnbmF0dXJl";

fn deltas(block: &Block) -> Vec<(Delay, Value)> {
    match block {
        Block::Thinking(text) => vec![
            (Delay::None, json!({ "type": "thinking_delta", "thinking": text })),
            (Delay::None, json!({ "type": "signature_delta", "signature": SIGNATURE })),
        ],
        Block::Text(parts) => parts
            .iter()
            .map(|(delay, part)| (delay.clone(), json!({ "type": "text_delta", "text": part })))
            .collect(),
        Block::ToolUse { input, .. } => {
            vec![(Delay::None, json!({ "type": "input_json_delta", "partial_json": input.to_string() }))]
        }
    }
}

async fn wait(delay: &Delay, released: &mut Released) {
    match delay {
        Delay::None => {}
        Delay::Time(time) => tokio::time::sleep(*time).await,
        Delay::Release(name) => {
            // An error means that the API is stopping, and this response is dropped.
            let _ = released.wait_for(|released| released.contains(name)).await;
        }
    }
}
