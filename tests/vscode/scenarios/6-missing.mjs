// A machine without Claude: the problem and its fixes.
import { shows } from "../lib/workbench.mjs";

export default {
  home: { projects: ["one"], claude: "/nowhere/claude" },
  scenarios: {
    "a missing Claude is reported at once, with a button for the doctor": async (t) => {
      const window = await t.window();
      const page = await window.openOrchestration();
      await shows(page.frame.getByText("No sessions yet"));
      await page.frame.locator(".folder", { hasText: "one" }).click();
      await window.answer("Name (optional)");
      for (const placeholder of ["Transcript or terminal", "Model", "Permission mode", "First message (optional)"]) await window.answer(placeholder);
      const message = window.toast("Claude was not found");
      await shows(message);
      await message.getByRole("button", { name: "Run doctor" }).click();
      await shows(window.page.locator(".terminal-wrapper.active"));
    },
  },
};
