import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, test } from "node:test";
import * as fake from "vscode";
import type { SessionChange } from "../../src/model/model";
import type { Connection } from "../../src/shared/bridge";
import { ProblemError } from "../../src/daemon/problemError";
import { SessionProfile } from "../../src/terminal/profile";
import { SeenOnScreen } from "../../src/terminal/seen";
import { sessionOfCommand, TerminalScreens } from "../../src/terminal/screens";
import { session, settle, TestDaemon } from "./samples";

const { editor, EventEmitter, window, openTerminal, TestTerminal, TabInputTerminal } =
  fake as unknown as typeof import("./vscode");

const AREYOUJ = "/opt/areyouj";
const ATTACH = { name: "api", shellPath: AREYOUJ, shellArgs: ["attach", "AAAAAAAA"] };
const atTerminal = session("AAAAAAAA", { name: "api", driver: "terminal", directory: "/gone" });

const CONNECTED: Connection = { state: "connected", problem: null };

let built: TerminalScreens[] = [];

function build(): TerminalScreens {
  const icon = { light: fake.Uri.file("/light.svg"), dark: fake.Uri.file("/dark.svg") };
  const screens = new TerminalScreens({ findBinary: () => Promise.resolve(AREYOUJ), icon });
  built.push(screens);
  return screens;
}

beforeEach(() => {
  for (const screens of built) screens.dispose();
  built = [];
  window.terminals.length = 0;
  window.activeTerminal = undefined;
  window.tabGroups.all = [];
  editor.answers = [];
  editor.shown = [];
});

void test("opens one terminal that attaches to the session", async () => {
  const screens = build();
  await Promise.all([screens.open(atTerminal), screens.open(atTerminal)]);
  await screens.open(atTerminal);
  const [terminal, ...others] = window.terminals;
  assert.equal(others.length, 0);
  const { name, shellPath, shellArgs, cwd } = terminal?.creationOptions ?? {};
  assert.deepEqual({ name, shellPath, shellArgs, cwd }, { ...ATTACH, cwd: undefined });
  assert.equal(terminal?.shown, 3);
});

void test("opens a new terminal after the old one was closed", async () => {
  const screens = build();
  await screens.open(atTerminal);
  window.terminals[0]?.dispose();
  assert.equal(screens.has("AAAAAAAA"), false);
  await screens.open(atTerminal);
  assert.equal(window.terminals.length, 2);
});

void test("rejects a session that does not run in a terminal", async () => {
  await assert.rejects(
    build().open(session("BBBBBBBB", { name: "web" })),
    (error) => error instanceof ProblemError && /web does not run in a terminal/.test(error.message),
  );
  assert.equal(window.terminals.length, 0);
});

void test("reports why there is nothing to attach to, instead of a terminal that closes at once", async () => {
  const broken = { code: "crashed_too_often", message: "Claude crashed three times.", hint: "Restart it.", log: null };
  await assert.rejects(build().open({ ...atTerminal, status: "terminated" }), /api is terminated/);
  await assert.rejects(
    build().open({ ...atTerminal, status: "error", error: broken }),
    (error) =>
      error instanceof ProblemError && error.problem.code === broken.code && error.problem.hint === broken.hint,
  );
  assert.equal(window.terminals.length, 0);
});

void test("recognizes the terminal that the profile opened", async () => {
  const screens = build();
  openTerminal(new TestTerminal(ATTACH));
  await screens.open(atTerminal);
  assert.equal(window.terminals.length, 1);
});

void test("recognizes a terminal from before a reload by its process", async () => {
  const directory = await mkdtemp(join(tmpdir(), "areyouj-screens-"));
  // A script whose interpreter has the command line of the process of an attached terminal.
  await writeFile(join(directory, "attach"), "read -r _\n");
  const kept = spawn("/bin/sh", ["attach", "AAAAAAAA"], {
    argv0: "/opt/areyouj",
    cwd: directory,
    stdio: ["pipe", "ignore", "inherit"],
  });
  try {
    await once(kept, "spawn");
    const terminal = openTerminal(new TestTerminal({ name: "api" }, Promise.resolve(kept.pid)));
    const screens = build();
    await screens.open(atTerminal);
    assert.deepEqual([window.terminals.length, terminal.shown], [1, 1]);
  } finally {
    kept.stdin?.end();
    await once(kept, "exit");
    await rm(directory, { recursive: true });
  }
});

void test("ignores other terminals", async () => {
  const screens = build();
  for (const options of [{ name: "api" }, { shellPath: "/bin/bash" }, { ...ATTACH, shellArgs: ["logs", "AAAAAAAA"] }])
    openTerminal(new TestTerminal(options, Promise.resolve(process.pid)));
  await settle();
  assert.equal(screens.has("AAAAAAAA"), false);
});

void test("finds a session only in a command line that attaches", () => {
  assert.equal(sessionOfCommand(["/x/areyouj", "attach", "AAAAAAAA", ""]), "AAAAAAAA");
  for (const words of [
    ["areyouj", "show", "AAAAAAAA"],
    ["other", "attach", "AAAAAAAA"],
    ["areyouj", "attach"],
    ["areyouj", "attach", "--help"],
    [],
    [""],
  ])
    assert.equal(sessionOfCommand(words), null);
});

void test("a screen is visible while its terminal is active and its tab is in front", async () => {
  const screens = build();
  await screens.open(atTerminal);
  assert.equal(screens.isVisible("AAAAAAAA"), true, "in the panel");
  const tab = { input: new TabInputTerminal(), label: "api", isActive: false };
  window.tabGroups.all = [{ tabs: [tab] }];
  assert.equal(screens.isVisible("AAAAAAAA"), false, "a tab behind others");
  tab.isActive = true;
  window.tabGroups.activeTabGroup = { activeTab: tab };
  assert.deepEqual([screens.isVisible("AAAAAAAA"), screens.front], [true, "AAAAAAAA"]);
  window.activeTerminal = openTerminal(new TestTerminal({ name: "api" }));
  assert.deepEqual([screens.isVisible("AAAAAAAA"), screens.front], [false, null], "another terminal of that name");
});

void test("marks output on a visible screen as read", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const [daemon, changes, screens] = [new TestDaemon(), new EventEmitter<SessionChange>(), build()];
  daemon.answers["areyouj/session/read"] = ({ sessionId }) => session(sessionId ?? "");
  const live = [{ ...atTerminal, unread: 2 }, session("BBBBBBBB", { driver: "terminal", unread: 1 })];
  const seen = new SeenOnScreen({
    daemon,
    screens,
    model: { live, onSessions: changes.event, connection: CONNECTED },
  });
  const look = (): void => {
    changes.fire({ changed: [], removed: [] });
    t.mock.timers.tick(1_000);
  };
  look();
  assert.deepEqual(daemon.asked, [], "nobody looks");
  window.activeTerminal = openTerminal(new TestTerminal(ATTACH));
  await Promise.resolve();
  await screens.open(atTerminal);
  window.state.focused = false;
  look();
  assert.deepEqual(daemon.asked, [], "at another window");
  window.state.focused = true;
  look();
  assert.deepEqual(
    daemon.asked.map(({ params }) => params),
    [{ sessionId: "AAAAAAAA" }],
  );
  seen.dispose();
});

void test("closes all terminals of a session", async () => {
  const screens = build();
  await screens.open(atTerminal);
  openTerminal(new TestTerminal(ATTACH));
  await settle();
  screens.close("AAAAAAAA");
  assert.deepEqual(
    window.terminals.map(({ exitStatus }) => exitStatus?.code),
    [0, 0],
  );
});

const profileOf = (screens: TerminalScreens, created = atTerminal): SessionProfile => {
  const all = [atTerminal, session("BBBBBBBB", { name: "web" })];
  const model = {
    connection: CONNECTED,
    live: all,
    session: (id: string) => all.find((one) => one.id === id) ?? null,
  };
  return new SessionProfile({ model, screens, newSession: { create: () => Promise.resolve(created) } });
};

void test("the profile offers sessions that run in a terminal, and a new one", async () => {
  editor.answers = ["$(circle-outline) api"];
  const { options } = (await profileOf(build()).provideTerminalProfile()) as unknown as { options: typeof ATTACH };
  assert.deepEqual(editor.shown, ["$(circle-outline) api", "$(add) New session in terminal…"]);
  assert.deepEqual(options.shellArgs, ["attach", "AAAAAAAA"]);
  editor.answers = ["$(add) New session in terminal…"];
  const fresh = (await profileOf(
    build(),
    session("CCCCCCCC", { driver: "terminal" }),
  ).provideTerminalProfile()) as unknown as { options: typeof ATTACH };
  assert.deepEqual(fresh.options.shellArgs, ["attach", "CCCCCCCC"]);
});

void test("shows the terminal of the profile, because the panel can be hidden", async () => {
  const screens = build();
  editor.answers = ["$(circle-outline) api"];
  const { options } = (await profileOf(screens).provideTerminalProfile()) as unknown as { options: typeof ATTACH };
  const terminal = openTerminal(new TestTerminal(options));
  await settle();
  assert.deepEqual([terminal.shown, screens.has("AAAAAAAA")], [1, true]);
});

void test("the profile opens nothing without a choice, or when the terminal exists", async () => {
  const screens = build();
  await assert.rejects(profileOf(screens).provideTerminalProfile(), { message: "" });
  await screens.open(atTerminal);
  editor.answers = ["$(circle-outline) api"];
  await assert.rejects(profileOf(screens).provideTerminalProfile(), { message: "" });
  assert.deepEqual(
    window.terminals.map(({ shown }) => shown),
    [2],
  );
});
