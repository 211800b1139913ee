import * as vscode from "vscode";
import { Coalesced } from "../model/coalesce";
import type { Context } from "../app";
import { Failure } from "../shared/problem";

/** What is drawn on a screen and told by the daemon comes within this time, in milliseconds. */
const LOOK_WITHIN_MS = 250;

/** What is said on a screen that somebody looks at counts as read. */
export class SeenOnScreen implements vscode.Disposable {
  readonly #soon = new Coalesced(() => this.#look(), LOOK_WITHIN_MS);
  readonly #disposable: vscode.Disposable;

  constructor(private readonly context: Pick<Context, "client" | "model" | "screens">) {
    const look = (): void => this.#soon.call();
    this.#disposable = vscode.Disposable.from(
      this.#soon,
      context.model.onSessions(look),
      vscode.window.onDidChangeActiveTerminal(look),
      vscode.window.onDidChangeWindowState(look),
      vscode.window.tabGroups.onDidChangeTabs(look),
    );
  }

  dispose(): void {
    this.#disposable.dispose();
  }

  #look(): void {
    const { model, screens } = this.context;
    if (!vscode.window.state.focused || model.connection.state !== "connected") return;
    for (const { id, unread } of model.live) if (unread > 0 && screens.isVisible(id)) void this.#read(id);
  }

  async #read(sessionId: string): Promise<void> {
    try {
      await this.context.client.request("areyouj/session/read", { sessionId });
    } catch (error) {
      // What is not read now is when something changes next.
      if (!(error instanceof Failure)) throw error;
    }
  }
}
