import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import * as fake from "vscode";
import { confirmed } from "../../src/actions/confirm";
import { ProblemError } from "../../src/daemon/problemError";
import type { SessionChange } from "../../src/model/model";
import { Notifier } from "../../src/notify/notifier";
import { Problems } from "../../src/notify/problems";
import { ask, showMessage, showStatus } from "../../src/notify/window";
import type { Attention, Permission, Session } from "../../src/protocol.gen";
import { NewSession } from "../../src/sessions/newSession";
import { SwitchDriver } from "../../src/sessions/switchDriver";
import type { Connection } from "../../src/shared/bridge";
import { problem } from "../../src/shared/problem";
import { permission, section, session, settle, TestDaemon } from "./samples";

const { editor, EventEmitter } = fake as unknown as typeof import("./vscode");

/** What the editor turns into a link, in messages and below input boxes (`linkedText.ts` of VS Code). */
const LINK = /\[([^\]]+)\]\(((?:https?:\/\/|command:|file:)[^)\s]+)(?: (["'])(.+?)(\3))?\)/gi;

/** Every form of a link, and texts that become one when characters are removed or collapsed. */
const LINKS = [
  "[x](command:y)",
  "[x](command:y?%5B%22a%22%5D)",
  "[x](COMMAND:workbench.action.quit)",
  '[x](command:y "Show log")',
  "[x](command:y 'Show log')",
  "[x](https://evil.example/)",
  "[x](http://evil.example/)",
  "[x](file:///etc/passwd)",
  "[[x](command:y)",
  "[x](command:y)[z](command:y)",
  "[x]\u200b(command:y)",
  "[x]\u0007(command:y)",
  "[x]\n(command:y)",
  "[x\n](command:y)",
];
const EVIL = LINKS.join(" ");
const READABLE = "[x] (command:y)";

function assertHarmless(texts: string[]): void {
  assert.ok(texts.some((text) => text.includes(READABLE)));
  for (const text of texts) assert.deepEqual(text.match(LINK), null, text);
}

const nothing = (): Promise<void> => Promise.resolve();
const hidden = { visible: false };
const invisible = { isVisible: () => false };

beforeEach(() => {
  editor.answers = [];
  editor.shown = [];
  editor.details = [];
});

void test("the sample texts are links in the editor until they are escaped", () => {
  for (const text of LINKS.slice(0, 10)) assert.notEqual(text.match(LINK), null, text);
});

void test("no message, question or detail has a link, and each stays readable", async () => {
  for (const severity of ["information", "warning", "error"] as const) await showMessage(severity, EVIL, "Show");
  await ask(`Terminate ${EVIL}?`, EVIL, "Terminate");
  assert.equal(editor.shown.length, 4);
  assertHarmless(editor.shown);
  assertHarmless(editor.details);
});

void test("a text in the status bar has no icon of its own", () => {
  showStatus("Message queued for $(trash) x");
  assert.deepEqual(editor.shown, ["Message queued for $\u200b(trash) x"]);
});

void test("the problem of a hostile directory has no link", async () => {
  const problems = new Problems({ info() {}, warn() {}, error() {} });
  await problems.show(problem("directory_missing", `The directory ${EVIL} does not exist.`, `Create ${EVIL}.`));
  await problems.report(new Error(EVIL));
  assert.equal(editor.shown.length, 2);
  assertHarmless(editor.shown);
});

void test("confirmations about a hostile session have no link", async () => {
  await confirmed(`Terminate ${EVIL}?`, EVIL, "Terminate");
  assertHarmless([...editor.shown, ...editor.details]);
});

void test("the warning about a new session has no link", async () => {
  const daemon = new TestDaemon({
    "areyouj/directory/validate": ({ path }) => ({ directory: path }),
    "areyouj/session/create": () => ({ session: session("A"), warning: `${EVIL} is not trusted.` }),
  });
  await new NewSession({
    daemon,
    model: { sessions: [] },
    settings: { askForOptions: false, defaultDriver: "stream", defaultModel: "", defaultPermissionMode: "" },
    openSession: nothing,
    isTrusted: () => true,
  }).run("/x");
  assertHarmless(editor.shown);
});

void test("a switch of a hostile session has no link", async () => {
  const changes = new EventEmitter<SessionChange>();
  const screens = new Set(["A"]);
  const switcher = new SwitchDriver({
    daemon: new TestDaemon(),
    model: { onSessions: changes.event },
    screens: { has: (id) => screens.has(id), close: (id) => screens.delete(id) },
    openSession: nothing,
    problems: { report: nothing },
  });
  await switcher.switch(session("A", { name: READABLE.replace(" ", ""), status: "active" }), "terminal");
  changes.fire({ changed: [session("A", { name: READABLE.replace(" ", "") })], removed: [] });
  await settle();
  assert.equal(editor.shown.length, 2);
  assertHarmless(editor.shown);
});

function notifier() {
  const connection: Connection = { state: "connected", problem: null };
  const [onConnection, onSessions, onPermissions] = [
    new EventEmitter<Connection>(),
    new EventEmitter<SessionChange>(),
    new EventEmitter<unknown>(),
  ];
  const model = {
    connection,
    sessions: [] as Session[],
    open: [] as Permission[],
    permissions: () => model.open,
    onConnection: onConnection.event,
    onSessions: onSessions.event,
    onPermissions: onPermissions.event,
  };
  const daemon = new TestDaemon();
  const performed: unknown[] = [];
  const made = new Notifier({
    daemon,
    model: model as never,
    settings: { showsAlert: () => true },
    overview: hidden,
    pages: invisible,
    screens: invisible,
    performer: {
      perform: (action) => {
        performed.push(action);
        return Promise.resolve();
      },
    },
    problems: { show: nothing },
  });
  const becomes = async (sessions: Session[], open: Permission[] = []): Promise<void> => {
    Object.assign(model, { sessions, open });
    onConnection.fire(connection);
    await new Promise((resolve) => setTimeout(resolve, 80));
    await settle();
  };
  return { daemon, made, becomes, performed };
}

void test("no alert about a hostile session has a link, whatever needs the person", async () => {
  const attention = (kind: Attention["kind"], messageId: string | null): Partial<Session> => ({
    attention: { kind, permissionId: null, messageId, title: READABLE.replace(" ", ""), open: 0 },
  });
  const error = { code: "login_needed", message: READABLE.replace(" ", ""), hint: "", log: null };
  const name = EVIL;
  const waiting: Partial<Session> = { status: "waiting" };
  const cases: [Partial<Session>, Partial<Permission>[]][] = [
    [waiting, [{ title: EVIL, display: [] }]],
    [waiting, [{ title: EVIL, display: [section("Tool", "tool", "Bash"), section("Command", "command", EVIL)] }]],
    [waiting, [{ title: EVIL, kind: "question" }]],
    [waiting, [{ title: EVIL, kind: "plan" }]],
    [waiting, [{}]],
    [{ status: "error", error }, []],
    [attention("terminal", null), []],
    [attention("failed", "m-1"), []],
    [attention("interrupted", "m-2"), []],
    [{ currentTask: EVIL }, []],
  ];
  for (const [changes, permissions] of cases) {
    const { made, becomes } = notifier();
    await becomes([session("A", { status: "active" })]);
    editor.shown = [];
    await becomes(
      [session("A", { name, ...changes })],
      permissions.map((one, index) => permission(`A-${index}`, one)),
    );
    assert.equal(editor.shown.length, 1);
    assertHarmless(editor.shown);
    made.dispose();
  }
});

void test("the answer that came too late is reported without a link", async () => {
  const { daemon, made, becomes } = notifier();
  daemon.answers["areyouj/permission/answer"] = () => {
    throw new ProblemError(problem("permission_answered", `Answered by ${EVIL}.`));
  };
  await becomes([session("A")]);
  editor.answers = ["Allow"];
  await becomes([session("A")], [permission("A-1")]);
  assert.equal(editor.shown.length, 2);
  assertHarmless(editor.shown);
  made.dispose();
});

void test("a message about a request that it does not display whole shows or denies it, and never allows", async () => {
  const long = section("Command", "command", "x".repeat(3_000));
  const cases: [Partial<Permission>, string[]][] = [
    [{}, ["Allow", "Deny", "Show"]],
    [{ display: [section("Tool", "tool", "Bash"), long] }, ["Show", "Deny"]],
    [{ kind: "question" }, ["Show", "Don't answer"]],
    [{ kind: "plan" }, ["Show", "Keep planning"]],
  ];
  for (const [changes, buttons] of cases) {
    for (const button of buttons) {
      const { daemon, made, becomes, performed } = notifier();
      await becomes([session("A")]);
      editor.answers = [button];
      await becomes([session("A")], [permission("A-1", { digest: "d1", ...changes })]);
      assert.deepEqual(editor.buttons, buttons);
      const answers = daemon.asked.filter(({ method }) => method === "areyouj/permission/answer");
      if (button === "Show") assert.deepEqual([performed, answers], [[{ kind: "open", sessionId: "A" }], []]);
      else {
        const params = answers[0]?.params as { digest: string; answer: { decision: string } };
        assert.deepEqual([params.digest, params.answer.decision], ["d1", button === "Allow" ? "allow" : "deny"]);
      }
      made.dispose();
    }
  }
});
