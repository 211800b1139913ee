//! Renders the contract as TypeScript.

use std::fmt::Display;

use areyouj_protocol::PROTOCOL_VERSION;

use crate::HEADER;
use crate::contract::{Body, Constant, Contract, Field, Method, Shape, Type};

/// The whole file.
pub(crate) fn render(contract: &Contract) -> String {
    let quote = |value: &&str| format!("\"{value}\"");
    let mut out = format!("// {HEADER}\n\n");
    out += &comment("", "The version of this contract. It is part of the daemon's socket name.");
    out += &format!("export const PROTOCOL_VERSION = {PROTOCOL_VERSION};\n\n");
    out += &comment("", "Values of `code` in a JSON-RPC error.");
    out += &constants("RpcErrorCode", &contract.rpc_codes, i32::to_string);
    out += &comment(
        "",
        "Values of `data.code` in a JSON-RPC error. Treat an unknown code as a generic failure.",
    );
    out += &constants("ErrorCode", &contract.codes, quote);
    out += &comment("", "Requests from a client to the daemon, by name.");
    out += &methods("Requests", &contract.requests);
    out += &comment("", "Notifications from the daemon to a client, by name.");
    out += &methods("Notifications", &contract.notifications);
    let types: Vec<String> =
        contract.types.iter().map(|(name, definition)| declaration(name, definition)).collect();
    out + &types.join("\n")
}

/// A doc comment, or an empty string without a text.
fn comment(indent: &str, text: &str) -> String {
    match text {
        "" => String::new(),
        text => format!("{indent}/** {} */\n", text.replace("*/", "*\\/")),
    }
}

/// An object of constants, and a type with the same name: the union of their values.
fn constants<T: Display>(name: &str, constants: &[Constant<T>], value: impl Fn(&T) -> String) -> String {
    let mut out = format!("export const {name} = {{\n");
    for constant in constants {
        out += &comment("  ", &constant.description);
        out += &format!("  {}: {},\n", constant.name, value(&constant.value));
    }
    out + &format!("}} as const;\nexport type {name} = (typeof {name})[keyof typeof {name}];\n\n")
}

fn methods(name: &str, methods: &[Method]) -> String {
    let mut out = format!("export interface {name} {{\n");
    for method in methods {
        out += &comment("  ", &method.description);
        let result = method.result.as_ref().map(|result| format!("; result: {}", type_of(result)));
        let params = type_of(&method.params);
        out += &format!("  \"{}\": {{ params: {params}{} }};\n", method.name, result.unwrap_or_default());
    }
    out + "}\n\n"
}

fn declaration(name: &str, definition: &Type) -> String {
    let mut out = comment("", &definition.description);
    match &definition.body {
        Body::Record(fields) if fields.is_empty() => {
            out += &format!("export type {name} = Record<string, never>;\n");
        }
        Body::Record(fields) => out += &interface(name, None, fields),
        Body::Words(words) => {
            out += &format!("export type {name} =");
            for word in words {
                out += "\n";
                out += &comment("  ", &word.description);
                out += &format!("  | \"{}\"", word.value);
            }
            out += ";\n";
        }
        Body::Tagged { tag, variants } => {
            let names: Vec<String> =
                variants.iter().map(|v| name.to_owned() + &pascal(&v.word.value)).collect();
            out += &format!("export type {name} =\n  | {};\n", names.join("\n  | "));
            for (name, variant) in names.iter().zip(variants) {
                out += "\n";
                out += &comment("", &variant.word.description);
                out += &interface(name, Some((tag, &variant.word.value)), &variant.fields);
            }
        }
    }
    out
}

fn interface(name: &str, tag: Option<(&String, &String)>, fields: &[Field]) -> String {
    let mut out = format!("export interface {name} {{\n");
    if let Some((tag, value)) = tag {
        out += &format!("  {tag}: \"{value}\";\n");
    }
    for field in fields {
        out += &comment("  ", &field.description);
        let mark = if field.optional { "?" } else { "" };
        out += &format!("  {}{mark}: {};\n", field.name, type_of(&field.shape));
    }
    out + "}\n"
}

fn type_of(shape: &Shape) -> String {
    match shape {
        Shape::Any => "unknown".into(),
        Shape::Boolean => "boolean".into(),
        Shape::Integer | Shape::Number => "number".into(),
        Shape::String => "string".into(),
        Shape::Named(name) => name.clone(),
        Shape::Array(element) if matches!(**element, Shape::Nullable(_)) => {
            format!("({})[]", type_of(element))
        }
        Shape::Array(element) => format!("{}[]", type_of(element)),
        Shape::Map(value) => format!("Record<string, {}>", type_of(value)),
        Shape::Nullable(value) => format!("{} | null", type_of(value)),
    }
}

fn pascal(word: &str) -> String {
    let capitalized = |part: &str| {
        let mut characters = part.chars();
        let first = characters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(characters).collect::<String>()
    };
    word.split('_').map(capitalized).collect()
}
