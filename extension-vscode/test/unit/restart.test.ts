import assert from "node:assert/strict";
import { test } from "node:test";
import { ProblemError } from "../../src/daemon/problemError";
import { RESTART_WITHIN_MS, restartDaemon } from "../../src/daemon/restart";
import type { DaemonStatus } from "../../src/protocol.gen";
import { problem } from "../../src/shared/problem";
import { TestClock, TestDaemon } from "./samples";

const status = (pid: number): DaemonStatus => ({
  pid,
  version: `1.0.${pid}`,
  protocolVersion: 1,
  startedAt: pid,
  clients: 1,
  sessions: 1,
  activeSessions: 1,
  maxActiveSessions: 10,
  database: "/db",
  logDirectory: "/logs",
  jobs: [],
});

const away = (): never => {
  throw new ProblemError(problem("daemon_unavailable", "The connection was lost."), true);
};

/** A daemon that answers status requests in this order, the last one forever. */
function build(answers: (() => DaemonStatus)[]) {
  const clock = new TestClock();
  const daemon = new TestDaemon({
    "areyouj/daemon/stop": () => ({}),
    "areyouj/daemon/status": () => ((answers.length > 1 ? answers.shift() : answers[0]) ?? away)(),
  });
  return { clock, daemon };
}

void test("a restart stops the daemon once, keeps the sessions, and waits for the next daemon", async () => {
  const { clock, daemon } = build([() => status(1), () => status(1), away, away, () => status(2)]);
  assert.equal((await restartDaemon(daemon, clock)).version, "1.0.2");
  const stops = daemon.asked.filter(({ method }) => method === "areyouj/daemon/stop");
  assert.deepEqual(
    stops.map(({ params }) => params),
    [{ sessions: false }],
  );
  assert.ok(daemon.once.includes("areyouj/daemon/stop"), "a repetition would stop the new daemon");
});

void test("a restart whose answer is lost counts by the daemon that follows", async () => {
  const { clock, daemon } = build([() => status(1), () => status(2)]);
  daemon.answers["areyouj/daemon/stop"] = away;
  assert.equal((await restartDaemon(daemon, clock)).pid, 2);
  assert.equal(daemon.count("areyouj/daemon/stop"), 1);
});

void test("a restart reports why no daemon follows", async () => {
  const gone = build([() => status(1), away]);
  await assert.rejects(restartDaemon(gone.daemon, gone.clock), { message: "The connection was lost." });
  assert.ok(gone.clock.time >= RESTART_WITHIN_MS);

  const stays = build([() => status(1)]);
  await assert.rejects(restartDaemon(stays.daemon, stays.clock), (error: ProblemError) => {
    assert.equal(error.problem.code, "timeout");
    assert.deepEqual(
      error.problem.fixes.map(({ label }) => label),
      ["Run doctor", "Show log"],
    );
    return true;
  });

  const refused = build([() => status(1)]);
  refused.daemon.answers["areyouj/daemon/stop"] = () => {
    throw new ProblemError(problem("not_allowed", "A process in a session cannot stop the daemon."));
  };
  await assert.rejects(restartDaemon(refused.daemon, refused.clock), /cannot stop the daemon/);
  assert.equal(refused.clock.time, 0);
});
