// Trust in a directory: what it would run is shown, and nothing runs before a person trusts it.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { shows, until } from "../lib/workbench.mjs";

/** The repository of a stranger, outside the directories that Claude's record calls trusted. */
async function stranger(t, name) {
  const directory = path.join(t.home.directory, name);
  const hook = { hooks: [{ type: "command", command: `touch ${directory}/hook-ran` }] };
  const settings = { hooks: { SessionStart: [hook] }, env: { STRANGER: "one" }, apiKeyHelper: "./key.sh" };
  const servers = { mcpServers: { docs: { command: "node", args: ["server.js"] } } };
  await mkdir(path.join(directory, ".claude"), { recursive: true });
  await writeFile(path.join(directory, ".claude/settings.json"), JSON.stringify(settings));
  await writeFile(path.join(directory, ".mcp.json"), JSON.stringify(servers));
  return directory;
}

export default {
  home: { projects: ["one"] },
  scenarios: {
    "a session in a directory that nobody trusts shows what would run, and starts when a person trusts it": async (t) => {
      const window = await t.window();
      const directory = await stranger(t, "trusted-later");
      const id = await t.home.create(directory, ["--name", "Anna", "-m", "hello"]);
      const page = await window.switchTo("Anna");
      const card = page.card("hook-ran");
      await shows(card);
      for (const text of ["apiKeyHelper", "STRANGER", "docs"]) await shows(page.card(text));
      assert.equal(existsSync(path.join(directory, "hook-ran")), false);
      await card.getByRole("button", { name: "Trust directory" }).click();
      await t.home.wait(id, "idle");
      await shows(page.entry("Echo: hello"));
      await until("the hook runs", () => existsSync(path.join(directory, "hook-ran")));
    },

    "a denied directory ends the session": async (t) => {
      const window = await t.window();
      const directory = await stranger(t, "denied");
      const id = await t.home.create(directory, ["--name", "Ben"]);
      const page = await window.switchTo("Ben");
      await page.card("hook-ran").getByRole("button", { name: "Deny" }).click();
      await t.home.wait(id, "terminated");
      await shows(page.frame.getByText("nothing ran"));
      assert.equal(existsSync(path.join(directory, "hook-ran")), false);
    },
  },
};
