import { Failure } from "../shared/problem";

/** How long a request is sent again by itself, in milliseconds: a daemon restart takes about one second. */
export const RETRY_FOR_MS = 10_000;
const FIRST_PAUSE_MS = 100;
/** No longer, so that a daemon that came back is noticed soon. */
const LONGEST_PAUSE_MS = 1_000;

/** Time as the retry rule sees it. */
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

/** Makes the attempt again while it fails in a way that may pass, for ten seconds; then its last failure is thrown. */
export async function withRetry<T>(attempt: () => Promise<T>, clock: Clock = systemClock): Promise<T> {
  const deadline = clock.now() + RETRY_FOR_MS;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      return await attempt();
    } catch (error) {
      const mayPass = error instanceof Failure && error.retryable;
      if (!mayPass || clock.now() + pause > deadline) throw error;
    }
    await clock.sleep(pause);
  }
}
