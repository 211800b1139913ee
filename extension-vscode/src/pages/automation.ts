import * as vscode from "vscode";
import type { Client } from "../daemon/client";
import { ProblemError } from "../daemon/problemError";
import { completeFiles } from "../files/completion";
import { Coalesced } from "../model/coalesce";
import type { Model } from "../model/model";
import type { Icon, Performer } from "../ports";
import type { Delta, Session, Status } from "../protocol.gen";
import type { FromPage, ToAutomation, Transcript } from "../shared/bridge";
import { displayName } from "../shared/session";
import { Feed } from "./feed";
import { Page } from "./page";
import { type PageSources, pageState, postChanges } from "./pageState";

/** The type of the editor tab. */
export const AUTOMATION_TAB = "areyouj.automation";
/** Changes within this time are posted to the switcher together: its list is long and seldom open, in milliseconds. */
const SWITCHER_WITHIN_MS = 250;
/** How many older entries are read at once. */
const OLDER_ENTRIES = 200;

export interface AutomationParts extends PageSources {
  client: Pick<Client, "request" | "requestOnce" | "on" | "connection">;
  model: PageSources["model"] &
    Pick<Model, "session" | "live" | "queue" | "watchQueue" | "onSessions" | "onQueue" | "onStale">;
  performer: Pick<Performer, "performForPage">;
  /** The directory that the extension is installed in. */
  extension: vscode.Uri;
  icon(status: Status): Icon;
}

/** The automation page of one session, in its editor tab. */
export class Automation implements vscode.Disposable {
  readonly #page: Page<ToAutomation>;
  readonly #feed: Feed;
  readonly #switcher = new Coalesced(() => this.#postSwitcher(), SWITCHER_WITHIN_MS);
  readonly #disposables: vscode.Disposable[];
  /** Output that arrived before the page was ready. */
  #transcript: Transcript = { entries: [], more: false };
  #liveText: Delta[] = [];
  /** Other messages for a page that was not ready yet. */
  #early: ToAutomation[] = [];
  #ready = false;
  /** Live text arrived that the hidden page has not received. */
  #missed = false;
  /** The end of the transcript was shown while the page or the window was in the background. */
  #unseen = false;
  #closed = false;

  constructor(
    private readonly parts: AutomationParts,
    readonly sessionId: string,
    readonly panel: vscode.WebviewPanel,
  ) {
    const { client, model } = parts;
    this.#feed = new Feed(client, sessionId, {
      transcript: (entries, more) => {
        if (this.#ready) this.#page.post({ type: "transcript", transcript: { entries, more } });
        else [this.#transcript, this.#liveText] = [{ entries, more }, []];
      },
      entries: (entries) => {
        if (this.#ready) return this.#page.post({ type: "entries", entries });
        this.#transcript.entries.push(...entries);
        this.#liveText = [];
      },
      liveText: (deltas) => {
        this.#missed = false;
        if (this.#ready) this.#page.post({ type: "liveText", deltas });
        else this.#liveText = deltas;
      },
      delta: (delta) => {
        if (!this.#ready) this.#liveText.push(delta);
        // A hidden page would draw every word for nobody; it receives the missing text when it becomes visible.
        else if (!panel.visible) this.#missed = true;
        else this.#page.post({ type: "delta", delta });
      },
    });
    this.#page = new Page(panel.webview, parts.extension, "automation", {
      ready: () => this.#becameReady(),
      message: (message) => this.#receive(message),
    });
    const mine = (id: string): boolean => id === sessionId;
    this.#disposables = [
      this.#page,
      this.#switcher,
      panel.onDidChangeViewState(() => {
        this.#page.post({ type: "visible", visible: panel.visible });
        this.#switcher.call();
        if (this.#unseen) void this.#seen();
        if (panel.visible && this.#missed) void this.#feed.attach();
      }),
      vscode.window.onDidChangeWindowState(() => {
        if (this.#unseen) void this.#seen();
      }),
      model.watchQueue(sessionId),
      postChanges(parts, (message) => this.#page.post(message), sessionId),
      model.onSessions(({ changed, removed }) => {
        this.#switcher.call();
        if (!changed.some(({ id }) => mine(id)) && !removed.some(mine)) return;
        this.#page.post({ type: "session", session: this.session });
        this.#decorate();
      }),
      model.onQueue((queue) => {
        if (mine(queue.sessionId)) this.#page.post({ type: "queue", queue });
      }),
      model.onStale(() => void this.#feed.attach()),
      client.on("areyouj/claudeOutput", (output) => this.#feed.output(output)),
    ];
    this.#decorate();
    // The client's connection, not the model's: a page that opens before the model follows would miss `onStale`.
    if (client.connection.state === "connected") void this.#feed.attach();
  }

  /** The known session; null if there is none (any more). */
  get session(): Session | null {
    return this.parts.model.session(this.sessionId);
  }

  /** Inserts text into the composer and focuses it. */
  insert(text: string): void {
    this.panel.reveal();
    for (const message of [{ type: "insert", text }, { type: "focusComposer" }] as const) {
      if (this.#ready) this.#page.post(message);
      else this.#early.push(message);
    }
  }

  dispose(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const disposable of this.#disposables) disposable.dispose();
    this.#feed.dispose();
  }

  #becameReady(): void {
    const { model } = this.parts;
    const again = this.#ready;
    this.#ready = true;
    this.#page.post({ type: "visible", visible: this.panel.visible });
    this.#page.post({
      type: "state",
      ...pageState(this.parts, this.sessionId),
      sessionId: this.sessionId,
      session: this.session,
      queue: model.queue(this.sessionId),
      sessions: model.live,
      transcript: this.#transcript,
    });
    this.#page.post({ type: "liveText", deltas: this.#liveText });
    this.#transcript = { entries: [], more: false };
    this.#liveText = [];
    if (again) {
      // The page was reloaded, and everything after its first transcript is not kept here.
      this.#feed.reset();
      void this.#feed.attach();
    }
    for (const message of this.#early) this.#page.post(message);
    this.#early = [];
  }

  #receive(message: Exclude<FromPage, { type: "ready" }>): void {
    switch (message.type) {
      case "action":
        void this.parts.performer.performForPage(message, (done) => this.#page.post(done));
        break;
      case "loadOlder":
        void this.#loadOlder(message.before);
        break;
      case "completeFile":
        void this.#completeFile(message.id, message.prefix);
        break;
      case "seen":
        void this.#seen();
        break;
    }
  }

  async #loadOlder(before: number): Promise<void> {
    try {
      const page = await this.parts.client.request("areyouj/transcript/read", {
        sessionId: this.sessionId,
        before,
        limit: OLDER_ENTRIES,
      });
      this.#page.post({ type: "older", entries: page.entries, more: page.more });
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      // The page can ask again: older entries still exist.
      this.#page.post({ type: "older", entries: [], more: true });
    }
  }

  async #completeFile(id: number, prefix: string): Promise<void> {
    const { session } = this;
    this.#page.post({
      type: "files",
      id,
      paths: session === null ? [] : await completeFiles(session.directory, prefix),
    });
  }

  /** Marks the session as read when the end of its transcript is visible in a focused window, now or later. */
  async #seen(): Promise<void> {
    this.#unseen = !this.panel.visible || !vscode.window.state.focused;
    if (this.#unseen || (this.session?.unread ?? 0) === 0) return;
    try {
      await this.parts.client.request("areyouj/session/read", { sessionId: this.sessionId });
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
    }
  }

  #postSwitcher(): void {
    if (this.panel.visible) this.#page.post({ type: "sessions", sessions: this.parts.model.live });
  }

  #decorate(): void {
    const { session } = this;
    this.panel.title = session === null ? this.sessionId : displayName(session);
    this.panel.iconPath = this.parts.icon(session?.status ?? "terminated");
  }
}
