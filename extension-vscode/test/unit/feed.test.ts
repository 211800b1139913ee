import assert from "node:assert/strict";
import { test } from "node:test";
import type { AttachParams, AttachResult, TranscriptEntry } from "../../src/protocol.gen";
import { Feed } from "../../src/pages/feed";
import { session, settle, TestDaemon } from "./samples";

const entry = (seq: number): TranscriptEntry => ({
  seq,
  at: 1,
  body: { kind: "notice", level: "info", text: String(seq) },
});
const entries = (from: number, to: number): TranscriptEntry[] =>
  Array.from({ length: to - from + 1 }, (_, index) => entry(from + index));

function build(answer: (params: AttachParams) => Partial<AttachResult>) {
  const told: string[] = [];
  const daemon = new TestDaemon({
    "areyouj/session/attach": (params) => {
      const result = answer(params);
      return {
        session: session("A"),
        entries: [],
        seq: result.entries?.at(-1)?.seq ?? 0,
        more: false,
        deltas: [],
        ...result,
      };
    },
    "areyouj/session/detach": () => ({}),
  });
  const seqs = (list: TranscriptEntry[]): string => list.map(({ seq }) => seq).join(",");
  const feed = new Feed(daemon, "A", {
    transcript: (list, more) => told.push(`transcript ${seqs(list)}${more ? " more" : ""}`),
    entries: (list) => told.push(`entries ${seqs(list)}`),
    liveText: (deltas) => {
      if (deltas.length > 0) told.push(`live text ${deltas.map(({ text }) => text).join("")}`);
    },
    delta: ({ text }) => told.push(`delta ${text}`),
  });
  return { daemon, feed, told, push: (seq: number) => feed.output({ sessionId: "A", seq, entry: entry(seq) }) };
}

void test("delivers the transcript, then every entry after it", async () => {
  const { feed, told, push } = build(() => ({ entries: entries(1, 2), more: true }));
  await feed.attach();
  push(3);
  feed.output({ sessionId: "A", seq: 3, delta: { thinking: false, text: "hm" } });
  feed.output({ sessionId: "B", seq: 4, entry: entry(4) });
  assert.deepEqual(told, ["transcript 1,2 more", "entries 3", "delta hm"]);
});

void test("closes a gap by attaching from the last entry, without duplicates", async () => {
  const { daemon, feed, told, push } = build(({ since }) =>
    since === undefined ? { entries: entries(1, 2) } : { entries: entries(since + 1, 6), seq: 6 },
  );
  await feed.attach();
  push(5);
  push(6);
  await settle();
  push(6);
  push(7);
  assert.deepEqual(told, ["transcript 1,2", "entries 3,4,5,6", "entries 7"]);
  assert.deepEqual(
    daemon.asked.map(({ params }) => (params as AttachParams).since),
    [undefined, 2, 6],
  );
});

void test("delivers the beginning of an answer that is already running", async () => {
  const { feed, told } = build(() => ({ entries: entries(1, 2), deltas: [{ thinking: false, text: "The an" }] }));
  await feed.attach();
  feed.output({ sessionId: "A", seq: 2, delta: { thinking: false, text: "swer" } });
  assert.deepEqual(told, ["transcript 1,2", "live text The an", "delta swer"]);
});

void test("a delta from ahead is a gap too, and an old one is ignored", async () => {
  const { daemon, feed, told } = build(({ since }) => ({
    entries: since === undefined ? entries(1, 2) : entries(3, 3),
  }));
  await feed.attach();
  feed.output({ sessionId: "A", seq: 1, delta: { thinking: false, text: "old" } });
  feed.output({ sessionId: "A", seq: 3, delta: { thinking: false, text: "new" } });
  await settle();
  assert.deepEqual(told, ["transcript 1,2", "entries 3"]);
  assert.equal(daemon.count("areyouj/session/attach"), 2);
});

void test("replaces the transcript after a gap that is too long to fill", async () => {
  const { feed, told } = build(({ since }) =>
    since === undefined ? { entries: entries(1, 2) } : { entries: entries(5000, 5001), more: true },
  );
  await feed.attach();
  await feed.attach();
  assert.deepEqual(told, ["transcript 1,2", "transcript 5000,5001 more"]);
});

void test("simultaneous attaches are sent one after the other", async () => {
  const { daemon, feed, told } = build(({ since }) => ({ entries: since === undefined ? entries(1, 1) : [], seq: 1 }));
  await Promise.all([feed.attach(), feed.attach(), feed.attach()]);
  await settle();
  assert.equal(daemon.count("areyouj/session/attach"), 2);
  assert.deepEqual(told, ["transcript 1"]);
});

void test("detaches on disposal and delivers nothing more", async () => {
  const { daemon, feed, told, push } = build(() => ({ entries: entries(1, 1) }));
  await feed.attach();
  feed.dispose();
  push(2);
  await settle();
  assert.deepEqual(daemon.once, ["areyouj/session/detach"], "a late one could silence another page of the session");
  assert.deepEqual(told, ["transcript 1"]);
});
