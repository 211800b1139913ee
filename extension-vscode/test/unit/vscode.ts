/** The part of the editor's API that the unit tests use, with a record of its calls. */

interface Disposes {
  dispose(): unknown;
}

export class EventEmitter<T> {
  readonly #listeners = new Set<(value: T) => void>();
  readonly event = (listener: (value: T) => void): Disposes => {
    this.#listeners.add(listener);
    return { dispose: () => this.#listeners.delete(listener) };
  };
  fire(value: T): void {
    for (const listener of this.#listeners) listener(value);
  }
  dispose(): void {
    this.#listeners.clear();
  }
}

class DisposableOf implements Disposes {
  constructor(private readonly run: () => unknown) {}
  static from(...all: Disposes[]): DisposableOf {
    return new DisposableOf(() => {
      for (const one of all) one.dispose();
    });
  }
  dispose(): void {
    this.run();
  }
}
export { DisposableOf as Disposable };

/** The calls of the code under test, and the answers of a person. */
export const editor = {
  answers: [] as unknown[],
  shown: [] as string[],
  /** The buttons of the last message. */
  buttons: [] as unknown[],
  details: [] as string[],
  executed: [] as unknown[][],
  opened: [] as string[],
  clipboard: "",
  found: [] as string[],
};

/** A terminal, with the options that opened it. */
export class TestTerminal {
  exitStatus: { code: number } | undefined;
  shown = 0;
  readonly name: string;
  constructor(
    readonly creationOptions: { name?: string; shellPath?: string; shellArgs?: string[]; cwd?: string },
    readonly processId: Promise<number | undefined> = Promise.resolve(undefined),
  ) {
    this.name = creationOptions.name ?? "shell";
  }
  show(): void {
    this.shown++;
    window.activeTerminal = this;
  }
  sendText(): void {}
  dispose(): void {
    this.exitStatus = { code: 0 };
    closed.fire(this);
  }
}
const [opened, closed, activated] = [
  new EventEmitter<TestTerminal>(),
  new EventEmitter<TestTerminal>(),
  new EventEmitter<TestTerminal | undefined>(),
];

/** Opens this terminal as the editor does. */
export function openTerminal(terminal: TestTerminal): TestTerminal {
  window.terminals.push(terminal);
  opened.fire(terminal);
  return terminal;
}

const show = (text: string, options?: unknown, ...more: unknown[]): Promise<unknown> => {
  editor.shown.push(text);
  editor.buttons = [options, ...more];
  if (typeof options === "object" && options !== null && "detail" in options)
    editor.details.push(String(options.detail));
  return Promise.resolve(editor.answers.shift());
};
export const window = {
  showErrorMessage: show,
  showWarningMessage: show,
  showInformationMessage: show,
  showInputBox: ({ title }: { title: string }) => show(title),
  setStatusBarMessage: (text: string) => void editor.shown.push(text),
  tabGroups: { all: [] as unknown[], activeTabGroup: null as unknown, onDidChangeTabs: new EventEmitter<void>().event },
  state: { focused: true },
  onDidChangeWindowState: new EventEmitter<void>().event,
  terminals: [] as TestTerminal[],
  activeTerminal: undefined as TestTerminal | undefined,
  createTerminal: (options: TestTerminal["creationOptions"]) => openTerminal(new TestTerminal(options)),
  onDidOpenTerminal: opened.event,
  onDidCloseTerminal: closed.event,
  onDidChangeActiveTerminal: activated.event,
  showQuickPick: (rows: { label: string }[]) => {
    editor.shown.push(...rows.map(({ label }) => label));
    const chosen = editor.answers.shift();
    return Promise.resolve(rows.find(({ label }) => label === chosen));
  },
};
export const commands = {
  executeCommand: (...all: unknown[]) => {
    editor.executed.push(all);
    return Promise.resolve();
  },
};
export const env = {
  clipboard: {
    writeText: (text: string) => {
      editor.clipboard = text;
      return Promise.resolve();
    },
  },
  openExternal: (uri: { toString(): string }) => {
    editor.opened.push(uri.toString());
    return Promise.resolve(true);
  },
};
export const Uri = {
  file: (path: string) => ({ scheme: "file", path, fsPath: path }),
  parse: (text: string) => ({ toString: () => text }),
};
export class RelativePattern {
  constructor(
    readonly base: unknown,
    readonly pattern: string,
  ) {}
}
export class CancellationTokenSource {
  token = {};
  cancel(): void {}
  dispose(): void {}
}
export const workspace = {
  workspaceFolders: [{ name: "here", uri: Uri.file("/here") }],
  findFiles: () => Promise.resolve(editor.found.map((path) => Uri.file(path))),
};
export class Position {
  constructor(
    readonly line: number,
    readonly character: number,
  ) {}
}
export class Range {
  constructor(
    readonly start: Position,
    readonly end: Position,
  ) {}
}
export const QuickInputButtons = { Back: {} };
export const QuickPickItemKind = { Separator: -1 };
export const ViewColumn = { Active: -1, Beside: -2 };
export class ThemeIcon {
  constructor(readonly id: string) {}
}
export class TabInputTerminal {
  readonly shows = "terminal";
}
export class TerminalProfile {
  constructor(readonly options: unknown) {}
}
