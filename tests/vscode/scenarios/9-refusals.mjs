// What AreYouJ refuses to processes inside a session, as a person sees it.
import assert from "node:assert/strict";
import path from "node:path";
import { shows } from "../lib/workbench.mjs";

export default {
  home: { projects: ["one"] },
  scenarios: {
    "a refusal is a notification, a mark in the list, a notice in the transcript and an entry of the audit trail": async (
      t,
    ) => {
      const window = await t.window();
      const id = await t.home.create("one", ["--name", "Anna", "--permission-mode", "bypassPermissions"]);
      await t.home.wait(id, "idle");
      await t.home.run("send", id, `run: ${path.join(t.home.programs, "areyouj")} daemon stop || true`);
      await shows(window.toast("tried to stop the daemon"));
      const list = await window.openOrchestration();
      await shows(list.frame.getByRole("img", { name: /tried to stop the daemon/ }));
      await window.run("View: Close All Editors");
      await window.run("AreYouJ: Show Audit Trail");
      await shows(window.page.locator(".view-lines").getByText("inside_session").first());
      await window.run("View: Close All Editors");
      const page = await window.switchTo("Anna");
      await shows(page.frame.getByText("AreYouJ refused it.").first());
      await shows(page.frame.getByText("1 refused request"));
      await page.is("Idle");
      assert.equal((await t.home.json("show", id)).refusals.count, 1);
    },
  },
};
