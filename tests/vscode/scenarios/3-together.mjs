// Two windows and the command line on one daemon: each sees the changes of the others at once.
import { noteTimes } from "../lib/measure.mjs";
import { watchFor } from "../lib/paint.mjs";
import { gone, shows } from "../lib/workbench.mjs";

/** The number of timed changes: enough for a 95th percentile in a few seconds. */
const CHANGES = 30;

async function twoWindows(t) {
  const windows = [await t.window(), await t.openIn(await t.profile())];
  return Promise.all(windows.map(async (window) => ({ window, page: await window.openOrchestration() })));
}

export default {
  home: { projects: ["one", "two"] },
  scenarios: {
    "a change in one window or by command appears in all windows": async (t) => {
      const id = await t.home.idle("one", "Anna");
      const [left, right] = await twoWindows(t);
      for (const { page } of [left, right]) await shows(page.session("Anna").filter({ hasText: "Idle" }));
      await t.home.run("send", id, "run: touch shared");
      for (const { page } of [left, right]) await shows(page.card("touch shared"));
      await left.page.card("touch shared").locator("vscode-button", { hasText: "Allow" }).first().click();
      await gone(right.page.card("touch shared"));
      await t.home.wait(id, "idle");
      await t.home.create("two", ["--name", "Ben"]);
      for (const { page } of [left, right]) await shows(page.session("Ben"));
      await t.home.run("terminate", id);
      for (const { page } of [left, right]) await gone(page.session("Anna"));
    },

    "a change by command is painted in both windows at once": async (t) => {
      const id = await t.home.idle("one", "name 0");
      const pages = await twoWindows(t);
      for (const { page } of pages) await shows(page.session("name 0"));
      const frames = await Promise.all(pages.map(({ page }) => page.handle()));
      const [fromStart, fromAnswer] = [[], []];
      for (let count = 1; count <= CHANGES; count++) {
        const painted = frames.map((frame) => watchFor(frame, `.name[title*="name ${count} "]`));
        const began = Date.now();
        await t.home.run("rename", id, `name ${count}`);
        const answered = Date.now();
        const last = Math.max(...(await Promise.all(painted)));
        fromStart.push(last - began);
        fromAnswer.push(last - answered);
      }
      noteTimes("command started → painted in both windows", fromStart, "p95 < 100 ms");
      noteTimes("command answered → painted in both windows", fromAnswer);
    },
  },
};
