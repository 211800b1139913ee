// What the tests of both pages share: one browser, started before any test. Without it this file fails with the reason.
import { after } from "node:test";
import { start } from "./browser.mjs";

/** The browser, while tests run. */
export const harness = await start();
after(() => harness.stop());
