/** Problems: their codes, and the buttons that fix them. */
import { ErrorCode } from "../protocol.gen";
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
} as const;

const SHOW_LOG: Fix = { label: "Show log", command: "areyouj.showLog" };
const DOCTOR: Fix = { label: "Run doctor", command: "areyouj.doctor" };
const LOG_IN: Fix = { label: "Log in", command: "areyouj.logIn" };
const SETTINGS: Fix = { label: "Open settings", command: "areyouj.openSettings" };
const TRY_AGAIN: Fix = { label: "Try again", command: "areyouj.restartSidecar" };

const FIXES: Readonly<Partial<Record<string, Fix[]>>> = {
  [LocalCode.SidecarNotFound]: [SETTINGS, TRY_AGAIN],
  [LocalCode.SidecarFailed]: [TRY_AGAIN, DOCTOR, SHOW_LOG],
  [ErrorCode.LoginNeeded]: [LOG_IN],
  [ErrorCode.ClaudeNotFound]: [DOCTOR],
  [ErrorCode.ClaudeNotExecutable]: [DOCTOR],
  [ErrorCode.ClaudeStartFailed]: [DOCTOR],
  [ErrorCode.ClaudeStartTimeout]: [DOCTOR],
  [ErrorCode.DaemonStartFailed]: [DOCTOR, SHOW_LOG],
  [ErrorCode.DaemonUnavailable]: [DOCTOR, SHOW_LOG],
  [ErrorCode.DatabaseDamaged]: [DOCTOR],
  [ErrorCode.DatabaseNewer]: [DOCTOR],
  [ErrorCode.ConfigInvalid]: [DOCTOR],
  [ErrorCode.Internal]: [DOCTOR, SHOW_LOG],
};

/** The buttons that fix a problem of this code. */
export function fixesOf(code: string): Fix[] {
  return [...(FIXES[code] ?? [])];
}

/** A problem with the buttons of its code. */
export function problem(code: string, message: string, hint = "", log: string | null = null): Problem {
  return { code, message, hint, log, fixes: fixesOf(code) };
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
