import * as vscode from "vscode";
import type { FromPage, ToAutomation, Transcript } from "../shared/bridge";
import { Coalesced } from "../model/coalesce";
import { completeFiles } from "../files/files";
import type { Context } from "../app";
import { Failure } from "../shared/problem";
import type { Delta, Session } from "../protocol.gen";
import { displayName } from "../editorText";
import { Feed } from "./feed";
import { Page } from "./page";

/** The type of the editor tab. */
export const AUTOMATION_TAB = "areyouj.automation";
/** The list for the switcher is long, and nobody looks at it while it changes, in milliseconds. */
const SWITCHER_WITHIN_MS = 250;
/** How many older entries are read at once. */
const OLDER_ENTRIES = 200;

/** The automation page of one session, in its editor tab. */
export class Automation implements vscode.Disposable {
  readonly #page: Page<ToAutomation>;
  readonly #feed: Feed;
  readonly #switcher = new Coalesced(() => this.#tellSwitcher(), SWITCHER_WITHIN_MS);
  readonly #disposables: vscode.Disposable[];
  /** What came before the page was ready. */
  #transcript: Transcript = { entries: [], more: false };
  #said: Delta[] = [];
  /** What else was meant for a page that was not ready yet. */
  #early: ToAutomation[] = [];
  #ready = false;
  /** Something was said that the page was not told. */
  #missed = false;
  /** The page showed its end while nobody looked. */
  #unlooked = false;
  #closed = false;

  constructor(
    private readonly context: Context,
    readonly sessionId: string,
    readonly panel: vscode.WebviewPanel,
  ) {
    const { model, client, settings } = context;
    this.#feed = new Feed(client, sessionId, {
      transcript: (entries, more) => {
        if (this.#ready) this.#page.post({ type: "transcript", transcript: { entries, more } });
        else [this.#transcript, this.#said] = [{ entries, more }, []];
      },
      entries: (entries) => {
        if (this.#ready) return this.#page.post({ type: "entries", entries });
        this.#transcript.entries.push(...entries);
        this.#said = [];
      },
      said: (deltas) => {
        this.#missed = false;
        if (this.#ready) this.#page.post({ type: "said", deltas });
        else this.#said = deltas;
      },
      delta: (delta) => {
        if (!this.#ready) this.#said.push(delta);
        // A page behind others would draw every word for nobody; what it lacks comes when it is seen again.
        else if (!panel.visible) this.#missed = true;
        else this.#page.post({ type: "delta", delta });
      },
    });
    this.#page = new Page(panel.webview, context.extension.extensionUri, "automation", {
      ready: () => this.#becameReady(),
      message: (message) => this.#message(message),
    });
    const mine = (id: string): boolean => id === sessionId;
    this.#disposables = [
      this.#page,
      this.#switcher,
      panel.onDidChangeViewState(() => {
        this.#switcher.call();
        if (this.#unlooked) void this.#seen();
        if (panel.visible && this.#missed) void this.#feed.attach();
      }),
      vscode.window.onDidChangeWindowState(() => {
        if (this.#unlooked) void this.#seen();
      }),
      model.watchQueue(sessionId),
      model.onConnection((connection) => this.#page.post({ type: "connection", connection })),
      model.onSessions(({ changed, removed }) => {
        this.#switcher.call();
        if (!changed.some(({ id }) => mine(id)) && !removed.some(mine)) return;
        this.#page.post({ type: "session", session: this.session });
        this.#decorate();
      }),
      model.onPermissions(() => this.#page.post({ type: "permissions", permissions: model.permissions(sessionId) })),
      model.onDecisions(() => this.#page.post({ type: "decisions", decisions: model.decisions(sessionId) })),
      model.onQueue((queue) => {
        if (mine(queue.sessionId)) this.#page.post({ type: "queue", queue });
      }),
      model.onStale(() => void this.#feed.attach()),
      client.on("areyouj/claudeOutput", (output) => this.#feed.output(output)),
      settings.onPage(() => this.#page.post({ type: "settings", settings: settings.page() })),
    ];
    this.#decorate();
    // The client's connection, not the model's: that follows later, and who comes in between was not told to attach.
    if (client.connection.state === "connected") void this.#feed.attach();
  }

  /** The session as it is known; null if there is none (any more). */
  get session(): Session | null {
    return this.context.model.session(this.sessionId);
  }

  /** Puts text into the composer and gives it the keyboard. */
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
    const { model, settings } = this.context;
    const again = this.#ready;
    this.#ready = true;
    this.#page.post({
      type: "state",
      connection: model.connection,
      settings: settings.page(),
      sessionId: this.sessionId,
      session: this.session,
      queue: model.queue(this.sessionId),
      permissions: model.permissions(this.sessionId),
      decisions: model.decisions(this.sessionId),
      sessions: model.live,
      transcript: this.#transcript,
    });
    this.#page.post({ type: "said", deltas: this.#said });
    this.#transcript = { entries: [], more: false };
    this.#said = [];
    if (again) {
      // The page was loaded anew, and what it had beyond the first transcript is not kept here.
      this.#feed.reset();
      void this.#feed.attach();
    }
    for (const message of this.#early) this.#page.post(message);
    this.#early = [];
  }

  #message(message: Exclude<FromPage, { type: "ready" }>): void {
    switch (message.type) {
      case "action":
        void this.context.actions.forPage(message, (done) => this.#page.post(done));
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
      const page = await this.context.client.request("areyouj/transcript/read", {
        sessionId: this.sessionId,
        before,
        limit: OLDER_ENTRIES,
      });
      this.#page.post({ type: "older", entries: page.entries, more: page.more });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      // The page may ask again: what it lacks is still there.
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

  /** The end of the transcript is on the screen; if nobody looks at that now, it counts when somebody does. */
  async #seen(): Promise<void> {
    this.#unlooked = !this.panel.visible || !vscode.window.state.focused;
    if (this.#unlooked || (this.session?.unread ?? 0) === 0) return;
    try {
      await this.context.client.request("areyouj/session/read", { sessionId: this.sessionId });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
    }
  }

  #tellSwitcher(): void {
    if (this.panel.visible) this.#page.post({ type: "sessions", sessions: this.context.model.live });
  }

  #decorate(): void {
    const { session } = this;
    this.panel.title = session === null ? this.sessionId : displayName(session);
    this.panel.iconPath = this.context.media(session === null ? "terminated" : session.status);
  }
}
