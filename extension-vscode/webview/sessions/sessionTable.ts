/** The session table: sorts, filters and selects by mouse and keyboard, and renders only rows near the visible part. */
import { type TemplateResult, html, nothing } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { Session } from "../../src/protocol.gen";
import { button, iconButton } from "../ui/buttons";
import { OFFLINE } from "../ui/pendingAction";
import { Clock, PageElement, styled } from "../ui/element";
import { count } from "../../src/shared/format";
import { act } from "../ui/host";
import type { Menu } from "../ui/menu";
import "../ui/menu";
import { visibleRows } from "./visibleRows";
import { type RowActions, sessionRow } from "./sessionRow";
import { type Column, type Filter, type Order, arrange } from "./sessionList";
import { sessionMenu } from "./sessionMenu";
import "./tableStyles";

/** In a narrower table sessions are cards, in pixels. */
const CARDS_BELOW = 560;
/** Heights in pixels, the gap below a row or card included. */
const ROW_HEIGHT = 30;
const CARD_HEIGHT = 76;

const HEADERS: [Column | null, string][] = [
  [null, "Selected"],
  ["status", "Status"],
  ["name", "Session"],
  ["project", "Project"],
  ["started", "Started"],
  ["task", "Current task"],
  ["model", "Model"],
  ["context", "Context"],
  ["cost", "Cost"],
  ["queued", "Queued"],
  [null, "Actions"],
];

/** The filter and the order; kept over a reload. */
export interface View {
  filter: Filter;
  order: Order;
}

/** The table. Fires `view` with a changed [`View`]. */
@customElement("areyouj-session-table")
export class SessionTable extends PageElement {
  @property({ attribute: false }) sessions: Session[] = [];
  @property({ attribute: false }) view!: View;
  @property({ attribute: false }) home = "";
  @property({ attribute: false }) connected = true;
  @state() private selected: ReadonlySet<string> = new Set();
  @state() private currentId: string | null = null;
  @state() private cards = false;
  @state() private range = { first: 0, end: 0 };
  @query(".rows") private body!: HTMLElement | null;
  @query("areyouj-menu") private menu!: Menu;
  private shown: Session[] = [];
  /** The start of a selection with Shift. */
  private from: string | null = null;
  private scroller: Element | null = null;
  private readonly resized = new ResizeObserver(() => this.measure());
  private readonly measureSoon = (): void => this.measure();
  private readonly toFilter = (event: KeyboardEvent): void => {
    if (
      event.key !== "/" ||
      event.ctrlKey ||
      event.metaKey ||
      event.target instanceof HTMLInputElement ||
      event.target instanceof HTMLTextAreaElement
    )
      return;
    event.preventDefault();
    this.querySelector<HTMLInputElement>(".filter")?.focus();
  };
  private readonly actions: RowActions = {
    open: (session) => act({ kind: "open", sessionId: session.id }),
    terminate: (session) => act({ kind: "terminate", sessionIds: [session.id] }),
    toggle: (session) => this.toggle(session.id),
    menu: (session, point) =>
      this.menu.openAt(
        point,
        sessionMenu(session, this.connected, () => this.actions.terminate(session)),
      ),
  };

  constructor() {
    super();
    new Clock(this);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.scroller = this.closest(".scroller");
    this.scroller?.addEventListener("scroll", this.measureSoon, { passive: true });
    window.addEventListener("keydown", this.toFilter);
    this.resized.observe(this);
    if (this.scroller) this.resized.observe(this.scroller);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.scroller?.removeEventListener("scroll", this.measureSoon);
    window.removeEventListener("keydown", this.toFilter);
    this.resized.disconnect();
  }

  protected override willUpdate(): void {
    this.shown = arrange(this.sessions, this.view.filter, this.view.order);
    const ids = new Set(this.sessions.map(({ id }) => id));
    if ([...this.selected].some((id) => !ids.has(id)))
      this.selected = new Set([...this.selected].filter((id) => ids.has(id)));
    if (!this.shown.some(({ id }) => id === this.currentId)) this.currentId = this.shown[0]?.id ?? null;
  }

  protected override updated(): void {
    this.measure();
  }

  private measure(): void {
    if (this.body === null || this.scroller === null) return;
    const cards = this.clientWidth < CARDS_BELOW;
    const top = this.body.getBoundingClientRect().top - this.scroller.getBoundingClientRect().top;
    const range = visibleRows(top, this.scroller.clientHeight, this.rowHeight(cards), this.shown.length);
    if (cards !== this.cards) this.cards = cards;
    if (range.first !== this.range.first || range.end !== this.range.end) this.range = range;
  }

  private rowHeight(cards = this.cards): number {
    return cards ? CARD_HEIGHT : ROW_HEIGHT;
  }

  protected override render(): TemplateResult {
    return html`${this.toolbar()} ${this.shown.length === 0 ? this.nothingFound() : this.grid()}<areyouj-menu></areyouj-menu>`;
  }

  private toolbar(): TemplateResult {
    const { filter, order } = this.view;
    const chosen = [...this.selected];
    const ended = this.sessions.filter(({ status }) => status === "terminated").length;
    return html`<div class="toolbar">
      <input
        class="field filter"
        type="search"
        placeholder="Filter sessions"
        aria-label="Filter sessions by ID, name, path, task or model"
        title="Filter by ID, name, path, task or model (/)"
        .value=${filter.text}
        @input=${(event: Event) => this.change({ filter: { ...filter, text: (event.target as HTMLInputElement).value } })}
        @keydown=${this.onFilterKey}
      />
      ${this.cards ? this.sortBox(order) : nothing}
      ${
        ended > 0 || filter.terminated
          ? iconButton(
              "history",
              `Show terminated (${ended})`,
              () => this.change({ filter: { ...filter, terminated: !filter.terminated } }),
              { pressed: filter.terminated },
            )
          : nothing
      }
      ${
        chosen.length > 0
          ? html`<span class="row chosen">
            ${button(`Terminate selected (${chosen.length})`, () => this.terminate(), { secondary: true, disabled: !this.connected, ...(this.connected ? {} : { title: OFFLINE }) })}
            ${iconButton("close", "Clear selection", () => (this.selected = new Set()))}
          </span>`
          : nothing
      }
      <span class="sr-only" role="status">${filter.text || filter.tile !== "total" ? `${count(this.shown.length, "session")} shown` : ""}</span>
    </div>`;
  }

  private sortBox({ column, descending }: Order): TemplateResult {
    const columns = HEADERS.filter((header): header is [Column, string] => header[0] !== null);
    return html`<select
        class="dropdown sort-box"
        aria-label="Sort by"
        title="Sort by"
        @change=${(event: Event) => this.sort((event.target as HTMLSelectElement).value as Column, descending)}
      >
        ${columns.map(([name, label]) => html`<option value=${name} ?selected=${name === column}>${label}</option>`)}
      </select>
      ${iconButton(descending ? "arrow-down" : "arrow-up", descending ? "Sort ascending" : "Sort descending", () => this.sort(column, !descending))}`;
  }

  private grid(): TemplateResult {
    const { order } = this.view;
    const [height, now] = [this.rowHeight(), Date.now()];
    const drawn = this.shown
      .map((session, index) => ({ session, index }))
      .filter(({ session, index }) => this.isDrawn(session, index));
    return html`<div
      role="grid"
      class="grid ${this.cards ? "cards" : "wide"}"
      aria-label="Sessions"
      aria-multiselectable="true"
      aria-rowcount=${this.shown.length + 1}
      aria-colcount=${HEADERS.length}
    >
      <div role="row" class="head ${this.cards ? "sr-only" : ""}" aria-rowindex="1">${HEADERS.map((header, index) => this.header(header, index, order))}</div>
      <div
        class="rows"
        role="rowgroup"
        ${styled({ height: `${this.shown.length * height}px` })}
        @keydown=${this.onKey}
        @click=${this.onClick}
        @dblclick=${this.onDoubleClick}
        @contextmenu=${this.onContextMenu}
        @focusin=${this.onFocus}
      >
        ${repeat(
          drawn,
          ({ session }) => session.id,
          ({ session, index }) =>
            sessionRow(
              session,
              {
                index,
                height,
                now,
                home: this.home,
                connected: this.connected,
                current: session.id === this.currentId,
                selected: this.selected.has(session.id),
              },
              this.actions,
            ),
        )}
      </div>
    </div>`;
  }

  /** The focused row is always rendered, so that it keeps the focus. */
  private isDrawn(session: Session, index: number): boolean {
    return (index >= this.range.first && index < this.range.end) || session.id === this.currentId;
  }

  private header([column, label]: [Column | null, string], index: number, order: Order): TemplateResult {
    const sorted = column !== null && column === order.column;
    return html`<div
      role="columnheader"
      class="cell h-${index}"
      aria-colindex=${index + 1}
      aria-sort=${sorted ? (order.descending ? "descending" : "ascending") : nothing}
    >
      ${
        column === null || this.cards
          ? html`<span class="sr-only">${label}</span>`
          : html`<button type="button" class="sort" title="Sort by ${label.toLowerCase()}" @click=${() => this.sort(column, sorted ? !order.descending : column === "started")}>
            <span class="ellipsis">${label}</span>${sorted ? html`<span class="codicon codicon-arrow-${order.descending ? "down" : "up"}" aria-hidden="true"></span>` : nothing}
          </button>`
      }
    </div>`;
  }

  private nothingFound(): TemplateResult {
    const { filter } = this.view;
    const filtered = filter.text !== "" || filter.tile !== "total";
    return html`<div class="nothing-found">
      <p>${filtered ? "No session matches the filter." : "No live sessions."}</p>
      ${filtered ? button("Clear filter", () => this.change({ filter: { ...filter, text: "", tile: "total" } }), { secondary: true }) : nothing}
    </div>`;
  }

  private change(part: Partial<View>): void {
    this.dispatchEvent(new CustomEvent<View>("view", { detail: { ...this.view, ...part } }));
  }

  private sort(column: Column, descending: boolean): void {
    this.change({ order: { column, descending } });
  }

  private toggle(id: string): void {
    const selected = new Set(this.selected);
    if (!selected.delete(id)) selected.add(id);
    this.selected = selected;
    this.from = id;
  }

  private selectTo(id: string): void {
    const at = (wanted: string | null): number => this.shown.findIndex((session) => session.id === wanted);
    const [start, end] = [at(this.from ?? this.currentId), at(id)].toSorted((one, other) => one - other);
    this.selected = new Set(this.shown.slice(Math.max(0, start ?? 0), (end ?? 0) + 1).map((session) => session.id));
  }

  /** Terminates the selected sessions, or the focused one. */
  private terminate(): void {
    const wanted = this.sessions.filter(({ id }) =>
      this.selected.size > 0 ? this.selected.has(id) : id === this.currentId,
    );
    const sessionIds = wanted.filter(({ status }) => status !== "terminated").map(({ id }) => id);
    if (this.connected && sessionIds.length > 0) act({ kind: "terminate", sessionIds });
  }

  private async focusRow(index: number): Promise<void> {
    const session = this.shown[Math.max(0, Math.min(this.shown.length - 1, index))];
    if (session === undefined) return;
    this.currentId = session.id;
    await this.updateComplete;
    this.rowOf(session.id)?.focus({ preventScroll: true });
    this.rowOf(session.id)?.scrollIntoView({ block: "nearest" });
  }

  private rowOf(id: string): HTMLElement | null {
    return this.querySelector<HTMLElement>(`[data-id="${CSS.escape(id)}"]`);
  }

  private sessionAt(target: EventTarget | null): Session | undefined {
    const id = target instanceof Element ? target.closest<HTMLElement>("[data-id]")?.dataset["id"] : undefined;
    return this.shown.find((session) => session.id === id);
  }

  private onFocus(event: FocusEvent): void {
    const session = this.sessionAt(event.target);
    if (session) this.currentId = session.id;
  }

  private onFilterKey(event: KeyboardEvent): void {
    const { filter } = this.view;
    if (event.key === "Escape" && filter.text !== "") this.change({ filter: { ...filter, text: "" } });
    else if (event.key === "ArrowDown") void this.focusRow(0);
    else return;
    event.preventDefault();
  }

  private onClick(event: MouseEvent): void {
    const session = this.sessionAt(event.target);
    if (!session || (event.target instanceof Element && event.target.closest("button, input"))) return;
    if (event.shiftKey) this.selectTo(session.id);
    else if (event.ctrlKey || event.metaKey) this.toggle(session.id);
    else this.from = session.id;
    void this.focusRow(this.shown.indexOf(session));
  }

  private onDoubleClick(event: MouseEvent): void {
    const session = this.sessionAt(event.target);
    if (session && event.target instanceof Element && !event.target.closest("button, input"))
      this.actions.open(session);
  }

  private onContextMenu(event: MouseEvent): void {
    const session = this.sessionAt(event.target);
    event.preventDefault();
    if (session) this.actions.menu(session, { x: event.clientX, y: event.clientY });
  }

  private onKey(event: KeyboardEvent): void {
    const session = this.sessionAt(event.target);
    const row = event.target instanceof Element && event.target.getAttribute("role") === "row";
    if (!session) return;
    if (event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) {
      const { left, bottom } = (event.target as Element).getBoundingClientRect();
      this.actions.menu(session, { x: left + 24, y: bottom });
    } else if (!row || !this.onRowKey(event, session)) return;
    event.preventDefault();
  }

  private onRowKey(event: KeyboardEvent, session: Session): boolean {
    const at = this.shown.indexOf(session);
    const page = Math.max(1, Math.floor((this.scroller?.clientHeight ?? 0) / this.rowHeight()) - 1);
    const goes: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: this.shown.length - 1,
    };
    const to = goes[event.key];
    if (to !== undefined) {
      const next = this.shown[Math.max(0, Math.min(this.shown.length - 1, to))];
      if (event.shiftKey && next) {
        this.from ??= session.id;
        this.selectTo(next.id);
      } else this.from = null;
      void this.focusRow(to);
    } else if (event.key === "Enter") this.actions.open(session);
    else if (event.key === " ") this.toggle(session.id);
    else if (event.key === "Delete") this.terminate();
    else if (event.key === "a" && (event.ctrlKey || event.metaKey))
      this.selected = new Set(this.shown.map(({ id }) => id));
    else if (event.key === "Escape" && this.selected.size > 0) this.selected = new Set();
    else return false;
    return true;
  }
}
