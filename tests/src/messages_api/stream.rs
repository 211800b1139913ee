//! A message as server-sent events, or whole.

use std::collections::{HashSet, VecDeque};
use std::convert::Infallible;

use axum::body::Bytes;
use futures_util::Stream;
use futures_util::stream;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::request;
use super::script::{Before, Block};

/// An answer, with what it says about itself.
pub(super) struct Message {
    id: String,
    model: Value,
    input_tokens: usize,
    blocks: Vec<Block>,
}

/// Names of holds that were released.
type Released = watch::Receiver<HashSet<String>>;

impl Message {
    /// `number`: different for every message; ids are made of it.
    pub(super) fn new(number: u64, request: &Value, blocks: Vec<Block>) -> Message {
        Message {
            id: format!("msg_{number:04}"),
            model: request["model"].clone(),
            input_tokens: request::tokens(request["messages"].to_string().len()),
            blocks,
        }
    }

    /// The whole message, once every wait in it is over.
    pub(super) async fn whole(self, mut released: Released) -> Value {
        for block in &self.blocks {
            if let Block::Text(pieces) = block {
                for (before, _) in pieces {
                    wait(before, &mut released).await;
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

    /// Server-sent events, each as soon as what it waits for has happened.
    pub(super) fn into_stream(self, released: Released) -> impl Stream<Item = Result<Bytes, Infallible>> {
        let events: VecDeque<(Before, Value)> = self.events().into();
        stream::unfold((events, released), |(mut events, mut released)| async move {
            let (before, event) = events.pop_front()?;
            wait(&before, &mut released).await;
            let name = event["type"].as_str().unwrap_or_default();
            let frame = format!("event: {name}\ndata: {event}\n\n");
            Some((Ok(Bytes::from(frame)), (events, released)))
        })
    }

    fn events(&self) -> Vec<(Before, Value)> {
        let mut events = vec![(
            Before::Nothing,
            json!({ "type": "message_start", "message": {
                "id": self.id, "type": "message", "role": "assistant", "model": self.model, "content": [],
                "stop_reason": null, "stop_sequence": null, "usage": self.usage(1),
            } }),
        )];
        for (index, block) in self.blocks.iter().enumerate() {
            let start = self.empty_block(index, block);
            events.push((
                Before::Nothing,
                json!({ "type": "content_block_start", "index": index, "content_block": start }),
            ));
            events.extend(deltas(block).into_iter().map(|(before, delta)| {
                (before, json!({ "type": "content_block_delta", "index": index, "delta": delta }))
            }));
            events.push((Before::Nothing, json!({ "type": "content_block_stop", "index": index })));
        }
        events.push((
            Before::Nothing,
            json!({
                "type": "message_delta",
                "delta": { "stop_reason": self.stop_reason(), "stop_sequence": null },
                "usage": { "output_tokens": self.output_tokens() },
            }),
        ));
        events.push((Before::Nothing, json!({ "type": "message_stop" })));
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
            Block::Text(pieces) => {
                whole["text"] = json!(pieces.iter().map(|(_, piece)| piece.as_str()).collect::<String>());
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
                Block::Text(pieces) => pieces.len(),
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

/// Claude does not check the signature of a thought; it must be there.
const SIGNATURE: &str = "c2lnbmF0dXJl";

fn deltas(block: &Block) -> Vec<(Before, Value)> {
    match block {
        Block::Thinking(text) => vec![
            (Before::Nothing, json!({ "type": "thinking_delta", "thinking": text })),
            (Before::Nothing, json!({ "type": "signature_delta", "signature": SIGNATURE })),
        ],
        Block::Text(pieces) => pieces
            .iter()
            .map(|(before, piece)| (before.clone(), json!({ "type": "text_delta", "text": piece })))
            .collect(),
        Block::ToolUse { input, .. } => {
            vec![(Before::Nothing, json!({ "type": "input_json_delta", "partial_json": input.to_string() }))]
        }
    }
}

async fn wait(before: &Before, released: &mut Released) {
    match before {
        Before::Nothing => {}
        Before::Time(time) => tokio::time::sleep(*time).await,
        Before::Release(name) => {
            // An error means that the API is going away, and this answer with it.
            let _ = released.wait_for(|released| released.contains(name)).await;
        }
    }
}
