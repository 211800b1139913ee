import * as vscode from "vscode";
import type { Context } from "../app";
import { sessionRows } from "../sessions/picks";
import { Failure, notConnected } from "../shared/problem";
import type { Session } from "../protocol.gen";

/** The id of the profile. */
export const SESSION_PROFILE = "areyouj.session";

type Row = vscode.QuickPickItem & { sessionId?: string };

/** The editor shows what a provider rejects with, and calls it an error to be given nothing: this has nothing to show. */
class NoTerminal extends Error {
  constructor() {
    super("");
    this.name = "NoTerminal";
  }
}

/** The profile in the editor's list of terminals: Claude's screen of a session that is asked for. */
export class SessionProfile implements vscode.TerminalProfileProvider {
  constructor(private readonly context: Context) {}

  /** Rejects when no terminal is to be opened. */
  async provideTerminalProfile(): Promise<vscode.TerminalProfile> {
    const { screens } = this.context;
    const session = await this.#session();
    // One that can be seen already is shown where it is.
    if (session === null || screens.reveal(session.id)) throw new NoTerminal();
    return screens.profile(session);
  }

  async #session(): Promise<Session | null> {
    const { model, newSession } = this.context;
    if (model.connection.state !== "connected") throw new Failure(notConnected(model.connection.problem));
    const fresh: Row = { label: "$(add) New session at a terminal…" };
    const sessions = model.live.filter(({ driver, status }) => driver === "terminal" && status !== "error");
    if (sessions.length === 0) return newSession.create({ driver: "terminal" });
    const rows: Row[] = [...sessionRows(sessions, null), fresh];
    const row = await vscode.window.showQuickPick(rows, {
      title: "Claude's screen",
      placeHolder: "Session",
      matchOnDescription: true,
      matchOnDetail: true,
    });
    if (row === undefined) return null;
    return row.sessionId === undefined ? newSession.create({ driver: "terminal" }) : model.session(row.sessionId);
  }
}
