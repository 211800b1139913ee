import { randomUUID } from "node:crypto";
import * as vscode from "vscode";
import { Coalesced } from "../model/coalesce";
import type { Context } from "../app";
import { type Notice, NoticeRule } from "./alerts";
import { failureOf } from "../shared/problem";
import { ErrorCode } from "../protocol.gen";

/** A prompt and the status that comes with it are looked at together, in milliseconds. */
const LOOK_WITHIN_MS = 50;
/** Messages at the same moment that the editor shows without hiding the oldest; more are told as one sum. */
const MAX_AT_ONCE = 3;

const OPEN_SCREEN = "Open Claude's Screen";

/** Shows messages when something needs a person. */
export class Notifier implements vscode.Disposable {
  readonly #rule = new NoticeRule((kind) => this.context.settings.notifies(kind));
  readonly #soon = new Coalesced(() => this.#look(), LOOK_WITHIN_MS);
  readonly #disposable: vscode.Disposable;

  constructor(private readonly context: Context) {
    const { model } = context;
    this.#disposable = vscode.Disposable.from(
      this.#soon,
      model.onConnection(() => this.#soon.call()),
      model.onSessions(() => this.#soon.call()),
      model.onPermissions(() => this.#soon.call()),
    );
  }

  dispose(): void {
    this.#disposable.dispose();
  }

  #look(): void {
    const { model, automations, orchestration, screens } = this.context;
    if (model.connection.state !== "connected") return;
    const { notices, waiting } = this.#rule.look(model.sessions, model.permissions());
    if (waiting > 0 && !orchestration.visible) void this.#sum(waiting);
    const looksAt = (sessionId: string): boolean =>
      orchestration.visible || automations.isVisible(sessionId) || screens.isVisible(sessionId);
    const seen = ({ sessionId }: Notice): boolean => vscode.window.state.focused && looksAt(sessionId);
    const unseen = notices.filter((notice) => !seen(notice));
    // Who is done needs nobody, and is not counted among those who do.
    const needing = unseen.filter(({ kind }) => kind !== "turnFinished");
    const summed = needing.length > MAX_AT_ONCE;
    if (summed) void this.#sum(new Set(needing.map(({ sessionId }) => sessionId)).size);
    for (const notice of unseen) if (!summed || notice.kind === "turnFinished") void this.#show(notice);
  }

  async #sum(waiting: number): Promise<void> {
    const text = waiting === 1 ? "1 Claude session needs you." : `${waiting} Claude sessions need you.`;
    if ((await vscode.window.showInformationMessage(text, "Show")) === "Show")
      await this.context.actions.perform({ kind: "openOrchestration" });
  }

  async #show({ kind, sessionId, text, permissionId, onScreen }: Notice): Promise<void> {
    const buttons = onScreen ? [OPEN_SCREEN] : permissionId === null ? ["Open"] : ["Allow", "Deny", "Open"];
    const show = kind === "turnFinished" ? vscode.window.showInformationMessage : vscode.window.showWarningMessage;
    const button = await show(text, ...buttons);
    if (button === OPEN_SCREEN) await this.context.actions.perform({ kind: "openScreen", sessionId });
    else if (button === "Open") await this.context.actions.perform({ kind: "open", sessionId });
    else if (button !== undefined && permissionId !== null) await this.#answer(permissionId, button === "Allow");
  }

  async #answer(permissionId: string, allow: boolean): Promise<void> {
    try {
      const answer = allow ? ({ decision: "allow" } as const) : ({ decision: "deny" } as const);
      await this.context.client.request("areyouj/permission/answer", { requestId: randomUUID(), permissionId, answer });
    } catch (error) {
      const { problem } = failureOf(error);
      const late = problem.code === ErrorCode.PermissionAnswered || problem.code === ErrorCode.PermissionWithdrawn;
      if (late) await vscode.window.showInformationMessage(problem.message);
      else await this.context.actions.show(problem);
    }
  }
}
