import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import * as fake from "vscode";
import type { Action } from "../../src/shared/bridge";
import type { Context } from "../../src/app";
import type { SessionChange } from "../../src/model/model";
import { Moves } from "../../src/sessions/switchDriver";
import { Failure, problem } from "../../src/shared/problem";
import type { Session, SessionSwitchParams } from "../../src/protocol.gen";
import { session, settle, TestDaemon } from "./samples";

const { editor, EventEmitter } = fake as unknown as typeof import("./vscode");

function build() {
  const daemon = new TestDaemon();
  const performed: Action[] = [];
  const screens = new Set<string>();
  const changes = new EventEmitter<SessionChange>();
  const context = {
    client: daemon,
    model: { onSessions: changes.event },
    screens: { has: (id: string) => screens.has(id), close: (id: string) => screens.delete(id) },
    actions: {
      perform: (action: Action) => {
        performed.push(action);
        return Promise.resolve();
      },
    },
  };
  const moves = new Moves(context as unknown as Context);
  // The daemon answers with the session as it was: that it has moved comes later.
  daemon.answers["areyouj/session/switch"] = ({ sessionId }) => session(sessionId ?? "");
  const becomes = async (one: Session): Promise<void> => {
    changes.fire({ changed: [one], removed: [] });
    await settle();
  };
  const sent = (): SessionSwitchParams | undefined => daemon.asked[0]?.params as SessionSwitchParams | undefined;
  return { daemon, performed, screens, moves, becomes, sent };
}

beforeEach(() => {
  editor.answers = [];
  editor.shown = [];
});

void test("a session at rest moves without a question, and is shown where it went", async () => {
  const { performed, moves, becomes, sent } = build();
  await moves.move(session("A"), "terminal");
  assert.deepEqual([sent()?.sessionId, sent()?.driver, sent()?.interrupt, editor.shown], ["A", "terminal", false, []]);
  await becomes(session("A", { status: "starting" }));
  assert.deepEqual(performed, [], "it has not moved yet");
  await becomes(session("A", { driver: "terminal", status: "starting" }));
  await becomes(session("A", { driver: "terminal" }));
  assert.deepEqual(performed, [{ kind: "openScreen", sessionId: "A" }]);
});

void test("a running turn is finished or broken off, as a person says", async () => {
  const first = build();
  await first.moves.move(session("A", { status: "active" }), "terminal");
  assert.deepEqual([editor.shown, first.daemon.asked.length], [["Move a to a terminal?"], 0], "left");

  editor.answers = ["Interrupt and Move"];
  await first.moves.move(session("A", { status: "waiting" }), "terminal");
  assert.equal(first.sent()?.interrupt, true);
  await first.becomes(session("A", { driver: "terminal" }));
  assert.deepEqual(first.performed, [{ kind: "openScreen", sessionId: "A" }]);

  const second = build();
  second.daemon.answers["areyouj/session/switch"] = () => session("A", { status: "active" });
  editor.answers = ["When the Turn Has Ended"];
  editor.shown = [];
  await second.moves.move(session("A", { status: "active" }), "terminal");
  assert.equal(second.sent()?.interrupt, false);
  assert.deepEqual(editor.shown, ["Move a to a terminal?", "a moves when its turn has ended"]);
  editor.answers = ["Open Claude's Screen"];
  await second.becomes(session("A", { driver: "terminal" }));
  assert.equal(editor.shown.at(-1), "a goes on at its terminal.", "offered, for the person does something else by now");
  assert.deepEqual(second.performed, [{ kind: "openScreen", sessionId: "A" }]);
});

void test("a turn that ended while its move was asked about is not waited for", async () => {
  const { performed, moves, becomes } = build();
  editor.answers = ["When the Turn Has Ended"];
  await moves.move(session("A", { status: "active" }), "terminal");
  await becomes(session("A", { driver: "terminal" }));
  assert.deepEqual([editor.shown, performed], [["Move a to a terminal?"], [{ kind: "openScreen", sessionId: "A" }]]);
});

void test("a move that is refused is forgotten, and the reason is told", async () => {
  const { daemon, performed, moves, becomes } = build();
  daemon.answers["areyouj/session/switch"] = () => {
    throw new Failure(
      problem("conversation_open", "Claude with process id 7 has the conversation open.", "End that Claude first."),
    );
  };
  await assert.rejects(moves.move(session("A"), "terminal"), /has the conversation open/);
  await becomes(session("A", { driver: "terminal" }));
  assert.deepEqual([performed, editor.shown], [[], []]);
});

void test("a session that is where it is to go is shown", async () => {
  const { daemon, performed, moves } = build();
  await moves.move(session("A"), "stream");
  await moves.move(session("B", { driver: "terminal" }), "terminal");
  assert.deepEqual(performed, [
    { kind: "open", sessionId: "A" },
    { kind: "openScreen", sessionId: "B" },
  ]);
  assert.equal(daemon.asked.length, 0);
});

void test("the screen of a session that left its terminal is closed, and its page offered to who looked at it", async () => {
  const { screens, performed, becomes } = build();
  screens.add("A");
  await becomes(session("A", { driver: "terminal" }));
  assert.equal(screens.has("A"), true);
  editor.answers = ["Open"];
  await becomes(session("A"));
  await becomes(session("A"));
  assert.deepEqual([screens.has("A"), editor.shown], [false, ["a goes on as a transcript."]]);
  assert.deepEqual(performed, [{ kind: "open", sessionId: "A" }]);
});
