import * as vscode from "vscode";
import type { FromPage, ToOrchestration } from "../shared/bridge";
import { Coalesced } from "../model/coalesce";
import type { Context } from "../app";
import { Page } from "./page";

/** The id of the view in the activity bar. */
export const ORCHESTRATION_VIEW = "areyouj.orchestration";
/** The type of the same page as an editor tab. */
export const ORCHESTRATION_TAB = "areyouj.orchestrationTab";

/** Sessions that change at the same time are told together: less than two frames of a screen, in milliseconds. */
const TELL_WITHIN_MS = 25;

/** The orchestration page, in the activity bar and as an editor tab. */
export class Orchestration implements vscode.WebviewViewProvider, vscode.WebviewPanelSerializer, vscode.Disposable {
  #tab: vscode.WebviewPanel | null = null;
  readonly #visible = new Set<vscode.WebviewView | vscode.WebviewPanel>();

  constructor(private readonly context: Context) {}

  /** Whether the page is on the screen somewhere in this window. */
  get visible(): boolean {
    return [...this.#visible].some((place) => place.visible);
  }

  /** Shows the editor tab. */
  openTab(): void {
    if (this.#tab !== null) return this.#tab.reveal();
    const options = { retainContextWhenHidden: true, enableScripts: true };
    this.#showIn(
      vscode.window.createWebviewPanel(ORCHESTRATION_TAB, "Orchestration", vscode.ViewColumn.Active, options),
    );
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    this.#run(view);
  }

  deserializeWebviewPanel(panel: vscode.WebviewPanel): Promise<void> {
    if (this.#tab === null) this.#showIn(panel);
    else panel.dispose();
    return Promise.resolve();
  }

  dispose(): void {
    this.#tab?.dispose();
  }

  #showIn(panel: vscode.WebviewPanel): void {
    this.#tab = panel;
    panel.iconPath = this.context.media("orchestration");
    panel.onDidDispose(() => {
      this.#tab = null;
    });
    this.#run(panel);
  }

  #run(place: vscode.WebviewView | vscode.WebviewPanel): void {
    const { model, extension, settings } = this.context;
    const page = new Page<ToOrchestration>(place.webview, extension.extensionUri, "orchestration", {
      ready: () =>
        page.post({
          type: "state",
          connection: model.connection,
          settings: settings.page(),
          sessions: model.sessions,
          permissions: model.permissions(),
          decisions: model.decisions(),
        }),
      message: (message) => this.#message(page, message),
    });
    this.#visible.add(place);
    const dirty = new Set<string>();
    const tell = new Coalesced(() => {
      const ids = [...dirty];
      dirty.clear();
      const changed = ids.flatMap((id) => model.session(id) ?? []);
      page.post({ type: "sessions", changed, removed: ids.filter((id) => model.session(id) === null) });
    }, TELL_WITHIN_MS);
    const disposables = [
      page,
      tell,
      model.onConnection((connection) => page.post({ type: "connection", connection })),
      model.onSessions(({ changed, removed }) => {
        for (const id of [...changed.map((session) => session.id), ...removed]) dirty.add(id);
        tell.call();
      }),
      model.onPermissions((permissions) => page.post({ type: "permissions", permissions })),
      model.onDecisions((decisions) => page.post({ type: "decisions", decisions })),
      settings.onPage(() => page.post({ type: "settings", settings: settings.page() })),
    ];
    place.onDidDispose(() => {
      this.#visible.delete(place);
      vscode.Disposable.from(...disposables).dispose();
    });
  }

  #message(page: Page<ToOrchestration>, message: FromPage): void {
    if (message.type === "action") void this.context.actions.forPage(message, (done) => page.post(done));
  }
}
