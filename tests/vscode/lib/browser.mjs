// Headless Chromium, which can reach only loopback.
import { chromium } from "playwright-core";
import { atEnd } from "./cleanup.mjs";
import { Workbench } from "./workbench.mjs";

/** Debian's Chromium, unless `CHROMIUM` is set; nothing is downloaded. */
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
/** The timeout for actions on a page, in milliseconds. */
const TIMEOUT_MS = 20_000;
/** The timeout for loading a workbench, which has several megabytes of scripts. */
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
  // Background windows are measured, too.
  "--disable-renderer-backgrounding",
  "--disable-backgrounding-occluded-windows",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

export class Browser {
  static async launch() {
    const browser = new Browser();
    // This program handles signals, and closes the browser in order.
    const quiet = { handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false };
    browser.chromium = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: ARGUMENTS, ...quiet });
    browser.close = atEnd(() => browser.chromium.close());
    return browser;
  }

  /** A browser profile with separate storage, in which the workbench keeps open editors and layout. */
  async profile({ width = 1280, height = 800, scale = 1 } = {}) {
    const context = await this.chromium.newContext({ viewport: { width, height }, deviceScaleFactor: scale, reducedMotion: "reduce" });
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    context.setDefaultTimeout(TIMEOUT_MS);
    return new Profile(context);
  }
}

export class Profile {
  constructor(context) {
    this.context = context;
    this.close = atEnd(() => context.close());
  }

  /** Opens a window with the workbench of this server; returns when it is loaded and the extension shows its status bar item. */
  async open(server) {
    const page = await this.context.newPage();
    await page.goto(server.url, { waitUntil: "domcontentloaded" });
    const workbench = new Workbench(page);
    await workbench.loaded(LOAD_WITHIN_MS);
    return workbench;
  }
}
