import type { Permission, PermissionKind, Session, Status } from "../protocol.gen";
import type { AlertKind } from "../settings";
import { displayName, isBusy } from "../shared/session";
import { clippedLine } from "../shared/text";

/** The longest request that a message of the editor can answer, in characters: a person reads it at a glance, and the message shows it whole. */
const MAX_WHOLE = 240;
const MAX_TITLE = 160;
/** Alerts that are remembered, so that each is shown once. Older ones were answered long ago. */
const MAX_SHOWN = 10_000;
/** A message of the editor that needs a person, or reports a finished turn. */
export interface Alert {
  kind: AlertKind;
  sessionId: string;
  text: string;
  /** The permission request, if it is about one: the message can deny it. */
  request: { id: string; digest: string; kind: PermissionKind } | null;
  /** Whether the text displays everything that the request would run. Only then can the message allow it. */
  whole?: true;
  /** Whether only Claude's own screen can give the answer. */
  onScreen?: true;
}

/**
 * Decides which alerts to show: one for everything that needs a person. What exists when the window connects is
 * summarized in one count; what happens during a lost connection is shown when it is back.
 */
export class AlertRule {
  readonly #shown = new Set<string>();
  readonly #statuses = new Map<string, Status>();
  /** Sessions with refusals that no person has seen. */
  readonly #refused = new Set<string>();
  #primed = false;

  /** A rule for the kinds that are wanted. */
  constructor(private readonly wanted: (kind: AlertKind) => boolean = () => true) {}

  /** The new alerts for the current state. The first time there are none, but the number of sessions that need a person. */
  update(sessions: Session[], permissions: Permission[]): { alerts: Alert[]; waiting: number } {
    const first = !this.#primed;
    this.#primed = true;
    const alerts: Alert[] = [];
    const byId = new Map(sessions.map((session) => [session.id, session]));
    const waiting = new Set<string>();
    for (const permission of permissions) {
      const session = byId.get(permission.sessionId);
      // A permission request can arrive before its session does; the next update has both.
      if (session === undefined) continue;
      const alert = permissionAlert(session, permission);
      if (this.wanted(alert.kind)) waiting.add(session.id);
      if (this.#isNew(permission.id) && !first) alerts.push(alert);
    }
    for (const session of sessions) {
      const problem = problemAlert(session);
      if (problem !== null) {
        if (this.wanted(problem.alert.kind)) waiting.add(session.id);
        if (this.#isNew(problem.key) && !first) alerts.push(problem.alert);
      }
      const refused = refusedAlert(session);
      if (refused === null) this.#refused.delete(session.id);
      else {
        if (this.wanted(refused.kind)) waiting.add(session.id);
        if (!this.#refused.has(session.id) && !first) alerts.push(refused);
        this.#refused.add(session.id);
      }
      const before = this.#statuses.get(session.id);
      this.#statuses.set(session.id, session.status);
      const wasBusy = before !== undefined && isBusy({ status: before });
      if (wasBusy && session.status === "idle" && session.attention === null && session.queued === 0)
        alerts.push(finishedAlert(session));
    }
    for (const id of this.#statuses.keys()) if (!byId.has(id)) this.#statuses.delete(id);
    for (const id of this.#refused) if (!byId.has(id)) this.#refused.delete(id);
    return { alerts: alerts.filter(({ kind }) => this.wanted(kind)), waiting: first ? waiting.size : 0 };
  }

  #isNew(key: string): boolean {
    if (this.#shown.has(key)) return false;
    this.#shown.add(key);
    for (const oldest of this.#shown) {
      if (this.#shown.size <= MAX_SHOWN) break;
      this.#shown.delete(oldest);
    }
    return true;
  }
}

/** Everything that a request displays, on one line; null if it does not fit, or a message would not show it exactly. */
export function wholeDisplay({ kind, display, controlsAreyouj }: Permission): string | null {
  if (kind !== "tool" || controlsAreyouj || display.length < 2) return null;
  const parts: string[] = [];
  for (const { label, segments } of display) {
    // What has a mark needs a closer look.
    if (segments.some((segment) => segment.kind !== "plain" || segment.shown !== undefined)) return null;
    parts.push(`${label}: ${segments.map(({ text }) => text).join("")}`);
  }
  const texts = parts.join(" \u2014 ");
  if (texts.length > MAX_WHOLE) return null;
  // A message collapses white space and turns some text into links.
  return parts.some((part) => /[^\S ]| {2}| $|^[^:]*: {2}|\]\(|https?:\/\/\S*\)/u.test(part)) ? null : texts;
}

function permissionAlert(session: Session, permission: Permission): Alert {
  const name = displayName(session);
  const whole = wholeDisplay(permission);
  const title = clippedLine(permission.title, MAX_TITLE);
  const kind = permission.kind === "tool" || permission.kind === "trust" ? "permission" : permission.kind;
  const says = {
    trust: `waits for trust in its directory: ${title}`,
    tool: whole === null ? `asks for permission: ${title}` : `asks for permission. ${whole}`,
    question: `asks: ${title}`,
    plan: `presents a plan: ${title}`,
  }[permission.kind];
  const mark = permission.controlsAreyouj ? "Would control AreYouJ. " : "";
  return {
    kind,
    sessionId: session.id,
    text: `${mark}${name} ${says}`,
    request: { id: permission.id, digest: permission.digest, kind: permission.kind },
    ...(whole === null ? {} : { whole: true }),
  };
}

function problemAlert(session: Session): { key: string; alert: Alert } | null {
  const name = displayName(session);
  const { attention, error } = session;
  if (session.status === "terminated") return null;
  if (session.status === "error" && error !== null) {
    const text = clippedLine(`${name} stopped with an error: ${error.message}`, MAX_TITLE * 2);
    return {
      key: `${session.id} error ${session.statusSince}`,
      alert: { kind: "error", sessionId: session.id, text, request: null },
    };
  }
  if (attention?.kind === "terminal") {
    const text = clippedLine(`${name} needs an answer in Claude's terminal: ${attention.title}`, MAX_TITLE * 2);
    return {
      key: `${session.id} terminal ${session.statusSince}`,
      alert: { kind: "terminal", sessionId: session.id, text, request: null, onScreen: true },
    };
  }
  if (attention === null || (attention.kind !== "failed" && attention.kind !== "interrupted")) return null;
  const what = attention.kind === "failed" ? "a turn failed" : "a turn was interrupted";
  const text = clippedLine(`${name}: ${what}. ${attention.title}`, MAX_TITLE * 2);
  return {
    key: `${session.id} message ${attention.messageId}`,
    alert: { kind: "failed", sessionId: session.id, text, request: null },
  };
}

/** A process inside the session tried what only a person can do. */
function refusedAlert(session: Session): Alert | null {
  const { refusals } = session;
  if (!refusals?.unread) return null;
  const text = clippedLine(`${displayName(session)}: ${refusals.title}`, MAX_TITLE * 2);
  return { kind: "refused", sessionId: session.id, text, request: null };
}

function finishedAlert(session: Session): Alert {
  const task = session.currentTask === null ? "" : `: ${clippedLine(session.currentTask, MAX_TITLE)}`;
  return {
    kind: "turnFinished",
    sessionId: session.id,
    text: `${displayName(session)} has finished${task}`,
    request: null,
  };
}
