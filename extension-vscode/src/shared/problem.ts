import type { Fix, Problem } from "./bridge";
import { ErrorCode, type ErrorData, RpcErrorCode } from "../protocol.gen";

/** Codes of problems that begin in the editor, beside those of the daemon. */
export const LocalCode = {
  /** No `areyouj` program was found. */
  SidecarNotFound: "sidecar_not_found",
  /** The `areyouj` program could not be started, or ended too often. */
  SidecarFailed: "sidecar_failed",
  /** There is no connection to the daemon right now. */
  NotConnected: "not_connected",
  /** A person's choice, or a file, does not allow what was asked. */
  NotPossible: "not_possible",
} as const;

const SHOW_LOG: Fix = { label: "Show log", action: { kind: "command", command: "areyouj.showLog" } };
const DOCTOR: Fix = { label: "Run doctor", action: { kind: "command", command: "areyouj.doctor" } };
const LOG_IN: Fix = { label: "Log in", action: { kind: "command", command: "areyouj.logIn" } };
const SETTINGS: Fix = { label: "Open settings", action: { kind: "command", command: "areyouj.openSettings" } };
const TRY_AGAIN: Fix = { label: "Try again", action: { kind: "command", command: "areyouj.restartSidecar" } };

const FIXES: Readonly<Record<string, Fix[]>> = {
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

/** What went wrong, as an error that can be thrown; `retryable`: the same request may be sent again as it is. */
export class Failure extends Error {
  constructor(
    readonly problem: Problem,
    readonly retryable = false,
  ) {
    super(problem.message);
    this.name = "Failure";
  }
}

/** A problem with the buttons that belong to its code. */
export function problem(code: string, message: string, hint = "", log: string | null = null): Problem {
  return { code, message, hint, log, fixes: [...(FIXES[code] ?? [])] };
}

/** That there is no connection, in words for a person who just asked for something. */
export function notConnected(reason: Problem | null): Problem {
  if (reason !== null) return reason;
  return problem(
    LocalCode.NotConnected,
    "Not connected to the AreYouJ daemon.",
    "It is being reconnected; try again in a moment.",
  );
}

/** Whatever was thrown, as a failure. A JSON-RPC error keeps its stable code and its hint. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const message = error instanceof Error ? error.message : String(error);
  const details = errorData(error);
  if (details !== null) return new Failure(problem(details.code, message, details.hint), details.retryable === true);
  if (rpcCode(error) === RpcErrorCode.MethodNotFound) {
    const hint = "The areyouj program is older than this extension; update it.";
    return new Failure(problem(ErrorCode.UnknownMethod, message, hint));
  }
  return new Failure(problem(ErrorCode.Internal, message));
}

function errorData(error: unknown): ErrorData | null {
  if (typeof error !== "object" || error === null || !("data" in error)) return null;
  const found: unknown = error.data;
  if (typeof found !== "object" || found === null || !("code" in found) || typeof found.code !== "string") return null;
  return {
    code: found.code,
    ...("hint" in found && typeof found.hint === "string" ? { hint: found.hint } : {}),
    retryable: "retryable" in found && found.retryable === true,
  };
}

function rpcCode(error: unknown): number | null {
  if (typeof error !== "object" || error === null || !("code" in error)) return null;
  return typeof error.code === "number" ? error.code : null;
}
