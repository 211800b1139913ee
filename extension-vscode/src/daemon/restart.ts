import type { Daemon } from "../ports";
import { type DaemonStatus, ErrorCode } from "../protocol.gen";
import { problem } from "../shared/problem";
import { ProblemError, toProblemError } from "./problemError";
import { type Clock, systemClock } from "./retry";

/** A daemon that stops can take this long to finish its writes, in milliseconds. `areyouj daemon stop` waits as long. */
export const RESTART_WITHIN_MS = 30_000;
const POLL_EVERY_MS = 100;

/**
 * Stops the daemon and waits for the next one, which the sidecar starts when it loses its connection. Sessions keep
 * running. Returns the status of the new daemon. Rejects with a `ProblemError`.
 */
export async function restartDaemon(daemon: Daemon, clock: Clock = systemClock): Promise<DaemonStatus> {
  const before = await daemon.request("areyouj/daemon/status", {});
  const deadline = clock.now() + RESTART_WITHIN_MS;
  // Not repeated: the repetition of a request whose answer was lost would stop the new daemon.
  let last = await lost(daemon.requestOnce("areyouj/daemon/stop", { sessions: false }));
  for (;;) {
    let after: DaemonStatus | null = null;
    last =
      (await lost(daemon.requestOnce("areyouj/daemon/status", {}).then((status) => void (after = status)))) ?? last;
    if (after !== null && isOther(before, after)) return after;
    if (clock.now() >= deadline) throw last ?? notRestarted();
    await clock.sleep(POLL_EVERY_MS);
  }
}

/** The problem of a request that a lost connection can explain, or null if it succeeded. Rejects with any other problem. */
async function lost(request: Promise<unknown>): Promise<ProblemError | null> {
  try {
    await request;
    return null;
  } catch (error) {
    const failed = toProblemError(error);
    if (!failed.retryable) throw failed;
    return failed;
  }
}

function isOther(before: DaemonStatus, after: DaemonStatus): boolean {
  return before.pid !== after.pid || before.startedAt !== after.startedAt;
}

function notRestarted(): ProblemError {
  const seconds = RESTART_WITHIN_MS / 1_000;
  const hint = "“Run doctor” checks the installation.";
  const remedy = { kind: "runDoctor" } as const;
  return new ProblemError(
    problem(ErrorCode.Timeout, `The daemon did not restart within ${seconds} seconds.`, hint, { remedy }),
  );
}
