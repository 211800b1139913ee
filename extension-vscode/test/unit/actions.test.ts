import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, test } from "node:test";
import * as fake from "vscode";
import { Actions } from "../../src/actions/actions";
import { editorActions } from "../../src/actions/editorActions";
import { openActions } from "../../src/actions/openActions";
import { queueActions } from "../../src/actions/queueActions";
import { sessionActions } from "../../src/actions/sessionActions";
import { ProblemError } from "../../src/daemon/problemError";
import { completeFiles } from "../../src/files/completion";
import type { Message, Session } from "../../src/protocol.gen";
import type { Action, Connection } from "../../src/shared/bridge";
import { problem } from "../../src/shared/problem";
import { message, session, TestDaemon } from "./samples";

const { editor } = fake as unknown as typeof import("./vscode");

function build(sessions: Session[]) {
  const daemon = new TestDaemon();
  const inserted: string[] = [];
  const queued: Message[] = [];
  const connection: Connection = { state: "connected", problem: null };
  const model = {
    connection,
    refreshed: 0,
    refresh: () => {
      model.refreshed += 1;
      return Promise.resolve();
    },
    session: (id: string) => sessions.find((one) => one.id === id) ?? null,
    queue: (sessionId: string) => ({ sessionId, paused: null, messages: queued }),
  };
  const pages = { open() {}, close() {}, insert: (_sessionId: string, text: string) => void inserted.push(text) };
  const nothing = (): Promise<void> => Promise.resolve();
  const handlers = {
    ...sessionActions({ daemon, model, pages }),
    ...queueActions({ daemon, model }),
    ...editorActions({ model, pages, diffs: { open: nothing }, lastEditor: { current: undefined } }),
    ...openActions({
      model,
      pages,
      newSession: { run: nothing },
      switchDriver: { switch: nothing },
      overview: { openTab() {} },
      screens: { open: nothing },
    }),
  };
  const log = { info() {}, warn() {}, error() {} };
  const problems = { show: nothing, report: nothing };
  return { daemon, model, inserted, queued, actions: new Actions(() => handlers, problems, log) };
}

beforeEach(() => {
  editor.answers = [];
  editor.shown = [];
  editor.executed = [];
  editor.opened = [];
});

void test("terminates nothing without a confirmation", async () => {
  const { daemon, actions } = build([session("A", { name: "api" }), session("B")]);
  assert.equal(await actions.run({ kind: "terminate", sessionIds: ["A", "B"] }), null);
  assert.deepEqual(editor.shown, ["Terminate 2 sessions?"]);
  assert.equal(daemon.asked.length, 0);
});

void test("terminates each session once, with a request id of its own", async () => {
  const { daemon, actions } = build([session("A"), session("B"), session("C", { status: "terminated" })]);
  daemon.answers["areyouj/session/terminate"] = ({ sessionId }) => session(sessionId ?? "");
  editor.answers = ["Terminate"];
  await actions.run({ kind: "terminate", sessionIds: ["A", "B", "A", "C"] });
  const sent = daemon.asked.map(({ params }) => params as { sessionId: string; requestId: string });
  assert.deepEqual(
    sent.map(({ sessionId }) => sessionId),
    ["A", "B"],
  );
  assert.equal(new Set(sent.map(({ requestId }) => requestId)).size, 2);
});

void test("deletes only a terminated session, after a confirmation", async () => {
  const { daemon, actions } = build([session("A"), session("T", { status: "terminated" })]);
  assert.equal((await actions.run({ kind: "delete", sessionId: "A" }))?.code, "not_possible");
  assert.equal(await actions.run({ kind: "delete", sessionId: "T" }), null);
  assert.equal(daemon.asked.length, 0);
});

void test("a rejected request becomes a problem with its code and hint", async () => {
  const { daemon, actions } = build([session("A")]);
  daemon.answers["areyouj/session/interrupt"] = () => {
    throw new ProblemError(problem("no_running_turn", "No turn is running.", "Nothing to do."));
  };
  const result = await actions.run({ kind: "interrupt", sessionId: "A" });
  assert.deepEqual(
    [result?.code, result?.message, result?.hint],
    ["no_running_turn", "No turn is running.", "Nothing to do."],
  );
});

void test("a queued message is steered in one request, with its current text", async () => {
  const { daemon, inserted, queued, actions } = build([session("A")]);
  assert.equal(
    (await actions.run({ kind: "queueSteer", sessionId: "A", messageId: "m" }))?.code,
    "not_possible",
    "it is not there",
  );
  queued.push(message("m", "A", { text: "precious", state: "queued" }));
  daemon.answers["areyouj/queue/steer"] = (params) => message(params.message.id, "A", { text: params.message.text });
  assert.equal(await actions.run({ kind: "queueSteer", sessionId: "A", messageId: "m" }), null);
  assert.deepEqual(
    daemon.asked.map(({ method, params }) => [method, params]),
    [["areyouj/queue/steer", { sessionId: "A", message: { id: "m", text: "precious" } }]],
  );
  assert.deepEqual(inserted, []);
});

void test("opens only web addresses outside of the editor", async () => {
  const { actions } = build([]);
  assert.equal(await actions.run({ kind: "openExternal", url: "https://example.org/" }), null);
  assert.equal(
    (await actions.run({ kind: "openExternal", url: "command:workbench.action.quit" }))?.code,
    "not_possible",
  );
  assert.deepEqual(editor.opened, ["https://example.org/"]);
});

void test("opens existing files at their line, relative to the session", async () => {
  const root = await mkdtemp(join(tmpdir(), "areyouj-files-"));
  try {
    await writeFile(join(root, "a.ts"), "");
    const { actions } = build([session("A", { directory: root })]);
    const open = (path: string): Promise<unknown> =>
      actions.run({ kind: "openFile", sessionId: "A", path } satisfies Action);
    assert.equal(await open("a.ts:7"), null);
    const [command, uri, options] = editor.executed[0] as [
      string,
      { fsPath: string },
      { selection: { start: { line: number } } },
    ];
    assert.deepEqual([command, uri.fsPath, options.selection.start.line], ["vscode.open", join(root, "a.ts"), 6]);
    assert.notEqual(await open("gone.ts"), null);
    assert.notEqual(await open("."), null);
    assert.equal(editor.executed.length, 1);
  } finally {
    await rm(root, { recursive: true });
  }
});

void test("completes files by their directory, and by their name anywhere", async () => {
  const root = await mkdtemp(join(tmpdir(), "areyouj-files-"));
  try {
    await mkdir(join(root, "src", "deep"), { recursive: true });
    for (const name of ["src/main.ts", "src/.hidden", "setup.md"]) await writeFile(join(root, name), "");
    assert.deepEqual(await completeFiles(root, "s"), ["setup.md", "src/"]);
    assert.deepEqual(await completeFiles(root, "src/"), ["src/deep/", "src/main.ts"]);
    assert.deepEqual(await completeFiles(root, "./src/."), ["src/.hidden"]);
    assert.deepEqual(await completeFiles(root, "nowhere/"), []);
    editor.found = [join(root, "src/deep/main.rs")];
    assert.deepEqual(await completeFiles(root, "main"), ["src/deep/main.rs"]);
  } finally {
    await rm(root, { recursive: true });
  }
});

void test("fetches a permission request again that was not the displayed one", async () => {
  const { daemon, model, actions } = build([session("A")]);
  const answer = { kind: "answer", permissionId: "A-1", digest: "0f", answer: { decision: "allow" } } as const;
  daemon.answers["areyouj/permission/answer"] = () => {
    throw new ProblemError(problem("digest_mismatch", "The request is not the one that was displayed."));
  };
  assert.equal((await actions.run(answer))?.code, "digest_mismatch");
  assert.equal(model.refreshed, 1);
  daemon.answers["areyouj/permission/answer"] = () => {
    throw new ProblemError(problem("permission_answered", "Answered."));
  };
  await actions.run(answer);
  assert.equal(model.refreshed, 1);
});
