import * as vscode from "vscode";
import type { Connection, Problem } from "../shared/bridge";
import { LocalCode, notConnected, problem } from "../shared/problem";
import { type ConnectionChanged, ErrorCode, type Notifications, type Requests } from "../protocol.gen";
import { ProblemError, toProblemError } from "./problemError";
import { type Clock, systemClock, withRetry } from "./retry";
import type { Daemon, Log } from "../ports";

/** Methods of the daemon's notifications. */
type NotificationName = keyof Notifications;
type Params<N extends NotificationName> = Notifications[N]["params"];

/** A sidecar that runs and is initialized. */
export interface SidecarProcess {
  request(method: string, params: unknown): Promise<unknown>;
  stop(): Promise<void>;
}

/** What starting a sidecar needs. */
export interface SidecarOptions {
  /** The `areyouj` program. */
  command: string;
  /** The notifications to receive. */
  notifications: readonly string[];
  onNotification(name: string, params: unknown): void;
  /** The sidecar has exited by itself after its start; with the end of its standard error. */
  onClosed(stderr: string): void;
}

/** What the client is made of. */
export interface ClientParts {
  /** Rejects with a `ProblemError` if there is no program. */
  findBinary(): Promise<string>;
  startSidecar(options: SidecarOptions): Promise<SidecarProcess>;
  log: Log;
  clock?: Clock;
}

/** After so many exits within `EXITS_WITHIN_MS` the sidecar is not restarted automatically. */
export const MAX_EXITS = 5;
const EXITS_WITHIN_MS = 60_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 4_000;

const NOTIFICATIONS: Record<NotificationName, true> = {
  "areyouj/sessionListUpdate": true,
  "areyouj/sessionCreated": true,
  "areyouj/sessionTerminated": true,
  "areyouj/sessionStatusChanged": true,
  "areyouj/queueUpdate": true,
  "areyouj/permissionUpdate": true,
  "areyouj/claudeOutput": true,
  "areyouj/resync": true,
  "areyouj/connectionChanged": true,
};

/** The connection to the daemon: runs the sidecar, restarts it when it exits, and retries requests. */
export class Client implements Daemon, vscode.Disposable {
  #connection: Connection = { state: "connecting", problem: null };
  #sidecar: SidecarProcess | null = null;
  /** Counts starts of the sidecar; everything from an older one is ignored. */
  #run = 0;
  #exits: number[] = [];
  readonly #clock: Clock;
  readonly #connectionChanged = new vscode.EventEmitter<Connection>();
  readonly #listeners = new Map<string, Set<(params: never) => void>>();

  /** The connection changed. Every new connection fires `connected`: everything known must be requested again. */
  readonly onConnection = this.#connectionChanged.event;

  constructor(private readonly parts: ClientParts) {
    this.#clock = parts.clock ?? systemClock;
  }

  /** The current connection. */
  get connection(): Connection {
    return this.#connection;
  }

  /** Listens to a notification of the daemon. */
  on<N extends NotificationName>(name: N, listener: (params: Params<N>) => void): vscode.Disposable {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return { dispose: () => listeners.delete(listener) };
  }

  /** Sends a request, and retries it for ten seconds while its error is retryable. */
  request<M extends keyof Requests>(method: M, params: Requests[M]["params"]): Promise<Requests[M]["result"]> {
    return withRetry(() => this.requestOnce(method, params), this.#clock);
  }

  /** Sends a request once. */
  async requestOnce<M extends keyof Requests>(
    method: M,
    params: Requests[M]["params"],
  ): Promise<Requests[M]["result"]> {
    const sidecar = this.#sidecar;
    if (sidecar === null)
      throw new ProblemError(notConnected(this.#connection.problem), this.#connection.state !== "failed");
    try {
      return (await sidecar.request(method, params)) as Requests[M]["result"];
    } catch (error) {
      if (sidecar !== this.#sidecar)
        throw new ProblemError(notConnected(this.#connection.problem), this.#connection.state !== "failed");
      throw toProblemError(error);
    }
  }

  /** Starts the sidecar, and restarts it when it exits. Never rejects; `onConnection` reports the outcome. */
  async start(): Promise<void> {
    const run = ++this.#run;
    try {
      const command = await this.parts.findBinary();
      if (run !== this.#run) return;
      this.parts.log.info(`Starting ${command} lsp`);
      let state: ConnectionChanged | null = null;
      let ready = false;
      const sidecar = await this.parts.startSidecar({
        command,
        notifications: Object.keys(NOTIFICATIONS),
        onNotification: (name, params) => {
          if (run !== this.#run) return;
          if (name !== "areyouj/connectionChanged") return this.#emit(name, params);
          state = params as ConnectionChanged;
          if (ready || state.state === "reconnecting") this.#apply(state);
        },
        onClosed: (stderr) => {
          if (run === this.#run) this.#exited("The areyouj sidecar exited unexpectedly.", stderr);
        },
      });
      if (run !== this.#run) return await sidecar.stop();
      this.#sidecar = sidecar;
      ready = true;
      this.#apply(state ?? { state: "connected" });
    } catch (error) {
      if (run !== this.#run) return;
      if (error instanceof ProblemError) return this.#fail(error.problem);
      const stderr =
        error instanceof Error && "stderr" in error && typeof error.stderr === "string" ? error.stderr : "";
      const refused = toProblemError(error).problem;
      // The sidecar works, and reports why no daemon is running.
      if (refused.code !== ErrorCode.Internal) return this.#exited(refused.message, stderr, refused);
      this.#exited(
        `The areyouj sidecar could not be started: ${error instanceof Error ? error.message : String(error)}`,
        stderr,
      );
    }
  }

  /** Stops the sidecar and starts it again; also the way out of `failed`. */
  async restart(): Promise<void> {
    this.#exits = [];
    await this.stop();
    this.#set({ state: this.#connection.state === "connecting" ? "connecting" : "reconnecting", problem: null });
    await this.start();
  }

  /** Stops the sidecar. Sessions continue. */
  async stop(): Promise<void> {
    this.#run++;
    const sidecar = this.#sidecar;
    this.#sidecar = null;
    try {
      await sidecar?.stop();
    } catch (error) {
      this.parts.log.warn(`The sidecar did not exit in time: ${String(error)}`);
    }
  }

  dispose(): void {
    this.#run++;
    this.#connectionChanged.dispose();
    this.#listeners.clear();
  }

  #emit(name: string, params: unknown): void {
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        listener(params as never);
      } catch (error) {
        this.parts.log.error(`${name}: ${String(error)}`);
      }
    }
  }

  #apply(change: ConnectionChanged): void {
    if (change.state === "connected") return this.#set({ state: "connected", problem: null });
    const reason = change.error;
    this.#set({
      state: "reconnecting",
      problem:
        reason === undefined ? null : problem(reason.code, reason.message, reason.hint, { remedy: reason.remedy }),
    });
  }

  #exited(message: string, stderr: string, refused: Problem | null = null): void {
    const now = this.#clock.now();
    this.#sidecar = null;
    this.parts.log.warn(message);
    this.#exits = [...this.#exits.filter((at) => now - at < EXITS_WITHIN_MS), now];
    const why =
      refused ??
      problem(
        LocalCode.SidecarFailed,
        message,
        "“Show log” has the details, and “Run doctor” checks the installation.",
        { log: stderr === "" ? null : stderr },
      );
    if (this.#exits.length >= MAX_EXITS) return this.#fail(why);
    this.#set({ state: this.#connection.state === "connecting" ? "connecting" : "reconnecting", problem: refused });
    const run = ++this.#run;
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** (this.#exits.length - 1), LONGEST_PAUSE_MS);
    void this.#clock.sleep(pause).then(() => (run === this.#run ? this.start() : undefined));
  }

  #fail(reason: Problem): void {
    this.#sidecar = null;
    this.parts.log.error(`${reason.message} ${reason.hint}`);
    this.#set({ state: "failed", problem: reason });
  }

  #set(connection: Connection): void {
    this.#connection = connection;
    this.#connectionChanged.fire(connection);
  }
}
