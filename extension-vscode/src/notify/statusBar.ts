import * as vscode from "vscode";
import { Coalesced } from "../model/coalesce";
import type { Model } from "../model/model";
import type { Settings } from "../settings";
import { statusText } from "./statusText";

/** Many sessions change at once; what is counted need not be counted for each, in milliseconds. */
const COUNT_WITHIN_MS = 50;

/** The item in the status bar: how many sessions work, and how many wait. */
export class StatusBar implements vscode.Disposable {
  readonly #item = vscode.window.createStatusBarItem("sessions", vscode.StatusBarAlignment.Left);
  readonly #soon = new Coalesced(() => this.#show(), COUNT_WITHIN_MS);
  readonly #disposable: vscode.Disposable;

  constructor(
    private readonly model: Model,
    private readonly settings: Settings,
  ) {
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
    if (!this.settings.statusBar) return this.#item.hide();
    const { text, tooltip, level } = statusText(this.model.connection, this.model.live);
    this.#item.text = text;
    this.#item.tooltip = tooltip;
    this.#item.accessibilityInformation = { label: `Claude sessions: ${text.replace(/\$\([^)]*\)\s*/gu, "")}` };
    this.#item.backgroundColor =
      level === "normal" ? undefined : new vscode.ThemeColor(`statusBarItem.${level}Background`);
    this.#item.show();
  }
}
