import assert from "node:assert/strict";
import { test } from "node:test";
import { outsideEnvironment } from "../../src/daemon/environment";
import { absolutePath, placesOf } from "../../src/files/places";
import { isSessionId, sessionOfUri, webAddress } from "../../src/shared/links";
import { isPath, nextWaiting, recentDirectories, sessionRows } from "../../src/sessions/picks";
import { problem } from "../../src/shared/problem";
import { excerptText } from "../../src/files/selection";
import { statusText } from "../../src/notify/statusText";
import { quoted } from "../../src/terminal/terminals";
import { displayName } from "../../src/shared/session";
import { HIDDEN } from "../../src/shared/hidden.gen";
import { clippedLine, exactText, plainText } from "../../src/shared/text";
import type { Remedy } from "../../src/protocol.gen";
import { session } from "./samples";

const connected = { state: "connected", problem: null } as const;

void test("hidden characters are removed from a label and visible in exact text", () => {
  for (const [first, last, kind] of HIDDEN) {
    for (let point = first; point <= last; point += 1) {
      const raw = `a${String.fromCodePoint(point)}b`;
      const code = `U+${point.toString(16).toUpperCase().padStart(4, "0")}`;
      assert.equal(clippedLine(raw, 10), "a b", code);
      assert.equal(exactText(raw), `a<${code}>b`);
      assert.equal(plainText(raw), kind === "reorders" ? "ab" : raw, code);
    }
  }
  assert.equal(plainText("👩‍💻 ✔️"), "👩‍💻 ✔️");
});

void test("the status bar counts active, waiting and failed sessions", () => {
  const all = [
    session("A", { status: "active" }),
    session("B", { status: "starting" }),
    session("C", { status: "waiting" }),
    session("D"),
  ];
  assert.deepEqual(
    [statusText(connected, all).text, statusText(connected, all).level],
    ["$(bell-dot) 2 active · 1 waiting", "warning"],
  );
  assert.equal(statusText(connected, [session("A")]).text, "$(comment-discussion) 1 idle");
  assert.equal(statusText(connected, []).text, "$(comment-discussion) No sessions");
  const failed = session("E", {
    attention: { kind: "failed", permissionId: null, messageId: "m", title: "API error", open: 0 },
  });
  assert.equal(statusText(connected, [failed]).text, "$(bell-dot) 1 failed");
});

void test("the status bar shows a lost connection and its reason", () => {
  const reason = problem("sidecar_not_found", "No program.", "Install it.");
  assert.deepEqual(statusText({ state: "failed", problem: reason }, []), {
    text: "$(error) AreYouJ",
    tooltip: "No program.\nInstall it.",
    level: "error",
  });
  const text = statusText({ state: "reconnecting", problem: null }, [session("A", { status: "waiting" })]);
  assert.deepEqual([text.text, text.level], ["$(sync~spin) 1 waiting (reconnecting)", "normal"]);
});

void test("the buttons of a problem carry out its remedy", () => {
  const buttons = (remedy?: Remedy) => problem("host_failed", "It failed.", "Do it.", { remedy }).fixes;
  assert.deepEqual(buttons({ kind: "restartSession", sessionId: "K7M2Q9XD" }), [
    { label: "Restart session", command: "areyouj.restart", sessionId: "K7M2Q9XD" },
  ]);
  assert.deepEqual(
    buttons({ kind: "runDoctor" }).map(({ label }) => label),
    ["Run doctor", "Show log"],
  );
  assert.deepEqual(buttons({ kind: "restartDaemon" }), [{ label: "Restart daemon", command: "areyouj.restartDaemon" }]);
  assert.deepEqual(buttons({ kind: "freeDisk" }), []);
  assert.deepEqual(buttons({ kind: "dance" } as unknown as Remedy), []);
  assert.deepEqual(buttons(), []);
});

void test("the tooltip lists a limited number of sessions, each on one line", () => {
  const all = Array.from({ length: 200 }, (_, index) =>
    session(`S${index}`, { name: "a\nb", currentTask: "x\u202ey" }),
  );
  const lines = statusText(connected, all).tooltip.split("\n");
  assert.equal(lines[1], "a b: Idle, x y");
  assert.equal(lines.length, 22);
  assert.equal(lines.at(-1), "and 180 more");
});

void test("offers waiting sessions first, and the current one last", () => {
  const all = [
    session("CUR", { lastActivity: 9 }),
    session("OLD", { lastActivity: 1 }),
    session("NEW", { lastActivity: 5 }),
    session("ASK", { status: "waiting", lastActivity: 0 }),
  ];
  assert.deepEqual(
    sessionRows(all, "CUR").map(({ sessionId }) => sessionId),
    ["ASK", "NEW", "OLD", "CUR"],
  );
  const [row] = sessionRows([session("A", { name: "$(trash) x", currentTask: null })], null);
  assert.ok(row?.label.startsWith("$(circle-outline) $\u200b(trash)"));
  assert.ok(row?.detail.startsWith("No current task"));
});

void test("the next waiting session cycles, the longest wait first", () => {
  const all = [
    session("B", { status: "waiting", statusSince: 2 }),
    session("A", { status: "error", statusSince: 1 }),
    session("C"),
  ];
  assert.deepEqual(
    [null, "A", "B", "C"].map((current) => nextWaiting(all, current)?.id),
    ["A", "B", "A", "A"],
  );
  assert.equal(nextWaiting([session("C")], null), null);
});

void test("lists each recent directory once, without the window's own", () => {
  const all = [
    session("A", { directory: "/a", lastActivity: 1 }),
    session("B", { directory: "/b", lastActivity: 3 }),
    session("C", { directory: "/a", lastActivity: 2 }),
    session("D", { directory: "/own" }),
  ];
  assert.deepEqual(recentDirectories(all, ["/own"]), ["/b", "/a"]);
  assert.deepEqual(["/", "~", "~/x", "x", "~x", ""].map(isPath), [true, true, true, false, false, false]);
});

void test("reads a place in a file in every usual form, the whole text first", () => {
  assert.deepEqual(
    placesOf("src/a.ts:12:3").map(({ path, line, column }) => [path, line, column]),
    [
      ["src/a.ts:12:3", null, null],
      ["src/a.ts", 12, 3],
    ],
  );
  assert.deepEqual(placesOf("a.ts#L7")[1], { path: "a.ts", line: 7, column: null });
  assert.deepEqual(placesOf("a.ts:0")[1], { path: "a.ts", line: 1, column: null });
  assert.equal(placesOf("a.ts").length, 1);
  assert.equal(absolutePath("/s", "x/../y", "/home/u"), "/s/y");
  assert.equal(absolutePath("/s", "/etc/hosts", "/home/u"), "/etc/hosts");
  assert.equal(absolutePath("/s", "~/n", "/home/u"), "/home/u/n");
});

void test("accepts only web addresses", () => {
  assert.equal(webAddress("https://example.org/a b"), "https://example.org/a%20b");
  for (const url of [
    "javascript:alert(1)",
    "file:///etc/passwd",
    "command:x",
    "vscode://x/y",
    "example.org",
    "https://",
    "data:text/html,x",
  ])
    assert.equal(webAddress(url), null, url);
});

void test("an address names a valid session id or nothing", () => {
  assert.equal(sessionOfUri("/automation/K7M2Q9XD"), "K7M2Q9XD");
  assert.equal(sessionOfUri("/automation/K7M2Q9XD/"), "K7M2Q9XD");
  for (const path of [
    "/",
    "/automation",
    "/automation/k7m2q9xd",
    "/automation/K7M2Q9XD/x",
    "/automation/../K7M2Q9X",
    "/other/K7M2Q9XD",
  ])
    assert.equal(sessionOfUri(path), null, path);
  assert.equal(isSessionId("IOUL01XX"), false);
});

void test("clips text of others to one line", () => {
  assert.equal(clippedLine("a\r\n\tb\u202e\u0007c", 20), "a b c");
  assert.equal(clippedLine("x".repeat(1_000_000), 5), "xxxx…");
  assert.equal(clippedLine("👍👍👍", 2), "👍…");
});

void test("a session has its own name, or else the name of its directory", () => {
  const names = [
    session("A", { name: "api" }),
    session("A"),
    session("A", { name: " \u200b" }),
    session("A", { directory: "/" }),
  ];
  assert.deepEqual(names.map(displayName), ["api", "a", "a", "/"]);
});

void test("a selection cannot end its own code block", () => {
  const excerpt = { path: "a.md", lines: [3, 5] as [number, number], language: "markdown", text: "a\n````\nb\n" };
  assert.equal(excerptText(excerpt), "@a.md#L3-5\n`````markdown\na\n````\nb\n`````\n");
  assert.equal(excerptText({ ...excerpt, text: "" }), "@a.md ");
});

void test("removes variables that concern only the editor", () => {
  const environment = outsideEnvironment({
    PATH: "/bin",
    ELECTRON_RUN_AS_NODE: "1",
    VSCODE_PID: "1",
    HOME: "/h",
    ANTHROPIC_MODEL: "opus",
  });
  assert.deepEqual(environment, { PATH: "/bin", HOME: "/h", ANTHROPIC_MODEL: "opus" });
});

void test("quotes a path as one word for a shell", () => {
  assert.equal(quoted("/usr/bin/areyouj"), "/usr/bin/areyouj");
  assert.equal(quoted("/it's $(x)/areyouj"), `'/it'\\''s $(x)/areyouj'`);
});
