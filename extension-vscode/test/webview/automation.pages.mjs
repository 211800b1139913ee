// The automation page in a browser.
import assert from "node:assert/strict";
import { test } from "node:test";
import { automationState } from "./browser.mjs";
import {
  CONVERSATION,
  INTERRUPTED,
  EDIT_REQUEST,
  HOSTILE,
  SESSIONS,
  SETTINGS,
  TRUST,
  entries,
  manyEntries,
  queued,
  session,
} from "./fixtures.mjs";
import { harness } from "./shared.mjs";

const ACTIVE = SESSIONS[0];
const IDLE = session();
const PROBLEM = {
  code: "daemon_unavailable",
  message: "The daemon exited.",
  hint: "Send it again.",
  log: null,
  fixes: [],
};
const QUEUE = {
  sessionId: ACTIVE.id,
  paused: "the turn was interrupted",
  messages: [queued(9, "running now", "running"), queued(0, "first"), queued(1, "second")],
};
const talk = (all, more = false) => ({ transcript: { entries: all, more } });

/** Runs a test on a fresh page, which must end without errors and policy violations. */
function onPage(name, who, part, body, options) {
  test(`automation: ${name}`, async () => {
    const open = await harness.open("automation", options);
    try {
      if (part) await open.say(automationState(SETTINGS, who, part));
      await body(open);
      assert.deepEqual(open.problems, []);
    } finally {
      await open.close();
    }
  });
}

const scroller = (page) => page.locator(".transcript");
const atEnd = (page) =>
  scroller(page).evaluate((element) => element.scrollHeight - element.clientHeight - element.scrollTop < 2);
const composer = (page) => page.getByLabel("Message to Claude");
const frames = (page) =>
  page.evaluate(
    () =>
      new Promise((resolve) =>
        requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(resolve))),
      ),
  );

/** Scrolls, and waits until the page has rendered the visible rows. */
async function scrollTo(page, top) {
  await scroller(page).evaluate((element, wanted) => void (element.scrollTop = wanted), top);
  await frames(page);
}

/** Compares two places: scrolling has whole pixels, rows do not. */
function assertSamePlace(actual, expected) {
  assert.equal(actual.seq, expected.seq);
  assert.ok(Math.abs(actual.offset - expected.offset) < 1, `${actual.offset} instead of ${expected.offset}`);
}

/** The first visible row and its offset. */
const reading = (page) =>
  scroller(page).evaluate((element) => {
    const top = element.getBoundingClientRect().top;
    const row = [...element.querySelectorAll(".entry")].find((entry) => entry.getBoundingClientRect().bottom > top);
    return { seq: row.dataset.seq, offset: row.getBoundingClientRect().top - top };
  });

onPage("shows that it is loading", null, null, async ({ page }) => {
  assert.match(await page.locator("main").innerText(), /Loading session/);
});

onPage("shows that there is no such session", null, {}, async ({ page, asked }) => {
  await page.getByRole("button", { name: "Open orchestration" }).click();
  assert.equal((await asked("openOrchestration")).length, 1);
});

onPage(
  "shows the breadcrumb and the session's status",
  ACTIVE,
  { sessions: SESSIONS.slice(0, 3) },
  async ({ page, asked }) => {
    assert.deepEqual(await page.locator(".breadcrumb li").allInnerTexts(), [
      "Orchestration",
      "checkout-service",
      "Automation",
    ]);
    assert.match(
      await page.locator(".facts").innerText(),
      /Active\s*\dm \d+s[\s\S]*claude-opus-5-5[\s\S]*default[\s\S]*\$1.28[\s\S]*44%/,
    );
    assert.equal(await page.getByRole("meter").getAttribute("aria-valuenow"), "44");
    await page.getByLabel("Switch session").selectOption("B4N8TRWC");
    for (const name of ["Orchestration", "Interrupt", "Restart", "Terminate…"])
      await page.getByRole("button", { name, exact: true }).click();
    for (const kind of ["open", "openOrchestration", "interrupt", "restart", "terminate"])
      assert.equal((await asked(kind)).length, 1, kind);
    assert.equal(await page.getByLabel("Switch session").inputValue(), ACTIVE.id);
  },
);

onPage("opens Claude's terminal, and shows its question", TRUST, {}, async ({ page, asked, say }) => {
  const buttons = page.locator("vscode-button", { hasText: /Open (Claude's )?terminal/ });
  assert.match(
    await page.locator("areyouj-screen-card").innerText(),
    /Needs an answer in its terminal[\s\S]*trust this directory/,
  );
  for (const button of await buttons.all()) await button.click();
  assert.deepEqual(await asked("openScreen"), Array(2).fill({ kind: "openScreen", sessionId: TRUST.id }));
  await say({ type: "session", session: { ...TRUST, status: "idle", attention: null } });
  assert.deepEqual([await page.locator("areyouj-screen-card").count(), await buttons.count()], [0, 1]);
  await say({ type: "session", session: { ...TRUST, driver: "stream", attention: null } });
  assert.equal(await buttons.count(), 0);
});

onPage("has all actions in a menu", TRUST, {}, async ({ page, asked }) => {
  await page.getByRole("button", { name: "More actions" }).click();
  const labels = (await page.getByRole("menuitem").allInnerTexts()).map((text) => text.trim());
  assert.deepEqual(labels, [
    "Open Claude's terminal",
    "Interrupt",
    "Restart",
    "Rename…",
    "Switch to transcript",
    "Terminate…",
    "Copy path",
    "Copy ID",
    "Open folder",
    "Open terminal in directory",
  ]);
  await page.keyboard.press("s");
  await page.keyboard.press("Enter");
  assert.deepEqual(await asked("switchDriver"), [{ kind: "switchDriver", sessionId: TRUST.id, driver: "stream" }]);
});

onPage(
  "shows every kind of entry, and unknown kinds as nothing",
  IDLE,
  talk(CONVERSATION),
  async ({ page, asked }) => {
    const text = await scroller(page).innerText();
    for (const words of [
      "Session started",
      "Keep the public interface.",
      "retry()",
      "twice",
      "answer lost",
      "There are two callers.",
      "Allowed in Visual Studio Code: Edit src/retry.ts",
      "Done · 48s · $0.21",
      "The API answered 529 ten times.",
    ])
      assert.ok(text.includes(words), words);
    assert.ok(!text.includes("charges twice when the answer is lost") && !text.includes("unknown kinds"));
    await page.getByText("Thinking").click();
    // The browser draws the text after the event of the fold, which it sends later than the click.
    await scroller(page).getByText("charges twice when the answer is lost").waitFor({ state: "visible" });
    assert.equal(await page.locator("[data-depth='1']").count(), 2);
    assert.equal(await page.locator(".tool-counts").innerText(), "+2 −1");
    await page.getByText("npm test -- retry").click();
    const output = page.locator(".result.failed .box");
    assert.equal(await output.innerText(), "FAIL retry.test.ts\n  expected 1 charge, got 2\nnpm error code 1");
    await page.getByRole("button", { name: "Copy code" }).click();
    await page.getByRole("link", { name: "twice" }).click();
    await page.getByRole("button", { name: "Open diff" }).click();
    await page
      .getByRole("button", { name: /^Open .*retry.ts/ })
      .first()
      .click();
    assert.equal((await asked("copyText"))[0].text, "export function retry(times: number) {\n  return times;\n}\n");
    assert.equal((await asked("openExternal"))[0].url, "https://example.com/why");
    assert.equal((await asked("openDiff"))[0].after, EDIT_REQUEST.input.new_string);
    assert.equal((await asked("openFile"))[0].path, EDIT_REQUEST.input.file_path);
  },
  { height: 2400 },
);

onPage(
  "renders hostile text as text, and loads nothing",
  IDLE,
  talk(
    entries([
      {
        kind: "text",
        text: `${HOSTILE.html}\n\n${HOSTILE.link}\n\n\`\`\`"><img src=x onerror=alert(1)>\n<script>window.hacked=1</script>\n\`\`\``,
        parentToolUseId: null,
      },
      { kind: "user", messageId: null, text: HOSTILE.html },
      { kind: "toolCall", toolUseId: "x", tool: HOSTILE.html, input: { command: HOSTILE.html }, parentToolUseId: null },
      { kind: "toolResult", toolUseId: "x", isError: true, text: HOSTILE.html, truncated: false },
      { kind: "notice", level: "info", text: HOSTILE.html },
    ]),
  ),
  async ({ page, asked }) => {
    await page.locator(".tool summary").click();
    assert.equal(await page.evaluate(() => window.hacked), undefined);
    assert.equal(await page.locator("#hacked, main img, main script").count(), 0);
    for (const link of await page.locator(".markdown a").all()) await link.click();
    assert.deepEqual(await asked("openExternal"), [{ kind: "openExternal", url: "https://example.com/x.png" }]);
  },
);

onPage(
  "answers a permission request in place, and shows its outcome as a line",
  ACTIVE,
  {
    ...talk(
      entries([
        {
          kind: "permission",
          permissionId: EDIT_REQUEST.id,
          permissionKind: "tool",
          tool: "Edit",
          title: "Edit src/retry.ts",
        },
      ]),
    ),
    permissions: [EDIT_REQUEST],
  },
  async ({ page, asked, say }) => {
    assert.equal(await page.locator("areyouj-permission-request").count(), 1);
    await page.getByRole("button", { name: "Allow", exact: true }).click();
    assert.equal((await asked("answer")).length, 1);
    await say(
      { type: "permissions", permissions: [] },
      {
        type: "entries",
        entries: entries(
          [
            {
              kind: "permissionEnd",
              permissionId: EDIT_REQUEST.id,
              outcome: "denied",
              by: "a terminal",
              message: "no",
            },
          ],
          2,
        ),
      },
    );
    assert.equal(await page.locator("areyouj-permission-request").count(), 0);
    assert.match(await page.locator(".line").innerText(), /Denied in a terminal: Edit src\/retry.ts — no/);
  },
);

onPage(
  "shows permission requests and decisions without a loaded entry",
  ACTIVE,
  { permissions: [EDIT_REQUEST], decisions: [INTERRUPTED] },
  async ({ page }) => {
    assert.deepEqual(
      [await page.locator("areyouj-permission-request").count(), await page.locator("areyouj-decision").count()],
      [1, 1],
    );
  },
);

onPage("shows live text until its entry arrives", ACTIVE, talk(CONVERSATION), async ({ page, say }) => {
  const delta = (text, thinking = false) => ({ type: "delta", delta: { text, thinking } });
  await say(delta("hm", true), delta("The an"), delta("swer is **42**"));
  assert.deepEqual(await page.locator(".live-text").allInnerTexts(), ["", "The answer is 42"]);
  assert.ok(await atEnd(page));
  await say({ type: "liveText", deltas: [{ thinking: false, text: "The answer is" }] }, delta(" 43"));
  assert.deepEqual(await page.locator(".live-text").allInnerTexts(), ["The answer is 43"]);
  await say({
    type: "entries",
    entries: entries([{ kind: "text", text: "The answer is **42**.", parentToolUseId: null }], 50),
  });
  assert.equal(await page.locator(".live-text").count(), 0);
  assert.ok(await atEnd(page));
});

onPage("keeps the edited text when the message starts meanwhile", ACTIVE, { queue: QUEUE }, async ({ page, say }) => {
  await page.getByRole("button", { name: "Edit", exact: true }).first().click();
  await page.getByLabel("Edit message").fill("first and longer");
  const [running, first, second] = QUEUE.messages;
  await say({
    type: "queue",
    queue: { ...QUEUE, messages: [running, { ...first, state: "running", position: null }, second] },
  });
  assert.match(await page.locator(".queue").innerText(), /started before your change was saved/);
  assert.equal(await page.getByLabel("Message to Claude").inputValue(), "first and longer");
});

onPage(
  "ignores a second click that was meant for another card",
  ACTIVE,
  { permissions: [EDIT_REQUEST, { ...EDIT_REQUEST, id: "K7M2Q9XD-99" }] },
  async ({ page, say, asked }) => {
    const allow = page.getByRole("button", { name: "Allow", exact: true });
    await allow.first().click();
    await say({ type: "permissions", permissions: [{ ...EDIT_REQUEST, id: "K7M2Q9XD-99" }] });
    await allow.first().click({ force: true });
    assert.deepEqual(
      (await asked("answer")).map(({ permissionId }) => permissionId),
      [EDIT_REQUEST.id],
    );
    await allow.first().click();
    assert.equal((await asked("answer")).length, 2, "it can be answered a moment later");
  },
);

onPage(
  "follows the end, keeps the reading position, and jumps back",
  ACTIVE,
  talk(manyEntries(300)),
  async ({ page, say }) => {
    assert.ok(await atEnd(page));
    await say({ type: "entries", entries: manyEntries(5, 301) });
    assert.ok(await atEnd(page));
    await scrollTo(page, 4000);
    const before = await reading(page);
    await say({ type: "entries", entries: manyEntries(3, 306) });
    await frames(page);
    assertSamePlace(await reading(page), before);
    assert.match(await page.locator(".jump").innerText(), /Jump to latest\s+3 new entries/);
    await page.locator(".jump").click();
    await frames(page);
    assert.ok(await atEnd(page));
    assert.equal(await page.locator(".jump").count(), 0);
  },
);

onPage(
  "requests older entries near the top, and keeps the exact reading position",
  IDLE,
  talk(manyEntries(200, 9801), true),
  async ({ page, say, asked }) => {
    await scrollTo(page, 0);
    assert.deepEqual(await asked("loadOlder"), [{ type: "loadOlder", before: 9801 }]);
    await scrollTo(page, 90);
    const before = await reading(page);
    await say({ type: "older", entries: manyEntries(200, 9601), more: true });
    await frames(page);
    assertSamePlace(await reading(page), before);
    assert.equal((await asked("loadOlder")).length, 1);
  },
);

onPage("stays bounded at 10,000 entries", IDLE, talk(manyEntries(10_000)), async ({ page, say }) => {
  const elements = () => page.evaluate(() => document.querySelectorAll("*").length);
  assert.ok((await elements()) < 2000, `${await elements()}`);
  await scroller(page).evaluate(async (element) => {
    for (let step = 0; step < 40; step += 1) {
      element.scrollTop = (element.scrollHeight * step) / 40;
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    }
  });
  assert.ok((await elements()) < 2000, `${await elements()}`);
  await say({ type: "entries", entries: manyEntries(1, 10_001) });
  await scrollTo(page, 0);
  assert.equal((await reading(page)).seq, "1");
});

onPage(
  "unfolds at the end without moving the rows above",
  IDLE,
  talk(CONVERSATION),
  async ({ page }) => {
    await scrollTo(page, 300);
    const before = await reading(page);
    await page.locator(".tool summary").last().click();
    await frames(page);
    assertSamePlace(await reading(page), before);
  },
  { height: 700 },
);

onPage(
  "counts as read when the end is visible",
  session({ unread: 3 }),
  talk(CONVERSATION),
  async ({ page, asked }) => {
    await frames(page);
    assert.ok((await asked("seen")).length >= 1);
  },
);

onPage(
  "does not count as read while the end is not visible",
  IDLE,
  talk(manyEntries(300)),
  async ({ page, asked, forget, say }) => {
    await scrollTo(page, 1000);
    await forget();
    await say({ type: "entries", entries: manyEntries(2, 301) });
    await frames(page);
    assert.deepEqual(await asked("seen"), []);
  },
);

test("automation: a reload restores position, folds and draft", async () => {
  const first = await harness.open("automation");
  await first.say(automationState(SETTINGS, IDLE, talk(manyEntries(300))));
  await scrollTo(first.page, 5000);
  await first.page
    .locator(".tool summary")
    .last()
    .click({ position: { x: 40, y: 10 } });
  await composer(first.page).fill("half a tho");
  await frames(first.page);
  const [saved, before, open] = [
    await first.saved(),
    await reading(first.page),
    await first.page.locator(".tool details[open]").count(),
  ];
  await first.close();
  assert.equal(saved.sessionId, IDLE.id);
  const second = await harness.open("automation", { saved });
  await second.say(automationState(SETTINGS, IDLE, talk(manyEntries(300))));
  await frames(second.page);
  assertSamePlace(await reading(second.page), before);
  assert.equal(await composer(second.page).inputValue(), "half a tho");
  assert.equal(await second.page.locator(".tool details[open]").count(), open);
  assert.deepEqual(second.problems, []);
  await second.close();
});

onPage("sends with Ctrl+Enter, and reuses the id of a failed message", IDLE, {}, async ({ page, asked, answering }) => {
  await answering(PROBLEM);
  await composer(page).fill("Do it\nwell");
  await page.keyboard.press("Control+Enter");
  await page.locator(".composer .problem").waitFor();
  assert.equal(await composer(page).inputValue(), "Do it\nwell");
  await answering(null);
  await page.getByRole("button", { name: "Send" }).click();
  await page.waitForFunction(() => document.querySelector("textarea").value === "");
  const [one, two] = await asked("send");
  assert.deepEqual(one, two);
  assert.match(one.messageId, /^[0-9a-f-]{36}$/);
  await composer(page).fill("Another");
  await page.keyboard.press("Control+Enter");
  await frames(page);
  assert.notEqual((await asked("send"))[2].messageId, one.messageId);
});

onPage("steers only while a turn runs", ACTIVE, {}, async ({ page, asked, say }) => {
  await composer(page).fill("Faster");
  await page.getByRole("button", { name: "Steer" }).click();
  await frames(page);
  assert.equal((await asked("send"))[0].steer, true);
  await say({ type: "session", session: IDLE });
  assert.equal(await page.getByRole("button", { name: "Steer" }).count(), 0);
});

onPage("completes files after @ by keyboard", IDLE, {}, async ({ page, asked, say }) => {
  await composer(page).click();
  await page.keyboard.type("See @src");
  const number = (await asked("completeFile")).at(-1).id;
  await say(
    { type: "files", id: number - 1, paths: ["stale.ts"] },
    { type: "files", id: number, paths: ["src/a.ts", "src/b.ts"] },
  );
  assert.deepEqual(await page.locator("#files [role=option]").allInnerTexts(), ["src/a.ts", "src/b.ts"]);
  await page.keyboard.press("ArrowDown");
  assert.equal(await composer(page).getAttribute("aria-activedescendant"), "file-1");
  await page.keyboard.press("Enter");
  assert.equal(await composer(page).inputValue(), "See @src/b.ts ");
  assert.equal(await page.locator("#files [role=option]").count(), 0);
});

onPage("inserts text from the host and focuses the composer", IDLE, {}, async ({ page, say, asked }) => {
  await say({ type: "insert", text: "@src/a.ts" }, { type: "focusComposer" });
  assert.equal(await composer(page).inputValue(), "@src/a.ts");
  assert.equal(await page.evaluate(() => document.activeElement.tagName), "TEXTAREA");
  await page.getByRole("button", { name: "Insert the editor's selection" }).click();
  assert.equal((await asked("attachSelection")).length, 1);
});

onPage("edits, moves, sends and removes queued messages", ACTIVE, { queue: QUEUE }, async ({ page, asked }) => {
  assert.match(await page.locator(".queue-head").innerText(), /2 waiting[\s\S]*Paused: the turn was interrupted/);
  const items = page.locator(".queue-item[tabindex='0']");
  await items.nth(0).focus();
  await page.keyboard.press("Alt+ArrowDown");
  await frames(page);
  assert.deepEqual(await asked("queueMove"), [{ kind: "queueMove", messageId: QUEUE.messages[1].id, position: 1 }]);
  await items.nth(1).focus();
  await page.keyboard.press("Enter");
  await page.getByLabel("Edit message").fill("changed");
  await page.keyboard.press("Control+Enter");
  await frames(page);
  assert.deepEqual(await asked("queueEdit"), [{ kind: "queueEdit", messageId: QUEUE.messages[2].id, text: "changed" }]);
  await page
    .getByRole("button", { name: /Send now/ })
    .first()
    .click();
  await frames(page);
  await page.getByRole("button", { name: "Remove", exact: true }).first().click();
  await frames(page);
  await page.getByRole("button", { name: "Resume queue" }).click();
  await frames(page);
  await page.getByRole("button", { name: "Clear queue" }).click();
  for (const kind of ["queueSteer", "queueRemove", "queueResume", "queueClear"])
    assert.equal((await asked(kind)).length, 1, kind);
  await items.nth(0).dragTo(items.nth(1));
  assert.equal((await asked("queueMove")).length, 2);
});

onPage("promises no reconnection that will not come", ACTIVE, {}, async ({ page, say }) => {
  await say({ type: "connection", connection: { state: "failed", problem: PROBLEM } });
  assert.match(await page.locator(".composer").innerText(), /Not connected\. Your text is kept\./);
});

onPage(
  "keeps everything while reconnecting, and shows the reason",
  ACTIVE,
  { ...talk(CONVERSATION), queue: QUEUE },
  async ({ page, say, asked }) => {
    await composer(page).fill("Later");
    await say({ type: "connection", connection: { state: "reconnecting", problem: null } });
    assert.match(await page.locator(".composer").innerText(), /Your text is kept/);
    await composer(page).press("Control+Enter");
    assert.deepEqual(await asked("send"), []);
    assert.match(await page.getByRole("button", { name: /Restart/ }).getAttribute("title"), /reconnecting/);
    assert.equal(await page.locator("areyouj-transcript[aria-busy=true]").count(), 1);
    assert.equal(await composer(page).inputValue(), "Later");
  },
);

onPage(
  "shows a terminated session with restart and delete",
  session({ status: "terminated" }),
  talk(CONVERSATION),
  async ({ page, asked }) => {
    assert.equal(await composer(page).count(), 0);
    const foot = page.locator(".terminated-foot");
    await foot.getByRole("button", { name: "Restart" }).click();
    await foot.getByRole("button", { name: "Delete…" }).click();
    assert.deepEqual([(await asked("restart")).length, (await asked("delete")).length], [1, 1]);
  },
);

onPage("shows a session in error with its fix", SESSIONS[4], {}, async ({ page, asked }) => {
  await page.getByRole("button", { name: "Log in" }).click();
  assert.equal((await asked("command"))[0].command, "areyouj.logIn");
});

onPage("replaces the transcript after a gap", ACTIVE, talk(CONVERSATION), async ({ page, say }) => {
  await say({ type: "transcript", ...{ transcript: { entries: manyEntries(10, 500), more: true } } });
  await frames(page);
  assert.match(await scroller(page).innerText(), /Entry 509/);
  assert.ok(!(await scroller(page).innerText()).includes("Session started"));
});

onPage(
  "fits into 320 pixels",
  ACTIVE,
  { ...talk(CONVERSATION), queue: QUEUE, permissions: [EDIT_REQUEST] },
  async ({ page }) => {
    const wide = await page.evaluate(() =>
      [...document.querySelectorAll("main *")]
        .filter(
          (element) =>
            !element.closest(".box, .sr-only, .ellipsis, .table-scroller, .code") &&
            element.getBoundingClientRect().right > innerWidth + 1,
        )
        .map((element) => element.className),
    );
    assert.deepEqual(wide, []);
  },
  { width: 320, height: 900 },
);
