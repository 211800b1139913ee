//! A stand-in for an MCP server over standard input and output, with one tool: `run`, which has a member `command` and
//! does nothing with it.

use std::io::{self, BufRead, Write};

use serde_json::{Value, json};

fn main() -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let Ok(request) = serde_json::from_str::<Value>(&line?) else { continue };
        // Notifications have no id and get no answer.
        let Some(id) = request.get("id") else { continue };
        let result = match request["method"].as_str() {
            Some("initialize") => json!({
                "protocolVersion": request["params"]["protocolVersion"],
                "capabilities": { "tools": {} },
                "serverInfo": { "name": "stand-in", "version": "1" },
            }),
            Some("tools/list") => json!({ "tools": [{
                "name": "run",
                "description": "Does nothing",
                "inputSchema": { "type": "object", "properties": { "command": { "type": "string" } } },
            }] }),
            Some("tools/call") => json!({ "content": [{ "type": "text", "text": "did nothing" }] }),
            _ => json!({}),
        };
        writeln!(stdout, "{}", json!({ "jsonrpc": "2.0", "id": id, "result": result }))?;
        stdout.flush()?;
    }
    Ok(())
}
