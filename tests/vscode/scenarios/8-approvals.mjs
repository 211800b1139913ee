// What is approved is what was seen: requests that try to hide something.
import assert from "node:assert/strict";
import { access, rm } from "node:fs/promises";
import path from "node:path";
import { gone, shows, until } from "../lib/workbench.mjs";

/** Longer than a button waits after the end of a request was in view. */
const SETTLE_MS = 1_000;
/** Enough lines for several pages of a card. */
const LINES = "# a line that says nothing\n".repeat(120);

/** A session that asks to run a command, and its card on its page. */
async function asking(t, script, options = []) {
  const effect = path.join(t.home.projects.one, "behind");
  await rm(effect, { force: true });
  const window = await t.window();
  await t.home.wait(await t.home.create("one", ["--name", "Anna", ...options]), "idle");
  const page = await window.switchTo("Anna");
  await t.home.setScript("continue", script);
  await page.send("continue");
  const card = page.frame.locator("areyouj-permission-request");
  await shows(card);
  const named = (name) => card.locator("vscode-button", { hasText: name }).first();
  return { window, page, card, named, effect };
}

const exists = (file) =>
  access(file).then(
    () => true,
    () => false,
  );

/** Whether a text of a card is within its scroll container. */
const isInView = (box, words) =>
  box.evaluate((element, text) => {
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const at = node.nodeValue.indexOf(text);
      if (at < 0) continue;
      const range = document.createRange();
      range.setStart(node, at);
      range.setEnd(node, at + text.length);
      const [inner, outer] = [range.getBoundingClientRect(), element.getBoundingClientRect()];
      return inner.top >= outer.top - 1 && inner.bottom <= outer.bottom + 1 && inner.right <= outer.right + 1;
    }
    return false;
  }, words);

export default {
  home: { projects: ["one"] },
  scenarios: {
    "a command behind 3,000 spaces is in view before it can be allowed": async (t) => {
      const { card, named, effect } = await asking(t, `run: echo npm test;${" ".repeat(3_000)}touch behind`);
      await shows(card.getByLabel("Command").filter({ hasText: "1 line, 3,026 characters" }));
      await shows(card.getByRole("img", { name: "3,000 spaces: A long run of spaces or tabs" }));
      await shows(named("Allow"));
      assert.ok(await isInView(card.locator(".request"), "touch behind"));
      await card.page().waitForTimeout(SETTLE_MS);
      await named("Allow").click();
      await gone(card);
      await until("the command ran", () => exists(effect));
    },

    "a long command is allowed by the mouse only after its end was shown": async (t) => {
      const { card, named, effect } = await asking(t, `run: ${LINES}touch behind`);
      await shows(named("Show the rest"));
      await card.page().waitForTimeout(SETTLE_MS);
      assert.equal(await card.locator("vscode-button", { hasText: /^\s*Allow\s*$/u }).count(), 0);
      assert.equal(await isInView(card.locator(".request"), "touch behind"), false);
      assert.equal(await named("Deny").getAttribute("aria-disabled"), "false");
      await until("the end is shown", async () => {
        if ((await named("Show the rest").count()) === 0) return true;
        await named("Show the rest").click({ timeout: 1_000 });
        return false;
      });
      assert.equal(await exists(effect), false);
      assert.ok(await isInView(card.locator(".request"), "touch behind"));
      await card.page().waitForTimeout(SETTLE_MS);
      await named("Allow").click();
      await gone(card);
      await until("the command ran", () => exists(effect));
    },

    "a key shows the rest of a long command, and then allows it": async (t) => {
      const { window, card, named, effect } = await asking(t, `run: ${LINES}touch behind`);
      await card.page().waitForTimeout(SETTLE_MS);
      await named("Show the rest").focus();
      await until("the end is shown", async () => {
        await window.page.keyboard.press("Enter");
        return (await named("Show the rest").count()) === 0;
      });
      assert.ok(await isInView(card.locator(".request"), "touch behind"));
      assert.equal(await exists(effect), false);
      await card.page().waitForTimeout(SETTLE_MS);
      await window.page.keyboard.press("Enter");
      await gone(card);
      await until("the command ran", () => exists(effect));
    },

    // Claude sends this request with an empty input; the plan is in the tool call before it.
    "a plan that the request does not contain is shown whole": async (t) => {
      const { page, card, named } = await asking(t, "plan: rewrite all of it", ["--permission-mode", "plan"]);
      await shows(card.getByText("rewrite all of it").last());
      await card.page().waitForTimeout(SETTLE_MS);
      await named("Keep planning").click();
      await gone(card);
      await page.is("Idle");
    },

    "a command that would control AreYouJ is marked": async (t) => {
      const { page, card, named } = await asking(t, "run: areyouj allow AAAAAAAA-1 --always");
      await shows(card.getByText("Would control AreYouJ."));
      assert.equal(await card.locator("vscode-button", { hasText: "Always" }).count(), 0);
      await card.page().waitForTimeout(SETTLE_MS);
      await named("Deny").click();
      await gone(card);
      await page.is("Idle");
    },
  },
};
