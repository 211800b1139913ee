import assert from "node:assert/strict";
import { test } from "node:test";
import { Model, type SessionChange } from "../../src/model/model";
import { ProblemError } from "../../src/daemon/problemError";
import { problem } from "../../src/shared/problem";
import type { Permission, Session } from "../../src/protocol.gen";
import { message, permission, session, settle, TestClock, TestDaemon } from "./samples";

function build(sessions: Session[] = [], permissions: Permission[] = []) {
  const state = { revision: 10, sessions, permissions };
  const daemon = new TestDaemon({
    "areyouj/session/list": () => ({ revision: state.revision, sessions: [...state.sessions] }),
    "areyouj/permission/list": () => ({ permissions: [...state.permissions] }),
  });
  const model = new Model(daemon, () => {}, new TestClock());
  const changes: SessionChange[] = [];
  model.onSessions((change) => changes.push(change));
  return { state, daemon, model, changes };
}

async function connected(sessions: Session[] = [], permissions: Permission[] = []) {
  const built = build(sessions, permissions);
  built.daemon.becomes("connected");
  await settle();
  built.changes.length = 0;
  return built;
}

void test("is connected only when the list has arrived", async () => {
  const { daemon, model } = build([session("A")]);
  daemon.becomes("connected");
  assert.equal(model.connection.state, "connecting");
  await settle();
  assert.equal(model.connection.state, "connected");
  assert.deepEqual(
    model.sessions.map(({ id }) => id),
    ["A"],
  );
});

void test("applies consecutive updates without listing again", async () => {
  const { daemon, model, changes } = await connected([session("A")]);
  daemon.push("areyouj/sessionListUpdate", {
    revision: 11,
    sessionId: "A",
    session: session("A", { status: "active" }),
  });
  daemon.push("areyouj/sessionCreated", { revision: 12, sessionId: "B", session: session("B", { createdAt: 2 }) });
  daemon.push("areyouj/sessionListUpdate", { revision: 13, sessionId: "A" });
  assert.deepEqual(
    model.sessions.map(({ id }) => id),
    ["B"],
  );
  assert.deepEqual(
    changes.map(({ changed, removed }) => [changed.map(({ id }) => id), removed]),
    [
      [["A"], []],
      [["B"], []],
      [[], ["A"]],
    ],
  );
  assert.equal(daemon.count("areyouj/session/list"), 1);
});

void test("ignores an update that the list already contains", async () => {
  const { daemon, model } = await connected([session("A", { status: "active" })]);
  daemon.push("areyouj/sessionListUpdate", { revision: 10, sessionId: "A", session: session("A", { status: "idle" }) });
  assert.equal(model.session("A")?.status, "active");
});

void test("applies updates whose revisions are not consecutive", async () => {
  const { daemon, model } = await connected([session("A"), session("B")]);
  daemon.push("areyouj/sessionListUpdate", { revision: 13, sessionId: "A", session: session("A", { name: "newer" }) });
  daemon.push("areyouj/sessionListUpdate", { revision: 12, sessionId: "A", session: session("A", { name: "older" }) });
  daemon.push("areyouj/sessionListUpdate", { revision: 20, sessionId: "B" });
  assert.deepEqual(
    model.sessions.map(({ id, name }) => [id, name]),
    [["A", "newer"]],
  );
  assert.equal(daemon.count("areyouj/session/list"), 1);
});

void test("applies updates that arrived while the list was requested", async () => {
  const { state, daemon, model } = await connected([session("A")]);
  state.revision = 13;
  state.sessions = [session("A", { name: "listed" }), session("B")];
  daemon.push("areyouj/resync", { dropped: 1 });
  daemon.push("areyouj/sessionListUpdate", {
    revision: 13,
    sessionId: "A",
    session: session("A", { name: "in the list" }),
  });
  daemon.push("areyouj/sessionListUpdate", {
    revision: 14,
    sessionId: "B",
    session: session("B", { name: "meanwhile" }),
  });
  await settle();
  assert.equal(daemon.count("areyouj/session/list"), 2);
  assert.equal(model.session("A")?.name, "listed");
  assert.equal(model.session("B")?.name, "meanwhile");
});

void test("lists again and reports stale outputs after a resync", async () => {
  const { state, daemon, model } = await connected([session("A")]);
  let stale = 0;
  model.onStale(() => stale++);
  state.sessions = [];
  daemon.push("areyouj/resync", { dropped: 7 });
  await settle();
  assert.equal(stale, 1);
  assert.deepEqual(model.sessions, []);
});

void test("keeps its state without a connection, and reports only differences afterwards", async () => {
  const { state, daemon, model, changes } = await connected([session("A"), session("B"), session("C")]);
  daemon.becomes("reconnecting");
  assert.equal(model.sessions.length, 3);
  assert.equal(model.connection.state, "reconnecting");
  state.revision = 900;
  state.sessions = [session("A"), session("B", { status: "active" })];
  daemon.becomes("connected");
  await settle();
  assert.deepEqual(changes, [{ changed: [session("B", { status: "active" })], removed: ["C"] }]);
  assert.equal(model.connection.state, "connected");
});

void test("discards a list that was requested before the connection was lost", async () => {
  const { daemon, model, state } = build([session("OLD")]);
  let answer = (): void => {};
  daemon.answers["areyouj/session/list"] = () =>
    new Promise((resolve) => {
      answer = () => resolve({ revision: 1, sessions: [session("OLD")] });
    });
  daemon.becomes("connected");
  daemon.becomes("reconnecting");
  daemon.becomes("connected");
  daemon.answers["areyouj/session/list"] = () => ({ revision: 2, sessions: [session("NEW")] });
  state.sessions = [];
  answer();
  await settle();
  assert.deepEqual(
    model.sessions.map(({ id }) => id),
    ["NEW"],
  );
});

void test("reports the problem of a failed list, and lists again", async () => {
  const { daemon, model } = build();
  const seen: string[] = [];
  model.onConnection((connection) => seen.push(`${connection.state} ${connection.problem?.code ?? "-"}`));
  let times = 0;
  daemon.answers["areyouj/session/list"] = () => {
    if (times++ === 0) throw new ProblemError(problem("storage_failed", "The database cannot be read."));
    return { revision: 1, sessions: [] };
  };
  daemon.becomes("connected");
  await settle();
  assert.deepEqual(seen, ["connecting storage_failed", "connected -"]);
});

void test("permission requests are open until they are answered or withdrawn", async () => {
  const { daemon, model } = await connected([session("A")], [permission("A-1")]);
  const ended: Permission[] = [];
  model.onPermissionEnded((one) => ended.push(one));
  daemon.push("areyouj/permissionUpdate", { sessionId: "A", permission: permission("A-2", { createdAt: 2 }) });
  assert.deepEqual(
    model.permissions("A").map(({ id }) => id),
    ["A-1", "A-2"],
  );
  daemon.push("areyouj/permissionUpdate", {
    sessionId: "A",
    permission: permission("A-1", { state: "answered", answeredBy: "areyouj-cli" }),
  });
  assert.deepEqual(
    model.permissions().map(({ id }) => id),
    ["A-2"],
  );
  assert.deepEqual(
    ended.map(({ id }) => id),
    ["A-1"],
  );
});

void test("a permission request that is answered during a list does not return", async () => {
  const { daemon, model } = build([session("A")]);
  daemon.answers["areyouj/permission/list"] = () => {
    daemon.push("areyouj/permissionUpdate", { sessionId: "A", permission: permission("A-1", { state: "answered" }) });
    return { permissions: [permission("A-1")] };
  };
  daemon.becomes("connected");
  await settle();
  assert.deepEqual(model.permissions(), []);
});

void test("drops permission requests that were answered during a lost connection", async () => {
  const { state, daemon, model } = await connected([session("A")], [permission("A-1")]);
  state.permissions = [];
  const seen: number[] = [];
  model.onPermissions((open) => seen.push(open.length));
  daemon.becomes("reconnecting");
  daemon.becomes("connected");
  await settle();
  assert.deepEqual(seen, [0]);
});

void test("fetches a message that waits for a decision once, and drops it when it is decided", async () => {
  const { daemon, model } = await connected([session("A")]);
  const cut = message("m-1", "A", { state: "interrupted" });
  daemon.answers["areyouj/queue/list"] = () => ({
    sessionId: "A",
    paused: "interrupted",
    messages: [message("m-0", "A"), cut],
  });
  const attention = {
    kind: "interrupted",
    permissionId: null,
    messageId: "m-1",
    title: "interrupted",
    open: 0,
  } as const;
  daemon.push("areyouj/sessionListUpdate", { revision: 11, sessionId: "A", session: session("A", { attention }) });
  daemon.push("areyouj/sessionListUpdate", {
    revision: 12,
    sessionId: "A",
    session: session("A", { attention, queued: 1 }),
  });
  await settle();
  assert.deepEqual(model.decisions("A"), [cut]);
  assert.deepEqual(
    daemon.asked.filter(({ method }) => method === "areyouj/queue/list").map(({ params }) => params),
    [{ sessionId: "A", all: true }],
  );
  daemon.push("areyouj/sessionListUpdate", { revision: 13, sessionId: "A", session: session("A") });
  assert.deepEqual(model.decisions(), []);
});

void test("keeps watched queues, and fetches them again on a new connection", async () => {
  const { daemon, model } = await connected([session("A")]);
  let messages = [message("m-1", "A")];
  daemon.answers["areyouj/queue/list"] = () => ({ sessionId: "A", paused: null, messages });
  const watching = model.watchQueue("A");
  await settle();
  assert.equal(model.queue("A")?.messages.length, 1);
  daemon.push("areyouj/queueUpdate", { sessionId: "A", queue: { sessionId: "A", paused: "by you", messages: [] } });
  assert.equal(model.queue("A")?.paused, "by you");
  daemon.becomes("reconnecting");
  messages = [message("m-2", "A"), message("m-3", "A")];
  daemon.becomes("connected");
  await settle();
  assert.equal(model.queue("A")?.messages.length, 2);
  watching.dispose();
  daemon.push("areyouj/queueUpdate", { sessionId: "A", queue: { sessionId: "A", paused: null, messages: [] } });
  assert.equal(model.queue("A"), null);
});

void test("fetches a queue that is first watched during a list", async () => {
  const { daemon, model } = build([session("A")]);
  daemon.answers["areyouj/queue/list"] = () => ({ sessionId: "A", paused: null, messages: [message("m-1", "A")] });
  daemon.becomes("connected");
  assert.notEqual(model.connection.state, "connected");
  model.watchQueue("A");
  await settle();
  assert.equal(model.queue("A")?.messages.length, 1);
});
