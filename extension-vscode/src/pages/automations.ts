import * as vscode from "vscode";
import type { Context } from "../app";
import { isSessionId } from "../files/links";
import { AUTOMATION_TAB, Automation } from "./automation";

/** All automation pages of this window, at most one for each session. */
export class Automations implements vscode.WebviewPanelSerializer, vscode.Disposable {
  readonly #open = new Map<string, Automation>();

  constructor(private readonly context: Context) {}

  /** The page that is the active editor. */
  get active(): Automation | null {
    return [...this.#open.values()].find(({ panel }) => panel.active) ?? null;
  }

  /** Whether a session's page is on the screen. */
  isVisible(sessionId: string): boolean {
    return this.#open.get(sessionId)?.panel.visible ?? false;
  }

  /** Shows a session's page. */
  open(sessionId: string): Automation {
    const page = this.#open.get(sessionId);
    if (page !== undefined) {
      page.panel.reveal();
      return page;
    }
    const options = { retainContextWhenHidden: true, enableScripts: true };
    return this.#show(
      sessionId,
      vscode.window.createWebviewPanel(AUTOMATION_TAB, sessionId, vscode.ViewColumn.Active, options),
    );
  }

  /** Closes a session's page, if it is open. */
  close(sessionId: string): void {
    this.#open.get(sessionId)?.panel.dispose();
  }

  deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const sessionId = typeof state === "object" && state !== null && "sessionId" in state ? state.sessionId : null;
    if (typeof sessionId !== "string" || !isSessionId(sessionId) || this.#open.has(sessionId)) panel.dispose();
    else this.#show(sessionId, panel);
    return Promise.resolve();
  }

  dispose(): void {
    for (const { panel } of this.#open.values()) panel.dispose();
  }

  #show(sessionId: string, panel: vscode.WebviewPanel): Automation {
    const page = new Automation(this.context, sessionId, panel);
    this.#open.set(sessionId, page);
    panel.onDidDispose(() => {
      this.#open.delete(sessionId);
      page.dispose();
    });
    return page;
  }
}
