// Nothing is lost over a reload of the window, a killed daemon, and a time without a window.
import assert from "node:assert/strict";
import { shows, until } from "../lib/workbench.mjs";

const DRAFT = "an unsent draft";

/** A new window with the page of a session with a transcript, and a draft in it. */
async function withDraft(t) {
  const id = await t.home.idle("one", "Anna");
  await t.home.sendAndWait(id, "before");
  const profile = await t.profile();
  const window = await t.openIn(profile);
  const page = await window.switchTo("Anna");
  await shows(page.entry("Echo: before"));
  await page.frame.getByLabel("Message to Claude").fill(DRAFT);
  return { id, profile, window, page };
}

/** Waits until the page of Anna is restored, with its transcript and its draft. */
async function isBack(window) {
  const page = await window.automation("Anna");
  await shows(page.entry("Echo: before"));
  assert.equal(await page.frame.getByLabel("Message to Claude").inputValue(), DRAFT);
  return page;
}

/** Watches a page for the banner, which can be visible for less than a second. The result reports whether it appeared. */
async function bannerWatch(page) {
  const frame = await page.handle();
  await frame.evaluate(() => {
    globalThis.bannerSeen = false;
    new MutationObserver(() => (globalThis.bannerSeen ||= document.querySelector(".banner") !== null)).observe(document.body, { subtree: true, childList: true });
  });
  return () => frame.evaluate(() => globalThis.bannerSeen);
}

export default {
  home: { projects: ["one"] },
  scenarios: {
    "a reload of the window restores everything": async (t) => {
      const { window } = await withDraft(t);
      const view = await window.showView();
      await shows(view.session("Anna"));
      await window.reload();
      await isBack(window);
      await shows(window.view().session("Anna"));
    },

    "a killed daemon restarts while the turn and the editor continue": async (t) => {
      const { id, window, page } = await withDraft(t);
      await t.home.run("send", id, "hold: killed");
      await page.is("Active");
      const before = await t.home.daemon();
      const seen = await bannerWatch(page);
      process.kill(before, "SIGKILL");
      await until("the banner was shown", seen);
      await page.frame.locator(".banner").waitFor({ state: "hidden" });
      assert.notEqual(await t.home.daemon(), before);
      await page.is("Active");
      await t.home.release("killed");
      await page.is("Idle");
      await isBack(window);
      await page.send("after");
      await shows(page.entry("Echo: after"));
    },

    "a restart of the daemon keeps the turn and the editor, and reports the new daemon": async (t) => {
      const { id, window, page } = await withDraft(t);
      await t.home.run("send", id, "hold: restarted");
      await page.is("Active");
      const before = await t.home.daemon();
      await window.run("AreYouJ: Restart Daemon");
      await shows(window.toast("The AreYouJ daemon restarted"));
      assert.notEqual(await t.home.daemon(), before);
      await page.is("Active");
      await t.home.release("restarted");
      await page.is("Idle");
      await isBack(window);
    },

    "a turn continues without a window, and its output is complete afterwards": async (t) => {
      const { id, profile, window } = await withDraft(t);
      await t.home.run("send", id, "hold: closed");
      await t.home.wait(id, "active");
      // A draft is saved after a moment; this scenario does not test an immediate close.
      await window.reload();
      await isBack(window);
      await window.page.close();
      await t.home.release("closed");
      await t.home.wait(id, "idle");
      await t.home.sendAndWait(id, "without a window");
      const page = await isBack(await t.openIn(profile));
      await shows(page.entry("Echo: without a window"));
      const texts = await page.frame.locator(".text-entry").allInnerTexts();
      assert.equal(texts.filter((text) => text.includes("without a window")).length, 1);
    },
  },
};
