/** Problems: their codes, and the buttons that fix them. */
import type { Remedy } from "../protocol.gen";
import type { Fix, Problem } from "./bridge";

/** Codes of problems that begin in the editor, beside those of the daemon. */
export const LocalCode = {
  /** No `areyouj` program was found. */
  SidecarNotFound: "sidecar_not_found",
  /** The `areyouj` program could not be started, or exited too often. */
  SidecarFailed: "sidecar_failed",
  /** There is no connection to the daemon now. */
  NotConnected: "not_connected",
  /** The action is not possible with this session, this file or this choice. */
  NotPossible: "not_possible",
  /** The window is in Restricted Mode. */
  WindowUntrusted: "window_untrusted",
} as const;

const SHOW_LOG: Fix = { label: "Show log", command: "areyouj.showLog" };
const DOCTOR: Fix = { label: "Run doctor", command: "areyouj.doctor" };
const LOG_IN: Fix = { label: "Log in", command: "areyouj.logIn" };
const SETTINGS: Fix = { label: "Open settings", command: "areyouj.openSettings" };
const TRY_AGAIN: Fix = { label: "Try again", command: "areyouj.restartSidecar" };

/** The buttons for problems that begin in the editor. */
const LOCAL_FIXES: Readonly<Partial<Record<string, Fix[]>>> = {
  [LocalCode.SidecarNotFound]: [SETTINGS, TRY_AGAIN],
  [LocalCode.SidecarFailed]: [TRY_AGAIN, DOCTOR, SHOW_LOG],
  [LocalCode.WindowUntrusted]: [{ label: "Manage Workspace Trust", command: "workbench.trust.manage" }],
};

/** The buttons that carry out a remedy. The hint alone says what to do about one that has none. */
export function fixesOf(remedy: Remedy | undefined): Fix[] {
  switch (remedy?.kind) {
    case "restartSession":
      return [{ label: "Restart session", command: "areyouj.restart", sessionId: remedy.sessionId }];
    case "terminateSession":
      return [{ label: "Terminate session", command: "areyouj.terminate", sessionId: remedy.sessionId }];
    case "newSession":
      return [{ label: "New session", command: "areyouj.newSession" }];
    case "listSessions":
      return [{ label: "Show sessions", command: "areyouj.openOrchestration" }];
    case "listPermissions":
      return [{ label: "Show permission requests", command: "areyouj.openOrchestration" }];
    case "logIn":
      return [LOG_IN];
    case "runDoctor":
      return [DOCTOR, SHOW_LOG];
    case "restartDaemon":
      return [{ label: "Restart daemon", command: "areyouj.restartDaemon" }];
    // Named beside `default`, so that the lint demands a decision about each new kind.
    case "allowOrDeny":
    case "answerQuestion":
    case "chooseDirectory":
    case "freeDisk":
    case "listMessages":
    case "raiseLimit":
    case "tryAgain":
    case undefined:
    // A kind of a later version.
    default:
      return [];
  }
}

/** A problem with the buttons of its remedy, or of its code if it begins in the editor. */
export function problem(
  code: string,
  message: string,
  hint = "",
  { log = null, remedy }: { log?: string | null; remedy?: Remedy | undefined } = {},
): Problem {
  return { code, message, hint, log, fixes: [...(LOCAL_FIXES[code] ?? fixesOf(remedy))] };
}

/** That there is no connection, for a person who has just asked for something. */
export function notConnected(reason: Problem | null): Problem {
  if (reason !== null) return reason;
  return problem(
    LocalCode.NotConnected,
    "Not connected to the AreYouJ daemon.",
    "AreYouJ is reconnecting. Try again in a moment.",
  );
}
