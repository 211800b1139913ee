// Sessions that run in a terminal: Claude's own interface in an editor tab, with the same list, queue and requests.
import assert from "node:assert/strict";
import { access, mkdir } from "node:fs/promises";
import path from "node:path";
import { gone, shows, until } from "../lib/workbench.mjs";

const AT_TERMINAL = ["--driver", "terminal", "--permission-mode", "default"];
const ASKS = "Do you want to proceed?";

/** An idle session in a terminal. */
async function session(t, project, name) {
  const id = await t.home.create(project, ["--name", name, ...AT_TERMINAL]);
  await t.home.wait(id, "idle");
  return id;
}

/** Opens the terminal of a session by its row in the list. */
async function openScreen(window, name) {
  const view = await window.showView();
  await view.icon(`Open Claude's terminal of ${name}`).click();
  return window.screen(name);
}

/** An idle session in a terminal, a window, and that terminal in it. */
async function attached(t) {
  const [id, window] = [await session(t, "one", "Anna"), await t.window()];
  return { id, window, screen: await openScreen(window, "Anna") };
}

/** The lines of the conversation, without Claude's changing hints below it. */
const conversation = (lines) => lines.slice(0, lines.findLastIndex((line) => line.includes("· done ")) + 1);

const exists = (file) => access(file).then(() => true, () => false);

export default {
  home: { projects: ["one", "two"] },
  scenarios: {
    "a session in a terminal is started, used in its terminal, and read on its page": async (t) => {
      const window = await t.window();
      await window.run("AreYouJ: New Session…");
      await window.picker.getByPlaceholder("Select a directory, or type a path").waitFor();
      await window.row("one").click();
      await window.answer("Name (optional)", "Anna");
      await window.picker.getByPlaceholder("Transcript or terminal").waitFor();
      await window.row("Claude's own interface").click();
      await window.answer("Model");
      await window.answer("Permission mode");
      await window.answer("First message (optional)", "good morning");
      const screen = await window.screen("Anna");
      await screen.shows("Echo: good morning");
      await screen.submit("and typed");
      await screen.shows("Echo: and typed");
      await window.page.keyboard.type("one line");
      await window.page.keyboard.press("Shift+Enter");
      await screen.submit("and another");
      await screen.shows("Echo: one line");
      const [{ id }] = await t.home.json("ls");
      await until("entries on the screen count as read", async () => (await t.home.json("show", id)).unread === 0);
      const page = await window.switchTo("Anna");
      for (const text of ["Echo: good morning", "and typed", "Echo: and typed"]) await shows(page.entry(text));
      await page.button("Open terminal").click();
      await screen.shows("Echo: and typed");
      assert.equal(await window.tabs("Anna").count(), 2, "the page and one terminal");
    },

    "a permission request of the terminal is answered by command, in the inbox, and in the terminal": async (t) => {
      const { id, window, screen } = await attached(t);
      const { one } = t.home.projects;
      const view = window.view();

      await screen.submit("run: touch from-elsewhere");
      await screen.shows(ASKS);
      await shows(view.card("touch from-elsewhere"));
      const [request] = await t.home.json("permissions", id);
      await t.home.run("allow", request.id);
      await screen.showsNot(ASKS);
      await gone(view.card("touch from-elsewhere"));
      await t.home.wait(id, "idle");
      assert.ok(await exists(path.join(one, "from-elsewhere")));

      await screen.submit("run: touch from-the-inbox");
      await screen.shows(ASKS);
      const card = view.card("touch from-the-inbox");
      await card.locator("vscode-button", { hasText: "Allow" }).first().click();
      await gone(card);
      await screen.showsNot(ASKS);
      await t.home.wait(id, "idle");
      assert.ok(await exists(path.join(one, "from-the-inbox")));

      await screen.submit("run: touch from-the-screen");
      await screen.shows(ASKS);
      await shows(view.card("touch from-the-screen"));
      await screen.press("Enter", "the answer is taken", async () => (await t.home.json("permissions", id)).length === 0);
      await gone(view.card("touch from-the-screen"));
      await screen.showsNot(ASKS);
      await t.home.wait(id, "idle");
      assert.ok(await exists(path.join(one, "from-the-screen")));
    },

    "a question is answered on the page, and closed in the terminal": async (t) => {
      const { window, screen } = await attached(t);
      await screen.submit("ask: Which colour? | Red | Green");
      await screen.shows("1. Red");
      const page = await window.switchTo("Anna");
      await page.frame.getByRole("radio", { name: "Green" }).check();
      await page.button("Answer").click();
      await page.is("Idle");
      await page.button("Open terminal").click();
      await (await window.screen("Anna")).showsNot("1. Red");
    },

    "a queued message is delivered to the terminal when the turn has ended": async (t) => {
      const { id, window, screen } = await attached(t);
      await screen.submit("hold: queue");
      await t.home.wait(id, "active");
      const page = await window.switchTo("Anna");
      await page.send("and then this");
      await page.queueIs("and then this");
      await page.send("hurry up", "Control+Shift+Enter");
      await t.home.release("queue");
      await shows(page.entry("Echo: and then this"));
      await shows(page.entry("hurry up"));
      await page.button("Open terminal").click();
      await screen.shows("Echo: and then this");
    },

    "a reload of the window restores the terminal, and recognizes it": async (t) => {
      const { window, screen } = await attached(t);
      await screen.submit("before the reload");
      await screen.shows("Echo: before the reload");
      await screen.shows("· done ");
      const before = conversation(await screen.lines());
      await window.reload();
      const again = await window.screen("Anna");
      await again.until(`the same screen as before:\n${before.join("\n")}\nbut`, (lines) => conversation(lines).join("\n") === before.join("\n"));
      await again.submit("after the reload");
      await again.shows("Echo: after the reload");
      const page = await window.switchTo("Anna");
      await page.button("Open terminal").click();
      await window.screen("Anna");
      assert.equal(await window.tabs("Anna").count(), 2, "the page and one terminal");
    },

    "a killed daemon does not affect the terminal": async (t) => {
      const { id, window, screen } = await attached(t);
      await screen.submit("hold: daemon");
      await t.home.wait(id, "active");
      process.kill(await t.home.daemon(), "SIGKILL");
      await t.home.release("daemon");
      await screen.shows("daemon was released.");
      await screen.submit("still running");
      await screen.shows("Echo: still running");
      const page = await window.switchTo("Anna");
      await shows(page.entry("Echo: still running"));
      assert.equal(await window.tabs("Anna").count(), 2);
    },

    "a conversation switches to the transcript and back, and its terminal closes and opens": async (t) => {
      const { id, window, screen } = await attached(t);
      await screen.submit("in the terminal");
      await screen.shows("· done ");
      await t.home.wait(id, "idle");
      await window.run("AreYouJ: Switch Session to Transcript");
      const page = await window.automation("Anna");
      await page.is("Idle");
      await shows(page.entry("Echo: in the terminal"));
      assert.equal(await window.tabs("Anna").count(), 1, "the terminal is closed");
      assert.deepEqual(await window.page.locator(".notification-toast").allInnerTexts(), [], "no error message is shown");
      await page.send("in the stream");
      await shows(page.entry("Echo: in the stream"));
      await page.is("Idle");

      await page.send("hold: switch");
      await page.is("Active");
      await page.icon("More actions").click();
      await page.frame.getByRole("menuitem", { name: "Switch to terminal" }).click();
      await window.confirm("When the turn ends");
      await shows(page.frame.getByText("switches its driver when the turn has ended"));
      await t.home.release("switch");
      await window.toast("Anna continues in a terminal.").getByRole("button", { name: "Open terminal" }).click();
      const back = await window.screen("Anna");
      await back.shows("Echo: in the stream");
      await back.submit("in the terminal again");
      await back.shows("Echo: in the terminal again");

      await back.submit("hold: forever");
      await t.home.wait(id, "active");
      await window.run("AreYouJ: Switch Session to Transcript");
      await window.confirm("Interrupt and switch");
      await window.automation("Anna");
      await until("the session has switched", async () => (await t.home.json("show", id)).driver === "stream");
      await gone(window.tabs("Anna").nth(1));
    },

    "a switch by command closes the terminal, and offers the transcript": async (t) => {
      const { id, window } = await attached(t);
      await t.home.run("switch-driver", id, "stream");
      const toast = window.toast("Anna continues as a transcript.");
      await shows(toast);
      await gone(window.tabs("Anna"));
      assert.equal(await window.page.locator(".notification-toast").count(), 1, "no error message is shown");
      await toast.getByRole("button", { name: "Open transcript" }).click();
      await window.automation("Anna");
    },

    "a conversation that another Claude has open does not switch, and the reason is shown": async (t) => {
      const id = await t.home.idle("two", "Ben");
      await t.home.sendAndWait(id, "hello");
      const window = await t.window();
      const { claudeSessionId } = await t.home.json("show", id);
      await window.run("AreYouJ: Open Terminal in Session's Directory");
      const terminal = window.terminal();
      await terminal.focus();
      await window.page.keyboard.type(`"$AREYOUJ_CLAUDE" --resume ${claudeSessionId}\n`);
      await terminal.shows("Echo: hello");
      await window.switchTo("Ben");
      await window.run("AreYouJ: Switch Session to Terminal");
      await shows(window.toast("has the conversation of"));
      await shows(window.toast("End that Claude first"));
      assert.equal((await t.home.json("show", id)).driver, "stream");
      await window.run("Terminal: Kill All Terminals");
    },

    "a question in the terminal is shown in the inbox and in a message, and both open it": async (t) => {
      const window = await t.window();
      const view = await window.showView();
      const elsewhere = path.join(t.home.directory, "elsewhere");
      await mkdir(elsewhere, { recursive: true });
      await window.run("View: Show Explorer");
      const id = await t.home.create(elsewhere, ["--name", "Cara", ...AT_TERMINAL]);
      const toast = window.toast("Cara needs an answer in Claude's terminal");
      await shows(toast);
      await window.showView();
      await shows(view.card("Needs an answer in its terminal").filter({ hasText: "trust" }));
      await toast.getByRole("button", { name: "Open terminal" }).click();
      const screen = window.terminal();
      await screen.shows("Yes, I trust this folder");
      await screen.focus();
      await window.page.keyboard.press("ArrowDown");
      await screen.shows("❯ Yes, I trust this folder");
      await window.page.keyboard.press("Enter");
      await t.home.wait(id, "idle");
      await gone(view.card("Needs an answer in its terminal"));
    },

    "Ctrl-\\ d detaches from the terminal, and the session continues": async (t) => {
      const { id, window, screen } = await attached(t);
      await screen.focus();
      await window.page.keyboard.press("Control+Backslash");
      await window.page.keyboard.press("d");
      await gone(window.tabs("Anna"));
      assert.equal((await t.home.json("show", id)).status, "idle");
      await openScreen(window, "Anna");
    },

    "the profile asks for a session, and shows its terminal in the panel": async (t) => {
      await session(t, "one", "Anna");
      const window = await t.window();
      const profile = async () => {
        await window.run("Create New Terminal (With Profile)");
        // In a window with several folders the editor asks this for every profile.
        await window.answer("Select current working directory for new terminal");
        await shows(window.row("AreYouJ Session"));
        await window.row("AreYouJ Session").click();
        await window.picker.getByPlaceholder("Select a session").waitFor();
      };
      await profile();
      await window.page.keyboard.press("Escape");
      await gone(window.picker);
      await profile();
      await window.row("Anna").click();
      const screen = window.terminal();
      await screen.submit("from the panel");
      await screen.shows("Echo: from the panel");
      await window.reload();
      await screen.shows("Echo: from the panel");
      await window.run("AreYouJ: Open Claude's Terminal");
      assert.equal(await window.tabs("Anna").count(), 0, "the existing terminal is shown");
      assert.deepEqual(await window.page.locator(".notification-toast").allInnerTexts(), []);
      await window.run("Terminal: Kill All Terminals");
    },
  },
};
