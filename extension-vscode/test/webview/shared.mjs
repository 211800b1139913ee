// The browser that the tests of both pages share.
import { after, before } from "node:test";
import { start } from "./browser.mjs";

/** The browser, while tests run. */
export const harness = {};
before(async () => Object.assign(harness, await start()));
after(() => harness.stop());
