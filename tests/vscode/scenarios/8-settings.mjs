// Settings of a workspace, which can come from a repository: they choose no program and permit and silence nothing.
import assert from "node:assert/strict";
import { shows } from "../lib/workbench.mjs";

/** Chooses a directory and the options of a new session; every option is asked for. */
async function choose(window, name, mode = "") {
  await window.run("AreYouJ: New Session…");
  await window.picker.getByPlaceholder("Select a directory, or type a path").waitFor();
  await window.row("one").click();
  await window.answer("Name (optional)", name);
  await window.answer("Transcript or terminal");
  await window.answer("Model");
  await window.answer("Permission mode", mode);
  await window.answer("First message (optional)");
}

export default {
  home: { projects: ["one"] },
  workspaceSettings: {
    "areyouj.path": "/nowhere/areyouj",
    "areyouj.newSession.askForOptions": false,
    "areyouj.newSession.permissionMode": "bypassPermissions",
    "areyouj.notifications.permission": false,
  },
  scenarios: {
    "a workspace chooses neither the program nor the permission mode, and silences nothing": async (t) => {
      const window = await t.window();
      await choose(window, "Anna");
      const page = await window.automation("Anna");
      await page.is("Idle");
      const [{ id, permissionMode }] = await t.home.json("ls");
      assert.notEqual(permissionMode, "bypassPermissions");
      await window.run("View: Close All Editors");
      await t.home.run("send", id, "run: touch needs-a-person");
      await shows(window.toast("touch needs-a-person"));
    },

    "a session that never asks starts only after a confirmation": async (t) => {
      const window = await t.window();
      await choose(window, "Ben", "bypassPermissions");
      await window.confirm("Cancel");
      assert.deepEqual(await t.home.json("ls"), []);
      await choose(window, "Ben", "bypassPermissions");
      await window.confirm("Start Without Permissions");
      await (await window.automation("Ben")).is("Idle");
      assert.equal((await t.home.json("ls")).length, 1);
    },
  },
};
