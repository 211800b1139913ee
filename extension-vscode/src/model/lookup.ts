import { notPossible, ProblemError } from "../daemon/problemError";
import type { Session } from "../protocol.gen";
import { notConnected } from "../shared/problem";
import { clippedLine } from "../shared/text";
import type { Model } from "./model";

/** Throws a `ProblemError` if there is no connection. */
export function requireConnection({ connection }: Pick<Model, "connection">): void {
  if (connection.state !== "connected") throw new ProblemError(notConnected(connection.problem));
}

/** The session with this id. Throws a `ProblemError` if it is not known. */
export function requireSession(model: Pick<Model, "connection" | "session">, id: string): Session {
  const session = model.session(id);
  if (session !== null) return session;
  requireConnection(model);
  throw notPossible(`There is no session ${clippedLine(id, 64)} any more.`);
}
