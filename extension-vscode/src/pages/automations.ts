import * as vscode from "vscode";
import type { Pages } from "../ports";
import { isSessionId } from "../shared/links";
import { AUTOMATION_TAB, Automation, type AutomationParts } from "./automation";

/** The automation pages of this window, at most one for each session. */
export class Automations implements Pages, vscode.WebviewPanelSerializer, vscode.Disposable {
  readonly #open = new Map<string, Automation>();

  constructor(private readonly parts: AutomationParts) {}

  get front(): string | null {
    return [...this.#open.values()].find(({ panel }) => panel.active)?.sessionId ?? null;
  }

  isVisible(sessionId: string): boolean {
    return this.#open.get(sessionId)?.panel.visible ?? false;
  }

  open(sessionId: string): void {
    const page = this.#open.get(sessionId);
    if (page === undefined) this.#create(sessionId);
    else page.panel.reveal();
  }

  insert(sessionId: string, text: string): void {
    (this.#open.get(sessionId) ?? this.#create(sessionId)).insert(text);
  }

  close(sessionId: string): void {
    this.#open.get(sessionId)?.panel.dispose();
  }

  deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const sessionId = typeof state === "object" && state !== null && "sessionId" in state ? state.sessionId : null;
    if (typeof sessionId !== "string" || !isSessionId(sessionId) || this.#open.has(sessionId)) panel.dispose();
    else this.#showIn(panel, sessionId);
    return Promise.resolve();
  }

  dispose(): void {
    for (const { panel } of this.#open.values()) panel.dispose();
  }

  #create(sessionId: string): Automation {
    const options = { retainContextWhenHidden: true, enableScripts: true };
    const column = vscode.ViewColumn.Active;
    return this.#showIn(vscode.window.createWebviewPanel(AUTOMATION_TAB, sessionId, column, options), sessionId);
  }

  #showIn(panel: vscode.WebviewPanel, sessionId: string): Automation {
    const page = new Automation(this.parts, sessionId, panel);
    this.#open.set(sessionId, page);
    panel.onDidDispose(() => {
      this.#open.delete(sessionId);
      page.dispose();
    });
    return page;
  }
}
