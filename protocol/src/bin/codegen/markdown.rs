//! The contract as PROTOCOL.md, for engineers.

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
    out += "\n## Requests\n\nFrom a client to the daemon; each is answered.\n";
    out += &methods(&contract.requests);
    out += "\n## Notifications\n\nFrom the daemon to a client; none is answered.\n";
    out += &methods(&contract.notifications);
    out += "\n## Types\n\nA field marked `?` may be left out, and is left out rather than sent as `null`. A field that may be `null` is\n\
            always there when the daemon writes it.\n";
    for (name, definition) in &contract.types {
        out += &section(name, definition);
    }
    Ok(out)
}

/// What `areyouj lsp` adds for editors that do not know the contract.
const LANGUAGE_SERVER: &str = "
## Language server

`areyouj lsp` is also a plain language server. An editor that announces `experimental.areyouj` as a client capability gets the
notifications below as they are. For any other editor it translates: permission requests become `window/showMessageRequest`, the
start of a session becomes progress, and code actions send the selection or its diagnostics to a session. Positions are in the
first encoding of `general.positionEncodings` that is known: UTF-8, UTF-16 or UTF-32.

The commands of `workspace/executeCommand` take one object each. A `messageId` or `requestId` in it makes a repeat return the
first answer. The result is the session or the message.

| Command | Argument |
|---|---|
| `areyouj.lsp.newSession` | `directory` (left out: the first workspace folder), `name`, `message`, all optional |
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

How editors, the command line and scripts talk to the AreYouJ daemon. Version {PROTOCOL_VERSION} of the contract. The types in
`protocol/src` are its one source; this document, the extension's TypeScript and the plugin's LuaCATS types are generated
from them.

## Framing

JSON-RPC 2.0 in the framing of the Language Server Protocol: a header, an empty line, a body of UTF-8 JSON.

```
Content-Length: 44\\r\\n
\\r\\n
{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"shutdown\"}}
```

`Content-Length` counts the bytes of the body. Editors speak it to `areyouj lsp` over standard input and output; that program
forwards the `areyouj/…` methods to the daemon's Unix socket. The first request on every connection is `initialize`. The
notification `$/cancelRequest` with an `id` cancels a request: one that only reads is answered with {request_cancelled} if its
answer is not ready, any other with what came of it.

## Tolerance

- Unknown fields are ignored, in both directions.
- Unknown notifications are ignored.
- An unknown request is answered with {method_not_found}, `{unknown_method}`.
- Words, codes and kinds are added over time: treat an unknown error code as a plain failure, show an unknown kind of
  transcript entry as nothing.
- An optional part of the daemon is a capability: it is there when its field is there.

## Versioning

The daemon's socket is named after the version of the contract, `daemon-v{PROTOCOL_VERSION}.sock`, so programs of different contracts never
talk past each other. What is only added keeps the version; the rules of tolerance make it safe. What would break a
client raises it. `initialize` returns the version as `capabilities.experimental.areyouj.protocolVersion`.

## Conventions

- Times are milliseconds since the Unix epoch, costs are US dollars, token counts are tokens.
- A request that changes something carries an id chosen by the client: `requestId`, or for a message its own UUID. A
  repeat returns the first answer and changes nothing, so a request whose answer was lost is simply sent again.
  Requests without such an id may be repeated by their nature.
- A change is on disk before it is acknowledged.
- Ids of sessions, messages and prompts may be shortened to any unambiguous beginning. A request about a session that
  names none means the newest live session of one of the client's workspace folders.
- Pushes about the list of sessions carry its `revision`, output carries the session's `seq`. A gap means: list again, or
  attach again with `since`.
- A client reads its answers while it asks: of one that has left 64 of them unread, no further request is read.
- A client that is too slow loses pushes rather than slow anything down. `{resync}` tells it to list and attach again.
",
        method_not_found = rpc::METHOD_NOT_FOUND,
        request_cancelled = rpc::REQUEST_CANCELLED,
        unknown_method = areyouj_protocol::ErrorCode::UnknownMethod.as_str(),
        resync = notification::Resync::METHOD,
    )
}

/// A conversation made with the types themselves, so that it cannot differ from them.
fn example() -> Result<String> {
    let initialize = InitializeParams {
        client_info: Some(ClientInfo { name: "example".into(), version: Some("1.0.0".into()) }),
        quiet: false,
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
    let mut out = String::from("\n## Example\n\nBodies only, set in lines for reading.\n");
    out += &step("The client opens the connection:", &request(1, MethodName::Initialize, &initialize)?)?;
    out += &step("The daemon answers:", &answer(1, &initialized)?)?;
    out += &step("The client creates a session:", &request(2, MethodName::SessionCreate, &create)?)?;
    out += &step("The daemon answers at once:", &answer(2, &created)?)?;
    let pushed = json!({
        "jsonrpc": "2.0",
        "method": notification::SessionStatusChanged::METHOD,
        "params": serde_json::to_value(&ready)?,
    });
    out += &step("Claude is ready and takes up the message; the daemon says so by itself:", &pushed)?;
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

A request that fails is answered with a JSON-RPC error. Its `message` is one sentence that says what happened; its `data` is
[ErrorData](#errordata): a stable code, what to do as a sentence and often as a [Remedy](#remedy), and whether the same request
may be sent again.

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

/// One table for each noun, `areyouj/<noun>/…`, and one for what belongs to none.
fn methods(methods: &[Method]) -> String {
    let mut out = String::new();
    for group in methods.chunk_by(|one, other| noun(one.name) == noun(other.name)) {
        let has_result = group.iter().any(|method| method.result.is_some());
        if let Some(noun) = group.first().and_then(|method| noun(method.name)) {
            out += &format!("\n### `areyouj/{noun}`\n");
        }
        out += match has_result {
            true => "\n| Method | Params | Result | What it does |\n|---|---|---|---|\n",
            false => "\n| Method | Params | What it says |\n|---|---|---|\n",
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
            out += "\n| Word | Meaning |\n|---|---|\n";
            for word in words {
                out += &format!("| `\"{}\"` | {} |\n", word.value, cell(&word.description));
            }
        }
        Body::Tagged { tag, variants } => {
            out += &format!("\nThe field `{tag}` says which of these it is.\n");
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

/// Text for one cell of a table, where a bar would begin the next.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
