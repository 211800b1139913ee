//! Claude's output, line by line: displayed texts are safe, and permission requests can be answered.

#![no_main]

use std::collections::BTreeMap;

use areyouj_core::driver::stream::{decode, decode_input, encode};
use areyouj_core::orchestrator::{Answer, Fact, Input, PermissionRequest, Written};
use areyouj_core::text::always;
use areyouj_core::text::lookalike::Reading;
use areyouj_core::text::plain::{short_block, short_line};
use areyouj_core::text::segments::segments;
use areyouj_fuzz::stream::check;
use areyouj_protocol::{DisplaySegment, hidden};
use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;

/// The start of nearly every line during output, which has a fast path.
const STREAM_EVENT: &[u8] = br#"{"type":"stream_event""#;

/// The JSON text of this member. The input of a tool can be nested deeper than a `Value`.
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
        // Without a rule there is nothing to allow always; the orchestrator refuses such an answer.
        let always = matches!(answer, Answer::AllowAlways { .. });
        if always && always::applied(&ask.suggestions, None).is_none() {
            continue;
        }
        let allowed = matches!(answer, Answer::Allow | Answer::AllowAlways { .. });
        let line = encode(&Input::Answer { request: Box::new(ask.clone()), answer }).expect("an answer");
        assert_eq!(line.iter().position(|byte| *byte == b'\n'), Some(line.len() - 1), "an answer is a line");
        assert_eq!(decode_input(&line), Written::Answer { request_id: ask.request_id.clone() });
        let line = std::str::from_utf8(&line).expect("an answer is text");
        let input =
            ["response", "response", "updatedInput"].iter().try_fold(line, |json, name| member(json, name));
        assert!(!allowed || input == Some(&ask.input.text()), "the allowed input is the requested one");
    }
}

fn check_text(text: &str) {
    for reading in [Reading::Code, Reading::Prose] {
        let segments = segments(text, reading);
        let exact: String = segments.iter().map(|segment| segment.text.as_str()).collect();
        assert_eq!(exact, text, "segments are the exact text");
        let shown: String = segments.iter().map(DisplaySegment::displayed).collect();
        let hides =
            |next: char| hidden(next).is_some() || (next.is_control() && !matches!(next, '\n' | '\t'));
        assert!(!shown.contains(hides), "{shown:?}");
    }
    for limit in [0, 1, 40, 4096] {
        let line = short_line(text, limit);
        assert!(line.chars().count() <= limit, "{limit}: {line:?}");
        assert!(!line.contains(char::is_control), "{line:?}");
        assert_eq!(short_line(&line, limit), line, "sanitizing is idempotent");
        let block = short_block(text, limit);
        assert!(block.chars().count() <= limit, "{limit}: {block:?}");
        assert_eq!(short_block(&block, limit), block, "sanitizing is idempotent");
    }
}

fuzz_target!(|data: &[u8]| {
    check_text(&String::from_utf8_lossy(data));
    for line in data.split(|byte| *byte == b'\n') {
        let facts = decode(line);
        assert_eq!(decode(&[b" ", line, b"\r"].concat()), facts, "white space around a line is ignored");
        if let Some(rest) = line.strip_prefix(STREAM_EVENT) {
            let longer = decode(&[br#"{ "type":"stream_event""#, rest].concat());
            let garbage = |facts: &[Fact]| matches!(facts, [Fact::Garbage(_)]);
            let same = longer == facts || garbage(&longer) && garbage(&facts);
            assert!(same, "the fast path returns {facts:?}, the general one {longer:?}");
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
