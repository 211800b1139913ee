/** The orchestration page: all sessions, their status, and everything that needs a person. */
// First, so that the styles of elements follow the styles that they build on.
import "../ui/styles";
import { type TemplateResult, css, html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import type { PageSettings, ToOrchestration } from "../../src/shared/bridge";
import type { Session } from "../../src/protocol.gen";
import { button } from "../ui/buttons";
import { connectionFailure, reconnecting } from "./connection";
import { OFFLINE } from "../ui/pendingAction";
import { adopt } from "../ui/element";
import { homePath } from "../../src/shared/format";
import { act, listen, restore, save } from "../ui/host";
import "../permissions/inbox";
import { Page, loading } from "./page";
import type { View } from "../sessions/sessionTable";
import "../sessions/sessionTable";
import { COLUMNS, NEWEST_FIRST, TILES, type Tile, counts } from "../sessions/sessionList";
import { displayName } from "../../src/shared/session";
import { statusIcon } from "../sessions/status";
import { exactLine, plainLine } from "../../src/shared/text";

const TILE_WORDS: Record<Tile, string> = {
  total: "Total",
  active: "Active",
  waiting: "Waiting",
  idle: "Idle",
  error: "Error",
};
/** Folders that are offered without sessions; the "New session" button offers all of them. */
const MAX_FOLDERS = 8;

const FIRST_VIEW: View = { filter: { tile: "total", text: "", terminated: false }, order: NEWEST_FIRST };

@customElement("areyouj-orchestration")
export class OrchestrationPage extends Page {
  /** Null until the first state arrives. */
  @state() private sessions: ReadonlyMap<string, Session> | null = null;
  @state() private view: View = savedView();

  override connectedCallback(): void {
    super.connectedCallback();
    listen<ToOrchestration>((message) => this.receive(message));
  }

  private receive(message: Exclude<ToOrchestration, { type: "done" }>): void {
    switch (message.type) {
      case "state":
        this.applyPageState(message);
        this.sessions = byId(message.sessions);
        return;
      case "sessions":
        this.change(message.changed, message.removed);
        return;
      case "connection":
      case "settings":
      case "permissions":
      case "decisions":
      case "visible":
        this.applyChange(message);
    }
  }

  private change(changed: Session[], removed: string[]): void {
    const sessions = new Map(this.sessions);
    for (const session of changed) {
      const before = sessions.get(session.id)?.status;
      if (before !== session.status && session.status === "waiting")
        this.news = `${displayName(session)} needs you: ${plainLine(session.attention?.title ?? "")}`;
      if (before !== session.status && session.status === "error")
        this.news = `${displayName(session)} stopped with an error: ${plainLine(session.error?.message ?? "")}`;
      sessions.set(session.id, session);
    }
    for (const id of removed) sessions.delete(id);
    this.sessions = sessions;
  }

  private look(view: View): void {
    this.view = view;
    save(view);
  }

  protected override render(): TemplateResult {
    return html`<main class="scroller orchestration" aria-label="Orchestration">
      ${reconnecting(this.connection)} ${this.content()}
      ${this.announcement()}
    </main>`;
  }

  private content(): TemplateResult {
    const { connected } = this;
    const failed = this.connection.state === "failed";
    if (this.sessions === null || (this.connection.state === "connecting" && this.sessions.size === 0))
      return failed ? connectionFailure(this.connection) : loading("Loading sessions…");
    if (failed && this.sessions.size === 0) return connectionFailure(this.connection);
    if (this.sessions.size === 0) return this.empty();
    return html`${failed ? connectionFailure(this.connection) : nothing}
      <div class="page-head">${this.tiles(this.sessions)} ${this.newSession()}</div>
      <div class=${connected ? "" : "stale"} aria-busy=${!connected}>
        <areyouj-inbox .sessions=${this.sessions} .permissions=${this.permissions} .decisions=${this.decisions} .connected=${connected}></areyouj-inbox>
        <areyouj-session-table
          .sessions=${[...this.sessions.values()]}
          .view=${this.view}
          .home=${this.settings.home}
          .connected=${connected}
          @view=${(event: CustomEvent<View>) => this.look(event.detail)}
        ></areyouj-session-table>
      </div>`;
  }

  private tiles(sessions: ReadonlyMap<string, Session>): TemplateResult {
    const numbers = counts(sessions.values());
    const { filter } = this.view;
    const choose = (tile: Tile): void =>
      this.look({ ...this.view, filter: { ...filter, tile: filter.tile === tile ? "total" : tile } });
    return html`<div class="tiles" role="group" aria-label="Sessions by status">
      ${TILES.map(
        (tile) =>
          html`<button
            type="button"
            class="tile ${numbers[tile] === 0 ? "zero" : ""}"
            aria-pressed=${filter.tile === tile}
            title=${tile === "total" ? "Show all live sessions" : `Show only ${TILE_WORDS[tile].toLowerCase()} sessions`}
            @click=${() => choose(tile)}
          >
            <span class="tile-number">${numbers[tile]}</span>
            <span class="tile-word">${tile === "total" ? nothing : statusIcon(tile)}${TILE_WORDS[tile]}</span>
          </button>`,
      )}
    </div>`;
  }

  private newSession(): TemplateResult {
    const { connected } = this;
    return button("New session", () => act({ kind: "newSession" }), {
      disabled: !connected,
      ...(connected ? {} : { title: OFFLINE }),
    });
  }

  private empty(): TemplateResult {
    const folders = this.settings.folders.slice(0, MAX_FOLDERS);
    return html`<section class="empty" aria-labelledby="empty-title">
      <span class="codicon codicon-comment-discussion" aria-hidden="true"></span>
      <h1 id="empty-title">No sessions yet</h1>
      <p class="muted">A session is one Claude conversation in one directory. It continues when you close the editor.</p>
      ${this.newSession()}
      ${
        folders.length > 0
          ? html`<p class="muted">or start one in a folder of this window</p>
            <ul class="bare folders">
              ${folderStarts(folders, this.settings.home, this.connected)}
            </ul>`
          : nothing
      }
    </section>`;
  }
}

function folderStarts(folders: PageSettings["folders"], home: string, connected: boolean): TemplateResult[] {
  return folders.map(
    ({ name, path }) =>
      html`<li>
        <button type="button" class="folder" ?disabled=${!connected} title=${exactLine(path)} @click=${() => act({ kind: "newSession", directory: path })}>
          <span class="codicon codicon-folder" aria-hidden="true"></span>
          <span class="ellipsis isolate">${exactLine(name)}</span>
          <span class="ellipsis muted isolate">${exactLine(homePath(path, home))}</span>
        </button>
      </li>`,
  );
}

function byId(sessions: Session[]): ReadonlyMap<string, Session> {
  return new Map(sessions.map((session) => [session.id, session]));
}

function savedView(): View {
  const { filter, order } = restore(FIRST_VIEW);
  return {
    filter: { ...FIRST_VIEW.filter, ...filter, tile: TILES.includes(filter.tile) ? filter.tile : "total" },
    order: COLUMNS.includes(order.column) ? order : NEWEST_FIRST,
  };
}

adopt(css`
  .orchestration {
    height: 100%;
    overflow: hidden auto;
    scrollbar-gutter: stable;
    container: page / inline-size;
  }
  .page-head {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    justify-content: space-between;
    gap: 8px 16px;
    padding: 10px 12px 8px;
  }
  .tiles {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(52px, 1fr));
    gap: 4px;
    flex: 1 1 280px;
    min-width: 0;
    max-width: min(640px, 100%);
  }
  .tile {
    display: flex;
    flex-direction: column;
    gap: 1px;
    min-width: 0;
    padding: 5px 4px;
    text-align: center;
    border: 1px solid var(--vscode-widget-border, var(--vscode-contrastBorder, transparent));
    border-radius: 5px;
  }
  .tile:hover {
    background: var(--vscode-list-hoverBackground);
  }
  .tile[aria-pressed="true"] {
    background: var(--vscode-list-inactiveSelectionBackground);
    border-color: var(--vscode-focusBorder);
  }
  .tile-number {
    font-size: 1.35em;
    font-weight: 600;
    line-height: 1.2;
    font-variant-numeric: tabular-nums;
  }
  .tile.zero .tile-number {
    font-weight: 400;
    color: var(--vscode-descriptionForeground);
  }
  .tile-word {
    display: flex;
    align-items: center;
    justify-content: center;
    gap: 4px;
    font-size: 11px;
    color: var(--vscode-descriptionForeground);
  }
  .tile[aria-pressed="true"] .tile-word {
    color: inherit;
  }
  .tile-word .status-icon {
    font-size: 11px;
    animation: none !important;
  }
  @container page (max-width: 420px) {
    .tile-word .status-icon {
      display: none;
    }
    .page-head vscode-button {
      flex: 1;
    }
  }
  .folders {
    width: 100%;
  }
  .folder {
    display: flex;
    align-items: center;
    gap: 8px;
    width: 100%;
    padding: 5px 8px;
    border-radius: 4px;
  }
  .folder .ellipsis:not(.muted) {
    flex: none;
    max-width: 60%;
  }
  .folder:hover:not(:disabled) {
    background: var(--vscode-list-hoverBackground);
  }
`);
