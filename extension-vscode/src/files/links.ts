import { isAbsolute, resolve } from "node:path";

const SESSION_ID = /^[A-HJ-NP-TV-Z2-9]{8}$/;

/** Whether text has the form of a session's id. */
export function isSessionId(text: string): boolean {
  return SESSION_ID.test(text);
}

/** The session that a `vscode://areyouj.areyouj/automation/<id>` address names, or null. */
export function sessionOfUri(path: string): string | null {
  const [, page, id, ...rest] = path.split("/");
  return page === "automation" && id !== undefined && rest.every((part) => part === "") && isSessionId(id) ? id : null;
}

/** A place in a file. Line and column count from 1. */
export interface Place {
  path: string;
  line: number | null;
  column: number | null;
}

const PLACE = /^(?<path>.+?)(?:(?::(?<line>\d{1,9})(?::(?<column>\d{1,9}))?)|(?:#L(?<hash>\d{1,9})))$/u;

/**
 * The readings of what a tool, a compiler or Claude calls a place in a file, the likeliest first: `path`, `path:12`,
 * `path:12:3`, `path#L12`. The text as a whole comes first, for a file may be called so.
 */
export function placesOf(text: string): Place[] {
  const whole: Place = { path: text, line: null, column: null };
  const groups = PLACE.exec(text)?.groups;
  if (groups?.["path"] === undefined) return [whole];
  const line = Number(groups["line"] ?? groups["hash"]);
  const column = groups["column"] === undefined ? null : Number(groups["column"]);
  return [whole, { path: groups["path"], line: Math.max(line, 1), column }];
}

/** A path of a session as an absolute one. */
export function absolutePath(directory: string, path: string, home: string): string {
  if (path === "~" || path.startsWith("~/")) return resolve(home, path.slice(2));
  return isAbsolute(path) ? path : resolve(directory, path);
}

/** An address that may be opened outside of the editor: `http` and `https` with a host; null for every other. */
export function webAddress(text: string): string | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url !== null && (url.protocol === "http:" || url.protocol === "https:") && url.hostname !== ""
    ? url.href
    : null;
}
