// Accessibility, problems and their fixes, addresses, and files.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { gone, shows, until } from "../lib/workbench.mjs";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** The serious and critical findings of axe-core on a page. */
async function seriousFindings(page) {
  const frame = await page.handle();
  await frame.evaluate(AXE);
  const violations = await frame.evaluate(async () => (await globalThis.axe.run()).violations);
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html.slice(0, 160)} ${failureSummary}`).join(" | ")}`);
}

export default {
  home: { projects: ["one", "two"] },
  scenarios: {
    "axe-core has no serious findings on the pages": async (t) => {
      const window = await t.window();
      const [anna, ben] = await Promise.all([t.home.idle("one", "Anna"), t.home.idle("two", "Ben")]);
      await t.home.sendAndWait(anna, "think: about `code` and **more**");
      await t.home.run("send", ben, "run: touch needs-a-person");
      const orchestration = await window.openOrchestration();
      await shows(orchestration.card("needs-a-person"));
      assert.deepEqual(await seriousFindings(orchestration), []);
      const view = await window.showView();
      await shows(view.session("Anna"));
      assert.deepEqual(await seriousFindings(view), []);
      for (const name of ["Anna", "Ben"]) assert.deepEqual(await seriousFindings(await window.switchTo(name)), []);
    },

    "a session without a login shows that, with a button that logs in": async (t) => {
      const window = await t.window();
      const id = await t.home.create("one", ["--name", "Anna"], { ANTHROPIC_API_KEY: "" });
      await t.home.wait(id, "idle");
      await t.home.run("send", id, "hello");
      await t.home.wait(id, "error");
      const view = await window.showView();
      await shows(view.card("Claude is not logged in."));
      const page = await window.switchTo("Anna");
      await shows(page.card("Claude is not logged in."));
      await page.button("Log in").first().click();
      await shows(window.page.locator(".terminal-wrapper.active"));
      await window.run("Terminal: Kill All Terminals");
    },

    "an address opens a session's page": async (t) => {
      const window = await t.window();
      const id = await t.home.idle("one", "Anna");
      // A browser has no scheme of the editor's; this command handles an address in the same way.
      await window.run("Developer: Open URL");
      await shows(window.picker.getByText("URL to open"));
      await window.input.fill(`vscode://areyouj.areyouj/automation/${id}`);
      await window.page.keyboard.press("Enter");
      await window.confirm("Open");
      await window.automation("Anna");
    },

    "a session starts from a folder of the explorer, and its files are completed": async (t) => {
      const window = await t.window();
      await writeFile(path.join(t.home.projects.two, "remember-me.md"), "# Remember\n");
      await window.explorerMenu("two", "Start Claude Session Here");
      await window.answer("Name (optional)", "Ben");
      for (const placeholder of ["Transcript or terminal", "Model", "Permission mode", "First message (optional)"]) await window.answer(placeholder);
      const page = await window.automation("Ben");
      await page.is("Idle");
      const composer = page.frame.getByLabel("Message to Claude");
      await composer.pressSequentially("read @rem");
      await shows(page.frame.getByRole("option", { name: "remember-me.md" }));
      await composer.press("Enter");
      assert.equal((await composer.inputValue()).trim(), "read @remember-me.md");
    },

    "a whole change is shown before it is allowed, and opens as a diff and as a file": async (t) => {
      const window = await t.window();
      const file = path.join(t.home.projects.one, "hours.md");
      await writeFile(file, "# Hours\n\nMonday to Friday\n");
      await t.home.idle("one", "Anna");
      const page = await window.switchTo("Anna");
      await page.send(`edit: ${file} | Monday to Friday | Monday to Saturday`);
      const card = page.card("hours.md");
      await shows(card.getByLabel("New text").filter({ hasText: "Monday to Saturday" }));
      await shows(card.getByLabel("Old text").filter({ hasText: "Monday to Friday" }));
      await card.getByText("Open diff").click();
      await shows(window.page.locator(".monaco-diff-editor .view-lines", { hasText: "Saturday" }));
      await window.switchTo("Anna");
      await card.locator("vscode-button", { hasText: "Allow" }).first().click();
      await gone(card);
      await page.is("Idle");
      assert.match(await readFile(file, "utf8"), /Monday to Saturday/u);
      await page.icon(`Open ${file}`).last().click();
      await shows(window.page.locator(".tab.active", { hasText: "hours.md" }));
      await shows(window.page.locator(".editor-instance .view-line", { hasText: "Monday to Saturday" }));
    },

    "a selection is sent by a code action": async (t) => {
      const window = await t.window();
      await writeFile(path.join(t.home.projects.two, "recipe.md"), "flour\nwater\n");
      const ben = await t.home.idle("two", "Ben");
      await window.run("Go to File...");
      await window.input.fill("recipe.md");
      await window.row("recipe.md").click();
      await shows(window.page.locator(".tab.active", { hasText: "recipe.md" }));
      await window.run("Select All");
      const action = window.page.locator(".action-widget .monaco-list-row", { hasText: `Send selection to Claude session ${ben} (Ben)` });
      await until("the action is chosen", async () => {
        // The closing palette would close the menu too, so the key opens it.
        await window.page.keyboard.press("Control+Period");
        await action.click({ timeout: 1_000 });
        return true;
      });
      await t.home.run("wait", ben, "--for", "idle", "--timeout", "60");
      assert.match(await t.home.run("logs", ben), /recipe\.md[^]*flour\nwater/u);
    },
  },
};
