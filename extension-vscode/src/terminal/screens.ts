import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import * as vscode from "vscode";
import type { Context } from "../app";
import { isSessionId } from "../files/links";
import { Failure, LocalCode, problem } from "../shared/problem";
import type { Session } from "../protocol.gen";
import { displayName } from "../editorText";

/** How long a terminal that was there before us may take to say which process it runs, in milliseconds. */
const TELLS_WITHIN_MS = 3_000;
/** Variables that decide where the daemon and its hosts are found. An editor may keep them from its terminals. */
const PLACES = /^(AREYOUJ_\w+|XDG_\w+_(HOME|DIR))$/;

/**
 * Claude's own screens in terminals of this window: the process of each is `areyouj attach ID`. The editor keeps such a
 * process over a reload; who it belongs to is then told by its command line.
 */
export class Screens implements vscode.Disposable {
  readonly #open = new Map<vscode.Terminal, string>();
  /** Sessions whose next terminal is to be shown: the editor opens that of a profile in a panel that may be hidden. */
  readonly #awaited = new Set<string>();
  /** Terminals of which it is not known yet what they run. */
  readonly #asked = new Set<Promise<void>>();
  readonly #disposable: vscode.Disposable;

  constructor(private readonly context: Pick<Context, "findBinary" | "media">) {
    this.#disposable = vscode.Disposable.from(
      vscode.window.onDidOpenTerminal((terminal) => this.#adopt(terminal)),
      vscode.window.onDidCloseTerminal((terminal) => {
        this.#open.delete(terminal);
        this.#tellKeys();
      }),
      vscode.window.onDidChangeActiveTerminal(() => this.#tellKeys()),
    );
    for (const terminal of vscode.window.terminals) this.#adopt(terminal);
  }

  /** Shows a session's screen: the terminal that shows it already, or a new one. Rejects with a `Failure`. */
  async open(session: Session): Promise<void> {
    refuse(session);
    await Promise.all(this.#asked);
    if (this.reveal(session.id)) return;
    const options = await this.#options(session);
    // Somebody may have been quicker.
    if (this.reveal(session.id)) return;
    const terminal = vscode.window.createTerminal({ ...options, location: { viewColumn: vscode.ViewColumn.Active } });
    this.#keep(terminal, session.id);
    terminal.show();
  }

  /** Shows the terminal that shows this session, if there is one. */
  reveal(sessionId: string): boolean {
    const terminal = this.#terminals(sessionId)[0];
    terminal?.show();
    return terminal !== undefined;
  }

  /** What the editor is to open a terminal with that shows a session; it is shown once it is open. */
  async profile(session: Session): Promise<vscode.TerminalProfile> {
    const options = await this.#options(session);
    this.#awaited.add(session.id);
    return new vscode.TerminalProfile(options);
  }

  /** Whether a terminal of this window shows the session. */
  has(sessionId: string): boolean {
    return this.#terminals(sessionId).length > 0;
  }

  /** The session whose screen is the active editor. */
  get front(): string | null {
    const { activeTerminal, tabGroups } = vscode.window;
    if (activeTerminal === undefined || !isTabOf(activeTerminal, tabGroups.activeTabGroup?.activeTab)) return null;
    return this.#open.get(activeTerminal) ?? null;
  }

  /** Whether a session's screen can be seen, as far as the editor tells: its terminal is the active one, and if that is a tab, it is in front. */
  isVisible(sessionId: string): boolean {
    const { activeTerminal, tabGroups } = vscode.window;
    if (activeTerminal === undefined || this.#open.get(activeTerminal) !== sessionId) return false;
    const own = tabGroups.all.flatMap(({ tabs }) => tabs).filter((tab) => isTabOf(activeTerminal, tab));
    return own.length === 0 || own.some(({ isActive }) => isActive);
  }

  /** Closes the terminals that show this session. Whoever else looks goes on. */
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
      iconPath: this.context.media("orchestration"),
      shellPath: await this.context.findBinary(),
      shellArgs: ["attach", session.id],
      env: Object.fromEntries(places),
      // Names of files on the screen are links from there; a directory that is gone is no reason not to look.
      ...((await isDirectory(session.directory)) ? { cwd: session.directory } : {}),
    };
  }

  #terminals(sessionId: string): vscode.Terminal[] {
    return [...this.#open]
      .filter(([terminal, id]) => id === sessionId && terminal.exitStatus === undefined)
      .map(([terminal]) => terminal);
  }

  #keep(terminal: vscode.Terminal, sessionId: string): void {
    this.#open.set(terminal, sessionId);
    this.#tellKeys();
  }

  #adopt(terminal: vscode.Terminal): void {
    if (this.#open.has(terminal)) return;
    const asked = this.#ask(terminal).finally(() => this.#asked.delete(asked));
    this.#asked.add(asked);
  }

  async #ask(terminal: vscode.Terminal): Promise<void> {
    const sessionId = sessionOfOptions(terminal.creationOptions) ?? (await sessionOfProcess(terminal));
    if (sessionId === null || this.#open.has(terminal) || terminal.exitStatus !== undefined) return;
    this.#keep(terminal, sessionId);
    if (this.#awaited.delete(sessionId)) terminal.show();
  }

  /** What the keybindings go by. */
  #tellKeys(): void {
    const { activeTerminal } = vscode.window;
    void vscode.commands.executeCommand(
      "setContext",
      "areyouj.screenActive",
      activeTerminal !== undefined && this.#open.has(activeTerminal),
    );
  }
}

/** Says why a session has no screen to show now; a terminal would close as soon as it has said so. */
function refuse(session: Session): void {
  const { driver, status, error } = session;
  const name = displayName(session);
  if (driver !== "terminal") {
    throw new Failure(
      problem(
        LocalCode.NotPossible,
        `${name} has no screen.`,
        "Its page shows the transcript; “Move to terminal” gives it a screen.",
      ),
    );
  }
  if (status === "terminated")
    throw new Failure(problem(LocalCode.NotPossible, `${name} was terminated.`, "Its page shows the transcript."));
  if (status === "error" && error !== null) throw new Failure(problem(error.code, error.message, error.hint));
}

/** The session that this command line attaches to, or null. */
export function sessionOfCommand(words: readonly string[]): string | null {
  const [program, verb, id] = words;
  const attaches = program !== undefined && basename(program) === "areyouj" && verb === "attach";
  return attaches && id !== undefined && isSessionId(id) ? id : null;
}

/** What was asked for, of a terminal that this window opened. One that it took over after a reload does not tell. */
function sessionOfOptions(options: vscode.Terminal["creationOptions"]): string | null {
  if (!("shellPath" in options) || options.shellPath === undefined || !Array.isArray(options.shellArgs)) return null;
  return sessionOfCommand([options.shellPath, ...options.shellArgs]);
}

async function sessionOfProcess(terminal: vscode.Terminal): Promise<string | null> {
  const late = new Promise<void>((resolve) => setTimeout(resolve, TELLS_WITHIN_MS).unref());
  const pid = await Promise.race([terminal.processId, late]);
  if (typeof pid !== "number") return null;
  try {
    return sessionOfCommand((await readFile(`/proc/${pid}/cmdline`, "utf8")).split("\0"));
  } catch {
    // It has ended, or belongs to somebody else.
    return null;
  }
}

/** Whether this is the tab of that terminal. They have nothing in common but their name. */
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
