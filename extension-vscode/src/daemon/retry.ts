import { ProblemError } from "./problemError";

/** How long a request is retried, in milliseconds: a daemon restart takes about one second. */
export const RETRY_FOR_MS = 10_000;
const FIRST_PAUSE_MS = 100;
/** Short enough to notice soon that the daemon is back. */
const LONGEST_PAUSE_MS = 1_000;

/** Time as the retries see it. */
export interface Clock {
  /** Milliseconds since some fixed moment. */
  now(): number;
  /** Resolves after so many milliseconds. */
  sleep(milliseconds: number): Promise<void>;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
};

/** Retries the attempt for ten seconds while its error is retryable, then throws the last error. */
export async function withRetry<T>(attempt: () => Promise<T>, clock: Clock = systemClock): Promise<T> {
  const deadline = clock.now() + RETRY_FOR_MS;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      return await attempt();
    } catch (error) {
      const retryable = error instanceof ProblemError && error.retryable;
      if (!retryable || clock.now() + pause > deadline) throw error;
    }
    await clock.sleep(pause);
  }
}
