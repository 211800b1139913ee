//! Renders the contract as PROTOCOL.md.

use areyouj_protocol::{
    AreYouJCapability, ClientInfo, Driver, ExperimentalCapabilities, InitializeParams, InitializeResult,
    NewMessage, Remedy, ServerCapabilities, ServerInfo, Session, SessionCreateParams, SessionCreateResult,
    SessionStatusChanged, Status, StatusSource, WorkspaceFolder,
};
use areyouj_protocol::{Method as MethodName, Notification, PROTOCOL_VERSION, notification, rpc};
use serde::Serialize;
use serde_json::{Value, json};

use crate::contract::{Body, Contract, Field, Method, Shape, Type};
use crate::{HEADER, Result};

/// The whole file.
pub(crate) fn render(contract: &Contract) -> Result<String> {
    let mut out = format!("<!-- {HEADER} -->\n\n");
    out += &introduction();
    out += LANGUAGE_SERVER;
    out += &example()?;
    out += &errors(contract);
    out += "\n## Requests\n\nFrom a client to the daemon, each with a response.\n";
    out += &methods(&contract.requests);
    out += "\n## Notifications\n\nFrom the daemon to a client, without a response.\n";
    out += &methods(&contract.notifications);
    out += "\n## Types\n\nA field marked `?` is optional, and is omitted rather than sent as `null`.\n\
            The daemon always writes a field whose type includes `null`.\n";
    for (name, definition) in &contract.types {
        out += &section(name, definition);
    }
    Ok(out)
}

/// The features of `areyouj lsp` for editors that do not support the contract.
const LANGUAGE_SERVER: &str = "
## Language server

`areyouj lsp` is also a plain language server.
An editor that announces `experimental.areyouj` as a client capability receives the notifications below unchanged.
For any other editor `areyouj lsp` translates: permission requests become `window/showMessageRequest`, the start of a session becomes progress, and code actions send the selection or its diagnostics to a session.
Positions use the first supported encoding of `general.positionEncodings`: UTF-8, UTF-16 or UTF-32.

Each command of `workspace/executeCommand` takes one object.
With a `messageId` or `requestId` in it, a repeated command returns the first result.
The result is the session or the message.

| Command | Argument |
|---|---|
| `areyouj.lsp.newSession` | `directory` (default: the first workspace folder), `name`, `message`, all optional |
| `areyouj.lsp.send` | `text`, and optionally `sessionId` |
| `areyouj.lsp.sendSelection` | `uri`, `range`, and optionally `sessionId` |
| `areyouj.lsp.sendDiagnostics` | `uri`, `diagnostics`, and optionally `sessionId` |
| `areyouj.lsp.interrupt` | optionally `sessionId` |
| `areyouj.lsp.terminate` | optionally `sessionId` |
";

fn introduction() -> String {
    format!(
        "\
# Protocol

How editors, the command line and scripts communicate with the AreYouJ daemon.
This is version {PROTOCOL_VERSION} of the contract.
The types in `protocol/src` are its single source; this document, the extension's TypeScript and the plugin's LuaCATS types are generated from them.

## Framing

JSON-RPC 2.0 in the framing of the Language Server Protocol: a header, an empty line, a body of UTF-8 JSON.

```
Content-Length: 44\\r\\n
\\r\\n
{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"shutdown\"}}
```

`Content-Length` is the number of bytes in the body.
Editors send these messages to `areyouj lsp` over standard input and output, and `areyouj lsp` forwards the `areyouj/…` methods to the daemon's Unix socket.
The first request on every connection must be `initialize`.
The notification `$/cancelRequest` with an `id` cancels a request.
A cancelled request that only reads fails with {request_cancelled} unless its result is ready; a request that changes something returns its result.

## Tolerance

- Unknown fields are ignored, in both directions.
- Unknown notifications are ignored.
- An unknown request fails with {method_not_found}, `{unknown_method}`.
- Later versions add error codes, and values and kinds of existing fields: treat an unknown error code as a generic failure, and do not display a transcript entry of an unknown kind.
- An optional part of the daemon is a capability: it is present when its field is present.

## Versioning

The daemon's socket is named after the version of the contract, `daemon-v{PROTOCOL_VERSION}.sock`, so programs with different contracts never connect to each other.
An addition keeps the version, because the rules of tolerance make it safe.
A change that breaks a client increments the version.
`initialize` returns the version as `capabilities.experimental.areyouj.protocolVersion`.

## Conventions

- Times are milliseconds since the Unix epoch, costs are US dollars, token counts are tokens.
- A request that changes something carries an id chosen by the client: `requestId`, or for a message its own UUID. A repeated request returns the first result and changes nothing, so a client that lost a response can send the request again. Requests without such an id are safe to repeat.
- A change is on disk before the daemon acknowledges it.
- Ids of sessions, messages and permission requests can be shortened to any unambiguous prefix. A request about a session without a session id applies to the newest live session of the client's workspace folders.
- Notifications about the list of sessions carry its `revision`, output carries the session's `seq`. After a gap, the client must list again, or attach again with `since`.
- A client must read responses while it sends requests: the daemon stops reading from a client that has 64 unread responses.
- A slow client loses notifications and does not slow anything else down. It receives `{resync}`, and must then list and attach again.
",
        method_not_found = rpc::METHOD_NOT_FOUND,
        request_cancelled = rpc::REQUEST_CANCELLED,
        unknown_method = areyouj_protocol::ErrorCode::UnknownMethod.as_str(),
        resync = notification::Resync::METHOD,
    )
}

/// An example conversation, built from the types so that it cannot deviate from them.
fn example() -> Result<String> {
    let initialize = InitializeParams {
        client_info: Some(ClientInfo { name: "example".into(), version: Some("1.0.0".into()) }),
        quiet: false,
        status_changes: true,
        workspace_folders: Some(vec![WorkspaceFolder {
            uri: "file:///home/ada/engine".into(),
            name: "engine".into(),
        }]),
    };
    let areyouj = AreYouJCapability { protocol_version: PROTOCOL_VERSION };
    let initialized = InitializeResult {
        capabilities: ServerCapabilities { experimental: ExperimentalCapabilities { areyouj } },
        server_info: ServerInfo { name: "areyouj".into(), version: "0.1.0".into() },
    };
    let create = SessionCreateParams {
        trust: false,
        request_id: "9f1b6c1e-7a35-4d0e-8f0e-2f7d6a1c4b52".into(),
        directory: "/home/ada/engine".into(),
        environment: [("HOME", "/home/ada"), ("PATH", "/usr/bin:/bin")]
            .map(|(name, value)| (name.into(), value.into()))
            .into(),
        name: None,
        driver: Driver::Stream,
        model: None,
        permission_mode: None,
        messages: vec![NewMessage {
            id: "0c5e8a8e-51f2-4b8e-9a57-6d2f1f0b7a11".into(),
            text: "Explain the build.".into(),
        }],
    };
    let created = SessionCreateResult { session: example_session(), warning: None };
    let ready = SessionStatusChanged {
        revision: 8,
        session_id: example_session().id,
        status: Status::Active,
        status_since: 1_767_225_600_900,
        status_source: StatusSource::Control,
        status_reason: None,
        attention: None,
        error: None,
    };
    let mut out = String::from("\n## Example\n\nOnly the bodies, formatted for reading.\n");
    out += &step("The client opens the connection:", &request(1, MethodName::Initialize, &initialize)?)?;
    out += &step("The daemon responds:", &answer(1, &initialized)?)?;
    out += &step("The client creates a session:", &request(2, MethodName::SessionCreate, &create)?)?;
    out += &step("The daemon responds immediately:", &answer(2, &created)?)?;
    let pushed = json!({
        "jsonrpc": "2.0",
        "method": notification::SessionStatusChanged::METHOD,
        "params": serde_json::to_value(&ready)?,
    });
    out += &step(
        "Claude is ready and starts to process the message, and the daemon sends a notification:",
        &pushed,
    )?;
    Ok(out)
}

fn example_session() -> Session {
    Session {
        id: "K7M2Q9XD".into(),
        directory: "/home/ada/engine".into(),
        name: None,
        driver: Driver::Stream,
        status: Status::Starting,
        status_since: 1_767_225_600_000,
        status_source: StatusSource::Request,
        status_reason: None,
        error: None,
        attention: None,
        current_task: None,
        created_at: 1_767_225_600_000,
        last_activity: 1_767_225_600_000,
        pid: None,
        host_pid: None,
        claude_session_id: "5b0f6d0c-3a86-4d8e-b1a4-1f4f2b7f9e60".into(),
        model: None,
        permission_mode: None,
        cost_usd: 0.0,
        context_used: None,
        context_max: None,
        queued: 1,
        queue_paused: None,
        unread: 0,
        startup_ms: None,
        refusals: None,
        host_unprotected: false,
    }
}

fn request(id: u32, method: MethodName, params: &impl Serialize) -> Result<Value> {
    Ok(
        json!({ "jsonrpc": "2.0", "id": id, "method": method.as_str(), "params": serde_json::to_value(params)? }),
    )
}

fn answer(id: u32, result: &impl Serialize) -> Result<Value> {
    Ok(json!({ "jsonrpc": "2.0", "id": id, "result": serde_json::to_value(result)? }))
}

fn step(words: &str, body: &Value) -> Result<String> {
    Ok(format!("\n{words}\n\n```json\n{}\n```\n", serde_json::to_string_pretty(body)?))
}

fn errors(contract: &Contract) -> String {
    let mut out = format!(
        "\
\n## Errors

A request that fails returns a JSON-RPC error.
Its `message` is one sentence that says what happened.
Its `data` is [ErrorData](#errordata): a stable code, what to do as a sentence and often as a [Remedy](#remedy), and whether the same request can be sent again.

```json
{{
  \"code\": {refused},
  \"message\": \"No session has the id K7M2Q9XD.\",
  \"data\": {{
    \"code\": \"{code}\",
    \"hint\": \"{hint}\",
    \"remedy\": {{ \"kind\": \"list_sessions\" }}
  }}
}}
```

| `code` | Meaning |
|---|---|
",
        refused = rpc::REFUSED,
        code = areyouj_protocol::ErrorCode::SessionNotFound.as_str(),
        hint = Remedy::ListSessions.hint(),
    );
    for code in &contract.rpc_codes {
        out += &format!("| {} | {} |\n", code.value, cell(&code.description));
    }
    out += "\n| `data.code` | Meaning |\n|---|---|\n";
    for code in &contract.codes {
        out += &format!("| `{}` | {} |\n", code.value, cell(&code.description));
    }
    out
}

/// One table for each noun, `areyouj/<noun>/…`, and one for the methods without a noun.
fn methods(methods: &[Method]) -> String {
    let mut out = String::new();
    for group in methods.chunk_by(|one, other| noun(one.name) == noun(other.name)) {
        let has_result = group.iter().any(|method| method.result.is_some());
        if let Some(noun) = group.first().and_then(|method| noun(method.name)) {
            out += &format!("\n### `areyouj/{noun}`\n");
        }
        out += match has_result {
            true => "\n| Method | Params | Result | Description |\n|---|---|---|---|\n",
            false => "\n| Method | Params | Description |\n|---|---|---|\n",
        };
        for method in group {
            let result = method.result.as_ref().map(|result| format!(" {} |", type_of(result)));
            out += &format!(
                "| `{}` | {} |{} {} |\n",
                method.name,
                type_of(&method.params),
                result.unwrap_or_default(),
                cell(&method.description)
            );
        }
    }
    out
}

fn noun(method: &str) -> Option<&str> {
    let (noun, _) = method.strip_prefix("areyouj/")?.split_once('/')?;
    Some(noun)
}

fn section(name: &str, definition: &Type) -> String {
    let mut out = format!("\n### {name}\n\n{}\n", definition.description);
    match &definition.body {
        Body::Record(fields) => out += &table(fields),
        Body::Words(words) => {
            out += "\n| Value | Meaning |\n|---|---|\n";
            for word in words {
                out += &format!("| `\"{}\"` | {} |\n", word.value, cell(&word.description));
            }
        }
        Body::Tagged { tag, variants } => {
            out += &format!("\nThe field `{tag}` identifies the variant.\n");
            for variant in variants {
                out += &format!("\n`\"{}\"`: {}\n", variant.word.value, variant.word.description);
                out += &table(&variant.fields);
            }
        }
    }
    out
}

fn table(fields: &[Field]) -> String {
    if fields.is_empty() {
        return String::new();
    }
    let mut out = String::from("\n| Field | Type | Meaning |\n|---|---|---|\n");
    for field in fields {
        let mark = if field.optional { "?" } else { "" };
        let shape = type_of(&field.shape);
        out += &format!("| `{}{mark}` | {shape} | {} |\n", field.name, cell(&field.description));
    }
    out
}

fn type_of(shape: &Shape) -> String {
    match shape {
        Shape::Any => "any JSON".into(),
        Shape::Boolean => "boolean".into(),
        Shape::Integer => "integer".into(),
        Shape::Number => "number".into(),
        Shape::String => "string".into(),
        Shape::Named(name) => format!("[{name}](#{})", name.to_lowercase()),
        Shape::Array(element) => format!("array of {}", type_of(element)),
        Shape::Map(value) => format!("object of {} values", type_of(value)),
        Shape::Nullable(value) => format!("{} or `null`", type_of(value)),
    }
}

/// Escapes text for a table cell, in which `|` would start the next cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
