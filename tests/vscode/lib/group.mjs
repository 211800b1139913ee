// What the scenarios of one file share: a home, a server and a browser. Each begins without sessions and windows.
import path from "node:path";
import { Browser } from "./browser.mjs";
import { Home } from "./home.mjs";
import { Server } from "./server.mjs";

/** How long a picture of a window that may hang is waited for, in milliseconds. */
const PICTURE_WITHIN_MS = 5_000;

export class Group {
  #profiles = [];
  #window = null;
  shared = null;

  /**
   * @param {{home?: object, settings?: object, folders?: string[]}} wanted the options of `Home`; settings of the editor;
   *   which of the projects are folders of the window, all if left out
   */
  constructor(wanted, { editor, programs, extension }) {
    this.wanted = wanted;
    this.editor = editor;
    this.programs = programs;
    this.extension = extension;
  }

  async open() {
    const { home = {}, settings, folders } = this.wanted;
    this.home = await Home.open(this.programs, home);
    this.server = await Server.start(this.editor, {
      extensions: this.extension.directory,
      environment: this.home.environment,
      folders: (folders ?? home.projects ?? []).map((name) => this.home.projects[name]),
      settings,
    });
    this.browser = await Browser.launch();
  }

  /** Ends all of it, in order, also when the opening broke off half-way. */
  async close() {
    await this.browser?.close();
    await this.server?.close();
    await this.home?.close();
  }

  /** Nothing of an earlier scenario is left: no session, no editor, no message. */
  async begin() {
    await this.home.clear();
    await this.#window?.tidy();
  }

  /** The window of the group, opened when it is first wanted: loading a workbench takes longer than most scenarios. */
  async window() {
    return (this.#window ??= await this.openIn((this.shared = await this.browser.profile())));
  }

  /** Memory of its own for windows, closed at the end of the scenario, with the sizes in pixels that `Browser.profile` takes. */
  async profile(size) {
    const profile = await this.browser.profile(size);
    this.#profiles.push(profile);
    return profile;
  }

  openIn(profile) {
    return profile.open(this.server);
  }

  /** Pictures of all windows. */
  async picture(directory) {
    const open = [...(this.shared ? [this.shared] : []), ...this.#profiles].flatMap(({ context }) => context.pages());
    for (const [index, page] of open.entries()) {
      // A page that hangs must not hide why the scenario failed.
      await page.screenshot({ path: path.join(directory, `window-${index + 1}.png`), timeout: PICTURE_WITHIN_MS }).catch((error) => console.log(`     no picture: ${error.message}`));
    }
  }

  /** Ends what belongs to one scenario; after one that failed, the shared window too. */
  async end(passed) {
    for (const profile of this.#profiles.splice(0)) await profile.close();
    if (passed) return;
    await this.shared?.close();
    this.shared = this.#window = null;
  }
}
