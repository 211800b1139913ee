// The orchestration page in a browser.
import assert from "node:assert/strict";
import { test } from "node:test";
import { orchestrationState } from "./browser.mjs";
import {
  INTERRUPTED,
  EDIT_REQUEST,
  HOSTILE,
  QUESTION,
  SESSIONS,
  SETTINGS,
  TRUST,
  manySessions,
  permission,
  session,
} from "./fixtures.mjs";
import { harness } from "./shared.mjs";

const FAILED = SESSIONS.find(({ status }) => status === "error");
const LIVE = SESSIONS.filter(({ status }) => status !== "error");
const PROBLEM = {
  code: "timeout",
  message: "The daemon did not answer.",
  hint: "Try again.",
  log: "line 1",
  fixes: [{ label: "Show log", command: "areyouj.showLog" }],
};

/** Runs a test on a fresh page, which must end without errors and policy violations. */
function onPage(name, part, body, options) {
  test(`orchestration: ${name}`, async () => {
    const open = await harness.open("orchestration", options);
    try {
      if (part) await open.say(orchestrationState(SETTINGS, part));
      await body(open);
      assert.deepEqual(open.problems, []);
    } finally {
      await open.close();
    }
  });
}

const rows = (page) => page.locator(".session-row");
const names = (page) => page.locator(".session-row .name").allInnerTexts();

onPage("shows that it is loading until the first state", null, async ({ page }) => {
  assert.match(await page.locator("main").innerText(), /Loading sessions/);
});

onPage("offers the folders of the window without sessions", {}, async ({ page, asked }) => {
  await page.getByRole("button", { name: "New session" }).click();
  await page.getByRole("button", { name: /storefront/ }).click();
  assert.deepEqual(await asked("newSession"), [
    { kind: "newSession" },
    { kind: "newSession", directory: "/home/mira/work/shop/storefront" },
  ]);
});

onPage(
  "shows a failed connection with its fixes",
  { connection: { state: "failed", problem: PROBLEM } },
  async ({ page, asked }) => {
    assert.match(await page.getByRole("alert").innerText(), /did not answer[\s\S]*Try again/);
    await page.getByRole("button", { name: "Show log" }).click();
    assert.deepEqual(await asked("command"), [{ kind: "command", command: "areyouj.showLog" }]);
  },
);

onPage(
  "keeps and marks the list while reconnecting, and disables actions with the reason",
  { sessions: LIVE, permissions: [permission()] },
  async ({ page, say, asked }) => {
    await say({ type: "connection", connection: { state: "reconnecting", problem: null } });
    assert.match(await page.locator(".banner").innerText(), /Reconnecting/);
    assert.equal(await page.locator("[aria-busy=true]").count(), 1);
    assert.equal(await rows(page).count(), 5);
    assert.match(await page.getByRole("button", { name: "Allow", exact: true }).getAttribute("title"), /reconnecting/);
    assert.match(await page.getByRole("button", { name: "Terminate Payments" }).getAttribute("title"), /reconnecting/);
    await page.locator("[data-id=K7M2Q9XD]").focus();
    await page.keyboard.press("Delete");
    await page.getByRole("button", { name: "Allow", exact: true }).click({ force: true });
    assert.deepEqual([await asked("terminate"), await asked("answer")], [[], []]);
    await say({ type: "connection", connection: { state: "connected", problem: null } });
    assert.equal(await page.locator(".banner").count(), 0);
  },
);

onPage("tiles count and filter, and a reload restores the filter", { sessions: SESSIONS }, async ({ page, saved }) => {
  assert.deepEqual(
    (await page.locator(".tile").allInnerTexts()).map((text) => text.replace(/\s+/g, " ")),
    ["6 Total", "1 Active", "1 Waiting", "2 Idle", "1 Error"],
  );
  await page.getByRole("button", { name: /Idle/ }).first().click();
  assert.deepEqual(await names(page), ["Search index rebuild for the spring release", "docs"]);
  assert.equal(await page.getByRole("button", { name: /Idle/ }).first().getAttribute("aria-pressed"), "true");
  assert.equal((await saved()).filter.tile, "idle");
});

test("orchestration: a reload restores order and filter", async () => {
  const saved = {
    filter: { tile: "total", text: "shop", terminated: false },
    order: { column: "name", descending: false },
  };
  const open = await harness.open("orchestration", { saved });
  await open.say(orchestrationState(SETTINGS, { sessions: SESSIONS }));
  assert.deepEqual(await names(open.page), ["Payments", "storefront"]);
  await open.close();
});

onPage("filters by words, and shows when nothing matches", { sessions: LIVE }, async ({ page }) => {
  await page.locator("body").press("/");
  await page.keyboard.type("shop");
  assert.deepEqual(await names(page), ["Payments", "storefront"]);
  await page.keyboard.type(" nowhere");
  assert.match(await page.locator(".nothing-found").innerText(), /No session matches/);
  await page.getByRole("button", { name: "Clear filter" }).click();
  assert.equal(await rows(page).count(), 5);
});

onPage(
  "sorts by every column, by default newest first",
  { sessions: LIVE },
  async ({ page }) => {
    assert.equal(await page.locator("[aria-sort]").getAttribute("aria-sort"), "descending");
    for (const column of [
      "Status",
      "Session",
      "Project",
      "Current task",
      "Model",
      "Context",
      "Cost",
      "Queued",
      "Started",
    ]) {
      await page.getByRole("columnheader", { name: column }).getByRole("button").click();
      assert.equal(await page.locator("[aria-sort]").innerText(), column);
    }
    await page.getByRole("columnheader", { name: "Cost" }).getByRole("button").click();
    assert.equal((await names(page))[0], "notes");
  },
  { width: 1400 },
);

onPage("shows terminated sessions on demand", { sessions: SESSIONS }, async ({ page }) => {
  assert.equal(await page.locator("[data-id=A5R7V2BD]").count(), 0);
  await page.getByRole("button", { name: /Show terminated/ }).click();
  assert.equal(await page.locator("[data-id=A5R7V2BD]").count(), 1);
});

onPage("works by keyboard alone", { sessions: LIVE }, async ({ page, asked }) => {
  const current = () => page.evaluate(() => document.activeElement.dataset.id);
  await rows(page).first().focus();
  await page.keyboard.press("ArrowDown");
  assert.equal(await current(), "K7M2Q9XD");
  await page.keyboard.press("Enter");
  await page.keyboard.press("End");
  assert.equal(await current(), "T8C4MN2Q");
  await page.keyboard.press("Home");
  await page.keyboard.press("Space");
  await page.keyboard.press("Shift+ArrowDown");
  assert.equal(await page.locator("[aria-selected=true]").count(), 2);
  await page.keyboard.press("Delete");
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("[aria-selected=true]").count(), 0);
  await page.keyboard.press("Delete");
  assert.deepEqual(await asked("open"), [{ kind: "open", sessionId: "K7M2Q9XD" }]);
  assert.deepEqual(await asked("terminate"), [
    { kind: "terminate", sessionIds: ["K7M2Q9XD", "X9D5G7ZA"] },
    { kind: "terminate", sessionIds: ["K7M2Q9XD"] },
  ]);
});

onPage("selects several sessions by mouse and terminates them", { sessions: LIVE }, async ({ page, asked }) => {
  await page.locator("[data-id=X9D5G7ZA] .c-task").click();
  await page.locator("[data-id=B4N8TRWC] .c-task").click({ modifiers: ["Shift"] });
  await page.locator("[data-id=K7M2Q9XD] .c-task").click({ modifiers: ["ControlOrMeta"] });
  await page.getByRole("button", { name: "Terminate selected (2)" }).click();
  assert.deepEqual((await asked("terminate"))[0].sessionIds.sort(), ["B4N8TRWC", "X9D5G7ZA"]);
});

onPage("opens the context menu by mouse, keyboard and button", { sessions: LIVE }, async ({ page, asked }) => {
  const items = async () => (await page.getByRole("menuitem").allInnerTexts()).map((text) => text.split("\n")[0]);
  await page.locator("[data-id=T8C4MN2Q]").click({ button: "right" });
  assert.ok((await items()).includes("Open terminal in directory"));
  await page.keyboard.press("Escape");
  await page.locator("[data-id=K7M2Q9XD]").focus();
  await page.keyboard.press("Shift+F10");
  assert.deepEqual(await items(), [
    "View details",
    "Interrupt",
    "Restart",
    "Rename…",
    "Switch to terminal",
    "Terminate…",
    "Copy path",
    "Copy ID",
    "Open folder",
    "Open terminal in directory",
  ]);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  assert.deepEqual(await asked("interrupt"), [{ kind: "interrupt", sessionId: "K7M2Q9XD" }]);
  assert.equal(await page.evaluate(() => document.activeElement.dataset.id), "K7M2Q9XD");
  await page.getByRole("button", { name: "More actions for Payments" }).click();
  await page.getByRole("menuitem", { name: "Copy path" }).click();
  assert.deepEqual(await asked("copyPath"), [{ kind: "copyPath", sessionId: "K7M2Q9XD" }]);
});

onPage(
  "answers a permission request once, with a spinner, and shows the problem in the card",
  { sessions: LIVE, permissions: [permission()] },
  async ({ page, asked, answering, say }) => {
    await answering("hold");
    const allow = page.getByRole("button", { name: "Allow", exact: true });
    await allow.click();
    assert.equal(await allow.locator(".spinner").count(), 1);
    await allow.click({ force: true });
    const number = await page.evaluate(() => window.editor.posted.at(-1).id);
    assert.deepEqual(await asked("answer"), [
      { kind: "answer", permissionId: "B4N8TRWC-3", digest: "0f", answer: { decision: "allow" } },
    ]);
    await say({ type: "done", id: number, problem: PROBLEM });
    assert.match(await page.locator("areyouj-permission-request .problem").innerText(), /did not answer/);
  },
);

onPage(
  "allows always by the rules that are selected",
  { sessions: LIVE, permissions: [permission()] },
  async ({ page, asked }) => {
    await page.getByRole("button", { name: "Always…" }).click();
    await page.getByLabel(/permission mode acceptEdits/).check();
    await page.getByRole("button", { name: "Always allow", exact: true }).click();
    assert.deepEqual((await asked("answer"))[0].answer, { decision: "allowAlways", suggestions: [0, 2] });
  },
);

onPage(
  "denies with a message, and has no always without suggestions",
  { sessions: LIVE, permissions: [EDIT_REQUEST] },
  async ({ page, asked }) => {
    assert.equal(await page.getByRole("button", { name: "Always…" }).count(), 0);
    await page.getByRole("button", { name: /say what to do/ }).click();
    await page.keyboard.type("Use a map");
    await page.keyboard.press("Enter");
    assert.deepEqual((await asked("answer"))[0].answer, { decision: "deny", message: "Use a map" });
  },
);

onPage(
  "shows an edit, and opens it as a diff in the editor",
  { sessions: LIVE, permissions: [EDIT_REQUEST] },
  async ({ page, asked }) => {
    assert.equal(
      await page.getByRole("group", { name: "New text" }).locator(".exact").innerText(),
      EDIT_REQUEST.input.new_string,
    );
    await page.getByRole("button", { name: "Open diff" }).click();
    await page.getByRole("button", { name: "Open file" }).click();
    const [diff] = await asked("openDiff");
    assert.equal(diff.before, EDIT_REQUEST.input.old_string);
    assert.equal((await asked("openFile"))[0].path, EDIT_REQUEST.input.file_path);
  },
);

onPage(
  "answers questions with choices and with own words",
  { sessions: LIVE, permissions: [QUESTION] },
  async ({ page, asked }) => {
    const answer = page.getByRole("button", { name: "Answer", exact: true });
    assert.equal(await answer.getAttribute("aria-disabled"), "true");
    await page.getByRole("radio", { name: /^Redis/ }).check();
    await page.getByLabel("Staging").check();
    await page.getByLabel(/own words: Which environments/).fill("QA");
    await answer.click();
    assert.deepEqual((await asked("answer"))[0].answer, {
      decision: "choose",
      choices: [["Redis"], ["Staging", "QA"]],
    });
  },
);

onPage(
  "decides about an interrupted and a failed message",
  { sessions: LIVE, decisions: [INTERRUPTED, { ...INTERRUPTED, id: "other", state: "failed" }] },
  async ({ page, asked }) => {
    assert.equal(await page.getByRole("button", { name: "Continue" }).count(), 1);
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByRole("button", { name: "Skip" }).last().click();
    assert.deepEqual(await asked("recover"), [
      { kind: "recover", messageId: INTERRUPTED.id, choice: "continue" },
      { kind: "recover", messageId: "other", choice: "skip" },
    ]);
  },
);

onPage("shows a session in error with hint, log and restart", { sessions: SESSIONS }, async ({ page, asked }) => {
  const card = page.locator("areyouj-session-error");
  assert.match(await card.innerText(), /not logged in[\s\S]*Log in, then restart/);
  assert.equal(await card.getByRole("region", { name: "Details" }).isVisible(), false);
  await card.getByText("Show details").click();
  assert.match(await card.getByRole("region", { name: "Details" }).innerText(), /Please run/);
  await card.getByRole("button", { name: "Restart session" }).click();
  assert.deepEqual(await asked("restart"), [{ kind: "restart", sessionId: "P3J6WE5R" }]);
});

for (const [kind, labels] of [
  ["runDoctor", ["Run doctor", "Show log", "Restart session"]],
  ["restartDaemon", ["Restart daemon", "Restart session"]],
  ["restartSession", ["Restart session"]],
  ["freeDisk", ["Restart session"]],
])
  onPage(
    `a session in error with the remedy ${kind} has one prominent button, and no two with the same label`,
    { sessions: [session({ ...FAILED, error: { ...FAILED.error, remedy: { kind, sessionId: FAILED.id } } })] },
    async ({ page }) => {
      const card = page.locator("areyouj-session-error");
      assert.deepEqual(await card.locator("summary, vscode-button").allInnerTexts(), ["Show details", ...labels]);
      assert.equal(await card.locator("vscode-button:not([secondary])").count(), 1);
    },
  );

onPage("follows changes, and announces what needs a person", { sessions: LIVE }, async ({ page, say }) => {
  await say({
    type: "sessions",
    changed: [
      session({
        id: "K7M2Q9XD",
        name: "Payments",
        status: "waiting",
        attention: { kind: "plan", permissionId: null, messageId: null, title: "A plan", open: 1 },
      }),
    ],
    removed: ["T8C4MN2Q"],
  });
  assert.equal(await rows(page).count(), 4);
  assert.match(await page.locator("main > [role=status]").innerText(), /Payments needs you: A plan/);
});

onPage("animates only active sessions, and nothing with reduced motion", { sessions: LIVE }, async ({ page }) => {
  const animated = () =>
    page
      .locator(".session-row .status-icon")
      .evaluateAll((icons) =>
        icons
          .filter((icon) => getComputedStyle(icon).animationName !== "none")
          .map((icon) => icon.className.match(/status-(?!icon)\w+/)[0]),
      );
  assert.deepEqual(await animated(), ["status-active"]);
  await page.evaluate(() => document.body.classList.add("vscode-reduce-motion"));
  assert.deepEqual(await animated(), []);
  await page.evaluate(() => document.body.classList.remove("vscode-reduce-motion"));
  await page.emulateMedia({ reducedMotion: "reduce" });
  assert.deepEqual(await animated(), []);
});

onPage(
  "shows cards that fit into 320 pixels",
  { sessions: SESSIONS, permissions: [permission(), EDIT_REQUEST, QUESTION] },
  async ({ page, asked }) => {
    assert.equal(await page.locator(".grid.cards").count(), 1);
    const wide = await page.evaluate(() =>
      [...document.querySelectorAll("main *")]
        .filter(
          (element) =>
            !element.closest(".box, .sr-only, .ellipsis") && element.getBoundingClientRect().right > innerWidth + 1,
        )
        .map((element) => element.className),
    );
    assert.deepEqual(wide, []);
    await page.getByLabel("Sort by").selectOption("name");
    // Only rows near the visible part are rendered, and the cards come first.
    await page.locator("main").evaluate((main) => main.scrollTo(0, main.scrollHeight));
    await page.locator("[data-id=K7M2Q9XD] .name").click();
    assert.equal((await asked("open")).length, 1);
  },
  { width: 320, height: 900 },
);

onPage("renders few of 1,000 sessions, and reaches all", { sessions: manySessions(1000) }, async ({ page }) => {
  const drawn = await page.evaluate(() => document.querySelectorAll("*").length);
  assert.ok(drawn < 2500, `${drawn} elements`);
  assert.equal(await page.getByRole("grid").getAttribute("aria-rowcount"), "1001");
  await rows(page).first().focus();
  await page.keyboard.press("End");
  await page.waitForFunction(() => document.activeElement.getAttribute("aria-rowindex") === "1001");
  const row = await page.evaluate(() => document.activeElement.getBoundingClientRect().bottom);
  assert.ok(row < 801 && row > 0, String(row));
  assert.ok((await page.evaluate(() => document.querySelectorAll("*").length)) < 2500);
});

onPage("handles keys with 200 sessions, 10 of which change", { sessions: manySessions(200) }, async ({ page }) => {
  const seen = await page.evaluate(
    async (changing) => {
      document.querySelector(".session-row").focus();
      const rows = new Set();
      for (let turn = 0; turn < 30; turn += 1) {
        const changed = changing.map((session) => ({ ...session, costUsd: turn }));
        window.dispatchEvent(new MessageEvent("message", { data: { type: "sessions", changed, removed: [] } }));
        document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true }));
        await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
        rows.add(document.activeElement.closest(".session-row")?.dataset.id);
      }
      return rows.size;
    },
    manySessions(200).slice(0, 10),
  );
  assert.equal(seen, 30, "every key moves to another row");
});

onPage(
  "renders hostile names as text",
  {
    sessions: [session({ name: HOSTILE.html, directory: `/tmp/${HOSTILE.bidi}`, currentTask: HOSTILE.html })],
    permissions: [
      permission({ sessionId: "K7M2Q9XD", title: HOSTILE.html, input: { command: HOSTILE.html }, tool: HOSTILE.html }),
    ],
  },
  async ({ page }) => {
    assert.equal(await page.evaluate(() => window.hacked), undefined);
    assert.equal(await page.locator("#hacked, main img").count(), 0);
    assert.match(await page.locator(".c-project").innerText(), /<U\+202E>/);
  },
);

onPage(
  "opens Claude's terminal from the row and the menu, and switches to the transcript and back",
  { sessions: LIVE },
  async ({ page, asked, say }) => {
    const row = page.locator("[data-id=T8C4MN2Q]");
    assert.match(await row.getAttribute("aria-label"), /docs, Idle, .*in a terminal/);
    await page.getByRole("button", { name: "Open Claude's terminal of docs" }).click();
    assert.equal(
      await page.getByRole("button", { name: /Open Claude's terminal/ }).count(),
      1,
      "no other session has one",
    );
    await row.click({ button: "right" });
    const labels = (await page.getByRole("menuitem").allInnerTexts()).map((text) => text.split("\n")[0]);
    assert.deepEqual(labels.slice(0, 5), [
      "View details",
      "Open Claude's terminal",
      "Restart",
      "Rename…",
      "Switch to transcript",
    ]);
    await page.getByRole("menuitem", { name: "Open Claude's terminal" }).click();
    await row.click({ button: "right" });
    await page.getByRole("menuitem", { name: "Switch to transcript" }).click();
    await page.locator("[data-id=H2VYQ3KM]").click({ button: "right" });
    await page.getByRole("menuitem", { name: "Switch to terminal" }).click();
    assert.deepEqual(await asked("openScreen"), Array(2).fill({ kind: "openScreen", sessionId: "T8C4MN2Q" }));
    assert.deepEqual(await asked("switchDriver"), [
      { kind: "switchDriver", sessionId: "T8C4MN2Q", driver: "stream" },
      { kind: "switchDriver", sessionId: "H2VYQ3KM", driver: "terminal" },
    ]);
    await say({ type: "connection", connection: { state: "reconnecting", problem: null } });
    assert.match(
      await page.getByRole("button", { name: "Open Claude's terminal of docs" }).getAttribute("title"),
      /reconnecting/,
    );
  },
);

onPage("shows a question in Claude's terminal, and opens it", { sessions: [TRUST] }, async ({ page, asked, say }) => {
  const card = page.locator(".inbox article.card");
  assert.match(await card.innerText(), /Needs an answer in its terminal[\s\S]*trust this directory/);
  await card.locator("vscode-button").click();
  assert.deepEqual(await asked("openScreen"), [{ kind: "openScreen", sessionId: TRUST.id }]);
  await say({ type: "sessions", changed: [{ ...TRUST, status: "idle", attention: null }], removed: [] });
  assert.equal(await page.locator(".inbox").count(), 0);
});
