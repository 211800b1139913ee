import assert from "node:assert/strict";
import { test } from "node:test";
import { auditText } from "../../src/files/auditTrail";
import type { AuditEntry } from "../../src/protocol.gen";

const ANSWER: AuditEntry = {
  number: 2,
  at: 0,
  last: 0,
  count: 1,
  actor: "person",
  actorSessionId: null,
  pid: 4711,
  program: "/usr/bin/areyouj",
  terminal: "pts/3",
  client: "areyouj-cli",
  operation: "permission/answer",
  sessionId: "K7M2Q9XD",
  detail: "K7M2Q9XD-1: allow",
  outcome: "ok",
};

void test("the audit trail says who acted, and no name hides anything", () => {
  const refused: AuditEntry = {
    ...ANSWER,
    count: 270_900,
    actor: "session",
    actorSessionId: "K7M2Q9XD",
    program: "/tmp/a\nb",
    terminal: null,
    client: "Visual Studio Code\u202e",
    operation: "daemon/stop",
    sessionId: null,
    detail: null,
    outcome: "inside_session",
  };
  const old: AuditEntry = { ...ANSWER, actor: "unknown", pid: null, program: null, terminal: null };
  const lines = auditText([ANSWER, refused, old], true).split("\n");
  assert.equal(
    lines[0],
    "1970-01-01 00:00:00Z  you (areyouj-cli)  permission/answer  K7M2Q9XD  ok  /usr/bin/areyouj (4711) on pts/3  K7M2Q9XD-1: allow",
  );
  assert.match(
    lines[1] ?? "",
    /inside K7M2Q9XD \(Visual Studio Code\) {2}daemon\/stop {2}- {2}inside_session {2}270900 times/u,
  );
  assert.match(lines[2] ?? "", /unknown \(areyouj-cli\)/u);
  assert.match(lines[3] ?? "", /areyouj audit/u);
  assert.equal(lines.length, 5);
});
