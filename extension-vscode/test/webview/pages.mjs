// Tests of the built pages in a real browser. Build the extension first.
import "./orchestration.pages.mjs";
import "./automation.pages.mjs";
import "./permissions.pages.mjs";
import "./axe.pages.mjs";
