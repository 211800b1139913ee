import * as vscode from "vscode";
import type { Connection } from "../shared/bridge";
import type { Client } from "../daemon/client";
import { ProblemError, toProblemError } from "../daemon/problemError";
import type { Message, Permission, Queue, Session, SessionList } from "../protocol.gen";
import { type Clock, systemClock } from "../daemon/retry";
import { Decisions } from "./decisions";

/** The pause before a failed list request is repeated, in milliseconds. */
const LIST_AGAIN_MS = 1_000;
/** Updates that are kept while a list is requested; after more of them the list is requested once more instead. */
const MAX_EARLY = 1_000;

/** Sessions that are new or different, and ids of deleted ones. */
export interface SessionChange {
  changed: Session[];
  removed: string[];
}

interface Update {
  revision: number;
  sessionId: string;
  session: Session | undefined;
}

/**
 * The known state of the daemon: sessions, open permission requests, messages that wait for a decision, and watched
 * queues. After a resync or a new connection everything is requested again; until then the old state stays.
 */
export class Model implements vscode.Disposable {
  #connection: Connection;
  #revision: number | null = null;
  #listing: Promise<void> | null = null;
  #listAgain = false;
  /** Counts connections and resyncs; an answer from before the latest one is not used. */
  #epoch = 0;
  readonly #sessions = new Map<string, Session>();
  #early: Update[] = [];
  #permissions = new Map<string, Permission>();
  #earlyPermissions = new Map<string, Permission>();
  readonly #queues = new Map<string, { watchers: number; queue: Queue | null }>();
  readonly #decisions: Decisions;
  readonly #disposables: vscode.Disposable[] = [];
  readonly #clock: Clock;

  readonly #emitters = {
    connection: new vscode.EventEmitter<Connection>(),
    sessions: new vscode.EventEmitter<SessionChange>(),
    permissions: new vscode.EventEmitter<Permission[]>(),
    permissionEnded: new vscode.EventEmitter<Permission>(),
    decisions: new vscode.EventEmitter<Message[]>(),
    queue: new vscode.EventEmitter<Queue>(),
    stale: new vscode.EventEmitter<void>(),
  };
  /** The connection as people should see it: `connected` means that the known state is up to date. */
  readonly onConnection = this.#emitters.connection.event;
  readonly onSessions = this.#emitters.sessions.event;
  /** All open permission requests, oldest first. */
  readonly onPermissions = this.#emitters.permissions.event;
  /** A permission request was answered or withdrawn. */
  readonly onPermissionEnded = this.#emitters.permissionEnded.event;
  /** All messages that wait for a decision. */
  readonly onDecisions = this.#emitters.decisions.event;
  /** A watched queue changed. */
  readonly onQueue = this.#emitters.queue.event;
  /** Notifications were lost, or the connection is new: everything that follows a session's output must attach again. */
  readonly onStale = this.#emitters.stale.event;

  constructor(
    private readonly client: Pick<Client, "request" | "requestOnce" | "on" | "onConnection" | "connection">,
    private readonly warn: (text: string) => void,
    clock: Clock = systemClock,
  ) {
    this.#clock = clock;
    this.#connection = client.connection;
    this.#decisions = new Decisions(client, (messages) => this.#emitters.decisions.fire(messages));
    this.#disposables.push(
      client.onConnection((connection) => this.#apply(connection)),
      client.on("areyouj/sessionListUpdate", (update) => this.#update({ ...update, session: update.session })),
      client.on("areyouj/sessionCreated", (update) => this.#update(update)),
      client.on("areyouj/permissionUpdate", ({ permission }) => this.#permission(permission)),
      client.on("areyouj/queueUpdate", ({ queue }) => this.#queue(queue)),
      client.on("areyouj/resync", () => this.#refreshAll()),
      ...Object.values(this.#emitters),
    );
  }

  get connection(): Connection {
    return this.#connection;
  }

  /** All sessions, terminated ones too, newest first. */
  get sessions(): Session[] {
    return [...this.#sessions.values()].toSorted(
      (one, other) => other.createdAt - one.createdAt || one.id.localeCompare(other.id),
    );
  }

  /** All sessions but the terminated ones, newest first. */
  get live(): Session[] {
    return this.sessions.filter((session) => session.status !== "terminated");
  }

  session(id: string): Session | null {
    return this.#sessions.get(id) ?? null;
  }

  /** Open permission requests, of all sessions or of one, oldest first. */
  permissions(sessionId?: string): Permission[] {
    return [...this.#permissions.values()]
      .filter((permission) => sessionId === undefined || permission.sessionId === sessionId)
      .toSorted(
        (one, other) => one.createdAt - other.createdAt || one.id.localeCompare(other.id, "en", { numeric: true }),
      );
  }

  /** Messages that were interrupted or failed and wait for a decision, of all sessions or of one. */
  decisions(sessionId?: string): Message[] {
    return this.#decisions.messages.filter((message) => sessionId === undefined || message.sessionId === sessionId);
  }

  /** The queue of a watched session, once it is known. */
  queue(sessionId: string): Queue | null {
    return this.#queues.get(sessionId)?.queue ?? null;
  }

  /** Keeps a session's queue up to date until the result is disposed. */
  watchQueue(sessionId: string): vscode.Disposable {
    const watched = this.#queues.get(sessionId) ?? { watchers: 0, queue: null };
    this.#queues.set(sessionId, watched);
    // The client's connection, not the model's: that one is not `connected` before the list has arrived, and a queue
    // that is first watched meanwhile would be missed.
    if (watched.watchers++ === 0 && this.client.connection.state === "connected") void this.#fetchQueue(sessionId);
    return new vscode.Disposable(() => {
      if (--watched.watchers === 0) this.#queues.delete(sessionId);
    });
  }

  /** Fetches sessions and permission requests again. */
  refresh(): Promise<void> {
    return this.#list();
  }

  dispose(): void {
    this.#epoch++;
    for (const disposable of this.#disposables) disposable.dispose();
  }

  #apply(connection: Connection): void {
    if (connection.state === "connected") this.#refreshAll();
    else {
      this.#epoch++;
      this.#setConnection(connection);
    }
  }

  #setConnection(connection: Connection): void {
    this.#connection = connection;
    this.#emitters.connection.fire(connection);
  }

  /** Requests everything again. */
  #refreshAll(): void {
    this.#epoch++;
    this.#revision = null;
    this.#earlyPermissions.clear();
    void this.#list();
    for (const sessionId of this.#queues.keys()) void this.#fetchQueue(sessionId);
    this.#emitters.stale.fire();
  }

  /** Lists sessions and permission requests. One list at a time; a call meanwhile causes one more. */
  #list(): Promise<void> {
    if (this.#listing !== null) {
      this.#listAgain = true;
      return this.#listing;
    }
    this.#listing = Promise.resolve()
      .then(() => this.#listOnce())
      .catch(async (error: unknown) => {
        const { problem } = toProblemError(error);
        this.warn(`The sessions could not be listed: ${problem.message}`);
        const { state } = this.#connection;
        this.#setConnection({ state: state === "connected" ? "reconnecting" : state, problem });
        await this.#clock.sleep(LIST_AGAIN_MS);
        this.#listAgain ||= this.client.connection.state === "connected";
      })
      .then(() => {
        this.#listing = null;
        if (!this.#listAgain) return undefined;
        this.#listAgain = false;
        return this.#list();
      });
    return this.#listing;
  }

  async #listOnce(): Promise<void> {
    const epoch = this.#epoch;
    const [list, { permissions }] = await Promise.all([
      this.client.request("areyouj/session/list", { all: true }),
      this.client.request("areyouj/permission/list", {}),
    ]);
    if (epoch !== this.#epoch) {
      // The connection was lost meanwhile; the next one lists again.
      this.#listAgain = this.client.connection.state === "connected";
      return;
    }
    this.#replaceSessions(list);
    this.#replacePermissions(permissions);
    if (this.client.connection.state === "connected" && this.#connection.state !== "connected")
      this.#setConnection(this.client.connection);
  }

  #replaceSessions(list: SessionList): void {
    const next = new Map(list.sessions.map((session) => [session.id, session]));
    const change: SessionChange = {
      changed: list.sessions.filter((session) => !same(session, this.#sessions.get(session.id))),
      removed: [...this.#sessions.keys()].filter((id) => !next.has(id)),
    };
    for (const id of change.removed) this.#sessions.delete(id);
    for (const session of list.sessions) this.#sessions.set(session.id, session);
    this.#revision = list.revision;
    this.#sessionsChanged(change);
    const early = this.#early.filter((update) => update.revision > list.revision);
    this.#early = [];
    for (const update of early) this.#update(update);
  }

  #update(update: Update): void {
    if (this.#revision === null) {
      if (this.#early.push(update) <= MAX_EARLY) return;
      this.#early = [];
      this.#listAgain = this.#listing !== null;
      return;
    }
    if (update.revision <= this.#revision) return;
    this.#revision = update.revision;
    if (update.session === undefined) {
      this.#sessions.delete(update.sessionId);
      this.#sessionsChanged({ changed: [], removed: [update.sessionId] });
    } else {
      this.#sessions.set(update.sessionId, update.session);
      this.#sessionsChanged({ changed: [update.session], removed: [] });
    }
  }

  #sessionsChanged(change: SessionChange): void {
    // Also without a change: a message that could not be fetched before may be available now.
    this.#decisions.follow(this.#sessions.values());
    if (change.changed.length === 0 && change.removed.length === 0) return;
    this.#emitters.sessions.fire(change);
  }

  #permission(permission: Permission): void {
    if (this.#listing !== null) this.#earlyPermissions.set(permission.id, permission);
    const known = this.#permissions.delete(permission.id);
    if (permission.state === "open") this.#permissions.set(permission.id, permission);
    else this.#emitters.permissionEnded.fire(permission);
    if (known || permission.state === "open") this.#emitters.permissions.fire(this.permissions());
  }

  #replacePermissions(listed: Permission[]): void {
    const shown = (): string =>
      [...this.#permissions.values()]
        .map(({ id, digest }) => `${id} ${digest}`)
        .toSorted()
        .join();
    const before = shown();
    const all = [...listed, ...this.#earlyPermissions.values()];
    this.#earlyPermissions.clear();
    this.#permissions = new Map();
    for (const permission of all) {
      this.#permissions.delete(permission.id);
      if (permission.state === "open") this.#permissions.set(permission.id, permission);
    }
    if (shown() !== before) this.#emitters.permissions.fire(this.permissions());
  }

  #queue(queue: Queue): void {
    const watched = this.#queues.get(queue.sessionId);
    if (watched === undefined) return;
    watched.queue = queue;
    this.#emitters.queue.fire(queue);
  }

  async #fetchQueue(sessionId: string): Promise<void> {
    const epoch = this.#epoch;
    const before = this.queue(sessionId);
    try {
      const queue = await this.client.request("areyouj/queue/list", { sessionId });
      // A notification that arrived meanwhile is at least as new.
      if (epoch === this.#epoch && before === this.queue(sessionId)) this.#queue(queue);
    } catch (error) {
      // A deleted session has no queue, and the page says that it is deleted.
      if (!(error instanceof ProblemError)) throw error;
    }
  }
}

function same(one: Session, other: Session | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
