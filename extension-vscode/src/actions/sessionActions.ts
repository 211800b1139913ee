import { randomUUID } from "node:crypto";
import * as vscode from "vscode";
import { notPossible, toProblemError } from "../daemon/problemError";
import { requireSession } from "../model/lookup";
import type { Model } from "../model/model";
import type { Daemon, Pages } from "../ports";
import { ErrorCode, type Session, type SessionActionParams } from "../protocol.gen";
import { displayName, isNameTooLong, NAME_TOO_LONG } from "../shared/session";
import type { HandlersOf } from "./actions";
import { confirmed } from "./confirm";

/** As many sessions as a confirmation names one by one. */
const MAX_NAMED = 8;

interface Parts {
  daemon: Pick<Daemon, "request">;
  model: Pick<Model, "connection" | "session" | "refresh">;
  pages: Pick<Pages, "close">;
}

/** Actions that change a session, or answer its permission request. */
export function sessionActions(
  parts: Parts,
): HandlersOf<"interrupt" | "restart" | "rename" | "terminate" | "delete" | "answer"> {
  const { daemon, model, pages } = parts;
  return {
    interrupt: async ({ sessionId }) => void (await daemon.request("areyouj/session/interrupt", change(sessionId))),
    restart: async ({ sessionId }) => void (await daemon.request("areyouj/session/restart", change(sessionId))),
    rename: ({ sessionId }) => rename(daemon, requireSession(model, sessionId)),
    terminate: ({ sessionIds }) =>
      terminate(
        daemon,
        [...new Set(sessionIds)].map((id) => requireSession(model, id)),
      ),
    delete: async ({ sessionId }) => {
      if (await deleted(daemon, requireSession(model, sessionId))) pages.close(sessionId);
    },
    answer: async ({ permissionId, digest, answer }) => {
      try {
        await daemon.request("areyouj/permission/answer", { requestId: randomUUID(), permissionId, digest, answer });
      } catch (error) {
        // The page has displayed something else: it gets the request as it is now, then the problem.
        if (toProblemError(error).problem.code === ErrorCode.DigestMismatch) await model.refresh();
        throw error;
      }
    },
  };
}

/** The parameters of a request that changes a session. */
export function change(sessionId: string): SessionActionParams {
  return { requestId: randomUUID(), sessionId };
}

async function rename(daemon: Pick<Daemon, "request">, session: Session): Promise<void> {
  const name = await vscode.window.showInputBox({
    title: `Rename ${displayName(session)}`,
    value: session.name ?? "",
    prompt: "Leave empty to remove the name.",
    validateInput: (value) => (isNameTooLong(value) ? NAME_TOO_LONG : undefined),
  });
  if (name !== undefined) await daemon.request("areyouj/session/rename", { ...change(session.id), name: name.trim() });
}

async function terminate(daemon: Pick<Daemon, "request">, named: Session[]): Promise<void> {
  const sessions = named.filter(({ status }) => status !== "terminated");
  const [first] = sessions;
  if (first === undefined) return;
  const lines = sessions
    .slice(0, MAX_NAMED)
    .map((session) => `${displayName(session)} (${session.id})${session.status === "active" ? ", active" : ""}`);
  if (sessions.length > MAX_NAMED) lines.push(`and ${sessions.length - MAX_NAMED} more`);
  const question =
    sessions.length === 1 ? `Terminate ${displayName(first)} (${first.id})?` : `Terminate ${sessions.length} sessions?`;
  const detail = [
    ...(sessions.length === 1 ? [] : [lines.join("\n"), ""]),
    "This stops Claude and everything that it started. The transcript stays in the list.",
  ].join("\n");
  if (!(await confirmed(question, detail, "Terminate"))) return;
  const results = await Promise.allSettled(
    sessions.map(({ id }) => daemon.request("areyouj/session/terminate", change(id))),
  );
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) throw toProblemError(failed.reason);
}

/** Deletes a session after a confirmation; whether it was confirmed. */
async function deleted(daemon: Pick<Daemon, "request">, session: Session): Promise<boolean> {
  if (session.status !== "terminated") {
    throw notPossible(`${displayName(session)} is not terminated.`, "Terminate it first.");
  }
  const detail = "This permanently removes its transcript and journal. The files in its directory stay.";
  if (!(await confirmed(`Delete ${displayName(session)} (${session.id})?`, detail, "Delete"))) return false;
  await daemon.request("areyouj/session/delete", change(session.id));
  return true;
}
