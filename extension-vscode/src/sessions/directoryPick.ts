import { homedir } from "node:os";
import * as vscode from "vscode";
import { isPath, recentDirectories } from "./picks";
import { ProblemError, toProblemError } from "../daemon/problemError";
import type { Model } from "../model/model";
import type { Daemon } from "../ports";
import { folders } from "../settings";
import { homePath } from "../shared/format";
import { clippedLine, escapeIcons } from "../shared/text";

/** The pause in typing after which directories are listed, in milliseconds. */
const TYPING_PAUSE_MS = 60;

type Item = vscode.QuickPickItem &
  ({ does: "nothing" } | { does: "browse" } | { does: "choose"; path: string } | { does: "enter"; path: string });

export interface DirectoryParts {
  daemon: Pick<Daemon, "request">;
  model: Pick<Model, "sessions">;
}

/** Asks for a directory: a folder of the window, a recent one, one of a dialog, or a typed path with completion. */
export class DirectoryPick {
  readonly #pick = vscode.window.createQuickPick<Item>();
  #typing: NodeJS.Timeout | undefined;
  /** The problem with the last choice. */
  #refusal: Item | null = null;

  constructor(private readonly parts: DirectoryParts) {}

  /** The chosen directory, which the daemon accepts for a session, or null if nobody chose one. */
  ask(): Promise<string | null> {
    const pick = this.#pick;
    pick.title = "New Claude session";
    pick.placeholder = "Select a directory, or type a path";
    pick.matchOnDescription = true;
    pick.items = this.#places();
    return new Promise((resolve) => {
      const finish = (directory: string | null): void => {
        resolve(directory);
        clearTimeout(this.#typing);
        pick.dispose();
      };
      // The dialog hides this list, and that does not end it.
      let browsing = false;
      const browseInstead = async (): Promise<void> => {
        browsing = true;
        const path = await browse();
        browsing = false;
        if (path === null) pick.show();
        else await this.#choose(path, finish);
      };
      pick.onDidChangeValue((value) => this.#typed(value));
      pick.onDidAccept(() => {
        const item = pick.activeItems[0];
        if (item?.does === "browse") {
          void browseInstead();
        } else if (item?.does === "enter") {
          pick.value = item.path;
          this.#typed(item.path);
        } else if (item?.does === "choose") void this.#choose(item.path, finish);
      });
      pick.onDidHide(() => {
        if (!browsing) finish(null);
      });
      pick.show();
    });
  }

  async #choose(path: string, finish: (directory: string) => void): Promise<void> {
    this.#pick.busy = true;
    const result = await validated(this.parts.daemon, path);
    this.#pick.busy = false;
    if ("directory" in result) return finish(result.directory);
    this.#refusal = {
      does: "nothing",
      label: `$(error) ${escapeIcons(clippedLine(result.wrong, 200))}`,
      detail: clippedLine(result.hint, 200),
      alwaysShow: true,
    };
    this.#pick.items = [this.#refusal, ...this.#pick.items.filter(({ does }) => does !== "nothing")];
    this.#pick.show();
  }

  #typed(value: string): void {
    this.#refusal = null;
    clearTimeout(this.#typing);
    if (!isPath(value)) {
      this.#pick.items = this.#places();
      return;
    }
    this.#typing = setTimeout(() => void this.#complete(value), TYPING_PAUSE_MS);
  }

  async #complete(value: string): Promise<void> {
    const path = value === "~" ? "~/" : value;
    let items: Item[] = [];
    try {
      const last = path.slice(path.lastIndexOf("/") + 1);
      const list = await this.parts.daemon.request("areyouj/directory/list", { path, hidden: last.startsWith(".") });
      items = list.names.map((name): Item => {
        const full = `${list.directory.replace(/\/+$/u, "")}/${name}`;
        return {
          does: "enter",
          path: `${full}/`,
          label: `$(folder) ${escapeIcons(clippedLine(name, 200))}`,
          description: clippedLine(homePath(full, homedir()), 200),
          alwaysShow: true,
        };
      });
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      items = [
        { does: "nothing", label: `$(warning) ${escapeIcons(clippedLine(error.message, 200))}`, alwaysShow: true },
      ];
    }
    if (this.#pick.value !== value || this.#refusal !== null) return;
    const typed = value.length > 1 ? value.replace(/\/+$/u, "") || "/" : value;
    this.#pick.items = [
      {
        does: "choose",
        path: typed,
        label: "$(check) Start session here",
        description: clippedLine(typed, 200),
        alwaysShow: true,
      },
      ...items,
    ];
  }

  #places(): Item[] {
    const own = folders();
    const recent = recentDirectories(
      this.parts.model.sessions,
      own.map(({ path }) => path),
    );
    return [
      ...(own.length === 0
        ? []
        : [heading("folders of this window"), ...own.map(({ name, path }) => place("root-folder", name, path))]),
      ...(recent.length === 0
        ? []
        : [
            heading("recent"),
            ...recent.map((path) => place("history", path.slice(path.lastIndexOf("/") + 1) || path, path)),
          ]),
      heading("other directories"),
      { does: "browse", label: "$(folder-opened) Browse…", alwaysShow: true },
    ];
  }
}

function place(icon: string, name: string, path: string): Item {
  return {
    does: "choose",
    path,
    label: `$(${icon}) ${escapeIcons(clippedLine(name, 100))}`,
    description: clippedLine(homePath(path, homedir()), 200),
  };
}

function heading(label: string): Item {
  return { does: "nothing", label, kind: vscode.QuickPickItemKind.Separator };
}

async function browse(): Promise<string | null> {
  const chosen = await vscode.window.showOpenDialog({
    canSelectFiles: false,
    canSelectFolders: true,
    canSelectMany: false,
    openLabel: "Start session here",
    title: "Select the directory of the new Claude session",
  });
  return chosen?.[0]?.fsPath ?? null;
}

/** Asks the daemon whether a session can be created there: the absolute path, or what is wrong and what to do. */
async function validated(
  daemon: Pick<Daemon, "request">,
  path: string,
): Promise<{ directory: string } | { wrong: string; hint: string }> {
  try {
    return await daemon.request("areyouj/directory/validate", { path });
  } catch (error) {
    const { message, hint } = toProblemError(error).problem;
    return { wrong: message, hint };
  }
}
