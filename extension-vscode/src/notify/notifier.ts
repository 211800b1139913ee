import { randomUUID } from "node:crypto";
import * as vscode from "vscode";
import { toProblemError } from "../daemon/problemError";
import { Coalesced } from "../model/coalesce";
import type { Model } from "../model/model";
import type { Daemon, Overview, Pages, Performer, ProblemReporter, Screens } from "../ports";
import { ErrorCode } from "../protocol.gen";
import type { Settings } from "../settings";
import { type Alert, AlertRule } from "./alerts";
import { DENY } from "../shared/permission";
import { showMessage } from "./window";

/** A permission request and the status that comes with it are handled together, in milliseconds. */
const UPDATE_WITHIN_MS = 50;
/** The editor shows so many messages without hiding the oldest; more alerts at once are summarized. */
const MAX_AT_ONCE = 3;

const OPEN_SCREEN = "Open terminal";
/** Opens the card of a permission request. */
const SHOW = "Show";

interface Parts {
  daemon: Pick<Daemon, "request">;
  model: Pick<
    Model,
    "connection" | "sessions" | "permissions" | "refresh" | "onConnection" | "onSessions" | "onPermissions"
  >;
  settings: Pick<Settings, "showsAlert">;
  overview: Pick<Overview, "visible">;
  pages: Pick<Pages, "isVisible">;
  screens: Pick<Screens, "isVisible">;
  performer: Pick<Performer, "perform">;
  problems: Pick<ProblemReporter, "show">;
}

/** Shows alerts when something needs a person. */
export class Notifier implements vscode.Disposable {
  readonly #rule = new AlertRule((kind) => this.parts.settings.showsAlert(kind));
  readonly #soon = new Coalesced(() => this.#update(), UPDATE_WITHIN_MS);
  readonly #disposable: vscode.Disposable;

  constructor(private readonly parts: Parts) {
    const { model } = parts;
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

  #update(): void {
    const { model, overview } = this.parts;
    if (model.connection.state !== "connected") return;
    const { alerts, waiting } = this.#rule.update(model.sessions, model.permissions());
    if (waiting > 0 && !overview.visible) void this.#summarize(waiting);
    const unseen = alerts.filter(({ sessionId }) => !this.#isLookedAt(sessionId));
    // A finished turn needs nobody, so it is not part of a summary.
    const needing = unseen.filter(({ kind }) => kind !== "turnFinished");
    const summarized = needing.length > MAX_AT_ONCE;
    if (summarized) void this.#summarize(new Set(needing.map(({ sessionId }) => sessionId)).size);
    for (const alert of unseen) if (!summarized || alert.kind === "turnFinished") void this.#show(alert);
  }

  #isLookedAt(sessionId: string): boolean {
    const { overview, pages, screens } = this.parts;
    const visible = overview.visible || pages.isVisible(sessionId) || screens.isVisible(sessionId);
    return visible && vscode.window.state.focused;
  }

  async #summarize(waiting: number): Promise<void> {
    const text = waiting === 1 ? "1 Claude session needs you." : `${waiting} Claude sessions need you.`;
    const button = await showMessage("information", text, "Show");
    if (button === "Show") await this.parts.performer.perform({ kind: "openOrchestration" });
  }

  async #show({ kind, sessionId, text, request, whole, onScreen }: Alert): Promise<void> {
    const deny = DENY[request?.kind ?? "tool"] ?? DENY.tool;
    const answers = request === null ? ["Open"] : whole === true ? ["Allow", deny, SHOW] : [SHOW, deny];
    const severity = kind === "turnFinished" ? "information" : "warning";
    const button = await showMessage(severity, text, ...(onScreen ? [OPEN_SCREEN] : answers));
    if (button === undefined) return;
    if (button === OPEN_SCREEN) await this.parts.performer.perform({ kind: "openScreen", sessionId });
    else if (request === null || button === SHOW) await this.parts.performer.perform({ kind: "open", sessionId });
    else await this.#answer(request.id, request.digest, button === "Allow" && whole === true);
  }

  async #answer(permissionId: string, digest: string, allow: boolean): Promise<void> {
    try {
      const answer = allow ? ({ decision: "allow" } as const) : ({ decision: "deny" } as const);
      const params = { requestId: randomUUID(), permissionId, digest, answer };
      await this.parts.daemon.request("areyouj/permission/answer", params);
    } catch (error) {
      const { problem } = toProblemError(error);
      if (problem.code === ErrorCode.DigestMismatch) await this.parts.model.refresh();
      const late = problem.code === ErrorCode.PermissionAnswered || problem.code === ErrorCode.PermissionWithdrawn;
      if (late) await showMessage("information", problem.message);
      else await this.parts.problems.show(problem);
    }
  }
}
