// Chromium without a screen, which reaches loopback and nothing else.
import { chromium } from "playwright-core";
import { atEnd } from "./cleanup.mjs";
import { Workbench } from "./workbench.mjs";

/** Debian's, unless another is named; none is downloaded. */
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
/** How long anything on the page may take, in milliseconds. */
const PATIENCE_MS = 20_000;
/** A workbench loads some megabytes of scripts. */
const LOAD_WITHIN_MS = 60_000;

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
  // Windows that are not in front are measured too.
  "--disable-renderer-backgrounding",
  "--disable-backgrounding-occluded-windows",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

export class Browser {
  static async launch() {
    const browser = new Browser();
    // Signals are handled here: the scenarios end the browser in order.
    const quiet = { handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false };
    browser.chromium = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: ARGUMENTS, ...quiet });
    browser.close = atEnd(() => browser.chromium.close());
    return browser;
  }

  /** A place for windows with a memory of its own: open editors and layout are the browser's to keep. */
  async profile({ width = 1280, height = 800, scale = 1 } = {}) {
    const context = await this.chromium.newContext({ viewport: { width, height }, deviceScaleFactor: scale, reducedMotion: "reduce" });
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    context.setDefaultTimeout(PATIENCE_MS);
    return new Profile(context);
  }
}

export class Profile {
  constructor(context) {
    this.context = context;
    this.close = atEnd(() => context.close());
  }

  /** A window with the workbench of that server; it is loaded, and the extension shows its item. */
  async open(server) {
    const page = await this.context.newPage();
    await page.goto(server.url, { waitUntil: "domcontentloaded" });
    const workbench = new Workbench(page);
    await workbench.loaded(LOAD_WITHIN_MS);
    return workbench;
  }
}
