import { homedir } from "node:os";
import type { Session } from "../protocol.gen";
import { homePath } from "../shared/format";
import { displayName, needsPerson, statusCodicon, statusWord } from "../shared/session";
import { clippedLine, escapeIcons } from "../shared/text";

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

/** Sessions to choose from: those that need a person first, then the most recent activity first. */
export function sessionRows(sessions: Session[], currentId: string | null): SessionRow[] {
  const rank = (session: Session): number => (session.id === currentId ? 2 : needsPerson(session) ? 0 : 1);
  return sessions
    .toSorted((one, other) => rank(one) - rank(other) || other.lastActivity - one.lastActivity)
    .map((session) => {
      const task = session.attention?.title ?? session.currentTask ?? "No current task";
      return {
        label: `$(${statusCodicon(session.status)}) ${escapeIcons(displayName(session))}`,
        description: `${statusWord(session.status)} · ${session.id}${session.id === currentId ? " · current" : ""}`,
        detail: escapeIcons(
          `${clippedLine(task, MAX_TASK)} · ${clippedLine(homePath(session.directory, homedir()), MAX_TASK)}`,
        ),
        sessionId: session.id,
      };
    });
}

/** The next session that needs a person, after the current one, the longest wait first; null if none does. */
export function nextWaiting(live: Session[], currentId: string | null): Session | null {
  const waiting = live
    .filter(needsPerson)
    .toSorted((one, other) => one.statusSince - other.statusSince || one.id.localeCompare(other.id));
  const current = waiting.findIndex(({ id }) => id === currentId);
  return waiting[(current + 1) % Math.max(waiting.length, 1)] ?? null;
}

/** Directories of earlier sessions, the most recent first, without those of the window. */
export function recentDirectories(sessions: Session[], windowFolders: string[]): string[] {
  const used = sessions
    .toSorted((one, other) => other.lastActivity - one.lastActivity)
    .map(({ directory }) => directory);
  return [...new Set(used)].filter((directory) => !windowFolders.includes(directory)).slice(0, MAX_RECENT);
}

/** Whether the typed text begins a path; otherwise it is a filter. */
export function isPath(typed: string): boolean {
  return typed.startsWith("/") || typed === "~" || typed.startsWith("~/");
}
