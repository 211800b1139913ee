import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, MAX_EXITS, type SidecarOptions, type SidecarProcess } from "../../src/daemon/client";
import { ProblemError } from "../../src/daemon/problemError";
import { problem } from "../../src/shared/problem";
import { RETRY_FOR_MS, withRetry } from "../../src/daemon/retry";
import { settle, TestClock } from "./samples";

const unavailable = (): Error =>
  Object.assign(new Error("The daemon exited."), {
    code: -32000,
    data: { code: "daemon_unavailable", retryable: true },
  });

function build(request: SidecarProcess["request"] = () => Promise.resolve(null)) {
  const clock = new TestClock();
  const links: SidecarOptions[] = [];
  const parts = { open: true, found: true, refused: false };
  const client = new Client({
    clock,
    log: { info() {}, warn() {}, error() {} },
    findBinary: () =>
      parts.found
        ? Promise.resolve("/bin/areyouj")
        : Promise.reject(new ProblemError(problem("sidecar_not_found", "No program."))),
    startSidecar: (options) => {
      links.push(options);
      if (parts.refused)
        return Promise.reject(
          Object.assign(new Error("The disk is full."), {
            code: -32000,
            data: { code: "storage_full", hint: "Free some space." },
          }),
        );
      if (!parts.open) return Promise.reject(Object.assign(new Error("exit 2"), { stderr: "unknown command lsp" }));
      return Promise.resolve({ request, stop: () => Promise.resolve() });
    },
  });
  const states: string[] = [];
  client.onConnection(({ state }) => states.push(state));
  return { clock, client, links, parts, states };
}

void test("is connected when the sidecar has answered, and follows its reports about the daemon", async () => {
  const { client, links, states } = build();
  await client.start();
  links[0]?.onNotification("areyouj/connectionChanged", {
    state: "reconnecting",
    error: { code: "daemon_start_failed", message: "No.", hint: "Try.", remedy: { kind: "runDoctor" } },
  });
  assert.equal(client.connection.problem?.hint, "Try.");
  assert.ok(client.connection.problem?.fixes.some(({ label }) => label === "Run doctor"));
  links[0]?.onNotification("areyouj/connectionChanged", { state: "connected" });
  assert.deepEqual(states, ["connected", "reconnecting", "connected"]);
});

void test("restarts the sidecar when it exits, gives up after too many exits, and keeps the reason", async () => {
  const { client, links, states } = build();
  await client.start();
  for (let run = 0; run < MAX_EXITS; run++) {
    assert.equal(links.length, run + 1);
    links[run]?.onClosed("end of the log");
    await settle();
  }
  assert.equal(links.length, MAX_EXITS);
  assert.equal(states.at(-1), "failed");
  assert.equal(client.connection.problem?.log, "end of the log");
  await client.restart();
  assert.equal(client.connection.state, "connected");
});

void test("reports at once why the daemon does not start", async () => {
  const { client, parts } = build();
  parts.refused = true;
  const told: (string | undefined)[] = [];
  client.onConnection(({ state, problem: why }) => told.push(`${state}: ${why?.code} ${why?.hint}`));
  await client.start();
  assert.equal(told[0], "connecting: storage_full Free some space.");
  await settle();
  assert.equal(told.at(-1), "failed: storage_full Free some space.");
});

void test("fails with the output of a sidecar that cannot start", async () => {
  const { client, links, parts } = build();
  parts.open = false;
  await client.start();
  await settle();
  assert.equal(links.length, MAX_EXITS);
  assert.equal(client.connection.problem?.log, "unknown command lsp");
});

void test("starts nothing without a program, and reports that at once", async () => {
  const { client, links, parts } = build();
  parts.found = false;
  await client.start();
  assert.equal(links.length, 0);
  assert.deepEqual([client.connection.state, client.connection.problem?.code], ["failed", "sidecar_not_found"]);
  await assert.rejects(client.request("areyouj/daemon/status", {}), { message: "No program." });
});

void test("retries a retryable request unchanged", async () => {
  const seen: unknown[] = [];
  const { client } = build((_method, params) => {
    seen.push(params);
    return seen.length < 3 ? Promise.reject(unavailable()) : Promise.resolve({ id: "A" });
  });
  await client.start();
  const params = { requestId: "r-1", sessionId: "A" };
  await client.request("areyouj/session/restart", params);
  assert.deepEqual(seen, [params, params, params]);
});

void test("stops retrying after ten seconds, with the last error", async () => {
  const clock = new TestClock();
  let times = 0;
  const attempt = (): Promise<never> =>
    Promise.reject(new ProblemError(problem("daemon_unavailable", `try ${++times}`), true));
  await assert.rejects(withRetry(attempt, clock), (error: ProblemError) => error.message === `try ${times}`);
  assert.ok(clock.time <= RETRY_FOR_MS && clock.time > RETRY_FOR_MS - 2_000);
  assert.ok(times > 5 && times < 20);
});

void test("does not retry a rejected request, and keeps its code and hint", async () => {
  let times = 0;
  const { client } = build(() => {
    times++;
    return Promise.reject(
      Object.assign(new Error("The queue is full."), {
        code: -32000,
        data: { code: "queue_full", hint: "Remove some." },
      }),
    );
  });
  await client.start();
  await assert.rejects(
    client.request("areyouj/daemon/status", {}),
    ({ problem }: ProblemError) => problem.code === "queue_full" && problem.hint === "Remove some.",
  );
  assert.equal(times, 1);
});

void test("sends a request that was lost with its sidecar to the next one", async () => {
  let fail = (_error: Error): void => {};
  let times = 0;
  const { client, links } = build(() =>
    times++ === 0 ? new Promise((_resolve, reject) => (fail = reject)) : Promise.resolve("answer"),
  );
  await client.start();
  const answer = client.request("areyouj/daemon/status", {});
  await settle();
  links[0]?.onClosed("");
  fail(new Error("connection got disposed"));
  assert.equal(await answer, "answer");
});

void test("ignores notifications of an earlier sidecar", async () => {
  const { client, links } = build();
  await client.start();
  let heard = 0;
  client.on("areyouj/resync", () => heard++);
  await client.restart();
  links[0]?.onNotification("areyouj/resync", { dropped: 1 });
  links[0]?.onClosed("");
  links[1]?.onNotification("areyouj/resync", { dropped: 1 });
  assert.equal(heard, 1);
  assert.equal(client.connection.state, "connected");
});
