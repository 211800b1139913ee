/** The automation page: the transcript, the queue and the message box of one session. */
// First, so that the styles of elements follow the styles that they build on.
import "../ui/styles";
import { type TemplateResult, css, html, nothing } from "lit";
import { customElement, query, state } from "lit/decorators.js";
import type { ToAutomation, Transcript } from "../../src/shared/bridge";
import type { Queue, Session, TranscriptEntry } from "../../src/protocol.gen";
import { button } from "../ui/buttons";
import type { Composer, Draft } from "../messages/composer";
import "../messages/composer";
import { connectionFailure, reconnecting } from "./connection";
import { OFFLINE } from "../ui/pendingAction";
import { adopt } from "../ui/element";
import { Folds } from "../transcript/folds";
import type { Place } from "../transcript/heights";
import { act, listen, post, restore, save } from "../ui/host";
import "../permissions/permissionRequest";
import "../messages/queue";
import "../messages/decision";
import "../sessions/sessionError";
import { Page, loading } from "./page";
import { asksInTerminal } from "../sessions/screen";
import "../sessions/sessionHeader";
import { displayName, isBusy } from "../../src/shared/session";
import { type LivePiece, joined, withPiece } from "../transcript/transcript";
import type { TranscriptView } from "../transcript/transcriptView";
import "../transcript/transcriptView";

/** The state that survives a reload. The host restores the panel by `sessionId`. */
interface Saved {
  sessionId: string;
  draft: Draft;
  place: Place | null;
  folds: [string, boolean][];
}

const NOTHING_SAVED: Saved = { sessionId: "", draft: { text: "", messageId: null }, place: null, folds: [] };

@customElement("areyouj-automation")
export class AutomationPage extends Page {
  /** Undefined until the first state arrives; null if there is no such session. */
  @state() private session: Session | null | undefined = undefined;
  @state() private queue: Queue | null = null;
  @state() private sessions: Session[] = [];
  @state() private entries: TranscriptEntry[] = [];
  @state() private more = false;
  @state() private liveText: LivePiece[] = [];
  @query("areyouj-transcript") private transcript!: TranscriptView | null;
  @query("areyouj-composer") private composer!: Composer | null;
  private sessionId = "";
  private readonly saved = restore(NOTHING_SAVED);
  private draft: Draft = this.saved.draft;
  private place: Place | null = this.saved.place;
  private folds = new Folds(this.saved.folds);
  private pieces: LivePiece[] = [];
  private frame = 0;
  /** The state of the last `seen` message, so that each is sent once. */
  private lastSeen = "";

  override connectedCallback(): void {
    super.connectedCallback();
    listen<ToAutomation>((message) => this.receive(message));
    document.addEventListener("visibilitychange", () => this.seen());
  }

  private receive(message: Exclude<ToAutomation, { type: "done" }>): void {
    switch (message.type) {
      case "state":
        this.applyState(message);
        return;
      case "session":
        this.applySession(message.session);
        return;
      case "queue":
        this.queue = message.queue;
        return;
      case "connection":
      case "settings":
      case "permissions":
      case "decisions":
      case "visible":
        this.applyChange(message);
        return;
      case "sessions":
        this.sessions = message.sessions;
        return;
      case "entries":
        this.replaceEntries(joined(this.entries, message.entries));
        return;
      case "liveText":
        this.pieces = [];
        for (const delta of message.deltas) this.appendPiece(delta);
        return;
      case "delta":
        this.appendPiece(message.delta);
        return;
      case "transcript":
        this.applyTranscript(message.transcript);
        return;
      case "older":
        this.entries = joined(message.entries, this.entries);
        this.more = message.more;
        return;
      case "files":
        this.composer?.files(message.id, message.paths);
        return;
      case "insert":
        this.composer?.insert(message.text);
        return;
      case "focusComposer":
        this.composer?.focus();
    }
  }

  private applyState(message: Extract<ToAutomation, { type: "state" }>): void {
    if (this.sessionId === "" && this.saved.sessionId !== message.sessionId) {
      this.draft = NOTHING_SAVED.draft;
      this.place = null;
      this.folds = new Folds();
    }
    this.sessionId = message.sessionId;
    this.applyPageState(message);
    this.session = message.session;
    this.queue = message.queue;
    this.sessions = message.sessions;
    this.applyTranscript(message.transcript);
    this.save();
  }

  private applySession(session: Session | null): void {
    const before = this.session?.status;
    if (session && before !== session.status) {
      if (session.status === "waiting") this.news = "Claude needs your answer";
      else if (session.status === "idle" && before === "active") this.news = "Claude has finished";
      else if (session.status === "error") this.news = "The session stopped with an error";
    }
    this.session = session;
  }

  private replaceEntries(entries: TranscriptEntry[]): void {
    this.entries = entries;
    this.pieces = [];
    this.liveText = [];
  }

  private applyTranscript({ entries, more }: Transcript): void {
    this.replaceEntries(entries);
    this.more = more;
  }

  /** Pieces arrive faster than the screen refreshes, so they are rendered once a frame. */
  private appendPiece(delta: LivePiece): void {
    this.pieces = withPiece(this.pieces, { thinking: delta.thinking, text: delta.text });
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.liveText = this.pieces;
    });
  }

  private save(): void {
    save({
      sessionId: this.sessionId,
      draft: this.draft,
      place: this.place,
      folds: this.folds.saved(),
    } satisfies Saved);
  }

  private seen(): void {
    const last = this.entries.at(-1)?.seq ?? 0;
    if (document.visibilityState !== "visible" || !this.transcript?.atEnd) return;
    const now = `${last} ${this.session?.unread ?? 0}`;
    if (now === this.lastSeen) return;
    this.lastSeen = now;
    post({ type: "seen" });
  }

  protected override render(): TemplateResult {
    const { session, connection } = this;
    return html`<main class="automation" aria-label=${session ? displayName(session) : "Session"}>
      ${reconnecting(connection)} ${this.content()}
      ${this.announcement()}
    </main>`;
  }

  private content(): TemplateResult {
    const { session, connection } = this;
    if (session === undefined || (session === null && connection.state === "connecting")) {
      return connection.state === "failed" ? connectionFailure(connection) : loading("Loading session…");
    }
    if (session === null) return connection.state === "failed" ? connectionFailure(connection) : gone();
    const { connected } = this;
    return html`${connection.state === "failed" ? connectionFailure(connection) : nothing}
      <areyouj-session-header .session=${session} .sessions=${this.sessions} .settings=${this.settings} .connected=${connected}></areyouj-session-header>
      <areyouj-transcript
        class=${connected ? "" : "stale"}
        aria-busy=${!connected}
        .sessionId=${this.sessionId}
        .directory=${session.directory}
        .entries=${this.entries}
        .more=${this.more}
        .liveText=${this.liveText}
        .permissions=${this.permissions}
        .busy=${isBusy(session)}
        .connected=${connected}
        .folds=${this.folds}
        .place=${this.place}
        .tail=${this.tail(session)}
        @older=${(event: CustomEvent<number>) => post({ type: "loadOlder", before: event.detail })}
        @end=${() => this.seen()}
        @place=${() => this.keepPlace()}
      ></areyouj-transcript>
      ${session.status === "terminated" ? this.terminatedFoot(session) : this.foot(session)}`;
  }

  private keepPlace(): void {
    this.place = this.transcript?.place ?? null;
    this.save();
  }

  /** Cards that need a person and belong to no loaded entry, at the end of the transcript. */
  private tail(session: Session): TemplateResult {
    const { connected } = this;
    const inPlace = new Set(
      this.entries.flatMap(({ body }) => (body.kind === "permission" ? [body.permissionId] : [])),
    );
    const empty = this.entries.length === 0 && !this.more && this.liveText.length === 0;
    return html`${empty ? html`<p class="muted no-messages">No messages yet.</p>` : nothing}
      ${this.permissions
        .filter(({ id }) => !inPlace.has(id))
        .map(
          (permission) =>
            html`<areyouj-permission-request .permission=${permission} .connected=${connected}></areyouj-permission-request>`,
        )}
      ${asksInTerminal(session) ? html`<areyouj-screen-card .session=${session} .named=${false} .connected=${connected}></areyouj-screen-card>` : nothing}
      ${this.decisions.map((message) => html`<areyouj-decision .message=${message} .connected=${connected}></areyouj-decision>`)}
      ${session.status === "error" ? html`<areyouj-session-error .session=${session} .named=${false} .connected=${connected}></areyouj-session-error>` : nothing}`;
  }

  private foot(session: Session): TemplateResult {
    const { connected } = this;
    const busy = isBusy(session);
    return html`<footer class="foot">
      <areyouj-queue
        .queue=${this.queue}
        .busy=${session.status === "active"}
        .connected=${connected}
        @late=${(event: CustomEvent<string>) => this.composer?.insert(event.detail)}
      ></areyouj-queue>
      <areyouj-composer
        .sessionId=${this.sessionId}
        .draft=${this.draft}
        .busy=${busy}
        .steerable=${session.status === "active"}
        .connected=${connected}
        @draft=${(event: CustomEvent<Draft>) => {
          this.draft = event.detail;
          this.save();
        }}
      ></areyouj-composer>
    </footer>`;
  }

  private terminatedFoot(session: Session): TemplateResult {
    const { connected } = this;
    const off = { disabled: !connected, ...(connected ? {} : { title: OFFLINE }) };
    return html`<footer class="foot row wrap terminated-foot">
      <span class="grow muted">This session is terminated. Its transcript is kept until you delete it.</span>
      ${button("Restart", () => act({ kind: "restart", sessionId: session.id }), off)}
      ${button("Delete…", () => act({ kind: "delete", sessionId: session.id }), { ...off, secondary: true })}
    </footer>`;
  }
}

function gone(): TemplateResult {
  return html`<section class="empty">
    <span class="codicon codicon-circle-slash" aria-hidden="true"></span>
    <h1>Session not found</h1>
    <p class="muted">It was deleted, or it belongs to another AreYouJ daemon.</p>
    ${button("Open orchestration", () => act({ kind: "openOrchestration" }))}
  </section>`;
}

adopt(css`
  .automation {
    display: flex;
    flex-direction: column;
    height: 100%;
    container: page / inline-size;
  }
  .foot {
    --side: max(16px, calc((100% - var(--scrollbar) - 980px) / 2));
    padding: 6px calc(var(--side) + var(--scrollbar)) 12px var(--side);
    border-top: 1px solid var(--vscode-panel-border, var(--vscode-contrastBorder));
  }
  .terminated-foot {
    padding-top: 12px;
  }
  .no-messages {
    padding: 32px 0;
    text-align: center;
  }
`);
