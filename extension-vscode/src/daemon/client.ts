import * as vscode from "vscode";
import type { Connection, Problem } from "../shared/bridge";
import { Failure, failureOf, LocalCode, notConnected, problem } from "../shared/problem";
import { type ConnectionChanged, ErrorCode, type Notifications, type Requests } from "../protocol.gen";
import { type Clock, systemClock, withRetry } from "./retry";

/** Methods of the daemon's notifications. */
type NotificationName = keyof Notifications;
type Params<N extends NotificationName> = Notifications[N]["params"];

/** What can be asked of the daemon. Rejects with a `Failure`. */
export interface Daemon {
  request<M extends keyof Requests>(method: M, params: Requests[M]["params"]): Promise<Requests[M]["result"]>;
  /** The same once, without another try: for what a new connection makes needless. */
  requestOnce<M extends keyof Requests>(method: M, params: Requests[M]["params"]): Promise<Requests[M]["result"]>;
}

/** One run of the sidecar. */
export interface Link {
  request(method: string, params: unknown): Promise<unknown>;
  stop(): Promise<void>;
}

/** What a run of the sidecar needs. */
export interface LinkOptions {
  /** The `areyouj` program. */
  command: string;
  /** The notifications wanted. */
  notifications: readonly string[];
  onNotification(name: string, params: unknown): void;
  /** It ended by itself, after it had been started; with the last it wrote to standard error. */
  onClosed(stderr: string): void;
}

/** Where the client gets its program and its runs from. */
export interface ClientParts {
  /** Rejects with a `Failure` when there is no program. */
  findBinary(): Promise<string>;
  openLink(options: LinkOptions): Promise<Link>;
  log: Pick<vscode.LogOutputChannel, "info" | "warn" | "error">;
  clock?: Clock;
}

/** Ends of the sidecar within `FAILURES_WITHIN_MS` after which it is not started again by itself. */
export const MAX_FAILURES = 5;
const FAILURES_WITHIN_MS = 60_000;
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

/** The connection to the daemon: runs the sidecar, starts it again when it ends, and sends requests that may be lost again. */
export class Client implements Daemon, vscode.Disposable {
  #connection: Connection = { state: "connecting", problem: null };
  #link: Link | null = null;
  /** Counts the runs that were begun; what belongs to an older run is not listened to. */
  #run = 0;
  #failures: number[] = [];
  readonly #clock: Clock;
  readonly #connectionChanged = new vscode.EventEmitter<Connection>();
  readonly #listeners = new Map<string, Set<(params: never) => void>>();

  /** The connection changed. `connected` is told for every new one: what was known has to be asked for again. */
  readonly onConnection = this.#connectionChanged.event;

  constructor(private readonly parts: ClientParts) {
    this.#clock = parts.clock ?? systemClock;
  }

  /** How the connection stands now. */
  get connection(): Connection {
    return this.#connection;
  }

  /** Listens to a notification of the daemon. */
  on<N extends NotificationName>(name: N, listener: (params: Params<N>) => void): vscode.Disposable {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return { dispose: () => listeners.delete(listener) };
  }

  /** Sends a request; while it fails in a way that may pass, it is sent again as it is, for ten seconds. */
  request<M extends keyof Requests>(method: M, params: Requests[M]["params"]): Promise<Requests[M]["result"]> {
    return withRetry(() => this.requestOnce(method, params), this.#clock);
  }

  /** Sends a request once. */
  async requestOnce<M extends keyof Requests>(
    method: M,
    params: Requests[M]["params"],
  ): Promise<Requests[M]["result"]> {
    const link = this.#link;
    if (link === null) throw new Failure(notConnected(this.#connection.problem), this.#connection.state !== "failed");
    try {
      return await link.request(method, params);
    } catch (error) {
      if (link !== this.#link)
        throw new Failure(notConnected(this.#connection.problem), this.#connection.state !== "failed");
      throw failureOf(error);
    }
  }

  /** Starts the sidecar, and again when it ends. Never rejects; how it goes is told by `onConnection`. */
  async start(): Promise<void> {
    const run = ++this.#run;
    try {
      const command = await this.parts.findBinary();
      if (run !== this.#run) return;
      this.parts.log.info(`Starting ${command} lsp`);
      let state: ConnectionChanged | null = null;
      let ready = false;
      const link = await this.parts.openLink({
        command,
        notifications: Object.keys(NOTIFICATIONS),
        onNotification: (name, params) => {
          if (run !== this.#run) return;
          if (name !== "areyouj/connectionChanged") return this.#tell(name, params);
          state = params as ConnectionChanged;
          if (ready || state.state === "reconnecting") this.#connectionIs(state);
        },
        onClosed: (stderr) => {
          if (run === this.#run) this.#ended("The areyouj sidecar ended unexpectedly.", stderr);
        },
      });
      if (run !== this.#run) return await link.stop();
      this.#link = link;
      ready = true;
      this.#connectionIs(state ?? { state: "connected" });
    } catch (error) {
      if (run !== this.#run) return;
      if (error instanceof Failure) return this.#fail(error.problem);
      const stderr =
        error instanceof Error && "stderr" in error && typeof error.stderr === "string" ? error.stderr : "";
      const refused = failureOf(error).problem;
      // The sidecar is well and says why there is no daemon.
      if (refused.code !== ErrorCode.Internal) return this.#ended(refused.message, stderr, refused);
      this.#ended(
        `The areyouj sidecar could not be started: ${error instanceof Error ? error.message : String(error)}`,
        stderr,
      );
    }
  }

  /** Ends the sidecar and starts it anew; also the way out of `failed`. */
  async restart(): Promise<void> {
    this.#failures = [];
    await this.stop();
    this.#set({ state: this.#connection.state === "connecting" ? "connecting" : "reconnecting", problem: null });
    await this.start();
  }

  /** Ends the sidecar. Sessions go on. */
  async stop(): Promise<void> {
    this.#run++;
    const link = this.#link;
    this.#link = null;
    try {
      await link?.stop();
    } catch (error) {
      this.parts.log.warn(`The sidecar did not end in time: ${String(error)}`);
    }
  }

  dispose(): void {
    this.#run++;
    this.#connectionChanged.dispose();
    this.#listeners.clear();
  }

  #tell(name: string, params: unknown): void {
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        listener(params as never);
      } catch (error) {
        this.parts.log.error(`${name}: ${String(error)}`);
      }
    }
  }

  #connectionIs(change: ConnectionChanged): void {
    if (change.state === "connected") return this.#set({ state: "connected", problem: null });
    const reason = change.error;
    this.#set({
      state: "reconnecting",
      problem: reason === undefined ? null : problem(reason.code, reason.message, reason.hint),
    });
  }

  #ended(message: string, stderr: string, refused: Problem | null = null): void {
    const now = this.#clock.now();
    this.#link = null;
    this.parts.log.warn(message);
    this.#failures = [...this.#failures.filter((at) => now - at < FAILURES_WITHIN_MS), now];
    const why =
      refused ??
      problem(
        LocalCode.SidecarFailed,
        message,
        "The log says more; “Run doctor” checks the installation.",
        stderr === "" ? null : stderr,
      );
    if (this.#failures.length >= MAX_FAILURES) return this.#fail(why);
    this.#set({ state: this.#connection.state === "connecting" ? "connecting" : "reconnecting", problem: refused });
    const run = ++this.#run;
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** (this.#failures.length - 1), LONGEST_PAUSE_MS);
    void this.#clock.sleep(pause).then(() => (run === this.#run ? this.start() : undefined));
  }

  #fail(reason: Problem): void {
    this.#link = null;
    this.parts.log.error(`${reason.message} ${reason.hint}`);
    this.#set({ state: "failed", problem: reason });
  }

  #set(connection: Connection): void {
    this.#connection = connection;
    this.#connectionChanged.fire(connection);
  }
}
