import { homedir } from "node:os";
import * as vscode from "vscode";
import type { PageSettings } from "./shared/bridge";
import type { Driver } from "./protocol.gen";

/** Kinds of alerts, each with a setting of its own. */
export type AlertKind =
  "permission" | "question" | "plan" | "terminal" | "failed" | "error" | "refused" | "turnFinished";

/** The settings, read whenever they are needed. */
export class Settings implements vscode.Disposable {
  readonly #pageChanged = new vscode.EventEmitter<void>();
  readonly #subscription = vscode.workspace.onDidChangeWorkspaceFolders(() => this.#pageChanged.fire());

  /** A setting that the pages need has changed. */
  readonly onPage = this.#pageChanged.event;

  /** The program to run, or empty. Its scope keeps a workspace from setting it. */
  get path(): string {
    return get("path", "");
  }

  get askForOptions(): boolean {
    return get("newSession.askForOptions", true);
  }

  /** The driver of new sessions. */
  get defaultDriver(): Driver {
    return get<string>("newSession.driver", "stream") === "terminal" ? "terminal" : "stream";
  }

  get defaultModel(): string {
    return get("newSession.model", "");
  }

  get defaultPermissionMode(): string {
    return get("newSession.permissionMode", "");
  }

  get showsStatusBar(): boolean {
    return get("statusBar.visible", true);
  }

  showsAlert(kind: AlertKind): boolean {
    return get(`notifications.${kind}`, kind !== "turnFinished");
  }

  /** The settings that the pages need. */
  page(): PageSettings {
    return { home: homedir(), folders: folders() };
  }

  dispose(): void {
    this.#subscription.dispose();
    this.#pageChanged.dispose();
  }
}

/** The folders of this window that are directories of this machine. */
export function folders(): { name: string; path: string }[] {
  return (vscode.workspace.workspaceFolders ?? [])
    .filter(({ uri }) => uri.scheme === "file")
    .map(({ name, uri }) => ({ name, path: uri.fsPath }));
}

function get<T>(name: string, otherwise: T): T {
  const value: unknown = vscode.workspace.getConfiguration("areyouj").get(name);
  return typeof value === typeof otherwise ? (value as T) : otherwise;
}
