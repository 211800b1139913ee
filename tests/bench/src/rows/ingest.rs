//! The speed of converting a journal to facts, compared with splitting its lines and skipping their JSON.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use areyouj_core::driver::ingest::{Ingest, JournalRecord, RecordKind};
use areyouj_core::orchestrator::{Driver, Position};
use areyouj_journal::{Kind, Reader, Writer};
use serde::de::IgnoredAny;
use tempfile::TempDir;

use crate::Bench;
use crate::interleave::interleave;
use crate::report::{Figure, Goal};

/// The output of the real Claude in a few short turns.
const TURNS: &str = include_str!("../../../../server/core/src/driver/fixtures/turns.jsonl");

/// The number of bytes per round: several seconds of maximum output.
const ROUND_BYTES: usize = 48 << 20;

/// The size of a full record of output.
const RECORD_BYTES: usize = 64 << 10;

/// The number of bytes after which facts are passed on, as in the daemon.
const BATCH_BYTES: u64 = 256 << 10;

const ROUNDS: usize = 7;

/// The maximum output of a few busy sessions together, in MB/s.
const GOAL_MB_PER_S: f64 = 100.0;

pub(super) fn run(bench: &mut Bench) -> Result<()> {
    let delta = |text: &str| {
        format!(
            r#"{{"type":"stream_event","event":{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":"{text}"}}}},"session_id":"5b0cbcb5-6d18-4a6c-ba0a-1f4bd3a5b1f7","parent_tool_use_id":null,"uuid":"d7c4a3b2-9a0f-4f5e-8f3c-2f7f9a1e6b1d"}}"#
        )
    };
    let words = "Claude streams its output a few words at a time. ";
    let streamed: Vec<String> = (1..=20).map(|length| delta(&words.repeat(length % 4 + 1))).collect();
    let output = TURNS.lines().filter_map(|line| line.strip_prefix("<< "));
    let turns: Vec<String> = output.filter(|line| !line.contains("stream_event")).map(String::from).collect();
    measure(bench, "streamed words", &streamed)?;
    measure(bench, "transcript of tiny turns", &turns)
}

fn measure(bench: &mut Bench, what: &str, lines: &[String]) -> Result<()> {
    let text = lines.join("\n") + "\n";
    let text = text.repeat(ROUND_BYTES / text.len());
    let directory = TempDir::new()?;
    let (journal, plain) = (directory.path().join("journal"), directory.path().join("plain"));
    let mut writer = Writer::open(&journal, 0)?;
    for chunk in text.as_bytes().chunks(RECORD_BYTES) {
        writer.append(Kind::Output, chunk)?;
    }
    std::fs::write(&plain, &text)?;
    let megabytes = text.len() as f64 / 1e6;
    let rounds = interleave(
        ROUNDS,
        || timed(megabytes, || ingest_journal(&journal)),
        || timed(megabytes, || skip_lines(&plain)),
    )?;
    bench.report.add(Figure::of_rounds(
        what,
        "MB/s",
        "find lines, skip JSON",
        rounds,
        Goal::AtLeast(GOAL_MB_PER_S),
    ));
    Ok(())
}

fn timed(amount: f64, work: impl FnOnce() -> Result<usize>) -> Result<f64> {
    let begin = Instant::now();
    std::hint::black_box(work()?);
    Ok(amount / begin.elapsed().as_secs_f64())
}

/// AreYouJ; returns the number of facts.
fn ingest_journal(journal: &Path) -> Result<usize> {
    let mut reader = Reader::open(journal, 0)?;
    let mut ingest = Ingest::new(Driver::Stream, Position::default());
    let mut facts = Vec::new();
    let (mut count, mut read) = (0, 0);
    while let Some(record) = reader.next()? {
        let kind = if record.kind == Kind::Output { RecordKind::Output } else { RecordKind::Other };
        let (offset, next) = (record.offset, record.next);
        ingest.take(&JournalRecord { offset, next, kind, payload: &record.payload }, &mut facts);
        read += next - offset;
        if read >= BATCH_BYTES {
            read = 0;
            count += std::mem::take(&mut facts).len();
        }
    }
    count += facts.len();
    anyhow::ensure!(count > 0, "a journal without facts");
    Ok(count)
}

/// The limit: skips the contents of the lines; returns the number of lines.
fn skip_lines(plain: &Path) -> Result<usize> {
    let mut file = File::open(plain)?;
    let mut buffer = Vec::with_capacity(2 * RECORD_BYTES);
    let mut lines = 0;
    loop {
        let filled = buffer.len();
        buffer.resize(filled + RECORD_BYTES, 0);
        let read = file.read(&mut buffer[filled..])?;
        buffer.truncate(filled + read);
        if read == 0 {
            return Ok(lines);
        }
        let mut begin = 0;
        while let Some(length) = memchr::memchr(b'\n', &buffer[begin..]) {
            let line = &buffer[begin..begin + length];
            serde_json::from_slice::<IgnoredAny>(line).context("a line that is not JSON")?;
            lines += 1;
            begin += length + 1;
        }
        buffer.drain(..begin);
    }
}
