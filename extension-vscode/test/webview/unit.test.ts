// The parts of the pages that need no browser.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { EntryBody, TranscriptEntry } from "../../src/protocol.gen";
import { completed, mentionAt } from "../../webview/messages/completion";
import { lineCounts, lineRuns } from "../../webview/ui/diff";
import { Folds } from "../../webview/transcript/folds";
import {
  ago,
  contextPercent,
  cost,
  costOf,
  duration,
  elapsed,
  homePath,
  relativePath,
  since,
  splitPath,
  tokens,
} from "../../src/shared/format";
import { Heights } from "../../webview/transcript/heights";
import { sizeText } from "../../webview/permissions/exact";
import { PlanColours } from "../../webview/permissions/planColours";
import { choicesOf, questionsOf } from "../../webview/permissions/questions";
import { visibleRows } from "../../webview/sessions/visibleRows";
import { NEWEST_FIRST, arrange, counts } from "../../webview/sessions/sessionList";
import { exactLine, exactText, plainLine, plainText } from "../../src/shared/text";
import { fileChange, tellingArgument } from "../../webview/ui/toolInput";
import { Rows, joined, withPiece } from "../../webview/transcript/transcript";
// @ts-expect-error The fixtures are shared with pages that are loaded as they are.
import { HOSTILE, QUESTION, SESSIONS, entries, section } from "./fixtures.mjs";

const rowsOf = (bodies: EntryBody[]): string[] =>
  new Rows().of(entries(bodies) as TranscriptEntry[]).map(({ seq, depth }) => `${seq}/${depth}`);
const call = (toolUseId: string, parentToolUseId: string | null = null): EntryBody => ({
  kind: "toolCall",
  toolUseId,
  tool: "Bash",
  input: {},
  parentToolUseId,
});
const result = (toolUseId: string): EntryBody => ({
  kind: "toolResult",
  toolUseId,
  isError: false,
  text: "ok",
  truncated: false,
});
const words = (text: string, parentToolUseId: string | null = null): EntryBody => ({
  kind: "text",
  text,
  parentToolUseId,
});

test("a path shows its hidden characters", () => {
  assert.equal(exactText(HOSTILE.command), "ls\u241b[8m; rm -rf ~<U+200B>\nsecond line");
  assert.equal(exactText(HOSTILE.bidi), "safe<U+202E>txt.exe<U+202C>");
  assert.equal(exactText("a\rb\u007f"), "a\u240db\u2421");
  assert.equal(exactLine("a\nb\tc"), "a\u240ab\u2409c");
});

test("other text loses harmful characters and keeps all others", () => {
  assert.equal(plainText("\u001b[31mred\u001b[0m\u0007\r\nnext\u001b]0;title\u0007."), "red\nnext.");
  assert.equal(plainLine("  two\n lines\u202e "), "two lines");
  assert.equal(plainText("👩‍💻 שלום"), "👩‍💻 שלום");
});

test("times are short", () => {
  assert.deepEqual([0, 59_000, 61_000, 3_600_000, 4_320_000, 180_000_000].map(duration), [
    "0s",
    "59s",
    "1m",
    "1h",
    "1h 12m",
    "2d 2h",
  ]);
  assert.deepEqual([1234, 48_200, 91_000, 4_320_000].map(elapsed), ["1.2s", "48s", "1m 31s", "1h 12m"]);
  assert.equal(since(73_000), "1m 13s");
  assert.deepEqual(
    [1000, 42_000, 4_320_000].map((passed) => ago(passed, 0)),
    ["just now", "42s ago", "1h ago"],
  );
  assert.equal(ago(0, 10_000), "just now");
});

test("numbers are short", () => {
  assert.deepEqual([0, 0.0004, 0.0412, 1.284].map(cost), ["$0", "$0", "$0.041", "$1.28"]);
  const [session] = SESSIONS;
  assert.ok(session);
  assert.equal(costOf({ ...session, costUsd: 0, driver: "stream" }), "$0");
  assert.equal(costOf({ ...session, costUsd: 0, driver: "terminal" }), null);
  assert.equal(costOf({ ...session, costUsd: 2, driver: "terminal" }), "$2.00");
  assert.deepEqual([950, 88_400, 999_600, 1_250_000].map(tokens), ["950", "88k", "1M", "1.3M"]);
  assert.deepEqual(
    [contextPercent(50, 200), contextPercent(300, 200), contextPercent(null, 200), contextPercent(1, 0)],
    [25, 100, null, null],
  );
});

test("paths are relative to the home directory and to the session", () => {
  assert.deepEqual(
    [homePath("/home/mira/a", "/home/mira"), homePath("/home/mirage", "/home/mira"), homePath("/a", "/")],
    ["~/a", "/home/mirage", "/a"],
  );
  assert.deepEqual(splitPath("~/work/shop/"), { parent: "~/work", name: "/shop" });
  assert.deepEqual(splitPath("/"), { parent: "", name: "/" });
  assert.deepEqual([relativePath("/a/b/c.ts", "/a/b"), relativePath("/a/bc.ts", "/a/b")], ["c.ts", "/a/bc.ts"]);
});

test("tiles count live sessions, starting ones only in the total", () => {
  assert.deepEqual(counts(SESSIONS), { total: 6, active: 1, waiting: 1, idle: 2, error: 1 });
});

test("filters sessions by tile and words, and sorts them by any column", () => {
  const every = { tile: "total", text: "", terminated: false } as const;
  const ids = (filter: Parameters<typeof arrange>[1], order = NEWEST_FIRST): string[] =>
    arrange(SESSIONS, filter, order).map(({ id }) => id);
  assert.deepEqual(ids(every), ["X9D5G7ZA", "K7M2Q9XD", "B4N8TRWC", "H2VYQ3KM", "P3J6WE5R", "T8C4MN2Q"]);
  assert.deepEqual(ids({ ...every, tile: "idle" }), ["H2VYQ3KM", "T8C4MN2Q"]);
  assert.deepEqual(ids({ ...every, text: "SHOP migration" }), ["B4N8TRWC"]);
  assert.deepEqual(ids({ ...every, terminated: true, text: "old" }), ["A5R7V2BD"]);
  assert.deepEqual(
    [ids({ ...every, text: "x9d" }), ids({ ...every, text: "9d5" })],
    [["X9D5G7ZA"], []],
    "an id matches by its beginning",
  );
  assert.equal(ids(every, { column: "status", descending: false })[0], "B4N8TRWC");
  assert.equal(ids(every, { column: "context", descending: true })[0], "B4N8TRWC");
  assert.equal(ids(every, { column: "queued", descending: true })[0], "K7M2Q9XD");
});

test("renders only rows near the visible part", () => {
  assert.deepEqual(visibleRows(0, 300, 30, 1000), { first: 0, end: 18 });
  assert.deepEqual(visibleRows(-15_000, 300, 30, 1000), { first: 492, end: 518 });
  assert.deepEqual(visibleRows(900, 300, 30, 1000), { first: 0, end: 0 });
  assert.deepEqual(visibleRows(-90_000, 300, 30, 10), { first: 10, end: 10 });
});

test("answers questions in order, each with a choice or own words", () => {
  const { questions, before, after } = questionsOf(QUESTION.display, QUESTION.input);
  assert.equal(choicesOf(questions, [{ labels: ["Redis"], own: "" }]), null);
  assert.deepEqual(
    choicesOf(questions, [
      { labels: ["Redis"], own: " files " },
      { labels: ["Staging"], own: "QA" },
    ]),
    [["files"], ["Staging", "QA"]],
  );
  assert.deepEqual([before.map(({ label }) => label), after], [["Tool"], []]);
  assert.deepEqual(questionsOf([], { questions: [7] }).questions, [{ parts: [], words: "", multiSelect: false }]);
  assert.deepEqual([questionsOf([], null).questions, choicesOf([], [])], [[], null]);
});

test("every section of a question is displayed once, with the exact label of each choice", () => {
  const odd = section("Question 1", "json", null, '{"$x": 1}');
  const later = section("model", "text", "/model", "opus");
  const display = [...QUESTION.display, odd, later];
  const { questions, before, after } = questionsOf(display, QUESTION.input);
  const shown = [
    ...before,
    ...questions.flatMap(({ parts }) =>
      parts.flatMap((part) => [part.section, ...(part.kind === "choice" ? part.details : [])]),
    ),
    ...after,
  ];
  assert.deepEqual(shown, display);
  const labels = questions.map(({ parts }) => parts.flatMap((part) => (part.kind === "choice" ? [part.label] : [])));
  assert.deepEqual(labels, [
    ["PostgreSQL", "Redis"],
    ["Staging", "Production"],
  ]);
});

test("a coloured plan keeps every character, whatever it contains", () => {
  const words = [
    "# a",
    "\n",
    "```",
    "`x`",
    "[a](b)",
    "[r]: http://x",
    "<!-- no -->",
    "**b**",
    "~~~",
    " ",
    "[".repeat(99),
  ];
  let seed = 7;
  const next = (bound: number): number => (seed = (seed * 48_271) % 2_147_483_647) % bound;
  for (let round = 0; round < 5_000; round += 1) {
    const parts = Array.from({ length: next(9) }, () => words[next(words.length)] ?? "");
    const colours = new PlanColours();
    const joined = parts.map((part) =>
      colours
        .of(part)
        .map(([piece]) => piece)
        .join(""),
    );
    assert.deepEqual(joined, parts);
  }
  assert.deepEqual(new PlanColours().of("# A\n[r]: x\nb <!-- c -->"), [
    ["# A\n", "heading"],
    ["[r]: x\n", "link"],
    ["b ", null],
    ["<!-- c -->", "comment"],
  ]);
  const began = performance.now();
  new PlanColours().of("[".repeat(1_000_000));
  assert.ok(performance.now() - began < 5_000, "hostile text does not slow down the page");
});

test("the size of a text is counted in words", () => {
  assert.equal(sizeText({ lines: 1, characters: 3_024 }), "1 line, 3,024 characters");
  assert.equal(sizeText({ lines: 0, characters: 1 }), "0 lines, 1 character");
});

test("describes a call by its most telling argument", () => {
  assert.equal(tellingArgument({ description: "List", command: "ls\n -l" }), "ls -l");
  assert.equal(tellingArgument({ depth: { a: 1 } }), '{ "a": 1 }');
  assert.deepEqual([tellingArgument({}), tellingArgument(null), tellingArgument("x")], ["", "null", "x"]);
});

test("knows the change that an edit makes", () => {
  const edit = { file_path: "/a", old_string: "1", new_string: "2", replace_all: true };
  assert.deepEqual(fileChange("Edit", edit), { path: "/a", edits: [{ before: "1", after: "2" }] });
  assert.equal(fileChange("Read", edit), null);
  assert.equal(fileChange("Edit", { file_path: 7 }), null);
});

test("compares texts line by line, and does not compare long texts", () => {
  const runs = lineRuns("a\nb\nc\n", "a\nx\ny\nc\n");
  assert.deepEqual(
    runs.map(({ kind, lines }) => [kind, ...lines]),
    [
      ["same", "a"],
      ["removed", "b"],
      ["added", "x", "y"],
      ["same", "c"],
    ],
  );
  assert.deepEqual(lineCounts(runs), { added: 2, removed: 1 });
  const large = "line\n".repeat(100_000);
  assert.deepEqual(
    lineRuns(large, `${large}end`).map(({ kind }) => kind),
    ["removed", "added"],
  );
  assert.deepEqual(lineRuns("", ""), []);
});

test("puts results beside their calls, and subagents below their call", () => {
  assert.deepEqual(
    rowsOf([call("a"), call("b"), result("a"), words("in a", "a"), words("in b", "b"), result("b"), words("after")]),
    ["1/0", "4/1", "2/0", "5/1", "7/0"],
  );
  assert.deepEqual(rowsOf([result("gone"), words("orphan", "gone"), { kind: "later" } as unknown as EntryBody]), [
    "1/0",
    "2/1",
  ]);
  assert.deepEqual(rowsOf([call("a", "a")]), ["1/1"]);
});

test("an unchanged row is the same object", () => {
  const rows = new Rows();
  const first = entries([call("a"), words("hello")]) as TranscriptEntry[];
  const [before, hello] = rows.of(first);
  const [after, again] = rows.of([...first, ...(entries([result("a")], 3) as TranscriptEntry[])]);
  assert.equal(hello, again);
  assert.notEqual(before, after);
  assert.equal(after?.result?.text, "ok");
});

test("joins entries without duplicates, and live text by kind", () => {
  const page = entries([words("1"), words("2"), words("3")]) as TranscriptEntry[];
  assert.deepEqual(
    joined(page.slice(0, 2), page.slice(1)).map(({ seq }) => seq),
    [1, 2, 3],
  );
  const pieces = [
    { thinking: true, text: "hm" },
    { thinking: true, text: "m" },
    { thinking: false, text: "Yes" },
  ].reduce(withPiece, [] as { thinking: boolean; text: string }[]);
  assert.deepEqual(pieces, [
    { thinking: true, text: "hmm" },
    { thinking: false, text: "Yes" },
  ]);
});

test("finds a reading position again after rows before it changed", () => {
  const all = new Rows().of(entries(Array.from({ length: 100 }, (_, index) => words(`${index}`))) as TranscriptEntry[]);
  const heights = new Heights();
  for (const { seq } of all) heights.measure(seq, 50);
  heights.lay(all.slice(50));
  const place = heights.placeAt(125);
  assert.deepEqual(place, { seq: 53, offset: -25 });
  heights.lay(all);
  assert.equal(place && heights.scrollTo(place), 52 * 50 + 25);
  heights.measure(1, 80);
  heights.lay(all);
  assert.equal(place && heights.scrollTo(place), 52 * 50 + 55);
  assert.equal(heights.scrollTo({ seq: 1000, offset: 0 }), 99 * 50 + 30);
  const { first, end } = heights.range(2500, 400);
  assert.ok(first > 25 && end < 80, `${first} ${end}`);
});

test("remembers a limited number of folds", () => {
  const folds = new Folds([["1:tool", true], ["bad"] as unknown as [string, boolean]]);
  assert.deepEqual([folds.isOpen("1:tool"), folds.isOpen("2:tool"), folds.isOpen("2:tool", true)], [true, false, true]);
  assert.deepEqual([folds.set("2:tool", true, true), folds.set("2:tool", false, true)], [false, true]);
  for (let index = 0; index < 600; index += 1) folds.set(`x${index}`, true);
  assert.equal(folds.saved().length, 500);
});

test("a mention begins after white space and ends with its file", () => {
  assert.deepEqual(mentionAt("see @src/re", 11), { at: 4, prefix: "src/re" });
  assert.equal(mentionAt("mail@host", 9), null);
  assert.equal(mentionAt("@a b", 4), null);
  assert.deepEqual(completed("see @src now", { at: 4, prefix: "src" }, "src/a.ts"), {
    text: "see @src/a.ts now",
    caret: 13,
  });
  assert.deepEqual(completed("@s", { at: 0, prefix: "s" }, "src/"), { text: "@src/", caret: 5 });
});
