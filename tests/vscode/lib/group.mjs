// The resources shared by the scenarios of one file: a home, a server and a browser. Each scenario starts without
// sessions and windows.
import path from "node:path";
import { Browser } from "./browser.mjs";
import { Home } from "./home.mjs";
import { Server } from "./server.mjs";

/** The timeout for a picture of a window, which can hang, in milliseconds. */
const PICTURE_WITHIN_MS = 5_000;

export class Group {
  #profiles = [];
  #window = null;
  shared = null;

  /**
   * @param {{home?: object, settings?: object, workspaceSettings?: object, folders?: string[]}} options the options of
   *   `Home`; settings of the editor's user and of the workspace; the projects that are folders of the window, all if
   *   omitted
   */
  constructor(options, { editor, programs, extension }) {
    this.options = options;
    this.editor = editor;
    this.programs = programs;
    this.extension = extension;
  }

  async open() {
    const { home = {}, settings, workspaceSettings, folders } = this.options;
    this.home = await Home.open(this.programs, home);
    this.server = await Server.start(this.editor, {
      extensions: this.extension.directory,
      environment: this.home.environment,
      folders: (folders ?? home.projects ?? []).map((name) => this.home.projects[name]),
      settings,
      workspaceSettings,
    });
    this.browser = await Browser.launch();
  }

  /** Closes everything, in order, even if opening failed. */
  async close() {
    await this.browser?.close();
    await this.server?.close();
    await this.home?.close();
  }

  /** Removes sessions, editors and messages of earlier scenarios. */
  async begin() {
    await this.home.clear();
    await this.#window?.tidy();
  }

  /** The window of the group, opened on first use: loading a workbench takes longer than most scenarios. */
  async window() {
    return (this.#window ??= await this.openIn((this.shared = await this.browser.profile())));
  }

  /** A separate browser profile, closed at the end of the scenario; `size` is in pixels, as for `Browser.profile`. */
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

  /** Closes the resources of one scenario; after a failure, the shared window, too. */
  async end(passed) {
    for (const profile of this.#profiles.splice(0)) await profile.close();
    if (passed) return;
    await this.shared?.close();
    this.shared = this.#window = null;
  }
}
