/** The scrolling transcript: renders only rows near the visible part, follows the end, and keeps a reading position. */
import { type PropertyValues, type TemplateResult, css, html, nothing } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { guard } from "lit/directives/guard.js";
import { repeat } from "lit/directives/repeat.js";
import type { Permission, TranscriptEntry } from "../../src/protocol.gen";
import { PageElement, adopt, styled } from "../ui/element";
import type { EntryContext } from "./entryParts";
import { entryView } from "./entryView";
import type { Folds } from "./folds";
import { count } from "../../src/shared/format";
import { Heights, type Place } from "./heights";
import { liveView } from "./liveView";
import { type Row, Rows, type LivePiece } from "./transcript";

/** A distance from the end that still counts as the end, in pixels. */
const AT_END = 32;
/** The distance from the top at which older entries are requested, in pixels. */
const NEAR_TOP = 600;

/** The transcript. Fires `older` to request entries, `end` when the end is visible, `place` when the position or a fold changed. */
@customElement("areyouj-transcript")
export class TranscriptView extends PageElement {
  @property({ attribute: false }) sessionId = "";
  @property({ attribute: false }) directory = "";
  @property({ attribute: false }) entries: TranscriptEntry[] = [];
  @property({ attribute: false }) more = false;
  @property({ attribute: false }) liveText: LivePiece[] = [];
  @property({ attribute: false }) permissions: Permission[] = [];
  @property({ attribute: false }) busy = false;
  @property({ attribute: false }) connected = true;
  @property({ attribute: false }) folds!: Folds;
  /** The content after the last entry. */
  @property({ attribute: false }) tail: TemplateResult | typeof nothing = nothing;
  /** The position at first; null is the end. */
  @property({ attribute: false }) place: Place | null = null;
  @state() private range = { first: 0, end: 0 };
  @state() private following = true;
  @state() private lastRead = 0;
  @query(".transcript") private scroller!: HTMLElement;
  private readonly builder = new Rows();
  private readonly heights = new Heights();
  private rows: Row[] = [];
  private askedBefore = 0;
  /** The position of the last scrolling by this element itself. */
  private putAt = 0;
  private readonly resized = new ResizeObserver(() => this.settle());
  private watched = new Set<Element>();

  /** Whether the end is visible. */
  get atEnd(): boolean {
    return this.following;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("place") && !this.hasUpdated) this.following = this.place === null;
    if (changed.has("connected")) this.askedBefore = 0;
    if (!changed.has("entries")) return;
    this.rows = this.builder.of(this.entries);
    this.heights.lay(this.rows);
    if (this.following) this.lastRead = this.entries.at(-1)?.seq ?? 0;
    if (!this.hasUpdated && this.rows.length > 0)
      this.range = { first: Math.max(0, this.rows.length - 30), end: this.rows.length };
  }

  protected override updated(): void {
    const drawn = new Set(this.querySelectorAll(".entry, .tail"));
    for (const gone of this.watched) if (!drawn.has(gone)) this.resized.unobserve(gone);
    for (const element of drawn) if (!this.watched.has(element)) this.resized.observe(element);
    this.watched = drawn;
    this.resized.observe(this.scroller);
    this.settle();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.resized.disconnect();
    this.watched.clear();
  }

  /** Measures the rendered rows, restores the reading position, and renders the rows that became visible. */
  private settle(): void {
    if (!this.scroller) return;
    let changed = false;
    for (const element of this.querySelectorAll<HTMLElement>(".entry")) {
      changed = this.heights.measure(Number(element.dataset["seq"]), element.getBoundingClientRect().height) || changed;
    }
    if (changed) {
      this.heights.lay(this.rows);
      this.placeSpacers();
    }
    this.putBack();
    this.drawRange();
  }

  /** The spacers replace the rows that are not rendered; the position depends on their heights. */
  private placeSpacers(): void {
    const [above, below] = this.querySelectorAll<HTMLElement>(".spacer");
    const { first, end } = this.range;
    above?.style.setProperty("height", `${this.heights.top(first)}px`);
    below?.style.setProperty("height", `${this.heights.total - this.heights.top(Math.min(end, this.rows.length))}px`);
  }

  private putBack(): void {
    const { scroller } = this;
    const wanted = this.following
      ? scroller.scrollHeight - scroller.clientHeight
      : this.place && this.heights.scrollTo(this.place);
    if (typeof wanted !== "number") return;
    const target = Math.max(0, this.following ? wanted : wanted + this.headHeight);
    if (Math.abs(scroller.scrollTop - target) > 0.5) scroller.scrollTop = target;
    this.putAt = scroller.scrollTop;
  }

  private get headHeight(): number {
    return this.querySelector<HTMLElement>(".transcript-head")?.offsetHeight ?? 0;
  }

  private drawRange(): void {
    const range = this.heights.range(this.scroller.scrollTop - this.headHeight, this.scroller.clientHeight);
    if (range.first !== this.range.first || range.end !== this.range.end) this.range = range;
    this.askOlder();
    if (this.following) this.dispatchEvent(new Event("end"));
  }

  private askOlder(): void {
    const first = this.entries[0]?.seq ?? 0;
    const wantsPlace = !this.following && this.place !== null && this.place.seq < first;
    if (
      !this.more ||
      !this.connected ||
      first === this.askedBefore ||
      (this.scroller.scrollTop > NEAR_TOP && !wantsPlace)
    )
      return;
    this.askedBefore = first;
    this.dispatchEvent(new CustomEvent<number>("older", { detail: first }));
  }

  private onScroll(): void {
    const { scroller } = this;
    if (Math.abs(scroller.scrollTop - this.putAt) < 1) return;
    this.putAt = scroller.scrollTop;
    this.readPlace();
    this.drawRange();
  }

  private readPlace(): void {
    const { scroller } = this;
    this.following = scroller.scrollHeight - scroller.clientHeight - scroller.scrollTop < AT_END;
    this.place = this.following ? null : this.heights.placeAt(scroller.scrollTop - this.headHeight);
    if (this.following) this.lastRead = this.entries.at(-1)?.seq ?? 0;
    this.dispatchEvent(new Event("place"));
  }

  /** Scrolls to the end and follows it. */
  toEnd(): void {
    this.following = true;
    this.place = null;
    this.lastRead = this.entries.at(-1)?.seq ?? 0;
    this.range = { first: Math.max(0, this.rows.length - 30), end: this.rows.length };
    this.dispatchEvent(new Event("place"));
    this.requestUpdate();
  }

  private context(): EntryContext {
    return {
      sessionId: this.sessionId,
      directory: this.directory,
      connected: this.connected,
      busy: this.busy,
      folds: this.folds,
      permissions: new Map(this.permissions.map((permission) => [permission.id, permission])),
      fold: (name, open, byDefault) => {
        if (!this.folds.set(name, open, byDefault)) return;
        // A fold grows downwards: the top of the visible part stays in place, even at the end of the transcript.
        if (this.following) this.place = this.heights.placeAt(this.scroller.scrollTop - this.headHeight);
        this.following = false;
        this.dispatchEvent(new Event("place"));
        this.requestUpdate();
      },
    };
  }

  protected override render(): TemplateResult {
    const { first, end } = this.range;
    const context = this.context();
    const fresh = this.following
      ? 0
      : this.entries.length - 1 - this.entries.findLastIndex(({ seq }) => seq <= this.lastRead);
    return html`<div class="transcript" tabindex="0" role="region" aria-label="Transcript" @scroll=${this.onScroll}>
        <div class="transcript-head muted">${this.more ? html`<span class="codicon codicon-loading spinner" aria-hidden="true"></span> Loading older entries…` : nothing}</div>
        <div class="spacer" ${styled({ height: `${this.heights.top(first)}px` })}></div>
        ${repeat(
          this.rows.slice(first, end),
          (row) => row.seq,
          (row) =>
            html`<article class="entry ${row.body.kind}-entry" data-seq=${row.seq} data-depth=${row.depth}>
              ${guard([row, context.connected, context.busy && row.result === null, this.permissions, this.folds.version], () => entryView(row, context))}
            </article>`,
        )}
        <div class="spacer" ${styled({ height: `${this.heights.total - this.heights.top(Math.min(end, this.rows.length))}px` })}></div>
        <div class="tail">${liveView(this.liveText)} ${this.tail}</div>
      </div>
      ${
        this.following
          ? nothing
          : html`<button type="button" class="jump" @click=${() => this.toEnd()}>
            <span class="codicon codicon-arrow-down" aria-hidden="true"></span> Jump to latest${fresh > 0 ? html` <span class="jump-count">${count(fresh, "new entry", "new entries")}</span>` : nothing}
          </button>`
      }`;
  }
}

adopt(css`
  areyouj-transcript {
    position: relative;
    display: flex;
    flex: 1;
    min-height: 0;
  }
  .transcript {
    flex: 1;
    min-width: 0;
    overflow: hidden auto;
    overflow-anchor: none;
    scrollbar-gutter: stable;
    padding: 0 max(16px, calc((100% - 980px) / 2));
  }
  .transcript-head {
    display: flex;
    align-items: center;
    justify-content: center;
    gap: 6px;
    height: 28px;
    font-size: 12px;
  }
  .tail {
    display: flex;
    flex-direction: column;
    gap: 8px;
    padding: 4px 0 16px;
  }
  .jump {
    position: absolute;
    bottom: 12px;
    left: 50%;
    transform: translateX(-50%);
    display: inline-flex;
    align-items: center;
    gap: 6px;
    padding: 3px 12px;
    white-space: nowrap;
    color: var(--vscode-button-secondaryForeground);
    background: var(--vscode-button-secondaryBackground);
    border: 1px solid var(--vscode-button-border, var(--vscode-contrastBorder, transparent));
    border-radius: 14px;
    box-shadow: 0 2px 8px var(--vscode-widget-shadow);
  }
  .jump:hover {
    background: var(--vscode-button-secondaryHoverBackground);
  }
`);
