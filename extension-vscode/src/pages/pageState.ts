/** The state that both pages show, and its changes. */
import * as vscode from "vscode";
import type { Model } from "../model/model";
import type { Settings } from "../settings";
import type { PageState, ToEveryPage } from "../shared/bridge";

/** Where the state comes from. */
export interface PageSources {
  model: Pick<Model, "connection" | "permissions" | "decisions" | "onConnection" | "onPermissions" | "onDecisions">;
  settings: Pick<Settings, "page" | "onPage">;
}

/** The current state, for all sessions or for one. */
export function pageState({ model, settings }: PageSources, sessionId?: string): PageState {
  return {
    connection: model.connection,
    settings: settings.page(),
    permissions: model.permissions(sessionId),
    decisions: model.decisions(sessionId),
  };
}

/** Posts every change of that state until the result is disposed. */
export function postChanges(
  { model, settings }: PageSources,
  post: (message: ToEveryPage) => void,
  sessionId?: string,
): vscode.Disposable {
  return vscode.Disposable.from(
    model.onConnection((connection) => post({ type: "connection", connection })),
    settings.onPage(() => post({ type: "settings", settings: settings.page() })),
    model.onPermissions(() => post({ type: "permissions", permissions: model.permissions(sessionId) })),
    model.onDecisions(() => post({ type: "decisions", decisions: model.decisions(sessionId) })),
  );
}
