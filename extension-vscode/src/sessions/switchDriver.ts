import { randomUUID } from "node:crypto";
import * as vscode from "vscode";
import type { Model } from "../model/model";
import { ask, showMessage, showStatus } from "../notify/window";
import type { Daemon, OpenSession, ProblemReporter, Screens } from "../ports";
import type { Driver, Session } from "../protocol.gen";
import { displayName, isBusy } from "../shared/session";
import { clippedLine } from "../shared/text";

const FINISH = "When the turn ends";
const INTERRUPT = "Interrupt and switch";

interface Parts {
  daemon: Pick<Daemon, "request">;
  model: Pick<Model, "onSessions">;
  screens: Pick<Screens, "has" | "close">;
  openSession: OpenSession;
  problems: Pick<ProblemReporter, "report">;
}

/** Switches conversations between the two drivers, and shows them again to people who were looking at them. */
export class SwitchDriver implements vscode.Disposable {
  /** Switches that this window requested, by session: the new driver, and whether to open or only to offer it. */
  readonly #requested = new Map<string, { driver: Driver; opens: boolean }>();
  readonly #disposable: vscode.Disposable;

  constructor(private readonly parts: Parts) {
    this.#disposable = parts.model.onSessions(({ changed, removed }) => {
      for (const session of changed) void this.#follow(session).catch((error) => parts.problems.report(error));
      for (const id of removed) this.#requested.delete(id);
    });
  }

  /** Continues the conversation with this driver. With its present driver, only shows it. Rejects with a `ProblemError`. */
  async switch(session: Session, driver: Driver): Promise<void> {
    if (session.driver === driver) return this.parts.openSession(session);
    const choice = isBusy(session) ? await askAboutTurn(session, driver) : FINISH;
    if (choice === undefined) return;
    const interrupt = choice === INTERRUPT;
    const request = { driver, opens: true };
    this.#requested.set(session.id, request);
    let switched: Session;
    try {
      const params = { requestId: randomUUID(), sessionId: session.id, driver, interrupt };
      switched = await this.parts.daemon.request("areyouj/session/switch", params);
    } catch (error) {
      this.#requested.delete(session.id);
      throw error;
    }
    if (!interrupt && isBusy(switched) && this.#requested.has(session.id)) {
      // A person who lets the turn end does something else meanwhile, and must not be interrupted in that.
      request.opens = false;
      showStatus(`${displayName(session)} switches when its turn ends`, 5_000);
    }
    await this.#follow(switched);
  }

  dispose(): void {
    this.#disposable.dispose();
  }

  /** Applies the current state of a session: closes the screen that it no longer has, and shows it with its new driver. */
  async #follow(session: Session): Promise<void> {
    const { screens } = this.parts;
    const request = this.#requested.get(session.id);
    const arrived = request !== undefined && session.driver === request.driver;
    if (arrived || session.status === "terminated") this.#requested.delete(session.id);
    const left = session.driver === "stream" && screens.has(session.id);
    if (left) screens.close(session.id);
    if (session.status === "terminated") return;
    if (arrived && request.opens) await this.parts.openSession(session);
    else if (arrived || left) await this.#offer(session);
  }

  async #offer(session: Session): Promise<void> {
    const [place, button] =
      session.driver === "terminal" ? ["in a terminal", "Open terminal"] : ["as a transcript", "Open transcript"];
    const text = clippedLine(`${displayName(session)} continues ${place}.`, 200);
    if ((await showMessage("information", text, button)) === button) await this.parts.openSession(session);
  }
}

/** Asks what to do with the running turn; undefined if the session keeps its driver. */
function askAboutTurn(session: Session, driver: Driver): Thenable<string | undefined> {
  const name = displayName(session);
  const question = driver === "terminal" ? `Switch ${name} to the terminal?` : `Switch ${name} to the transcript?`;
  const detail = "A turn is running. Switching restarts Claude with the same conversation, when the turn ends or now.";
  return ask(question, detail, FINISH, INTERRUPT);
}
