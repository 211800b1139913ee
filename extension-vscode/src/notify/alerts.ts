import type { NotificationKind } from "../settings";
import type { Permission, Session, Status } from "../protocol.gen";
import { displayName, isPlain, plain, unLinked } from "../editorText";

/** A command of this length can be read at a glance, and a message of the editor shows it whole. */
const MAX_COMMAND = 160;
const MAX_TITLE = 160;
/** Ids that are remembered. Older ones are answered long since. */
const MAX_SHOWN = 10_000;
/** Fields of a shell command that change nothing about what is run. */
const HARMLESS = new Set(["command", "description", "timeout"]);

/** Something to tell a person. */
export interface Notice {
  kind: NotificationKind;
  sessionId: string;
  text: string;
  /** The prompt, if it can be answered in the message itself: then everything it asks for is in the text. */
  permissionId: string | null;
  /** Whether it wants an answer on Claude's own screen. */
  onScreen?: true;
}

/**
 * Decides what is told: what needs a person, once. What was there when the window connected is told as one sum, and
 * what was missed while the connection was lost is told when it is back.
 */
export class NoticeRule {
  readonly #shown = new Set<string>();
  readonly #statuses = new Map<string, Status>();
  #primed = false;

  /** One for these kinds. */
  constructor(private readonly wanted: (kind: NotificationKind) => boolean = () => true) {}

  /** What is new. The first time, nothing but how many sessions need a person. */
  look(sessions: Session[], permissions: Permission[]): { notices: Notice[]; waiting: number } {
    const first = !this.#primed;
    this.#primed = true;
    const notices: Notice[] = [];
    const byId = new Map(sessions.map((session) => [session.id, session]));
    const waiting = new Set<string>();
    for (const permission of permissions) {
      const session = byId.get(permission.sessionId);
      // A prompt may be known before its session is; it is looked at again when that is known.
      if (session === undefined) continue;
      const notice = promptNotice(session, permission);
      if (this.wanted(notice.kind)) waiting.add(session.id);
      if (this.#isNew(permission.id) && !first) notices.push(notice);
    }
    for (const session of sessions) {
      const troubled = trouble(session);
      if (troubled !== null) {
        if (this.wanted(troubled.notice.kind)) waiting.add(session.id);
        if (this.#isNew(troubled.key) && !first) notices.push(troubled.notice);
      }
      const before = this.#statuses.get(session.id);
      this.#statuses.set(session.id, session.status);
      const wasBusy = before === "active" || before === "waiting";
      if (wasBusy && session.status === "idle" && session.attention === null && session.queued === 0)
        notices.push(finishedNotice(session));
    }
    for (const id of this.#statuses.keys()) if (!byId.has(id)) this.#statuses.delete(id);
    return { notices: notices.filter(({ kind }) => this.wanted(kind)), waiting: first ? waiting.size : 0 };
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

/** What a tool would do, whole and on one line; null if it does not fit or would not show as it is. */
export function wholeCommand({ kind, tool, input }: Permission): string | null {
  if (kind !== "tool" || tool !== "Bash" || typeof input !== "object" || input === null) return null;
  const command = "command" in input ? input.command : null;
  if (typeof command !== "string" || command === "" || command.length > MAX_COMMAND) return null;
  if (!Object.keys(input).every((name) => HARMLESS.has(name))) return null;
  // Spaces that would be folded, and what an editor message would turn into a link, do not show as they are.
  const shows = isPlain(command) && !/[^\S ]| {2,}|^ | $|\]\(|https?:\/\/\S*\)/u.test(command);
  return shows ? command : null;
}

function promptNotice(session: Session, permission: Permission): Notice {
  const name = displayName(session);
  const command = wholeCommand(permission);
  const title = plain(permission.title, MAX_TITLE);
  const kind = permission.kind === "tool" ? "permission" : permission.kind;
  const said = {
    permission: command === null ? `asks for permission: ${title}` : `wants to run: ${command}`,
    question: `asks: ${title}`,
    plan: `presents a plan: ${title}`,
  }[kind];
  const text = command === null ? unLinked(`${name} ${said}`) : `${unLinked(name)} ${said}`;
  return { kind, sessionId: session.id, text, permissionId: command === null ? null : permission.id };
}

function trouble(session: Session): { key: string; notice: Notice } | null {
  const name = displayName(session);
  const { attention, error } = session;
  if (session.status === "terminated") return null;
  if (session.status === "error" && error !== null) {
    const text = unLinked(plain(`${name} needs you: ${error.message}`, MAX_TITLE * 2));
    return {
      key: `${session.id} error ${session.statusSince}`,
      notice: { kind: "error", sessionId: session.id, text, permissionId: null },
    };
  }
  if (attention?.kind === "terminal") {
    const text = unLinked(plain(`${name} wants an answer on Claude's screen: ${attention.title}`, MAX_TITLE * 2));
    return {
      key: `${session.id} terminal ${session.statusSince}`,
      notice: { kind: "terminal", sessionId: session.id, text, permissionId: null, onScreen: true },
    };
  }
  if (attention === null || (attention.kind !== "failed" && attention.kind !== "interrupted")) return null;
  const what = attention.kind === "failed" ? "a turn failed" : "a turn was cut off";
  const text = unLinked(plain(`${name}: ${what}. ${attention.title}`, MAX_TITLE * 2));
  return {
    key: `${session.id} message ${attention.messageId}`,
    notice: { kind: "failed", sessionId: session.id, text, permissionId: null },
  };
}

function finishedNotice(session: Session): Notice {
  const task = session.currentTask === null ? "" : `: ${plain(session.currentTask, MAX_TITLE)}`;
  return {
    kind: "turnFinished",
    sessionId: session.id,
    text: unLinked(`${displayName(session)} is done${task}`),
    permissionId: null,
  };
}
