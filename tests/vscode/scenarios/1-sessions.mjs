// Two sessions in two folders of one window, and the actions on them.
import assert from "node:assert/strict";
import { gone, shows } from "../lib/workbench.mjs";

/** Starts a session through the palette, in a folder of the window. */
async function startIn(window, folder, name, message = "") {
  await window.run("AreYouJ: New Session…");
  await window.picker.getByPlaceholder("Select a directory, or type a path").waitFor();
  await window.row(folder).click();
  await window.answer("Name (optional)", name);
  await window.answer("Transcript or terminal");
  await window.answer("Model");
  await window.answer("Permission mode");
  await window.answer("First message (optional)", message);
  return window.automation(name);
}

/** Two idle sessions, `Anna` in the first folder and `Ben` in the second, and a window. */
async function two(t) {
  const [anna, ben] = await Promise.all([t.home.idle("one", "Anna"), t.home.idle("two", "Ben")]);
  return { anna, ben, window: await t.window() };
}

export default {
  home: { projects: ["one", "two"] },
  scenarios: {
    "two sessions are started from two workspace folders": async (t) => {
      const window = await t.window();
      const anna = await startIn(window, "one", "Anna", "good morning");
      await shows(anna.entry("Echo: good morning"));
      const ben = await startIn(window, "two", "Ben");
      await ben.is("Idle");
      await ben.send("and you");
      await shows(ben.entry("Echo: and you"));
      const directories = Object.fromEntries((await t.home.json("ls")).map(({ name, directory }) => [name, directory]));
      assert.deepEqual(directories, { Anna: t.home.projects.one, Ben: t.home.projects.two });
    },

    "queued messages are reordered by keyboard and by mouse, and run in the new order": async (t) => {
      const { anna, window } = await two(t);
      const page = await window.switchTo("Anna");
      await page.send("hold: gate");
      await page.is("Active");
      for (const text of ["first", "second", "third"]) await page.send(text);
      await page.queueIs("first", "second", "third");
      await page.queued().nth(2).press("Alt+ArrowUp");
      await page.queueIs("first", "third", "second");
      await page.queued().nth(2).dragTo(page.queued().nth(0));
      await page.queueIs("second", "first", "third");
      assert.deepEqual(await t.home.queuedTexts(anna), ["second", "first", "third"]);
      await t.home.release("gate");
      await t.home.wait(anna, "idle");
      await shows(page.entry("Echo: third"));
      const answers = await page.frame.locator(".text-entry").allInnerTexts();
      assert.deepEqual(answers.map((text) => text.trim()).filter((text) => text.startsWith("Echo")), ["Echo: second", "Echo: first", "Echo: third"]);
    },

    "a permission request is answered in the inbox": async (t) => {
      const { anna, window } = await two(t);
      const view = await window.showView();
      await t.home.run("send", anna, "run: touch made-here && echo from the inbox");
      const card = view.card("Anna");
      await shows(card.getByLabel("Command").filter({ hasText: "echo from the inbox" }));
      await card.locator("vscode-button", { hasText: "Allow" }).first().click();
      await gone(card);
      await t.home.wait(anna, "idle");
      assert.match(await t.home.run("logs", anna), /Result: from the inbox/u);
    },

    "a permission request is denied on the page, with a message": async (t) => {
      const { window } = await two(t);
      const page = await window.switchTo("Ben");
      await page.send("run: touch must-not-exist");
      const card = page.card("must-not-exist");
      await shows(card);
      await page.is("Waiting");
      await card.getByRole("button", { name: "Deny and say what to do instead" }).click();
      await card.getByLabel("What should Claude do instead?").fill("leave it");
      await card.getByLabel("What should Claude do instead?").press("Enter");
      await gone(card);
      await shows(page.entry("leave it"));
      await page.is("Idle");
    },

    "a question is answered on the page": async (t) => {
      const { window } = await two(t);
      const page = await window.switchTo("Ben");
      await page.send("ask: Which colour? | Red | Green");
      await page.frame.getByRole("radio", { name: "Green" }).check();
      await page.button("Answer").click();
      await page.is("Idle");
      await shows(page.entry("Green"));
    },

    "a running turn is interrupted": async (t) => {
      const { anna, window } = await two(t);
      const page = await window.switchTo("Anna");
      await page.send("hold: forever");
      await page.is("Active");
      await page.icon("Interrupt").click();
      await page.is("Idle");
      await shows(page.frame.getByText("Interrupted").first());
      await t.home.wait(anna, "idle");
    },

    "sessions are switched by list, by key and by waiting status": async (t) => {
      const { ben, window } = await two(t);
      const page = await window.switchTo("Anna");
      await page.frame.getByLabel("Message to Claude").click();
      const number = (await t.home.json("ls")).findIndex(({ id }) => id === ben) + 1;
      await window.page.keyboard.press(`Control+${number}`);
      await window.automation("Ben");
      await window.page.keyboard.press(`Control+${3 - number}`);
      await window.automation("Anna");
      await t.home.run("send", ben, "run: touch waits");
      await t.home.wait(ben, "waiting");
      await shows(window.status.filter({ hasText: "1 waiting" }));
      await window.page.keyboard.press("Control+Alt+J");
      await window.page.keyboard.press("w");
      await window.automation("Ben");
    },

    "a hidden page shows its live text when it becomes visible": async (t) => {
      const { anna, window } = await two(t);
      const page = await window.switchTo("Anna");
      await window.switchTo("Ben");
      await t.home.run("send", anna, "slow: 100 over");
      await shows(window.page.locator(".statusbar-item", { hasText: "1 active" }));
      await window.page.waitForTimeout(1_000);
      await window.switchTo("Anna");
      await shows(page.frame.locator(".live-text", { hasText: "word1 word2 word3" }));
      await t.home.run("interrupt", anna);
      await t.home.wait(anna, "idle");
    },

    "a session is terminated by its context menu": async (t) => {
      const { anna, window } = await two(t);
      const view = await window.showView();
      await view.session("Anna").click({ button: "right" });
      await view.frame.getByRole("menuitem", { name: /Terminate/u }).click();
      await window.confirm("Terminate");
      await gone(view.session("Anna"));
      await shows(view.session("Ben"));
      assert.equal((await t.home.json("show", anna)).status, "terminated");
    },
  },
};
