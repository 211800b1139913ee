import { ErrorCode, type ErrorData, type Remedy, RpcErrorCode } from "../protocol.gen";
import type { Problem } from "../shared/bridge";
import { LocalCode, problem } from "../shared/problem";

/** A problem as an error that can be thrown. */
export class ProblemError extends Error {
  constructor(
    readonly problem: Problem,
    /** Whether the same request can be sent again as it is. */
    readonly retryable = false,
  ) {
    super(problem.message);
    this.name = "ProblemError";
  }
}

/** An error for an action that is not possible: what is wrong, and what to do. */
export function notPossible(message: string, hint = ""): ProblemError {
  return new ProblemError(problem(LocalCode.NotPossible, message, hint));
}

/** Any thrown value as a problem error. A JSON-RPC error keeps its stable code and its hint. */
export function toProblemError(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const details = errorData(error);
  if (details !== null)
    return new ProblemError(
      problem(details.code, message, details.hint, { remedy: details.remedy }),
      details.retryable === true,
    );
  if (rpcCode(error) === RpcErrorCode.MethodNotFound) {
    const hint = "The areyouj program is older than this extension. Update it.";
    return new ProblemError(problem(ErrorCode.UnknownMethod, message, hint));
  }
  return new ProblemError(problem(ErrorCode.Internal, message, "", { remedy: { kind: "runDoctor" } }));
}

function errorData(error: unknown): ErrorData | null {
  if (typeof error !== "object" || error === null || !("data" in error)) return null;
  const found: unknown = error.data;
  if (typeof found !== "object" || found === null || !("code" in found) || typeof found.code !== "string") return null;
  return {
    code: found.code,
    ...("hint" in found && typeof found.hint === "string" ? { hint: found.hint } : {}),
    ...("remedy" in found && isRemedy(found.remedy) ? { remedy: found.remedy } : {}),
    retryable: "retryable" in found && found.retryable === true,
  };
}

/** Whether a value can be a remedy; kinds that this version does not know have no buttons. */
function isRemedy(value: unknown): value is Remedy {
  return typeof value === "object" && value !== null && "kind" in value;
}

function rpcCode(error: unknown): number | null {
  if (typeof error !== "object" || error === null || !("code" in error)) return null;
  return typeof error.code === "number" ? error.code : null;
}
