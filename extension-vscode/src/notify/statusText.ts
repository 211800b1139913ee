import type { Connection } from "../shared/bridge";
import type { Session } from "../protocol.gen";
import { displayName, needsPerson, statusWord } from "../shared/session";
import { clippedLine } from "../shared/text";

/** Sessions in the tooltip; more lines would not fit on a screen. */
const MAX_LINES = 20;
const MAX_TASK = 60;

/** The content of the status-bar item. */
export interface StatusText {
  text: string;
  tooltip: string;
  level: "normal" | "warning" | "error";
}

/** The content of the status-bar item for the live sessions. */
export function statusText(connection: Connection, live: Session[]): StatusText {
  if (connection.state === "failed") {
    const { message, hint } = connection.problem ?? { message: "The sidecar cannot start.", hint: "" };
    return { text: "$(error) AreYouJ", tooltip: `${message}\n${hint}`.trim(), level: "error" };
  }
  if (connection.state === "connecting")
    return { text: "$(loading~spin) AreYouJ", tooltip: "AreYouJ: connecting", level: "normal" };
  const reconnecting = connection.state === "reconnecting";
  const counts = summary(live);
  const icon = reconnecting ? "$(sync~spin)" : counts.waits ? "$(bell-dot)" : "$(comment-discussion)";
  const lines = live.slice(0, MAX_LINES).map(line);
  if (live.length > MAX_LINES) lines.push(`and ${live.length - MAX_LINES} more`);
  const why = connection.problem === null ? [] : [connection.problem.message];
  const head = reconnecting
    ? ["AreYouJ: reconnecting. Last known state:", ...why]
    : ["AreYouJ: click to switch session"];
  return {
    text: `${icon} ${counts.text}${reconnecting ? " (reconnecting)" : ""}`,
    tooltip: [...head, ...lines].join("\n"),
    level: counts.waits && !reconnecting ? "warning" : "normal",
  };
}

function summary(live: Session[]): { text: string; waits: boolean } {
  const count = (test: (session: Session) => boolean): number => live.filter(test).length;
  const waiting = count((session) => needsPerson(session) && session.status !== "error" && !isFailure(session));
  const failed = count((session) => session.status === "error" || isFailure(session));
  const active = count(({ status }) => status === "active" || status === "starting");
  const parts = [
    active > 0 ? `${active} active` : "",
    waiting > 0 ? `${waiting} waiting` : "",
    failed > 0 ? `${failed} failed` : "",
  ].filter((part) => part !== "");
  if (parts.length === 0) parts.push(live.length === 0 ? "No sessions" : `${live.length} idle`);
  return { text: parts.join(" · "), waits: waiting + failed > 0 };
}

function isFailure({ attention }: Session): boolean {
  return attention?.kind === "failed" || attention?.kind === "interrupted" || attention?.kind === "error";
}

function line(session: Session): string {
  const what = session.attention?.title ?? session.currentTask;
  return `${displayName(session)}: ${statusWord(session.status)}${what === null ? "" : `, ${clippedLine(what, MAX_TASK)}`}`;
}
