import type { Session } from "../protocol.gen";
import { displayName, plain, shortPath, STATUS_WORDS, unIconed } from "../editorText";
import { needsPerson } from "../notify/statusText";

const MAX_TASK = 120;
/** As many directories as a person remembers. */
const MAX_RECENT = 20;

/** A row of the list to switch between sessions. */
export interface SessionRow {
  label: string;
  description: string;
  detail: string;
  sessionId: string;
}

/** Sessions to choose from: those that need a person first, then by what happened last. */
export function sessionRows(sessions: Session[], currentId: string | null): SessionRow[] {
  const rank = (session: Session): number => (session.id === currentId ? 2 : needsPerson(session) ? 0 : 1);
  return sessions
    .toSorted((one, other) => rank(one) - rank(other) || other.lastActivity - one.lastActivity)
    .map((session) => {
      const { icon, word } = STATUS_WORDS[session.status];
      const task = session.attention?.title ?? session.currentTask ?? "No active task";
      return {
        label: `$(${icon}) ${unIconed(displayName(session))}`,
        description: `${word} · ${session.id}${session.id === currentId ? " · current" : ""}`,
        detail: unIconed(`${plain(task, MAX_TASK)} · ${plain(shortPath(session.directory), MAX_TASK)}`),
        sessionId: session.id,
      };
    });
}

/** The session to look at next: the one that has waited longest, after the current one; null if none waits. */
export function nextWaiting(live: Session[], currentId: string | null): Session | null {
  const waiting = live
    .filter(needsPerson)
    .toSorted((one, other) => one.statusSince - other.statusSince || one.id.localeCompare(other.id));
  const current = waiting.findIndex(({ id }) => id === currentId);
  return waiting[(current + 1) % Math.max(waiting.length, 1)] ?? null;
}

/** Directories of earlier sessions, the last used first, without those of the window. */
export function recentDirectories(sessions: Session[], windowFolders: string[]): string[] {
  const used = sessions
    .toSorted((one, other) => other.lastActivity - one.lastActivity)
    .map(({ directory }) => directory);
  return [...new Set(used)].filter((directory) => !windowFolders.includes(directory)).slice(0, MAX_RECENT);
}

/** Whether what was typed is the beginning of a path rather than words to filter by. */
export function isPath(typed: string): boolean {
  return typed.startsWith("/") || typed === "~" || typed.startsWith("~/");
}
