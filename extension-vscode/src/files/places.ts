import { isAbsolute, resolve } from "node:path";

/** A place in a file. Line and column count from 1. */
export interface Place {
  path: string;
  line: number | null;
  column: number | null;
}

const PLACE = /^(?<path>.+?)(?:(?::(?<line>\d{1,9})(?::(?<column>\d{1,9}))?)|(?:#L(?<hash>\d{1,9})))$/u;

/**
 * The readings of a place in a file as tools, compilers and Claude write it, the most likely one first: `path`, `path:12`,
 * `path:12:3`, `path#L12`. The first reading is the whole text, because a file can have such a name.
 */
export function placesOf(text: string): Place[] {
  const whole: Place = { path: text, line: null, column: null };
  const groups = PLACE.exec(text)?.groups;
  if (groups?.["path"] === undefined) return [whole];
  const line = Number(groups["line"] ?? groups["hash"]);
  const column = groups["column"] === undefined ? null : Number(groups["column"]);
  return [whole, { path: groups["path"], line: Math.max(line, 1), column }];
}

/** A path of a session as an absolute path. */
export function absolutePath(directory: string, path: string, home: string): string {
  if (path === "~" || path.startsWith("~/")) return resolve(home, path.slice(2));
  return isAbsolute(path) ? path : resolve(directory, path);
}
