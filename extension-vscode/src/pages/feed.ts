import type { Daemon } from "../daemon/client";
import { Failure } from "../shared/problem";
import type { AttachResult, ClaudeOutput, Delta, TranscriptEntry } from "../protocol.gen";

/** Who follows a session's output. */
export interface FeedListener {
  /** The end of the transcript, anew. */
  transcript(entries: TranscriptEntry[], more: boolean): void;
  /** Entries that follow those told before. */
  entries(entries: TranscriptEntry[]): void;
  /** All that was said since the newest entry told. */
  said(deltas: Delta[]): void;
  delta(delta: Delta): void;
}

/**
 * The output of one session without gaps. A gap, a lost push and a new connection are mended by attaching again from
 * the last entry that was told; the listener sees the transcript anew only if entries in between cannot be had.
 */
export class Feed {
  /** The newest entry told; null before the first transcript. */
  #seq: number | null = null;
  #attaching = false;
  #again = false;
  #disposed = false;

  constructor(
    private readonly daemon: Daemon,
    private readonly sessionId: string,
    private readonly listener: FeedListener,
  ) {}

  /** The next transcript is told whole, for a listener that has lost what it had. */
  reset(): void {
    this.#seq = null;
  }

  /** Attaches, or attaches again. What goes wrong is told by the session itself, or by the connection. */
  async attach(): Promise<void> {
    this.#again = true;
    if (this.#attaching) return;
    this.#attaching = true;
    try {
      while (this.#again && !this.#disposed) {
        this.#again = false;
        const since = this.#seq;
        const result = await this.daemon.request("areyouj/session/attach", {
          sessionId: this.sessionId,
          ...(since === null ? {} : { since }),
        });
        if (!this.#disposed) this.#attached(since, result);
      }
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
    } finally {
      this.#attaching = false;
    }
  }

  /** Takes a push. */
  output(output: ClaudeOutput): void {
    if (output.sessionId !== this.sessionId || this.#disposed || this.#seq === null) return;
    // What is said while the answer to attach is on its way comes again in that answer, or is behind it.
    const { entry, delta } = output;
    if (entry !== undefined) {
      if (entry.seq <= this.#seq) return;
      if (entry.seq !== this.#seq + 1) return void this.attach();
      this.#seq = entry.seq;
      this.listener.entries([entry]);
    } else if (delta !== undefined) {
      if (output.seq === this.#seq) this.listener.delta(delta);
      else if (output.seq > this.#seq) void this.attach();
    }
  }

  /** Ends it. The session goes on. */
  dispose(): void {
    this.#disposed = true;
    // Nobody waits for this. Later it could end what another page of this session has begun, and without a connection there
    // is nothing to end.
    this.daemon.requestOnce("areyouj/session/detach", { sessionId: this.sessionId }).catch(() => {});
  }

  #attached(since: number | null, { entries, seq, more, deltas }: AttachResult): void {
    const known = this.#seq;
    if (since === null || known === null || (entries[0] !== undefined && entries[0].seq > known + 1) || seq < known) {
      this.#seq = seq;
      this.listener.transcript(entries, more);
    } else {
      const fresh = entries.filter((entry) => entry.seq > known);
      this.#seq = Math.max(known, seq);
      if (fresh.length > 0) this.listener.entries(fresh);
    }
    this.listener.said(deltas);
  }
}
