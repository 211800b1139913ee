// The user interface of the workbench: palette, quick picks, dialogs, and the pages of the extension.
import assert from "node:assert/strict";

/** The id of the extension in VS Code. */
export const EXTENSION = "areyouj.areyouj";

/** The number of attempts of actions that the workbench can ignore, and the pause between them, in milliseconds. */
const ATTEMPTS = 20;
const PAUSE_MS = 150;
/** The timeout for output of a program in a terminal, in milliseconds. */
const SCREEN_WITHIN_MS = 30_000;
/** The timeout of one attempt, in milliseconds: with the long default, a loop would take minutes. */
const ATTEMPT_MS = 1_000;
/** The timeout for finding a command on a busy machine, in milliseconds. */
const CHOSEN_WITHIN_MS = 5_000;

/** Repeats the attempt until it returns true. */
export async function until(what, attempt) {
  let last;
  for (let count = 0; count < ATTEMPTS; count++) {
    try {
      if (await attempt()) return;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  throw new Error(`${what}: it did not happen`, { cause: last });
}

/** Waits until it is visible. */
export async function shows(locator) {
  await locator.first().waitFor({ state: "visible" });
}

/** Waits until it is hidden. */
export async function gone(locator) {
  await locator.first().waitFor({ state: "hidden" });
}

export class Workbench {
  constructor(page) {
    this.page = page;
    this.picker = page.locator(".quick-input-widget");
    this.input = this.picker.locator("input.input, textarea.input").first();
    this.status = page.locator(`.statusbar-item[id="${EXTENSION}.sessions"]`);
  }

  async loaded(timeout) {
    await this.page.locator(".monaco-workbench .statusbar").waitFor({ timeout });
    await this.status.waitFor({ timeout });
  }

  /** Reloads the window with its command, which saves the open editors; a plain reload does not wait for that. */
  async reload() {
    const loaded = this.page.waitForEvent("domcontentloaded");
    await this.run("Developer: Reload Window");
    await loaded;
    await this.loaded(60_000);
  }

  /** Closes editors and messages, and shows the explorer. */
  async tidy() {
    await this.run("View: Close All Editors");
    await gone(this.page.locator(".tab"));
    await this.run("Notifications: Clear All Notifications");
    await gone(this.page.locator(".notification-toast"));
    await this.run("View: Show Explorer");
  }

  /** Runs a command by its name in the palette, with its category. */
  async run(title) {
    // The label ends with the key or “recently used”, and another row can be the first one, so Enter is not enough.
    const row = this.picker.locator(`.monaco-list-row[aria-label="${title}"], .monaco-list-row[aria-label^="${title},"]`).first();
    await until(`“${title}” is run`, async () => {
      await this.openPalette();
      // A new focus, such as that of a terminal that was just opened, closes the palette.
      await this.input.fill(`>${title}`, { timeout: ATTEMPT_MS });
      await row.click({ timeout: CHOSEN_WITHIN_MS });
      return true;
    });
  }

  // F1 works in an editor, a page and a terminal; a key press that is too early is lost.
  async openPalette() {
    await until("the palette opens", async () => {
      if (await this.picker.isVisible()) {
        if ((await this.input.inputValue({ timeout: ATTEMPT_MS })).startsWith(">")) return true;
        await this.page.keyboard.press("Escape");
        await this.picker.waitFor({ state: "hidden", timeout: ATTEMPT_MS });
      }
      await this.page.keyboard.press("F1");
      await this.input.waitFor({ state: "visible", timeout: ATTEMPT_MS });
      return (await this.input.inputValue()).startsWith(">");
    });
  }

  /** A row of the open quick pick. */
  row(text) {
    return this.picker.locator(".monaco-list-row", { hasText: text }).first();
  }

  /** Types into the box with this placeholder and confirms. The widget is reused, so the placeholder identifies the right one. */
  async answer(placeholder, text = "") {
    await this.picker.getByPlaceholder(placeholder).waitFor();
    if (text !== "") await this.input.fill(text);
    await this.page.keyboard.press("Enter");
  }

  /** Confirms a dialog with a button. */
  async confirm(button) {
    const dialog = this.page.locator(".monaco-dialog-box");
    await dialog.getByRole("button", { name: button, exact: true }).click();
    await gone(dialog);
  }

  /** Shows the view in the side bar. A click on its icon would hide a visible view. */
  async showView() {
    const icon = this.page.locator('.activitybar .action-item:has(.action-label[aria-label^="AreYouJ"])');
    await until("the view shows", async () => {
      if (((await icon.getAttribute("class")) ?? "").includes("checked")) return true;
      await icon.locator(".action-label").click();
      return false;
    });
    return this.view();
  }

  /** The orchestration page in the side bar. Pages are nested frames above the workbench. */
  view() {
    return new PageView(this, `iframe.webview.ready[src*="extensionId=${EXTENSION}"][src*="purpose=webviewView"]`);
  }

  /** The page in the active editor tab. Those of other tabs exist, too, but are not visible. */
  tab() {
    return new PageView(this, `iframe.webview.ready[src*="extensionId=${EXTENSION}"]:not([src*="purpose=webviewView"]):visible`);
  }

  /** The automation page of the session with this name, as soon as it is active. */
  async automation(name) {
    const tab = this.tab();
    // Every header has the names of all sessions, for its switcher.
    await shows(tab.frame.locator("areyouj-session-header").filter({ has: tab.frame.locator(".switcher option:checked", { hasText: name }) }));
    await shows(this.page.locator(".tab.active", { hasText: name }));
    return tab;
  }

  /** Opens the orchestration page in an editor tab. */
  async openOrchestration() {
    await this.run("AreYouJ: Open Orchestration");
    const tab = this.tab();
    await shows(tab.frame.locator("areyouj-orchestration main"));
    return tab;
  }

  /** Opens a session's page from the list of sessions. */
  async switchTo(name) {
    await this.run("AreYouJ: Switch Session…");
    await this.picker.getByPlaceholder("Select a session").waitFor();
    await this.row(name).click();
    return this.automation(name);
  }

  /** Selects an item of the context menu of a folder. The menu ignores clicks right after it has opened. */
  async explorerMenu(folder, label) {
    await this.run("View: Show Explorer");
    const menu = this.page.locator(".context-view .monaco-menu");
    const row = this.page.locator(".explorer-folders-view .monaco-list-row", { has: this.page.locator(".label-name", { hasText: new RegExp(`^${escaped(folder)}$`, "u") }) });
    await until("the menu opens", async () => {
      if (await menu.isVisible()) return true;
      await row.click({ button: "right", timeout: ATTEMPT_MS });
      await menu.waitFor({ timeout: ATTEMPT_MS });
      return true;
    });
    await until(`“${label}” is chosen`, async () => {
      if (!(await menu.isVisible())) return true;
      await menu.getByRole("menuitem", { name: label, exact: true }).click({ timeout: ATTEMPT_MS });
      await menu.waitFor({ state: "hidden", timeout: ATTEMPT_MS / 2 });
      return true;
    });
  }

  /** The visible terminal; in these tests, a window shows one at a time. */
  terminal() {
    return new TerminalView(this);
  }

  /** Waits until the terminal of the session with this name is the active tab, and shows Claude. */
  async screen(name) {
    await shows(this.page.locator(".tab.active", { hasText: name }));
    const screen = this.terminal();
    await screen.shows("❯");
    return screen;
  }

  /** The tabs with this name. */
  tabs(name) {
    return this.page.locator(".tab", { hasText: name });
  }

  toast(text) {
    return this.page.locator(".notification-toast", { hasText: text });
  }
}

/** A terminal of the editor. Its characters are text in the page, because `terminal.integrated.gpuAcceleration` is off. */
export class TerminalView {
  constructor(workbench) {
    this.page = workbench.page;
    this.wrapper = workbench.page.locator(".terminal-wrapper:visible");
  }

  /** The lines on the screen. */
  async lines() {
    const lines = await this.wrapper.locator(".xterm-rows > div").allInnerTexts();
    return lines.map((line) => line.replaceAll("\u00a0", " ").trimEnd());
  }

  /** Waits until its lines fulfil a condition. */
  async until(what, test) {
    const deadline = Date.now() + SCREEN_WITHIN_MS;
    let lines = [];
    while (Date.now() < deadline) {
      lines = await this.lines().catch(() => []);
      if (test(lines)) return lines;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    throw new Error(`the terminal does not show ${what}:\n${lines.join("\n")}`);
  }

  shows(text) {
    return this.until(`“${text}”`, (lines) => lines.some((line) => line.includes(text)));
  }

  showsNot(text) {
    return this.until(`anything but “${text}”`, (lines) => lines.length > 0 && !lines.some((line) => line.includes(text)));
  }

  /** Focuses the terminal. */
  async focus() {
    await this.wrapper.locator("textarea.xterm-helper-textarea").focus();
  }

  /** Types a prompt, and submits it when it is on the screen. */
  async submit(text) {
    await this.focus();
    await this.page.keyboard.type(text);
    await this.shows(text);
    await this.page.keyboard.press("Enter");
  }

  /** Presses a key until a condition is fulfilled: Claude ignores keys right after it displays a dialog. */
  async press(key, what, test) {
    await this.focus();
    await until(what, async () => {
      if (await test()) return true;
      await this.page.keyboard.press(key);
      return false;
    });
  }
}

/** A page of the extension. */
export class PageView {
  constructor(workbench, outer) {
    this.workbench = workbench;
    this.outer = workbench.page.locator(outer);
    this.frame = workbench.page.frameLocator(outer).frameLocator("iframe#active-frame");
  }

  /** The frame, for running scripts. */
  async handle() {
    const outer = await (await this.outer.elementHandle()).contentFrame();
    return await (await outer.waitForSelector("iframe#active-frame")).contentFrame();
  }

  // Buttons of the elements library are custom elements: an inner element has the role, and the outer one the label.
  button(label) {
    return this.frame.locator("vscode-button").filter({ hasText: new RegExp(`^\\s*${escaped(label)}\\s*$`, "u") });
  }

  icon(label) {
    return this.frame.getByRole("button", { name: label, exact: true });
  }

  session(name) {
    return this.frame.locator(".session-row").filter({ has: this.frame.locator(".name", { hasText: name }) });
  }

  card(text) {
    return this.frame.locator("article.card", { hasText: text });
  }

  /** Writes a message in the composer and sends it. */
  async send(text, keys = "Control+Enter") {
    const composer = this.frame.getByLabel("Message to Claude");
    await composer.fill(text);
    await composer.press(keys);
    await until("the composer is empty", async () => (await composer.inputValue()) === "");
  }

  entry(text) {
    return this.frame.locator(".entry", { hasText: text });
  }

  queued() {
    return this.frame.locator("li.queue-item[data-message]");
  }

  /** Waits until the queue shows these messages in this order. */
  async queueIs(...texts) {
    await until(`the queue is ${texts.join(", ")}`, async () => {
      const shown = await this.queued().locator(".grow").allInnerTexts();
      assert.deepEqual(shown.map((text) => text.trim()), texts);
      return true;
    });
  }

  /** Waits until the header shows this status. */
  async is(status) {
    await shows(this.frame.locator("areyouj-session-header .status-word", { hasText: status }));
  }
}

function escaped(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/gu, "\\$&");
}
