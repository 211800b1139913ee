import { randomUUID } from "node:crypto";
import * as vscode from "vscode";
import type { Context } from "../app";
import type { Driver, Session } from "../protocol.gen";
import { displayName, plain, unLinked } from "../editorText";

const FINISH = "When the Turn Has Ended";
const INTERRUPT = "Interrupt and Move";

/** Moves conversations between their two forms, and brings people along who look at them. */
export class Moves implements vscode.Disposable {
  /** Moves that were asked for here, by session: where to, and whether the new form is opened or only offered. */
  readonly #asked = new Map<string, { driver: Driver; opens: boolean }>();
  readonly #disposable: vscode.Disposable;

  constructor(private readonly context: Pick<Context, "client" | "model" | "screens" | "actions">) {
    this.#disposable = context.model.onSessions(({ changed, removed }) => {
      for (const session of changed) void this.#look(session);
      for (const id of removed) this.#asked.delete(id);
    });
  }

  /** Has the conversation go on in this form; in its present one, that is shown. Rejects with a `Failure`. */
  async move(session: Session, driver: Driver): Promise<void> {
    if (session.driver === driver) return this.#open(session);
    const choice = isBusy(session) ? await asked(session, driver) : FINISH;
    if (choice === undefined) return;
    const interrupt = choice === INTERRUPT;
    const move = { driver, opens: true };
    this.#asked.set(session.id, move);
    let moved: Session;
    try {
      moved = await this.context.client.request("areyouj/session/switch", {
        requestId: randomUUID(),
        sessionId: session.id,
        driver,
        interrupt,
      });
    } catch (error) {
      this.#asked.delete(session.id);
      throw error;
    }
    if (!interrupt && isBusy(moved) && this.#asked.has(session.id)) {
      // Whoever lets a turn come to its end does something else meanwhile, and is not to be torn from that.
      move.opens = false;
      vscode.window.setStatusBarMessage(`${displayName(session)} moves when its turn has ended`, 5_000);
    }
    await this.#look(moved);
  }

  dispose(): void {
    this.#disposable.dispose();
  }

  /** A session as it is now: what it is in this form is shown, and the screen that it had is closed. */
  async #look(session: Session): Promise<void> {
    const { screens } = this.context;
    const move = this.#asked.get(session.id);
    const arrived = move !== undefined && session.driver === move.driver;
    if (arrived || session.status === "terminated") this.#asked.delete(session.id);
    const left = session.driver === "stream" && screens.has(session.id);
    if (left) screens.close(session.id);
    if (session.status === "terminated") return;
    if (arrived && move.opens) await this.#open(session);
    else if (arrived || left) await this.#offer(session);
  }

  #open({ id, driver }: Session): Promise<void> {
    return this.context.actions.perform(
      driver === "terminal" ? { kind: "openScreen", sessionId: id } : { kind: "open", sessionId: id },
    );
  }

  async #offer(session: Session): Promise<void> {
    const [place, button] =
      session.driver === "terminal" ? ["at its terminal", "Open Claude's Screen"] : ["as a transcript", "Open"];
    const text = unLinked(plain(`${displayName(session)} goes on ${place}.`, 200));
    if ((await vscode.window.showInformationMessage(text, button)) === button) await this.#open(session);
  }
}

/** Whether a turn runs. */
function isBusy({ status }: Session): boolean {
  return status === "active" || status === "waiting";
}

/** What is to become of the turn that runs; undefined if the session is to stay where it is. */
function asked(session: Session, driver: Driver): Thenable<string | undefined> {
  const name = displayName(session);
  const question = driver === "terminal" ? `Move ${name} to a terminal?` : `Move ${name} to the transcript?`;
  const detail =
    "A turn is running. Claude is ended and started again with the same conversation: once the turn has ended, or now.";
  return vscode.window.showWarningMessage(question, { modal: true, detail }, FINISH, INTERRUPT);
}
