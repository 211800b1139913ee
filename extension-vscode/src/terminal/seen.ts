import * as vscode from "vscode";
import { Coalesced } from "../model/coalesce";
import { ProblemError } from "../daemon/problemError";
import type { Model } from "../model/model";
import type { Daemon, Screens } from "../ports";

/** The daemon reports what a screen shows within this time, in milliseconds. */
const LOOK_WITHIN_MS = 250;

interface Parts {
  daemon: Pick<Daemon, "request">;
  model: Pick<Model, "connection" | "live" | "onSessions">;
  screens: Pick<Screens, "isVisible">;
}

/** Marks output as read when it appears on a visible screen of a focused window. */
export class SeenOnScreen implements vscode.Disposable {
  readonly #soon = new Coalesced(() => this.#markRead(), LOOK_WITHIN_MS);
  readonly #disposable: vscode.Disposable;

  constructor(private readonly parts: Parts) {
    const look = (): void => this.#soon.call();
    this.#disposable = vscode.Disposable.from(
      this.#soon,
      parts.model.onSessions(look),
      vscode.window.onDidChangeActiveTerminal(look),
      vscode.window.onDidChangeWindowState(look),
      vscode.window.tabGroups.onDidChangeTabs(look),
    );
  }

  dispose(): void {
    this.#disposable.dispose();
  }

  #markRead(): void {
    const { model, screens } = this.parts;
    if (!vscode.window.state.focused || model.connection.state !== "connected") return;
    for (const { id, unread } of model.live) if (unread > 0 && screens.isVisible(id)) void this.#read(id);
  }

  async #read(sessionId: string): Promise<void> {
    try {
      await this.parts.daemon.request("areyouj/session/read", { sessionId });
    } catch (error) {
      // The next change tries again.
      if (!(error instanceof ProblemError)) throw error;
    }
  }
}
