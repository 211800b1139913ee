import { homedir } from "node:os";
import { basename } from "node:path";
import { HIDDEN } from "./shared/hidden";
import type { Session, Status } from "./protocol.gen";

/** Text of others on one line: nothing invisible, no line breaks, and at most so many characters. */
export function plain(text: string, max: number): string {
  // A prefix first, so that a megabyte is not searched for the sake of a line.
  const line = text
    .slice(0, max * 4)
    .replace(HIDDEN, " ")
    .replace(/\s+/gu, " ")
    .trim();
  const letters = [...line];
  return letters.length <= max && text.length <= max * 4 ? line : `${letters.slice(0, max - 1).join("")}…`;
}

/** Whether text shows on one line just as it is. */
export function isPlain(text: string): boolean {
  return text.search(HIDDEN) < 0 && !/[\t\n]/u.test(text);
}

/** Text for a label in which `$(name)` would become an icon. */
export function unIconed(text: string): string {
  return text.replaceAll("$(", "$\u200b(");
}

/** Text for an editor message, in which `[text](link)` would become a link. */
export function unLinked(text: string): string {
  return text.replaceAll("](", "] (");
}

const MAX_NAME = 60;

/** What a session is called: its name, or else its directory's. */
export function displayName(session: Pick<Session, "name" | "directory">): string {
  return plain(session.name ?? (basename(session.directory) || session.directory), MAX_NAME);
}

/** A path with the home directory as `~`. */
export function shortPath(path: string, home: string = homedir()): string {
  if (path === home) return "~";
  return path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}

/** What a person sees of a status: the word, and the codicon. */
export const STATUS_WORDS: Readonly<Record<Status, { word: string; icon: string }>> = {
  starting: { word: "starting", icon: "loading" },
  active: { word: "active", icon: "play-circle" },
  waiting: { word: "waiting for you", icon: "bell-dot" },
  idle: { word: "idle", icon: "circle-outline" },
  error: { word: "error", icon: "error" },
  terminated: { word: "terminated", icon: "circle-slash" },
};
