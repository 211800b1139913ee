import * as vscode from "vscode";
import { requireConnection } from "../model/lookup";
import type { Model } from "../model/model";
import type { Session } from "../protocol.gen";
import type { NewSession } from "../sessions/newSession";
import { sessionRows } from "../sessions/picks";
import type { TerminalScreens } from "./screens";

/** The id of the profile. */
export const SESSION_PROFILE = "areyouj.session";

type Row = vscode.QuickPickItem & { sessionId?: string };

/** The editor shows the error of a provider, and treats an empty result as an error: this one has nothing to show. */
class NoTerminal extends Error {
  constructor() {
    super("");
    this.name = "NoTerminal";
  }
}

interface Parts {
  model: Pick<Model, "connection" | "live" | "session">;
  screens: Pick<TerminalScreens, "reveal" | "profile">;
  newSession: Pick<NewSession, "create">;
}

/** The profile in the editor's list of terminals: asks for a session and shows Claude's screen of it. */
export class SessionProfile implements vscode.TerminalProfileProvider {
  constructor(private readonly parts: Parts) {}

  /** Rejects if no terminal has to be opened. */
  async provideTerminalProfile(): Promise<vscode.TerminalProfile> {
    const { screens } = this.parts;
    const session = await this.#session();
    // A screen that is open already is shown where it is.
    if (session === null || screens.reveal(session.id)) throw new NoTerminal();
    return screens.profile(session);
  }

  async #session(): Promise<Session | null> {
    const { model, newSession } = this.parts;
    requireConnection(model);
    const fresh: Row = { label: "$(add) New session in terminal…" };
    const sessions = model.live.filter(({ driver, status }) => driver === "terminal" && status !== "error");
    if (sessions.length === 0) return newSession.create({ driver: "terminal" });
    const rows: Row[] = [...sessionRows(sessions, null), fresh];
    const row = await vscode.window.showQuickPick(rows, {
      title: "Open Claude's terminal",
      placeHolder: "Select a session",
      matchOnDescription: true,
      matchOnDetail: true,
    });
    if (row === undefined) return null;
    return row.sessionId === undefined ? newSession.create({ driver: "terminal" }) : model.session(row.sessionId);
  }
}
