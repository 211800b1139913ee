//! What Claude says, line by line: what is shown of it can be shown, and what it asks can be answered.

#![no_main]

use std::collections::BTreeMap;

use areyouj_core::driver::stream::{decode, decode_input, encode};
use areyouj_core::orchestrator::{Answer, Fact, Input, PermissionRequest, Written};
use areyouj_core::text::plain::{short_block, short_line};
use areyouj_fuzz::stream::check;
use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;

/// Nearly every line while Claude speaks begins so, and is taken by a shorter way than others.
const STREAM_EVENT: &[u8] = br#"{"type":"stream_event""#;

/// The text of what stands under this name. The input of a tool can have more levels than a value may have.
fn member<'a>(json: &'a str, name: &str) -> Option<&'a str> {
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(json).expect("an answer is JSON");
    members.get(name).copied().map(RawValue::get)
}

fn answer(ask: &PermissionRequest) {
    let answers = [
        Answer::Allow,
        Answer::AllowAlways { suggestions: None },
        Answer::Deny { message: None },
        Answer::Choose { choices: Vec::new() },
    ];
    for answer in answers {
        let allowed = matches!(answer, Answer::Allow | Answer::AllowAlways { .. });
        let line = encode(&Input::Answer { request: Box::new(ask.clone()), answer }).expect("an answer");
        assert_eq!(line.iter().position(|byte| *byte == b'\n'), Some(line.len() - 1), "an answer is a line");
        assert_eq!(decode_input(&line), Written::Answer { request_id: ask.request_id.clone() });
        let line = std::str::from_utf8(&line).expect("an answer is text");
        let input =
            ["response", "response", "updatedInput"].iter().try_fold(line, |json, name| member(json, name));
        assert!(!allowed || input == Some(&ask.input.text()), "what is allowed is what was asked");
    }
}

fn shown(text: &str) {
    for most in [0, 1, 40, 4096] {
        let line = short_line(text, most);
        assert!(line.chars().count() <= most, "{most}: {line:?}");
        assert!(!line.contains(char::is_control), "{line:?}");
        assert_eq!(short_line(&line, most), line, "cleaned once is clean");
        let block = short_block(text, most);
        assert!(block.chars().count() <= most, "{most}: {block:?}");
        assert_eq!(short_block(&block, most), block, "cleaned once is clean");
    }
}

fuzz_target!(|data: &[u8]| {
    shown(&String::from_utf8_lossy(data));
    for line in data.split(|byte| *byte == b'\n') {
        let facts = decode(line);
        assert_eq!(decode(&[b" ", line, b"\r"].concat()), facts, "blanks around a line say nothing");
        if let Some(rest) = line.strip_prefix(STREAM_EVENT) {
            let longer = decode(&[br#"{ "type":"stream_event""#, rest].concat());
            let garbage = |facts: &[Fact]| matches!(facts, [Fact::Garbage(_)]);
            let same = longer == facts || garbage(&longer) && garbage(&facts);
            assert!(same, "the shorter way leads to {facts:?}, the longer one to {longer:?}");
        }
        for fact in &facts {
            check(fact);
            match fact {
                Fact::PermissionRequested(ask) => answer(ask),
                Fact::Ready { pending } => pending.iter().for_each(answer),
                _ => {}
            }
        }
        let _ = decode_input(line);
    }
});
