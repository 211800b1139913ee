/** As much of the editor's API as the unit tests reach, with a record of what was shown. */

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

/** What the code under test showed or did, and what a person answers. */
export const editor = {
  answers: [] as unknown[],
  shown: [] as string[],
  executed: [] as unknown[][],
  opened: [] as string[],
  clipboard: "",
  found: [] as string[],
};

const show = (text: string): Promise<unknown> => {
  editor.shown.push(text);
  return Promise.resolve(editor.answers.shift());
};
export const window = {
  showErrorMessage: show,
  showWarningMessage: show,
  showInformationMessage: show,
  showInputBox: ({ title }: { title: string }) => show(title),
  setStatusBarMessage: (text: string) => void editor.shown.push(text),
  tabGroups: { all: [], activeTabGroup: null },
  createTerminal: () => ({ show() {}, sendText() {} }),
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
export const ViewColumn = { Active: -1, Beside: -2 };
export class ThemeIcon {
  constructor(readonly id: string) {}
}
