import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_TEXT, parseFromPage } from "../../src/pages/validate";

const action = (value: unknown): unknown => parseFromPage({ type: "action", id: 1, action: value });

void test("accepts valid messages without their unknown fields", () => {
  assert.deepEqual(parseFromPage({ type: "ready", extra: 1 }), { type: "ready" });
  assert.deepEqual(parseFromPage({ type: "loadOlder", before: 12 }), { type: "loadOlder", before: 12 });
  assert.deepEqual(action({ kind: "newSession" }), { type: "action", id: 1, action: { kind: "newSession" } });
  assert.deepEqual(parseFromPage({ type: "action", action: { kind: "newSession" } }), {
    type: "action",
    action: { kind: "newSession" },
  });
  assert.deepEqual(action({ kind: "open", sessionId: "K7M2Q9XD", environment: {} }), {
    type: "action",
    id: 1,
    action: { kind: "open", sessionId: "K7M2Q9XD" },
  });
  const choose = {
    kind: "answer",
    permissionId: "A-1",
    digest: "0f",
    answer: { decision: "choose", choices: [["red"], []] },
  };
  assert.deepEqual(action(choose), { type: "action", id: 1, action: choose });
  const always = {
    kind: "answer",
    permissionId: "A-1",
    digest: "0f",
    answer: { decision: "allowAlways", suggestions: [0, 2] },
  };
  assert.deepEqual(action(always), { type: "action", id: 1, action: always });
  const switching = { kind: "switchDriver", sessionId: "A", driver: "terminal" };
  assert.deepEqual(action(switching), { type: "action", id: 1, action: switching });
});

void test("drops everything else", () => {
  for (const value of [
    null,
    undefined,
    1,
    "ready",
    [],
    {},
    { type: 1 },
    { type: "toString" },
    { type: "__proto__" },
    { type: "constructor" },
    { type: "action" },
  ]) {
    assert.equal(parseFromPage(value), null, JSON.stringify(value));
  }
});

void test("drops actions of an unknown kind or a wrong shape", () => {
  const wrong: unknown[] = [
    { kind: "exec", command: "rm" },
    { kind: "command", command: "workbench.action.terminal.sendSequence" },
    { kind: "open" },
    { kind: "open", sessionId: 1 },
    { kind: "open", sessionId: "" },
    { kind: "open", sessionId: "x".repeat(65) },
    { kind: "terminate", sessionIds: "A" },
    { kind: "terminate", sessionIds: ["A", null] },
    { kind: "terminate", sessionIds: { length: 1, 0: "A" } },
    { kind: "answer", permissionId: "A-1", digest: "0f", answer: { decision: "allowEverything" } },
    { kind: "answer", permissionId: "A-1", digest: "0f", answer: { decision: "allowAlways", suggestions: [-1] } },
    { kind: "answer", permissionId: "A-1", digest: "0f", answer: { decision: "choose", choices: ["red"] } },
    { kind: "recover", messageId: "m", choice: "double" },
    { kind: "switchDriver", sessionId: "A", driver: "both" },
    { kind: "send", sessionId: "A", messageId: "m", text: "", steer: false },
    { kind: "send", sessionId: "A", messageId: "m", text: "hi", steer: "yes" },
    { kind: "queueMove", messageId: "m", position: 1.5 },
    { kind: "queueMove", messageId: "m", position: Number.NaN },
    { kind: "openFile", sessionId: "A", path: "a\0b" },
    { kind: "openFile", sessionId: "A", path: "a", line: "1" },
    { kind: "openExternal", url: "x".repeat(10_000) },
  ];
  for (const value of wrong) assert.equal(action(value), null, JSON.stringify(value));
});

void test("limits sizes", () => {
  const send = (text: string): unknown => action({ kind: "send", sessionId: "A", messageId: "m", text, steer: false });
  assert.notEqual(send("x".repeat(MAX_TEXT)), null);
  assert.equal(send("x".repeat(MAX_TEXT + 1)), null);
  assert.equal(parseFromPage({ type: "completeFile", id: 1, prefix: "x".repeat(5_000) }), null);
  assert.equal(action({ kind: "terminate", sessionIds: Array.from({ length: 20_000 }, () => "A") }), null);
});

void test("ignores inherited fields", () => {
  assert.equal(action(Object.create({ kind: "open", sessionId: "A" })), null);
  assert.equal(action(Object.assign(Object.create({ sessionId: "A" }) as object, { kind: "open" })), null);
});
