import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import * as vscode from "vscode";
import { notPossible, ProblemError } from "../daemon/problemError";
import type { Icon, Screens } from "../ports";
import type { Session } from "../protocol.gen";
import { isSessionId } from "../shared/links";
import { problem } from "../shared/problem";
import { displayName } from "../shared/session";

/** The time in which a terminal that existed before the extension must name its process, in milliseconds. */
const PROCESS_WITHIN_MS = 3_000;
/** Variables that decide where the daemon and its hosts are found. An editor can remove them from its terminals. */
const PLACES = /^(AREYOUJ_\w+|XDG_\w+_(HOME|DIR))$/;

interface Parts {
  /** The `areyouj` program. Rejects with a `ProblemError`. */
  findBinary(): Promise<string>;
  /** The icon of the terminals. */
  icon: Icon;
}

/**
 * Claude's own screens in terminals of this window: the process of each is `areyouj attach ID`. The editor keeps such a
 * process over a reload; its command line then names the session.
 */
export class TerminalScreens implements Screens, vscode.Disposable {
  readonly #open = new Map<vscode.Terminal, string>();
  /** Sessions whose next terminal must be shown: the editor opens the one of a profile in a panel that can be hidden. */
  readonly #awaited = new Set<string>();
  /** Terminals whose processes are not known yet. */
  readonly #unknown = new Set<Promise<void>>();
  readonly #disposable: vscode.Disposable;

  constructor(private readonly parts: Parts) {
    this.#disposable = vscode.Disposable.from(
      vscode.window.onDidOpenTerminal((terminal) => this.#adopt(terminal)),
      vscode.window.onDidCloseTerminal((terminal) => {
        this.#open.delete(terminal);
        this.#updateContextKey();
      }),
      vscode.window.onDidChangeActiveTerminal(() => this.#updateContextKey()),
    );
    for (const terminal of vscode.window.terminals) this.#adopt(terminal);
  }

  async open(session: Session): Promise<void> {
    requireScreen(session);
    await Promise.all(this.#unknown);
    if (this.reveal(session.id)) return;
    const options = await this.#options(session);
    // Another call can have opened it meanwhile.
    if (this.reveal(session.id)) return;
    const terminal = vscode.window.createTerminal({ ...options, location: { viewColumn: vscode.ViewColumn.Active } });
    this.#add(terminal, session.id);
    terminal.show();
  }

  /** Shows the existing terminal of this session; false if there is none. */
  reveal(sessionId: string): boolean {
    const terminal = this.#terminals(sessionId)[0];
    terminal?.show();
    return terminal !== undefined;
  }

  /** A profile by which the editor opens a terminal for a session. The terminal is shown once it is open. */
  async profile(session: Session): Promise<vscode.TerminalProfile> {
    const options = await this.#options(session);
    this.#awaited.add(session.id);
    return new vscode.TerminalProfile(options);
  }

  has(sessionId: string): boolean {
    return this.#terminals(sessionId).length > 0;
  }

  get front(): string | null {
    const { activeTerminal, tabGroups } = vscode.window;
    if (activeTerminal === undefined || !isTabOf(activeTerminal, tabGroups.activeTabGroup?.activeTab)) return null;
    return this.#open.get(activeTerminal) ?? null;
  }

  /** Whether a screen is visible as far as the editor reports it: its terminal is active, and in front if it is a tab. */
  isVisible(sessionId: string): boolean {
    const { activeTerminal, tabGroups } = vscode.window;
    if (activeTerminal === undefined || this.#open.get(activeTerminal) !== sessionId) return false;
    const own = tabGroups.all.flatMap(({ tabs }) => tabs).filter((tab) => isTabOf(activeTerminal, tab));
    return own.length === 0 || own.some(({ isActive }) => isActive);
  }

  /** Closes the terminals of this session. Other viewers keep theirs. */
  close(sessionId: string): void {
    for (const terminal of this.#terminals(sessionId)) {
      this.#open.delete(terminal);
      terminal.dispose();
    }
  }

  dispose(): void {
    this.#disposable.dispose();
  }

  async #options(session: Session): Promise<vscode.TerminalOptions> {
    const places = Object.entries(process.env).filter(([name]) => PLACES.test(name));
    return {
      name: displayName(session),
      iconPath: this.parts.icon,
      shellPath: await this.parts.findBinary(),
      shellArgs: ["attach", session.id],
      env: Object.fromEntries(places),
      // File names on the screen are links relative to it. A deleted directory must not keep the screen from opening.
      ...((await isDirectory(session.directory)) ? { cwd: session.directory } : {}),
    };
  }

  #terminals(sessionId: string): vscode.Terminal[] {
    return [...this.#open]
      .filter(([terminal, id]) => id === sessionId && terminal.exitStatus === undefined)
      .map(([terminal]) => terminal);
  }

  #add(terminal: vscode.Terminal, sessionId: string): void {
    this.#open.set(terminal, sessionId);
    this.#updateContextKey();
  }

  #adopt(terminal: vscode.Terminal): void {
    if (this.#open.has(terminal)) return;
    const identified = this.#identify(terminal).finally(() => this.#unknown.delete(identified));
    this.#unknown.add(identified);
  }

  async #identify(terminal: vscode.Terminal): Promise<void> {
    const sessionId = sessionOfOptions(terminal.creationOptions) ?? (await sessionOfProcess(terminal));
    if (sessionId === null || this.#open.has(terminal) || terminal.exitStatus !== undefined) return;
    this.#add(terminal, sessionId);
    if (this.#awaited.delete(sessionId)) terminal.show();
  }

  /** The condition of the keybindings. */
  #updateContextKey(): void {
    const { activeTerminal } = vscode.window;
    void vscode.commands.executeCommand(
      "setContext",
      "areyouj.screenActive",
      activeTerminal !== undefined && this.#open.has(activeTerminal),
    );
  }
}

/** Throws a `ProblemError` if a session has no screen now; a terminal would print the reason and close at once. */
function requireScreen(session: Session): void {
  const { driver, status, error } = session;
  const name = displayName(session);
  if (driver !== "terminal") {
    throw notPossible(`${name} does not run in a terminal.`, "Open its transcript, or switch it to the terminal.");
  }
  if (status === "terminated") throw notPossible(`${name} is terminated.`, "Open the session to read its transcript.");
  if (status === "error" && error !== null) {
    throw new ProblemError(problem(error.code, error.message, error.hint, { remedy: error.remedy }));
  }
}

/** The session to which this command line attaches, or null. */
export function sessionOfCommand(words: readonly string[]): string | null {
  const [program, verb, id] = words;
  const attaches = program !== undefined && basename(program) === "areyouj" && verb === "attach";
  return attaches && id !== undefined && isSessionId(id) ? id : null;
}

/** The session by the options of a terminal. Only a terminal that this window opened has them, not one from before a reload. */
function sessionOfOptions(options: vscode.Terminal["creationOptions"]): string | null {
  if (!("shellPath" in options) || options.shellPath === undefined || !Array.isArray(options.shellArgs)) return null;
  return sessionOfCommand([options.shellPath, ...options.shellArgs]);
}

async function sessionOfProcess(terminal: vscode.Terminal): Promise<string | null> {
  const late = new Promise<void>((resolve) => setTimeout(resolve, PROCESS_WITHIN_MS).unref());
  const pid = await Promise.race([terminal.processId, late]);
  if (typeof pid !== "number") return null;
  try {
    return sessionOfCommand((await readFile(`/proc/${pid}/cmdline`, "utf8")).split("\0"));
  } catch {
    // It has exited, or belongs to another user.
    return null;
  }
}

/** Whether this is the tab of that terminal. Only their name connects them. */
function isTabOf(terminal: vscode.Terminal, tab: vscode.Tab | undefined): boolean {
  return tab?.input instanceof vscode.TabInputTerminal && tab.label === terminal.name;
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
