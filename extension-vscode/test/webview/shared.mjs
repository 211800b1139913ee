// The browser that the tests of both pages share. It starts before any test; when it cannot start, this file fails with
// the reason.
import { after } from "node:test";
import { start } from "./browser.mjs";

/** The browser, while tests run. */
export const harness = await start();
after(() => harness.stop());
