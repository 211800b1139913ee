// A window in Restricted Mode: no session can be started in it.
import assert from "node:assert/strict";
import { shows } from "../lib/workbench.mjs";

export default {
  home: { projects: ["one"] },
  restricted: true,
  scenarios: {
    "a window in Restricted Mode starts no session, and leads to the trust in the workspace": async (t) => {
      const window = await t.window();
      await window.run("AreYouJ: New Session…");
      const message = window.toast("This window is in Restricted Mode");
      await shows(message);
      assert.deepEqual(await t.home.json("ls"), []);
      await message.getByRole("button", { name: "Manage Workspace Trust" }).click();
      await shows(window.page.getByText("You are in Restricted Mode"));
    },
  },
};
