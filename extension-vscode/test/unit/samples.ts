import { EventEmitter } from "vscode";
import type { Connection } from "../../src/shared/bridge";
import type { Client } from "../../src/daemon/client";
import type { DisplaySection, Message, Notifications, Permission, Requests, Session } from "../../src/protocol.gen";
import type { Clock } from "../../src/daemon/retry";

/** A session as the daemon reports it. */
export function session(id: string, changes: Partial<Session> = {}): Session {
  return {
    id,
    directory: `/home/u/${id.toLowerCase()}`,
    name: null,
    driver: "stream",
    status: "idle",
    statusSince: 1,
    statusSource: "control",
    statusReason: null,
    error: null,
    attention: null,
    currentTask: null,
    createdAt: 1,
    lastActivity: 1,
    pid: 2,
    hostPid: 1,
    claudeSessionId: "0",
    model: null,
    permissionMode: null,
    costUsd: 0,
    contextUsed: null,
    contextMax: null,
    queued: 0,
    queuePaused: null,
    unread: 0,
    startupMs: 1,
    refusals: null,
    hostUnprotected: false,
    ...changes,
  };
}

/** A section of a display without anything hidden. */
export function section(label: string, style: DisplaySection["style"], text: string): DisplaySection {
  return { label, style, size: { lines: 1, characters: text.length }, segments: [{ kind: "plain", text }] };
}

/** An open permission request for a shell command. */
export function permission(id: string, changes: Partial<Permission> = {}): Permission {
  return {
    id,
    sessionId: id.split("-")[0] ?? "",
    kind: "tool",
    tool: "Bash",
    input: { command: "make test" },
    title: "make test",
    display: [section("Tool", "tool", "Bash"), section("Command", "command", "make test")],
    digest: "0f",
    controlsAreyouj: false,
    suggestions: [],
    always: [],
    createdAt: 1,
    state: "open",
    answeredBy: null,
    granted: [],
    ...changes,
  };
}

/** A message of a session. */
export function message(id: string, sessionId: string, changes: Partial<Message> = {}): Message {
  return {
    id,
    sessionId,
    text: id,
    state: "queued",
    position: 0,
    createdAt: 1,
    startedAt: null,
    finishedAt: null,
    error: null,
    ...changes,
  };
}

/** A clock that advances only by its own pauses. */
export class TestClock implements Clock {
  time = 0;
  readonly now = (): number => this.time;
  readonly sleep = (milliseconds: number): Promise<void> => {
    this.time += milliseconds;
    return Promise.resolve();
  };
}

type Answers = {
  [M in keyof Requests]?: (params: Requests[M]["params"]) => Requests[M]["result"] | Promise<Requests[M]["result"]>;
};
type Listener = (params: unknown) => void;

/** A daemon with fixed answers. */
export class TestDaemon {
  connection: Connection = { state: "connecting", problem: null };
  readonly asked: { method: string; params: unknown }[] = [];
  readonly #listeners: [string, Listener][] = [];
  readonly #connection = new EventEmitter<Connection>();
  readonly onConnection = this.#connection.event;

  constructor(readonly answers: Answers = {}) {}

  readonly request: Client["request"] = async (method, params) => {
    this.asked.push({ method, params });
    const answer = this.answers[method] as ((given: unknown) => Promise<never>) | undefined;
    if (answer === undefined) throw new Error(`nobody expects ${method}`);
    return await answer(params);
  };

  /** Methods that were requested without retries. */
  readonly once: string[] = [];

  readonly requestOnce: Client["request"] = (method, params) => {
    this.once.push(method);
    return this.request(method, params);
  };

  readonly on: Client["on"] = (name, listener) => {
    const entry: [string, Listener] = [name, listener as Listener];
    this.#listeners.push(entry);
    return { dispose: () => this.#listeners.splice(this.#listeners.indexOf(entry), 1) };
  };

  /** Sends a notification. */
  push<N extends keyof Notifications>(name: N, params: Notifications[N]["params"]): void {
    for (const [wanted, listener] of this.#listeners) if (wanted === name) listener(params);
  }

  /** Changes the connection. */
  becomes(state: Connection["state"]): void {
    this.connection = { state, problem: null };
    this.#connection.fire(this.connection);
  }

  /** The number of requests of a method. */
  count(method: string): number {
    return this.asked.filter((one) => one.method === method).length;
  }
}

/** Runs everything that is due. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
}
