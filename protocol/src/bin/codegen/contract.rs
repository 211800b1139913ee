//! The generators' model of the contract: methods and types, read from the method table and its JSON Schemas.
//!
//! Every type has two schemas: one for serialization and one for deserialization. Messages from the daemon follow only
//! the first. A client can omit fields for which the daemon has defaults, so its messages follow the second, too. An
//! unsupported form of schema is an error, so that a type is never generated incompletely.

use std::collections::{BTreeMap, BTreeSet};

use areyouj_protocol::{ErrorCode, ErrorData, TableRow, rpc, table};
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use crate::Result;

/// The whole contract.
pub(crate) struct Contract {
    /// Requests, in the order of the table.
    pub requests: Vec<Method>,
    /// Notifications, in the order of the table.
    pub notifications: Vec<Method>,
    /// All types by name.
    pub types: BTreeMap<String, Type>,
    /// The stable codes of `data.code`.
    pub codes: Vec<Constant<&'static str>>,
    /// The codes of JSON-RPC.
    pub rpc_codes: Vec<Constant<i32>>,
}

/// A request or notification.
pub(crate) struct Method {
    pub name: &'static str,
    pub description: String,
    pub params: Shape,
    /// `None` for notifications.
    pub result: Option<Shape>,
}

/// A named value.
pub(crate) struct Constant<T> {
    pub name: String,
    pub value: T,
    pub description: String,
}

/// A named type.
pub(crate) struct Type {
    pub description: String,
    pub body: Body,
}

/// The definition of a named type.
pub(crate) enum Body {
    /// An object.
    Record(Vec<Field>),
    /// One of several strings.
    Words(Vec<Word>),
    /// One of several objects, distinguished by the value of one of their fields.
    Tagged { tag: String, variants: Vec<Variant> },
}

/// One of several strings.
pub(crate) struct Word {
    pub value: String,
    pub description: String,
}

/// One of several objects.
pub(crate) struct Variant {
    /// The value of the tag field.
    pub word: Word,
    /// The other fields.
    pub fields: Vec<Field>,
}

/// A member of an object.
pub(crate) struct Field {
    pub name: String,
    pub description: String,
    pub shape: Shape,
    /// Whether it can be omitted.
    pub optional: bool,
}

/// The form of a value.
#[derive(Debug, PartialEq)]
pub(crate) enum Shape {
    Any,
    Boolean,
    Integer,
    Number,
    String,
    Named(String),
    Array(Box<Shape>),
    /// An object with arbitrary names and values of one shape.
    Map(Box<Shape>),
    /// The shape, or `null`.
    Nullable(Box<Shape>),
}

impl Contract {
    /// Reads the whole contract.
    pub(crate) fn read() -> Result<Contract> {
        let settings = SchemaSettings::draft2020_12();
        let mut as_written = settings.clone().for_serialize().into_generator();
        let mut as_read = settings.for_deserialize().into_generator();
        let methods = table(&mut as_written);
        // The table does not include the type of errors, which belongs to all requests. The other generator needs the
        // same types, but not the same table.
        as_written.subschema_for::<ErrorData>();
        as_read.subschema_for::<ErrorData>();
        table(&mut as_read);
        let written = as_written.take_definitions(true);
        let read = as_read.take_definitions(true);

        let mut sent_by_clients = BTreeSet::new();
        for request in &methods.requests {
            collect_references(request.params.as_value(), &read, &mut sent_by_clients);
        }
        let mut types = BTreeMap::new();
        for (name, schema) in &written {
            let other = read.get(name).filter(|_| sent_by_clients.contains(name)).unwrap_or(schema);
            let body = body(schema, other).map_err(|error| format!("{name}: {error}"))?;
            types.insert(name.clone(), Type { description: description(schema), body });
        }
        Ok(Contract {
            requests: methods.requests.iter().map(method).collect::<Result<_>>()?,
            notifications: methods.notifications.iter().map(method).collect::<Result<_>>()?,
            types,
            codes: codes(),
            rpc_codes: rpc_codes(),
        })
    }
}

fn method(row: &TableRow) -> Result<Method> {
    let shape = |schema: &schemars::Schema| {
        shape(schema.as_value()).map_err(|error| format!("{}: {error}", row.method))
    };
    Ok(Method {
        name: row.method,
        description: plain(row.description),
        params: shape(&row.params)?,
        result: row.result.as_ref().map(shape).transpose()?,
    })
}

fn codes() -> Vec<Constant<&'static str>> {
    let constant = |code: &ErrorCode| Constant {
        name: format!("{code:?}"),
        value: code.as_str(),
        description: plain(code.meaning()),
    };
    ErrorCode::ALL.iter().map(constant).collect()
}

fn rpc_codes() -> Vec<Constant<i32>> {
    [
        ("ParseError", rpc::PARSE_ERROR, "The body is not JSON."),
        ("InvalidRequest", rpc::INVALID_REQUEST, "The body is not a JSON-RPC request."),
        ("MethodNotFound", rpc::METHOD_NOT_FOUND, "The method does not exist."),
        ("InvalidParams", rpc::INVALID_PARAMS, "The parameters do not have the method's shape."),
        ("ServerNotInitialized", rpc::SERVER_NOT_INITIALIZED, "A request arrived before `initialize`."),
        ("Refused", rpc::REFUSED, "The request is valid but was rejected; `data.code` has the reason."),
    ]
    .map(|(name, value, description)| Constant { name: name.into(), value, description: description.into() })
    .into()
}

/// Adds the name of every type that a schema refers to, directly or through other types.
fn collect_references(schema: &Value, definitions: &Map<String, Value>, names: &mut BTreeSet<String>) {
    match schema {
        Value::Object(members) => {
            if let Some(name) = reference(members)
                && names.insert(name.to_owned())
                && let Some(definition) = definitions.get(name)
            {
                collect_references(definition, definitions, names);
            }
            members.values().for_each(|member| collect_references(member, definitions, names));
        }
        Value::Array(elements) => {
            elements.iter().for_each(|element| collect_references(element, definitions, names));
        }
        _ => {}
    }
}

fn reference(schema: &Map<String, Value>) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix("#/$defs/")
}

fn body(written: &Value, read: &Value) -> Result<Body> {
    if let Some(alternatives) = alternatives(written) {
        let others = self::alternatives(read).unwrap_or_default();
        if others.len() != alternatives.len() {
            return Err("some variants are only written or only read".into());
        }
        if alternatives.iter().all(|alternative| alternative["type"] == "object") {
            return tagged(alternatives, others);
        }
        return Ok(Body::Words(words(alternatives)?));
    }
    if written.get("enum").is_some() {
        return Ok(Body::Words(words(std::slice::from_ref(written))?));
    }
    if written["type"] == "object" && written.get("additionalProperties").is_none() {
        return Ok(Body::Record(fields(written, read, None)?));
    }
    Err(unknown(written))
}

fn alternatives(schema: &Value) -> Option<&[Value]> {
    let list = schema.get("oneOf").or_else(|| schema.get("anyOf"))?;
    list.as_array().map(Vec::as_slice)
}

fn words(alternatives: &[Value]) -> Result<Vec<Word>> {
    let mut words = Vec::new();
    for alternative in alternatives {
        let values = match (alternative.get("const"), alternative.get("enum").and_then(Value::as_array)) {
            (Some(value), _) => std::slice::from_ref(value),
            (None, Some(values)) => values,
            (None, None) => return Err(unknown(alternative)),
        };
        for value in values {
            let value = value.as_str().ok_or_else(|| unknown(alternative))?.to_owned();
            words.push(Word { value, description: description(alternative) });
        }
    }
    Ok(words)
}

fn tagged(written: &[Value], read: &[Value]) -> Result<Body> {
    let first = written.first().and_then(tag).ok_or("a union without variants")?.0;
    let mut variants = Vec::new();
    for (written, read) in written.iter().zip(read) {
        let (tag, value) = tag(written).ok_or_else(|| unknown(written))?;
        if tag != first {
            return Err(format!("variants are tagged by `{first}` and by `{tag}`").into());
        }
        variants.push(Variant {
            word: Word { value: value.to_owned(), description: description(written) },
            fields: fields(written, read, Some(tag))?,
        });
    }
    Ok(Body::Tagged { tag: first.to_owned(), variants })
}

/// The tag field of a variant, and its value.
fn tag(variant: &Value) -> Option<(&str, &str)> {
    let properties = variant["properties"].as_object()?;
    properties.iter().find_map(|(name, property)| Some((name.as_str(), property["const"].as_str()?)))
}

/// The fields of an object, without its tag field.
fn fields(written: &Value, read: &Value, tag: Option<&str>) -> Result<Vec<Field>> {
    let requires = |schema: &Value, name: &str| {
        schema["required"].as_array().is_some_and(|names| names.iter().any(|required| required == name))
    };
    let mut fields = Vec::new();
    for (name, property) in written["properties"].as_object().into_iter().flatten() {
        if Some(name.as_str()) == tag {
            continue;
        }
        let shape = shape(property).map_err(|error| format!("{name}: {error}"))?;
        let always_written = requires(written, name);
        fields.push(Field {
            name: name.clone(),
            description: description(property),
            // A field that is omitted when it has no value is never written as null.
            shape: match shape {
                Shape::Nullable(value) if !always_written => *value,
                shape => shape,
            },
            optional: !always_written || !requires(read, name),
        });
    }
    Ok(fields)
}

fn shape(schema: &Value) -> Result<Shape> {
    let members = match schema {
        Value::Bool(true) => return Ok(Shape::Any),
        Value::Object(members) => members,
        _ => return Err(unknown(schema)),
    };
    if let Some(name) = reference(members) {
        return Ok(Shape::Named(name.to_owned()));
    }
    if let Some([only]) = members.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
        return shape(only);
    }
    if let Some(alternatives) = alternatives(schema) {
        return match alternatives {
            [value, null] if null["type"] == "null" => Ok(Shape::Nullable(Box::new(shape(value)?))),
            _ => Err(unknown(schema)),
        };
    }
    if members.contains_key("const") || members.contains_key("enum") {
        return Err(unknown(schema));
    }
    match members.get("type") {
        // Any keyword except these annotations would restrict the allowed values.
        None if members.keys().all(|keyword| matches!(keyword.as_str(), "description" | "default")) => {
            Ok(Shape::Any)
        }
        Some(Value::String(name)) => shape_of_type(name, schema),
        Some(Value::Array(names)) => match &names[..] {
            [Value::String(name), Value::String(null)] if null == "null" => {
                Ok(Shape::Nullable(Box::new(shape_of_type(name, schema)?)))
            }
            _ => Err(unknown(schema)),
        },
        _ => Err(unknown(schema)),
    }
}

fn shape_of_type(name: &str, schema: &Value) -> Result<Shape> {
    let inner = |keyword: &str| match schema.get(keyword) {
        Some(inner) => shape(inner).map(Box::new),
        None => Err(unknown(schema)),
    };
    match name {
        "boolean" => Ok(Shape::Boolean),
        "integer" => Ok(Shape::Integer),
        "number" => Ok(Shape::Number),
        "string" => Ok(Shape::String),
        "array" => Ok(Shape::Array(inner("items")?)),
        "object" => Ok(Shape::Map(inner("additionalProperties")?)),
        _ => Err(unknown(schema)),
    }
}

fn unknown(schema: &Value) -> Box<dyn std::error::Error> {
    format!("the generator does not support this form of schema: {schema}").into()
}

fn description(schema: &Value) -> String {
    plain(schema["description"].as_str().unwrap_or_default())
}

/// A doc comment as one line of Markdown, without the syntax of Rust's links.
fn plain(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").replace("[`crate::", "`").replace("[`", "`").replace("`]", "`")
}
