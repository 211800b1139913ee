// The built pages in a real browser. Run `npm run build` first.
import { after, before } from "node:test";
import { start } from "./browser.mjs";

/** What the tests of both pages share: one browser. */
export const harness = {};
before(async () => Object.assign(harness, await start()));
after(() => harness.stop());

await import("./orchestration.pages.mjs");
await import("./automation.pages.mjs");
await import("./axe.pages.mjs");
