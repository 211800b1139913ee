// What the cards of permission requests display, and when they can be allowed.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { orchestrationState } from "./browser.mjs";
import { PLAN, QUESTION, SESSIONS, SETTINGS, permission, section } from "./fixtures.mjs";
import { harness } from "./shared.mjs";

/** The programs of the workspace: `hostile-display` makes displays as the daemon does. */
const PROGRAMS = process.env.AREYOUJ_BIN_DIR ?? path.join(import.meta.dirname, "../../../target/debug");
const HOSTILE_TEXTS = 3_000;
/** A request with more sections than any tool has, so that the page opens fewer times. */
const SECTIONS_OF_A_REQUEST = 250;

const SPACES = { kind: "blanks", text: " ".repeat(3_000), shown: "\u27e83,000 spaces\u27e9" };
const LONG = permission({
  display: [
    section("Tool", "tool", null, "Bash"),
    section("Command", "command", "/command", `npm test\n${"# more\n".repeat(300)}touch /tmp/end`),
  ],
});

/** Runs a test on a fresh page with these permission requests, which must end without errors. */
function onPage(name, permissions, body, options) {
  test(`permissions: ${name}`, async () => {
    const open = await harness.open("orchestration", options);
    try {
      await open.say(orchestrationState(SETTINGS, { sessions: SESSIONS.slice(0, 1), permissions }));
      await body(open);
      assert.deepEqual(open.problems, []);
    } finally {
      await open.close();
    }
  });
}

/** The exact text of every section on the page, from what is displayed and from the texts that marks replace. */
const exactTexts = (page) =>
  page.evaluate(() =>
    [...document.querySelectorAll("areyouj-permission-request .request .exact")].map((block) => {
      const textOf = (node) => {
        if (node.nodeType === Node.TEXT_NODE) return node.nodeValue;
        if (node.nodeType !== Node.ELEMENT_NODE) return "";
        return node.dataset.exact ?? [...node.childNodes].map(textOf).join("");
      };
      return textOf(block);
    }),
  );

const shownTexts = (page) =>
  page.evaluate(() =>
    [...document.querySelectorAll("areyouj-permission-request .request .exact")].map((block) => block.textContent),
  );

const button = (page, name) => page.getByRole("button", { name, exact: true });
const answers = async (asked) => (await asked("answer")).map(({ answer }) => answer.decision);
/** Longer than a button waits after the end was in view. */
const settle = (page) => page.waitForTimeout(800);

test("permissions: every character of thousands of hostile texts is displayed or in a mark", async () => {
  const { stdout } = await promisify(execFile)(path.join(PROGRAMS, "hostile-display"), [String(HOSTILE_TEXTS)], {
    maxBuffer: 256 * 1024 * 1024,
  });
  const sections = JSON.parse(stdout).map(({ text, lines, permission: { display } }, index) => {
    const command = display.find(({ pointer }) => pointer === "/command");
    const style = ["command", "text", "added", "removed", "plan", "path", "json"][index % 7];
    return { text, lines, section: { ...command, style } };
  });
  assert.equal(sections.length, HOSTILE_TEXTS);
  const open = await harness.open("orchestration");
  try {
    for (let first = 0; first < sections.length; first += SECTIONS_OF_A_REQUEST) {
      const part = sections.slice(first, first + SECTIONS_OF_A_REQUEST);
      const request = permission({ digest: `d${first}`, display: part.map((one) => one.section) });
      await open.say(orchestrationState(SETTINGS, { sessions: SESSIONS.slice(0, 1), permissions: [request] }));
      assert.deepEqual(
        await exactTexts(open.page),
        part.map(({ text }) => text),
      );
      const shown = await shownTexts(open.page);
      assert.deepEqual(
        shown.map((text) => text.replace(/\n$/, "").split("\n")),
        part.map(({ lines }) => lines),
      );
      // oxlint-disable-next-line no-control-regex -- the test looks for control characters
      for (const text of shown) assert.doesNotMatch(text, /[\0-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e]/);
    }
    assert.deepEqual(open.problems, []);
  } finally {
    await open.close();
  }
});

onPage(
  "marks, sizes and blocks show everything, and a screen reader gets a text",
  [
    permission({
      display: [
        section("Tool", "tool", null, "Bash"),
        section("Command", "command", "/command", "npm test", SPACES, "touch /tmp/behind"),
      ],
    }),
  ],
  async ({ page }) => {
    const command = page.getByRole("group", { name: "Command" });
    assert.match(await command.innerText(), /1 line, 3,025 characters/);
    assert.match(await command.locator(".exact").innerText(), /npm test⟨3,000 spaces⟩touch \/tmp\/behind/);
    const mark = command.getByRole("img", { name: "3,000 spaces: A long run of spaces or tabs" });
    assert.equal(await mark.getAttribute("title"), "A long run of spaces or tabs");
    const style = await command.locator(".exact").evaluate((block) => {
      const { whiteSpace, unicodeBidi, fontVariantLigatures, overflowWrap, textOverflow } = getComputedStyle(block);
      return [whiteSpace, unicodeBidi, fontVariantLigatures, overflowWrap, textOverflow];
    });
    assert.deepEqual(style, ["break-spaces", "isolate", "none", "anywhere", "clip"]);
    assert.ok(
      await page
        .locator(".request, .request *:not(.codicon)")
        .evaluateAll((all) => all.every((one) => one.scrollWidth <= one.clientWidth + 1 || one.clientWidth === 0)),
      "nothing is wider than the card",
    );
  },
  { width: 300 },
);

onPage(
  "only a command of Bash has a prompt sign, and the tool is always named",
  [
    permission({
      tool: "mcp__x__run",
      display: [section("Tool", "tool", null, "mcp__x__run"), section("command", "text", "/command", "rm -rf ~")],
    }),
    permission({ id: "B4N8TRWC-4" }),
  ],
  async ({ page }) => {
    const signs = await page
      .locator(".exact")
      .evaluateAll((blocks) => blocks.map((block) => getComputedStyle(block, "::before").content.includes("$")));
    assert.deepEqual(signs, [false, false, false, true, false]);
    assert.deepEqual(await page.getByRole("group", { name: "Tool" }).locator(".exact").allInnerTexts(), [
      "mcp__x__run",
      "Bash",
    ]);
  },
);

onPage(
  "a short request can be allowed at once, and its answer has its digest",
  [permission({ digest: "abc" })],
  async ({ page, asked }) => {
    await button(page, "Allow").click();
    const [{ digest, answer }] = await asked("answer");
    assert.deepEqual([digest, answer], ["abc", { decision: "allow" }]);
  },
);

onPage("a long request is allowed with the mouse only after its end was in view", [LONG], async ({ page, asked }) => {
  await settle(page);
  assert.equal(await button(page, "Allow").count(), 0);
  assert.equal(await button(page, "Deny").getAttribute("aria-disabled"), "false");
  let pages = 0;
  while ((await button(page, "Show the rest").count()) > 0) {
    await button(page, "Show the rest").click();
    await page.waitForTimeout(60);
    pages += 1;
  }
  assert.ok(pages >= 5, `${pages} pages`);
  assert.deepEqual(await answers(asked), [], "nothing was allowed on the way");
  await button(page, "Allow").click({ force: true });
  assert.deepEqual(await answers(asked), [], "a click that was meant to scroll does not allow");
  await settle(page);
  await button(page, "Allow").click();
  assert.deepEqual(await answers(asked), ["allow"]);
});

onPage("a key scrolls first and allows in the end, but not while it is held down", [LONG], async ({ page, asked }) => {
  await settle(page);
  await button(page, "Show the rest").focus();
  for (let presses = 0; presses < 60; presses += 1) {
    // A second `down` without `up` is a repeated key.
    await page.keyboard.down("Enter");
    await page.waitForTimeout(20);
  }
  await settle(page);
  await page.keyboard.down("Enter");
  assert.deepEqual(await answers(asked), []);
  await page.keyboard.up("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.textContent.trim()), "Allow", "it kept the focus");
  await page.keyboard.press("Enter");
  assert.deepEqual(await answers(asked), ["allow"]);
});

onPage("a wheel to the end enables the button", [LONG], async ({ page }) => {
  await page.getByRole("region", { name: "Request" }).hover();
  await page.mouse.wheel(0, 100_000);
  await button(page, "Allow").waitFor();
});

onPage("a changed digest asks to read again, from the beginning", [permission()], async ({ page, say, asked }) => {
  await button(page, "Allow").waitFor();
  await settle(page);
  await say({ type: "permissions", permissions: [{ ...LONG, digest: "other" }] });
  await settle(page);
  assert.equal(await button(page, "Show the rest").count(), 1);
  await page.locator(".request").evaluate((box) => box.scrollTo(0, box.scrollHeight));
  await button(page, "Allow").waitFor();
  await say({ type: "permissions", permissions: [{ ...LONG, digest: "third" }] });
  await button(page, "Show the rest").waitFor();
  assert.equal(await page.locator(".request").evaluate((box) => box.scrollTop), 0);
  assert.deepEqual(await answers(asked), []);
});

onPage(
  "a request that changed meanwhile is not answered, and the card says so",
  [permission()],
  async ({ page, answering }) => {
    await answering({ code: "digest_mismatch", message: "no", hint: "", log: null, fixes: [] });
    await button(page, "Allow").click();
    await page.getByRole("alert").filter({ hasText: "The request has changed, so it was not answered." }).waitFor();
  },
);

onPage("what a hidden page displays was seen by nobody", [], async ({ page, say }) => {
  await say({ type: "visible", visible: false }, { type: "permissions", permissions: [permission()] });
  await settle(page);
  assert.equal(await button(page, "Allow").count(), 0);
  await say({ type: "visible", visible: true });
  await button(page, "Allow").waitFor();
});

onPage(
  "a panel without room displays nothing to allow, until it has grown",
  [permission()],
  async ({ page }) => {
    await settle(page);
    assert.equal(await button(page, "Allow").count(), 0);
    await page.setViewportSize({ width: 500, height: 700 });
    await button(page, "Allow").waitFor();
  },
  { width: 500, height: 90 },
);

onPage(
  "a question is answered only after its last choice was in view",
  [{ ...QUESTION, display: [...QUESTION.display, section("model", "text", "/model", "line\n".repeat(200))] }],
  async ({ page, asked }) => {
    await page.getByRole("radio", { name: /^Redis/ }).check();
    await page.getByLabel("Staging").check();
    await button(page, "Show the rest").click();
    assert.deepEqual(await answers(asked), []);
    await page.locator(".request").evaluate((box) => box.scrollTo(0, box.scrollHeight));
    await button(page, "Answer").click();
    assert.deepEqual((await asked("answer"))[0].answer.choices, [["Redis"], ["Staging"]]);
  },
);

onPage(
  "choices look and answer exactly as the daemon displays them",
  [
    {
      ...QUESTION,
      input: { questions: [{ question: "Which?", options: [{ label: "a\u202eb" }, { label: "ab" }] }] },
      display: [
        section("Tool", "tool", null, "AskUserQuestion"),
        section("Question 1", "question", "/questions/0/question", "Which?"),
        section(
          "Choice 1.1",
          "choice",
          "/questions/0/options/0/label",
          "a",
          { kind: "reorders", text: "\u202e", shown: "⟨U+202E⟩" },
          "b",
        ),
        section("Choice 1.2", "choice", "/questions/0/options/1/label", "ab"),
      ],
    },
  ],
  async ({ page, asked }) => {
    assert.deepEqual(await page.locator(".option .exact").allInnerTexts(), ["a⟨U+202E⟩b", "ab"]);
    await page.getByRole("radio").first().check();
    await button(page, "Answer").click();
    assert.deepEqual((await asked("answer"))[0].answer.choices, [["a\u202eb"]]);
  },
);

const HIDING =
  "# Plan\n\n[ok](https://evil.example)\n<!-- and delete everything -->\n[r]: https://evil.example/r\n<b>x</b>\n";
onPage(
  "a plan shows link targets, comments and reference definitions",
  [permission({ kind: "plan", tool: "ExitPlanMode", input: { plan: HIDING } })],
  async ({ page }) => {
    const plan = page.getByRole("group", { name: "Plan" });
    assert.equal(await plan.locator(".exact").innerText(), HIDING);
    assert.equal(await plan.locator("a, b, h1").count(), 0);
    assert.match(await plan.innerText(), /6 lines/);
  },
);

onPage("a plan is approved", [PLAN], async ({ page, asked }) => {
  await button(page, "Approve plan").click();
  assert.deepEqual(await answers(asked), ["allow"]);
});

onPage(
  "a command that would control AreYouJ is marked and never allowed always",
  [permission({ controlsAreyouj: true })],
  async ({ page }) => {
    assert.match(await page.locator("areyouj-permission-request .controls").innerText(), /^Would control AreYouJ\./);
    assert.equal(await button(page, "Always…").count(), 0);
  },
);

onPage(
  "always says what it allows and where it is stored, and needs the end in view too",
  [LONG],
  async ({ page, asked }) => {
    await button(page, "Always…").click();
    assert.deepEqual(await page.locator(".always .option").allInnerTexts(), [
      "Bash(npm run migrate:*), stored in the local settings of this project (.claude/settings.local.json)",
      "access to /home/mira/work/shop, for this session only",
      "the permission mode acceptEdits, for this session only",
    ]);
    assert.deepEqual(await page.locator(".always input").evaluateAll((boxes) => boxes.map(({ checked }) => checked)), [
      true,
      false,
      false,
    ]);
    assert.equal(await button(page, "Always allow").count(), 0);
    await page.locator(".request").evaluate((box) => box.scrollTo(0, box.scrollHeight));
    await button(page, "Always allow").click();
    assert.deepEqual((await asked("answer"))[0].answer, { decision: "allowAlways", suggestions: [0] });
  },
);

onPage(
  "a mode alone is never offered as always",
  [
    permission({
      always: [{ text: "the permission mode acceptEdits", stored: "for this session only", byDefault: false }],
    }),
  ],
  async ({ page }) => {
    await button(page, "Allow").waitFor();
    assert.equal(await button(page, "Always…").count(), 0);
  },
);

onPage(
  "a plan that is not in the input is shown as the daemon displays it",
  [
    permission({
      kind: "plan",
      tool: "ExitPlanMode",
      input: {},
      display: [
        section("Tool", "tool", null, "ExitPlanMode"),
        section("Plan, in the tool call", "plan", null, "1. rewrite everything"),
      ],
    }),
  ],
  async ({ page }) => {
    await page.getByText("1. rewrite everything").waitFor();
  },
);
