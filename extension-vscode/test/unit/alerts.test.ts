import assert from "node:assert/strict";
import { test } from "node:test";
import { AlertRule, wholeDisplay } from "../../src/notify/alerts";
import type { Attention } from "../../src/protocol.gen";
import { permission, section, session } from "./samples";

const waiting = session("A", { status: "waiting", name: "api" });
const cut: Attention = { kind: "interrupted", permissionId: null, messageId: "m-1", title: "Claude crashed.", open: 0 };

void test("summarizes once what needed a person before the window connected", () => {
  const rule = new AlertRule();
  const all = [waiting, session("B", { attention: cut }), session("C")];
  assert.deepEqual(rule.update(all, [permission("A-1"), permission("A-2")]), { alerts: [], waiting: 2 });
  assert.deepEqual(rule.update(all, [permission("A-1"), permission("A-2")]), { alerts: [], waiting: 0 });
});

void test("neither shows nor counts kinds that are turned off", () => {
  const rule = new AlertRule((kind) => kind !== "permission");
  assert.equal(rule.update([waiting, session("B", { attention: cut })], [permission("A-1")]).waiting, 1);
  assert.deepEqual(rule.update([waiting, session("B", { attention: cut })], [permission("A-2")]).alerts, []);
});

void test("shows a new permission request once, also after a lost connection", () => {
  const rule = new AlertRule();
  rule.update([session("A")], []);
  const first = rule.update([waiting], [permission("A-1")]).alerts;
  assert.deepEqual(
    first.map(({ text, request, whole }) => [text, request, whole]),
    [
      [
        "api asks for permission. Tool: Bash \u2014 Command: make test",
        { id: "A-1", digest: "0f", kind: "tool" },
        true,
      ],
    ],
  );
  assert.deepEqual(rule.update([waiting], [permission("A-1")]).alerts, []);
  assert.deepEqual(rule.update([waiting], []).alerts, []);
  assert.deepEqual(rule.update([waiting], [permission("A-1")]).alerts, []);
  assert.equal(rule.update([waiting], [permission("A-1"), permission("A-2")]).alerts.length, 1);
});

void test("shows a permission request when its session becomes known", () => {
  const rule = new AlertRule();
  rule.update([], []);
  assert.deepEqual(rule.update([], [permission("A-1")]).alerts, []);
  assert.equal(rule.update([waiting], [permission("A-1")]).alerts.length, 1);
});

void test("a message allows only what it displays exactly and as a whole", () => {
  const whole = (...sections: ReturnType<typeof section>[]): string | null =>
    wholeDisplay(permission("A-1", { display: [section("Tool", "tool", "Bash"), ...sections] }));
  const command = (text: string): string | null => whole(section("Command", "command", text));
  assert.equal(
    whole(section("Command", "command", "git status"), section("timeout", "json", "1000")),
    "Tool: Bash \u2014 Command: git status \u2014 timeout: 1000",
  );
  for (const text of [
    "a\nb",
    "a\tb",
    "a  b",
    " a",
    "a ",
    "x".repeat(250),
    "echo [x](command:y)",
    "see (http://evil.example/a)",
    "a\u00a0b",
  ])
    assert.equal(command(text), null, JSON.stringify(text));
  const marked = section("Command", "command", "npm test");
  marked.segments.push({ kind: "blanks", text: " ".repeat(3_000), shown: "\u27e83,000 spaces\u27e9" });
  assert.equal(whole(marked), null, "marks need a closer look");
  assert.equal(whole({ ...marked, segments: [{ kind: "later" as never, text: "x" }] }), null);
  assert.equal(whole(), null, "a tool without a display");
  assert.equal(wholeDisplay(permission("A-1", { kind: "question" })), null);
  assert.equal(wholeDisplay(permission("A-1", { kind: "plan" })), null);
  assert.equal(wholeDisplay(permission("A-1", { controlsAreyouj: true })), null);
});

void test("a message about a command that would control AreYouJ says so", () => {
  const rule = new AlertRule();
  rule.update([], []);
  const request = permission("A-1", { controlsAreyouj: true, title: "Run areyouj allow B-1" });
  const [alert] = rule.update([waiting], [request]).alerts;
  assert.equal(alert?.text, "Would control AreYouJ. api asks for permission: Run areyouj allow B-1");
  assert.equal(alert.whole, undefined);
});

void test("alerts for questions, plans, failures and errors name their kind and the session", () => {
  const rule = new AlertRule();
  rule.update([], []);
  const broken = session("E", {
    status: "error",
    error: { code: "login_needed", message: "Claude is not logged in.", hint: "", log: null },
  });
  const { alerts } = rule.update(
    [waiting, session("B", { name: "web", attention: cut }), broken],
    [
      permission("A-1", { kind: "question", title: "Which colour?" }),
      permission("A-2", { kind: "plan", title: "Rewrite" }),
    ],
  );
  assert.deepEqual(
    alerts.map(({ kind, text }) => [kind, text]),
    [
      ["question", "api asks: Which colour?"],
      ["plan", "api presents a plan: Rewrite"],
      ["failed", "web: a turn was interrupted. Claude crashed."],
      ["error", "e stopped with an error: Claude is not logged in."],
    ],
  );
});

void test("a turn is finished when a busy session becomes idle with an empty queue", () => {
  const rule = new AlertRule();
  rule.update([session("A", { status: "active" })], []);
  assert.deepEqual(rule.update([session("A", { status: "idle", queued: 1 })], []).alerts, []);
  rule.update([session("A", { status: "active" })], []);
  assert.deepEqual(
    rule.update([session("A", { currentTask: "Tests" })], []).alerts.map(({ kind }) => kind),
    ["turnFinished"],
  );
  assert.deepEqual(rule.update([session("A")], []).alerts, []);
});

void test("names cannot bring hidden characters into a message", () => {
  const rule = new AlertRule();
  rule.update([], []);
  const evil = session("A", { name: "[click](command:x)\u202e\nnext" });
  const [alert] = rule.update([evil], [permission("A-1", { title: "[y](https://evil)", display: [] })]).alerts;
  assert.equal(alert?.text, "[click](command:x) next asks for permission: [y](https://evil)");
});

void test("shows once that Claude asks in its terminal, with a button for it", () => {
  const rule = new AlertRule();
  rule.update([], []);
  const asks: Attention = {
    kind: "terminal",
    permissionId: null,
    messageId: null,
    title: "Claude asks whether to trust this directory",
    open: 0,
  };
  const trust = session("A", { name: "api", driver: "terminal", status: "waiting", attention: asks });
  const { alerts } = rule.update([trust], []);
  assert.deepEqual(
    alerts.map(({ kind, text, onScreen }) => [kind, text, onScreen]),
    [["terminal", "api needs an answer in Claude's terminal: Claude asks whether to trust this directory", true]],
  );
  assert.deepEqual(rule.update([trust], []).alerts, []);
  assert.equal(rule.update([{ ...trust, statusSince: 2 }], []).alerts.length, 1, "another one, later");
});

void test("shows once that AreYouJ refused something inside a session, until a person has read it", () => {
  const rule = new AlertRule();
  rule.update([], []);
  const refusals = {
    count: 1,
    last: 1,
    operation: "session/terminate",
    program: "/usr/bin/areyouj",
    pid: 7,
    title: "A process inside this session (areyouj, pid 7) tried to terminate a session. AreYouJ refused it.",
    unread: true,
  };
  const kinds = (changes: Partial<typeof refusals>): string[] =>
    rule
      .update([session("A", { name: "api", refusals: { ...refusals, ...changes } })], [])
      .alerts.map(({ text }) => text);
  assert.deepEqual(kinds({}), [`api: ${refusals.title}`]);
  assert.deepEqual(kinds({ count: 9, last: 2 }), []);
  assert.deepEqual(kinds({ unread: false }), []);
  assert.deepEqual(kinds({ count: 10 }), [`api: ${refusals.title}`]);
});
