//! JSON-RPC messages, as far as both ends of a connection read them.

use areyouj_protocol::rpc;
use serde::Deserialize;
use serde::de::Error as _;

/// A JSON-RPC message.
///
/// # Errors
/// The number of JSON-RPC for what is wrong with it, and the words: it is not JSON, or JSON of another shape.
pub fn message<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, (i32, serde_json::Error)> {
    // Parsers of structures take lists for them, too.
    let is_object = body.trim_ascii_start().starts_with(b"{");
    match serde_json::from_slice(body) {
        Ok(message) if is_object => Ok(message),
        Ok(_) => Err((rpc::INVALID_REQUEST, serde_json::Error::custom("it is not an object"))),
        Err(error) if error.is_data() => Err((rpc::INVALID_REQUEST, error)),
        Err(error) => Err((rpc::PARSE_ERROR, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_json_and_what_is_no_message_are_told_apart() {
        #[derive(Debug, Deserialize)]
        struct Envelope {
            id: u32,
        }
        let code = |body: &str| {
            message::<Envelope>(body.as_bytes()).map(|envelope| envelope.id).map_err(|(code, _)| code)
        };
        assert_eq!(code(" {\"id\":1}"), Ok(1));
        for body in ["[1]", "[{\"id\":1}]", "{\"id\":{}}", "7"] {
            assert_eq!(code(body), Err(rpc::INVALID_REQUEST), "{body}");
        }
        for body in ["", "{", "[1", "\u{0}"] {
            assert_eq!(code(body), Err(rpc::PARSE_ERROR), "{body}");
        }
    }
}
