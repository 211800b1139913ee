import { ProblemError } from "../daemon/problemError";
import type { Daemon } from "../ports";
import type { AttachResult, ClaudeOutput, Delta, TranscriptEntry } from "../protocol.gen";

/** Receives a session's output. */
export interface FeedListener {
  /** The end of the transcript; it replaces everything before. */
  transcript(entries: TranscriptEntry[], more: boolean): void;
  /** Entries that follow the previous ones. */
  entries(entries: TranscriptEntry[]): void;
  /** The whole live text since the newest entry. */
  liveText(deltas: Delta[]): void;
  delta(delta: Delta): void;
}

/**
 * The output of one session without gaps. After a gap, a lost notification or a new connection it attaches again from
 * the newest entry; the listener gets the transcript again only if entries in between are not available.
 */
export class Feed {
  /** The newest entry that the listener has; null before the first transcript. */
  #seq: number | null = null;
  #attaching = false;
  #again = false;
  #disposed = false;

  constructor(
    private readonly daemon: Daemon,
    private readonly sessionId: string,
    private readonly listener: FeedListener,
  ) {}

  /** Sends the whole transcript next, for a listener that has lost its own. */
  reset(): void {
    this.#seq = null;
  }

  /** Attaches, or attaches again. The session itself or the connection reports a problem. */
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
      if (!(error instanceof ProblemError)) throw error;
    } finally {
      this.#attaching = false;
    }
  }

  /** Applies a notification. */
  output(output: ClaudeOutput): void {
    if (output.sessionId !== this.sessionId || this.#disposed || this.#seq === null) return;
    // Output that arrives before the answer to attach is part of that answer, or follows it.
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

  /** Detaches. The session continues. */
  dispose(): void {
    this.#disposed = true;
    // Not awaited and not retried: a late detach could end the feed of a new page of this session, and without a
    // connection there is nothing to detach.
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
    this.listener.liveText(deltas);
  }
}
