import { ProblemError } from "../daemon/problemError";
import type { Daemon } from "../ports";
import type { Message, Session } from "../protocol.gen";

/** The messages that failed or were interrupted and wait for a decision: one for each session with such an attention. */
export class Decisions {
  /** By session: the id of its message, and the message once it is fetched. */
  readonly #wanted = new Map<string, { messageId: string; message: Message | null }>();

  constructor(
    private readonly daemon: Daemon,
    private readonly changed: (messages: Message[]) => void,
  ) {}

  /** The fetched messages, oldest first. */
  get messages(): Message[] {
    return [...this.#wanted.values()]
      .flatMap(({ message }) => message ?? [])
      .toSorted((one, other) => one.createdAt - other.createdAt);
  }

  /** Applies the current state of all sessions, and fetches new messages. */
  follow(sessions: Iterable<Session>): void {
    let gone = false;
    const wanted = new Map<string, string>();
    for (const { id, attention } of sessions) {
      const decides = attention?.kind === "interrupted" || attention?.kind === "failed";
      if (decides && attention.messageId !== null) wanted.set(id, attention.messageId);
    }
    for (const [sessionId, { messageId, message }] of this.#wanted) {
      if (wanted.get(sessionId) === messageId) continue;
      this.#wanted.delete(sessionId);
      gone ||= message !== null;
    }
    for (const [sessionId, messageId] of wanted) {
      if (this.#wanted.has(sessionId)) continue;
      this.#wanted.set(sessionId, { messageId, message: null });
      void this.#fetch(sessionId, messageId);
    }
    if (gone) this.changed(this.messages);
  }

  async #fetch(sessionId: string, messageId: string): Promise<void> {
    let message: Message | undefined;
    try {
      const queue = await this.daemon.request("areyouj/queue/list", { sessionId, all: true });
      message = queue.messages.find(({ id }) => id === messageId);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
    }
    const entry = this.#wanted.get(sessionId);
    if (entry?.messageId !== messageId) return;
    if (message === undefined) this.#wanted.delete(sessionId);
    else {
      entry.message = message;
      this.changed(this.messages);
    }
  }
}
