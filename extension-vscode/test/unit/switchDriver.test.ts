import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import * as fake from "vscode";
import { ProblemError } from "../../src/daemon/problemError";
import type { SessionChange } from "../../src/model/model";
import type { Session, SessionSwitchParams } from "../../src/protocol.gen";
import { SwitchDriver } from "../../src/sessions/switchDriver";
import { problem } from "../../src/shared/problem";
import { session, settle, TestDaemon } from "./samples";

const { editor, EventEmitter } = fake as unknown as typeof import("./vscode");

function build() {
  const daemon = new TestDaemon();
  /** The opened sessions, each with its driver. */
  const opened: string[] = [];
  const screens = new Set<string>();
  const changes = new EventEmitter<SessionChange>();
  const switcher = new SwitchDriver({
    daemon,
    model: { onSessions: changes.event },
    screens: { has: (id) => screens.has(id), close: (id) => screens.delete(id) },
    openSession: ({ id, driver }) => {
      opened.push(`${id} ${driver}`);
      return Promise.resolve();
    },
    problems: { report: () => Promise.resolve() },
  });
  // The daemon answers with the session before the switch; the switched one arrives later.
  daemon.answers["areyouj/session/switch"] = ({ sessionId }) => session(sessionId ?? "");
  const becomes = async (one: Session): Promise<void> => {
    changes.fire({ changed: [one], removed: [] });
    await settle();
  };
  const sent = (): SessionSwitchParams | undefined => daemon.asked[0]?.params as SessionSwitchParams | undefined;
  return { daemon, opened, screens, switcher, becomes, sent };
}

beforeEach(() => {
  editor.answers = [];
  editor.shown = [];
});

void test("an idle session switches without a question, and is then opened", async () => {
  const { opened, switcher, becomes, sent } = build();
  await switcher.switch(session("A"), "terminal");
  assert.deepEqual([sent()?.sessionId, sent()?.driver, sent()?.interrupt, editor.shown], ["A", "terminal", false, []]);
  await becomes(session("A", { status: "starting" }));
  assert.deepEqual(opened, [], "it has not moved yet");
  await becomes(session("A", { driver: "terminal", status: "starting" }));
  await becomes(session("A", { driver: "terminal" }));
  assert.deepEqual(opened, ["A terminal"]);
});

void test("a running turn ends or is interrupted, as the person chooses", async () => {
  const first = build();
  await first.switcher.switch(session("A", { status: "active" }), "terminal");
  assert.deepEqual([editor.shown, first.daemon.asked.length], [["Switch a to the terminal?"], 0], "left");

  editor.answers = ["Interrupt and switch"];
  await first.switcher.switch(session("A", { status: "waiting" }), "terminal");
  assert.equal(first.sent()?.interrupt, true);
  await first.becomes(session("A", { driver: "terminal" }));
  assert.deepEqual(first.opened, ["A terminal"]);

  const second = build();
  second.daemon.answers["areyouj/session/switch"] = () => session("A", { status: "active" });
  editor.answers = ["When the turn ends"];
  editor.shown = [];
  await second.switcher.switch(session("A", { status: "active" }), "terminal");
  assert.equal(second.sent()?.interrupt, false);
  assert.deepEqual(editor.shown, ["Switch a to the terminal?", "a switches when its turn ends"]);
  editor.answers = ["Open terminal"];
  await second.becomes(session("A", { driver: "terminal" }));
  assert.equal(editor.shown.at(-1), "a continues in a terminal.", "offered, for the person does something else by now");
  assert.deepEqual(second.opened, ["A terminal"]);
});

void test("does not wait for a turn that ended during the question", async () => {
  const { opened, switcher, becomes } = build();
  editor.answers = ["When the turn ends"];
  await switcher.switch(session("A", { status: "active" }), "terminal");
  await becomes(session("A", { driver: "terminal" }));
  assert.deepEqual([editor.shown, opened], [["Switch a to the terminal?"], ["A terminal"]]);
});

void test("forgets a rejected switch, and reports the reason", async () => {
  const { daemon, opened, switcher, becomes } = build();
  daemon.answers["areyouj/session/switch"] = () => {
    throw new ProblemError(
      problem("conversation_open", "Claude with process id 7 has the conversation open.", "End that Claude first."),
    );
  };
  await assert.rejects(switcher.switch(session("A"), "terminal"), /has the conversation open/);
  await becomes(session("A", { driver: "terminal" }));
  assert.deepEqual([opened, editor.shown], [[], []]);
});

void test("only opens a session that has the driver already", async () => {
  const { daemon, opened, switcher } = build();
  await switcher.switch(session("A"), "stream");
  await switcher.switch(session("B", { driver: "terminal" }), "terminal");
  assert.deepEqual(opened, ["A stream", "B terminal"]);
  assert.equal(daemon.asked.length, 0);
});

void test("closes the terminal of a session that left it, and offers the transcript", async () => {
  const { screens, opened, becomes } = build();
  screens.add("A");
  await becomes(session("A", { driver: "terminal" }));
  assert.equal(screens.has("A"), true);
  editor.answers = ["Open transcript"];
  await becomes(session("A"));
  await becomes(session("A"));
  assert.deepEqual([screens.has("A"), editor.shown], [false, ["a continues as a transcript."]]);
  assert.deepEqual(opened, ["A stream"]);
});
