import * as vscode from "vscode";
import { Coalesced } from "../model/coalesce";
import type { Model } from "../model/model";
import type { Settings } from "../settings";
import { statusText } from "./statusText";

/** Many sessions change at once; one count for all changes within this time is enough, in milliseconds. */
const COUNT_WITHIN_MS = 50;

interface Parts {
  model: Pick<Model, "connection" | "live" | "onConnection" | "onSessions">;
  settings: Pick<Settings, "showsStatusBar">;
}

/** The item in the status bar: how many sessions are active, and how many wait. */
export class StatusBar implements vscode.Disposable {
  readonly #item = vscode.window.createStatusBarItem("sessions", vscode.StatusBarAlignment.Left);
  readonly #soon = new Coalesced(() => this.#show(), COUNT_WITHIN_MS);
  readonly #disposable: vscode.Disposable;

  constructor(private readonly parts: Parts) {
    const { model } = parts;
    this.#item.name = "Claude sessions";
    this.#item.command = "areyouj.switchSession";
    this.#disposable = vscode.Disposable.from(
      this.#item,
      this.#soon,
      model.onConnection(() => this.#soon.call()),
      model.onSessions(() => this.#soon.call()),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration("areyouj.statusBar")) this.#show();
      }),
    );
    this.#show();
  }

  dispose(): void {
    this.#disposable.dispose();
  }

  #show(): void {
    if (!this.parts.settings.showsStatusBar) return this.#item.hide();
    const { text, tooltip, level } = statusText(this.parts.model.connection, this.parts.model.live);
    this.#item.text = text;
    this.#item.tooltip = tooltip;
    this.#item.accessibilityInformation = { label: `Claude sessions: ${text.replace(/\$\([^)]*\)\s*/gu, "")}` };
    this.#item.backgroundColor =
      level === "normal" ? undefined : new vscode.ThemeColor(`statusBarItem.${level}Background`);
    this.#item.show();
  }
}
