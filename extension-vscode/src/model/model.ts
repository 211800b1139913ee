import * as vscode from "vscode";
import type { Connection } from "../shared/bridge";
import type { Client } from "../daemon/client";
import { Decisions } from "./decisions";
import { failureOf, Failure } from "../shared/problem";
import type { Message, Permission, Queue, Session, SessionList } from "../protocol.gen";
import { type Clock, systemClock } from "../daemon/retry";

/** Before the list is asked for again after it could not be had, in milliseconds. */
const LIST_AGAIN_MS = 1_000;
/** Updates that are kept while a list is on its way; with more, it is listed once more instead. */
const MAX_EARLY = 1_000;

/** Sessions that are new or different, and ids of those that are gone for good. */
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
 * What is known of the daemon: sessions, open prompts, messages that wait for a decision, and the queues somebody looks
 * at. After a gap, a resync or a new connection everything is asked for again; until it is there, what was known stays.
 */
export class Model implements vscode.Disposable {
  #connection: Connection;
  #revision: number | null = null;
  #listing: Promise<void> | null = null;
  #listAgain = false;
  /** Counts connections and resyncs; an answer that belongs to an older one is not used. */
  #epoch = 0;
  readonly #sessions = new Map<string, Session>();
  #early: Update[] = [];
  #permissions = new Map<string, Permission>();
  #permissionNews = new Map<string, Permission>();
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
  /** The connection as people should see it: `connected` means that what is known is up to date. */
  readonly onConnection = this.#emitters.connection.event;
  readonly onSessions = this.#emitters.sessions.event;
  /** All open prompts, oldest first. */
  readonly onPermissions = this.#emitters.permissions.event;
  /** A prompt was answered or withdrawn. */
  readonly onPermissionEnded = this.#emitters.permissionEnded.event;
  /** All messages that wait for a decision. */
  readonly onDecisions = this.#emitters.decisions.event;
  /** A queue that is watched. */
  readonly onQueue = this.#emitters.queue.event;
  /** Pushes were lost, or the connection is a new one: whoever follows a session's output attaches again. */
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
      client.onConnection((connection) => this.#connectionIs(connection)),
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

  /** Open prompts, of all sessions or of one, oldest first. */
  permissions(sessionId?: string): Permission[] {
    return [...this.#permissions.values()]
      .filter((permission) => sessionId === undefined || permission.sessionId === sessionId)
      .toSorted(
        (one, other) => one.createdAt - other.createdAt || one.id.localeCompare(other.id, "en", { numeric: true }),
      );
  }

  /** Messages that were cut off or failed and wait for a decision, of all sessions or of one. */
  decisions(sessionId?: string): Message[] {
    return this.#decisions.messages.filter((message) => sessionId === undefined || message.sessionId === sessionId);
  }

  /** The queue of a session that is watched, once it is known. */
  queue(sessionId: string): Queue | null {
    return this.#queues.get(sessionId)?.queue ?? null;
  }

  /** Keeps a session's queue up to date until disposed of. */
  watchQueue(sessionId: string): vscode.Disposable {
    const watched = this.#queues.get(sessionId) ?? { watchers: 0, queue: null };
    this.#queues.set(sessionId, watched);
    // The client's connection, not what is told of it: a queue that is first watched while the list is on its way is not asked for with it.
    if (watched.watchers++ === 0 && this.client.connection.state === "connected") void this.#fetchQueue(sessionId);
    return new vscode.Disposable(() => {
      if (--watched.watchers === 0) this.#queues.delete(sessionId);
    });
  }

  dispose(): void {
    this.#epoch++;
    for (const disposable of this.#disposables) disposable.dispose();
  }

  #connectionIs(connection: Connection): void {
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

  /** Asks for everything again. */
  #refreshAll(): void {
    this.#epoch++;
    this.#revision = null;
    this.#permissionNews.clear();
    void this.#list();
    for (const sessionId of this.#queues.keys()) void this.#fetchQueue(sessionId);
    this.#emitters.stale.fire();
  }

  /** Lists sessions and prompts. One at a time; one more is made if it is asked for meanwhile. */
  #list(): Promise<void> {
    if (this.#listing !== null) {
      this.#listAgain = true;
      return this.#listing;
    }
    this.#listing = Promise.resolve()
      .then(() => this.#listOnce())
      .catch(async (error: unknown) => {
        const { problem } = failureOf(error);
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
    const [list, prompts] = await Promise.all([
      this.client.request("areyouj/session/list", { all: true }),
      this.client.request("areyouj/permission/list", {}),
    ]);
    if (epoch !== this.#epoch) {
      // The connection was lost meanwhile; when it is back, it is listed again.
      this.#listAgain = this.client.connection.state === "connected";
      return;
    }
    this.#replaceSessions(list);
    this.#replacePermissions(prompts.permissions);
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
    this.#tellSessions(change);
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
    if (update.revision > this.#revision + 1) {
      this.#revision = null;
      this.#early = [update];
      void this.#list();
      return;
    }
    this.#revision = update.revision;
    if (update.session === undefined) {
      this.#sessions.delete(update.sessionId);
      this.#tellSessions({ changed: [], removed: [update.sessionId] });
    } else {
      this.#sessions.set(update.sessionId, update.session);
      this.#tellSessions({ changed: [update.session], removed: [] });
    }
  }

  #tellSessions(change: SessionChange): void {
    // Also when nothing has changed: what could not be fetched before may be had now.
    this.#decisions.follow(this.#sessions.values());
    if (change.changed.length === 0 && change.removed.length === 0) return;
    this.#emitters.sessions.fire(change);
  }

  #permission(permission: Permission): void {
    if (this.#listing !== null) this.#permissionNews.set(permission.id, permission);
    const known = this.#permissions.delete(permission.id);
    if (permission.state === "open") this.#permissions.set(permission.id, permission);
    else this.#emitters.permissionEnded.fire(permission);
    if (known || permission.state === "open") this.#emitters.permissions.fire(this.permissions());
  }

  #replacePermissions(listed: Permission[]): void {
    const before = [...this.#permissions.keys()].toSorted().join();
    const all = [...listed, ...this.#permissionNews.values()];
    this.#permissionNews.clear();
    this.#permissions = new Map();
    for (const permission of all) {
      this.#permissions.delete(permission.id);
      if (permission.state === "open") this.#permissions.set(permission.id, permission);
    }
    if ([...this.#permissions.keys()].toSorted().join() !== before) this.#emitters.permissions.fire(this.permissions());
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
      // A push that came meanwhile is at least as new.
      if (epoch === this.#epoch && before === this.queue(sessionId)) this.#queue(queue);
    } catch (error) {
      // A session that is gone has no queue, and the page says that it is gone.
      if (!(error instanceof Failure)) throw error;
    }
  }
}

function same(one: Session, other: Session | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
