import { randomUUID } from "node:crypto";
import * as vscode from "vscode";
import type { Context } from "./context";
import { type Notice, NoticeRule } from "./notices";
import { failureOf } from "./problem";
import { ErrorCode } from "./protocol.gen";

/** Shows messages when something needs a person. */
export class Notifier implements vscode.Disposable {
  readonly #rule = new NoticeRule();
  readonly #disposable: vscode.Disposable;
  #due = false;

  constructor(private readonly context: Context) {
    const { model } = context;
    this.#disposable = vscode.Disposable.from(
      model.onConnection(() => this.#lookSoon()),
      model.onSessions(() => this.#lookSoon()),
      model.onPermissions(() => this.#lookSoon()),
    );
  }

  dispose(): void {
    this.#disposable.dispose();
  }

  /** Once for everything that changes at the same time. */
  #lookSoon(): void {
    if (this.#due) return;
    this.#due = true;
    setImmediate(() => {
      this.#due = false;
      this.#look();
    });
  }

  #look(): void {
    const { model, settings, automations, orchestration } = this.context;
    if (model.connection.state !== "connected") return;
    const { notices, waiting } = this.#rule.look(model.sessions, model.permissions());
    if (waiting > 0 && !orchestration.visible) void this.#sum(waiting);
    for (const notice of notices) {
      const seen = vscode.window.state.focused && automations.isVisible(notice.sessionId);
      if (!seen && settings.notifies(notice.kind)) void this.#show(notice);
    }
  }

  async #sum(waiting: number): Promise<void> {
    const text = waiting === 1 ? "1 Claude session needs you." : `${waiting} Claude sessions need you.`;
    if ((await vscode.window.showInformationMessage(text, "Show")) === "Show") await this.context.actions.perform({ kind: "openOrchestration" });
  }

  async #show({ kind, sessionId, text, permissionId }: Notice): Promise<void> {
    const buttons = permissionId === null ? ["Open"] : ["Allow", "Deny", "Open"];
    const show = kind === "turnFinished" ? vscode.window.showInformationMessage : vscode.window.showWarningMessage;
    const button = await show(text, ...buttons);
    if (button === "Open") await this.context.actions.perform({ kind: "open", sessionId });
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
