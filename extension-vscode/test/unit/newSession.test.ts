import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import * as fake from "vscode";
import manifest from "../../package.json";
import { NewSession } from "../../src/sessions/newSession";
import { session, TestDaemon } from "./samples";

const { editor } = fake as unknown as typeof import("./vscode");

function build(defaultPermissionMode: string) {
  const daemon = new TestDaemon({
    "areyouj/directory/validate": ({ path }) => ({ directory: path }),
    "areyouj/session/create": () => ({ session: session("A") }),
  });
  const opened: string[] = [];
  const starts = new NewSession({
    daemon,
    model: { sessions: [] },
    settings: { askForOptions: false, defaultDriver: "stream", defaultModel: "", defaultPermissionMode },
    openSession: ({ id }) => {
      opened.push(id);
      return Promise.resolve();
    },
  });
  return { daemon, opened, starts };
}

beforeEach(() => {
  editor.answers = [];
  editor.shown = [];
});

void test("a session that never asks starts only after a confirmation, even if a setting chose the mode", async () => {
  const { daemon, opened, starts } = build("bypassPermissions");
  await starts.run("/home/u/shop");
  assert.deepEqual(editor.shown, ["Start a session that never asks for permission?"]);
  assert.deepEqual([daemon.count("areyouj/session/create"), opened], [0, []]);
  editor.answers = ["Start Without Permissions"];
  await starts.run("/home/u/shop");
  assert.deepEqual([daemon.count("areyouj/session/create"), opened], [1, ["A"]]);
});

void test("a session in any other mode starts without a question", async () => {
  for (const mode of ["", "default", "acceptEdits", "plan", "dontAsk"]) {
    const { daemon, starts } = build(mode);
    await starts.run("/home/u/shop");
    assert.deepEqual([editor.shown, daemon.count("areyouj/session/create")], [[], 1], mode);
  }
});

/** The settings that a workspace can change. Nothing that runs, permits or silences something can be among them. */
const OF_A_WORKSPACE = ["areyouj.newSession.driver", "areyouj.newSession.model"];

void test("a workspace can set only the driver and the model of new sessions, and only if it is trusted", () => {
  for (const { properties } of manifest.contributes.configuration)
    for (const [name, setting] of Object.entries<{ scope: string }>(properties))
      assert.equal(OF_A_WORKSPACE.includes(name), !["application", "machine"].includes(setting.scope), name);
  assert.deepEqual(manifest.capabilities.untrustedWorkspaces.restrictedConfigurations, OF_A_WORKSPACE);
});
