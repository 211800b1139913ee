import * as vscode from "vscode";
import { Coalesced } from "../model/coalesce";
import type { Model } from "../model/model";
import type { Icon, Overview, Performer } from "../ports";
import type { FromPage, ToOrchestration } from "../shared/bridge";
import { Page } from "./page";
import { type PageSources, pageState, postChanges } from "./pageState";

/** The id of the view in the activity bar. */
export const ORCHESTRATION_VIEW = "areyouj.orchestration";
/** The type of the same page as an editor tab. */
export const ORCHESTRATION_TAB = "areyouj.orchestrationTab";

/** Sessions that change within this time are posted together: less than two frames of a screen, in milliseconds. */
const POST_WITHIN_MS = 25;

interface Parts extends PageSources {
  model: PageSources["model"] & Pick<Model, "sessions" | "session" | "onSessions">;
  performer: Pick<Performer, "performForPage">;
  /** The directory that the extension is installed in. */
  extension: vscode.Uri;
  icon: Icon;
}

/** The orchestration page, in the activity bar and as an editor tab. */
export class Orchestration
  implements Overview, vscode.WebviewViewProvider, vscode.WebviewPanelSerializer, vscode.Disposable
{
  #tab: vscode.WebviewPanel | null = null;
  readonly #places = new Set<vscode.WebviewView | vscode.WebviewPanel>();

  constructor(private readonly parts: Parts) {}

  get visible(): boolean {
    return [...this.#places].some((place) => place.visible);
  }

  /** Shows the editor tab. */
  openTab(): void {
    if (this.#tab !== null) return this.#tab.reveal();
    const options = { retainContextWhenHidden: true, enableScripts: true };
    const column = vscode.ViewColumn.Active;
    this.#showIn(vscode.window.createWebviewPanel(ORCHESTRATION_TAB, "Orchestration", column, options));
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
    panel.iconPath = this.parts.icon;
    panel.onDidDispose(() => {
      this.#tab = null;
    });
    this.#run(panel);
  }

  #run(place: vscode.WebviewView | vscode.WebviewPanel): void {
    const { model, extension } = this.parts;
    const page = new Page<ToOrchestration>(place.webview, extension, "orchestration", {
      ready: () => {
        page.post({ type: "visible", visible: place.visible });
        page.post({ type: "state", ...pageState(this.parts), sessions: model.sessions });
      },
      message: (message) => this.#receive(page, message),
    });
    this.#places.add(place);
    const visibility = (): void => page.post({ type: "visible", visible: place.visible });
    const dirty = new Set<string>();
    const soon = new Coalesced(() => {
      const ids = [...dirty];
      dirty.clear();
      const changed = ids.flatMap((id) => model.session(id) ?? []);
      page.post({ type: "sessions", changed, removed: ids.filter((id) => model.session(id) === null) });
    }, POST_WITHIN_MS);
    const disposable = vscode.Disposable.from(
      page,
      soon,
      "onDidChangeVisibility" in place
        ? place.onDidChangeVisibility(visibility)
        : place.onDidChangeViewState(visibility),
      postChanges(this.parts, (message) => page.post(message)),
      model.onSessions(({ changed, removed }) => {
        for (const id of [...changed.map((session) => session.id), ...removed]) dirty.add(id);
        soon.call();
      }),
    );
    place.onDidDispose(() => {
      this.#places.delete(place);
      disposable.dispose();
    });
  }

  #receive(page: Page<ToOrchestration>, message: FromPage): void {
    if (message.type === "action") void this.parts.performer.performForPage(message, (done) => page.post(done));
  }
}
