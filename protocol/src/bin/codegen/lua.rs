//! Renders the contract as LuaCATS annotations, which Lua language servers read.

use areyouj_protocol::PROTOCOL_VERSION;

use crate::HEADER;
use crate::contract::{Body, Contract, Field, Method, Shape, Type, Variant};

/// The prefix of every name.
const NAMESPACE: &str = "areyouj";

/// The whole file.
pub(crate) fn render(contract: &Contract) -> String {
    let mut out = format!("---@meta\n-- {HEADER}\n--\n");
    out += &format!(
        "-- Version {PROTOCOL_VERSION} of the contract. A field marked `?` can be omitted, or be null on the wire;\n"
    );
    out += "-- depending on its version, Neovim decodes null as nil or as vim.NIL.\n";
    out += &methods("RequestMethod", "Requests from a client to the daemon.", &contract.requests);
    out +=
        &methods("NotificationMethod", "Notifications from the daemon to a client.", &contract.notifications);
    out += "\n---Values of `data.code` in a JSON-RPC error. Treat an unknown code as a generic failure.\n";
    out += &format!("---@alias {NAMESPACE}.ErrorCode\n");
    for code in &contract.codes {
        out += &choice(code.value, &code.description);
    }
    out += "\n---Values of `code` in a JSON-RPC error.\n";
    out += &format!("---@alias {NAMESPACE}.RpcErrorCode\n");
    for code in &contract.rpc_codes {
        out += &format!("---| {} # {}\n", code.value, code.description);
    }
    for (name, definition) in &contract.types {
        out += &declaration(name, definition);
    }
    out
}

/// The names of methods, each with its parameters and result.
fn methods(name: &str, description: &str, methods: &[Method]) -> String {
    let mut out = format!("\n---{description}\n---@alias {NAMESPACE}.{name}\n");
    for method in methods {
        let result = method.result.as_ref().map(|result| format!(" -> {}", type_of(result)));
        let signature = format!("({}){}", type_of(&method.params), result.unwrap_or_default());
        out += &choice(method.name, &format!("{signature} {}", method.description));
    }
    out
}

fn choice(word: &str, description: &str) -> String {
    format!("---| \"{word}\" # {description}").trim_end_matches([' ', '#']).to_owned() + "\n"
}

fn declaration(name: &str, definition: &Type) -> String {
    let mut out = String::from("\n");
    if !definition.description.is_empty() {
        out += &format!("---{}\n", definition.description);
    }
    match &definition.body {
        Body::Record(record) => {
            out += &format!("---@class {NAMESPACE}.{name}\n");
            out += &fields(record);
        }
        Body::Words(words) => {
            out += &format!("---@alias {NAMESPACE}.{name}\n");
            for word in words {
                out += &choice(&word.value, &word.description);
            }
        }
        Body::Tagged { tag, variants } => {
            out += &format!("---@alias {NAMESPACE}.{name}\n");
            for variant in variants {
                out += &format!("---| {NAMESPACE}.{name}.{}\n", variant.word.value);
            }
            for variant in variants {
                let Variant { word, fields: rest } = variant;
                out += &format!("\n---{}\n---@class {NAMESPACE}.{name}.{}\n", word.description, word.value);
                out += &format!("---@field {tag} \"{}\"\n", word.value);
                out += &fields(rest);
            }
        }
    }
    out
}

fn fields(fields: &[Field]) -> String {
    let mut out = String::new();
    for field in fields {
        let (shape, absent) = match &field.shape {
            Shape::Nullable(value) => (&**value, true),
            shape => (shape, field.optional),
        };
        let mark = if absent { "?" } else { "" };
        let line = format!("---@field {}{mark} {} {}", field.name, type_of(shape), field.description);
        out += line.trim_end();
        out += "\n";
    }
    out
}

fn type_of(shape: &Shape) -> String {
    match shape {
        Shape::Any => "any".into(),
        Shape::Boolean => "boolean".into(),
        Shape::Integer => "integer".into(),
        Shape::Number => "number".into(),
        Shape::String => "string".into(),
        Shape::Named(name) => format!("{NAMESPACE}.{name}"),
        Shape::Array(element) if matches!(**element, Shape::Nullable(_)) => {
            format!("({})[]", type_of(element))
        }
        Shape::Array(element) => format!("{}[]", type_of(element)),
        Shape::Map(value) => format!("table<string, {}>", type_of(value)),
        Shape::Nullable(value) => format!("{}|nil", type_of(value)),
    }
}
