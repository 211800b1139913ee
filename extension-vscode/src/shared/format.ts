/** Numbers, times and paths as text. */
import type { Session } from "../protocol.gen";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A length of time, in its one or two largest units: `42s`, `5m`, `3h 12m`, `2d 4h`. */
export function duration(ms: number): string {
  const whole = Math.max(0, ms);
  if (whole < MINUTE) return `${Math.floor(whole / SECOND)}s`;
  if (whole < HOUR) return `${Math.floor(whole / MINUTE)}m`;
  const [large, small, names] = whole < DAY ? [HOUR, MINUTE, ["h", "m"]] : [DAY, HOUR, ["d", "h"]];
  const rest = Math.floor((whole % large) / small);
  return `${Math.floor(whole / large)}${names[0]}${rest > 0 ? ` ${rest}${names[1]}` : ""}`;
}

/** How long a turn took: tenths of a second below ten seconds, minutes with seconds above one minute. */
export function elapsed(ms: number): string {
  if (ms < 10 * SECOND) return `${(Math.max(0, ms) / SECOND).toFixed(1)}s`;
  return since(ms);
}

/** A length of time that grows on the screen: it has seconds up to an hour. */
export function since(ms: number): string {
  if (ms < MINUTE || ms >= HOUR) return duration(ms);
  return `${Math.floor(ms / MINUTE)}m ${Math.floor((ms % MINUTE) / SECOND)}s`;
}

/** A moment before now, in its largest unit: `just now`, `5m ago`, `2d ago`. */
export function ago(now: number, then: number): string {
  const passed = now - then;
  if (passed < 5 * SECOND) return "just now";
  return `${duration(passed).split(" ")[0]} ago`;
}

/** A moment in full, in the language of the editor. */
export function moment(at: number): string {
  return new Date(at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

/** The cost of a session; null if it is unknown, because Claude does not report it in a terminal. */
export function costOf(session: Session): string | null {
  return session.driver === "terminal" && session.costUsd === 0 ? null : cost(session.costUsd);
}

/** US dollars; less than a tenth of a cent counts as nothing. */
export function cost(usd: number): string {
  if (!(usd >= 0.001)) return "$0";
  return `$${usd.toFixed(usd < 0.1 ? 3 : 2)}`;
}

/** Tokens: `950`, `12k`, `1.2M`. */
export function tokens(count: number): string {
  if (count < 1000) return String(count);
  if (count < 999_500) return `${Math.round(count / 1000)}k`;
  return `${(count / 1_000_000).toFixed(1).replace(/\.0$/, "")}M`;
}

/** The used part of the context window, 0 to 100, or null if Claude has not reported it. */
export function contextPercent(used: number | null, max: number | null): number | null {
  if (used === null || max === null || max <= 0) return null;
  return Math.min(100, Math.max(0, Math.round((used / max) * 100)));
}

/** A size in characters: `900`, `12 KB`, `1.2 MB`. */
export function size(characters: number): string {
  if (characters < 1000) return `${characters} characters`;
  if (characters < 1_000_000) return `${Math.round(characters / 1000)} KB`;
  return `${(characters / 1_000_000).toFixed(1)} MB`;
}

/** A path with the home directory as `~`. */
export function homePath(path: string, home: string): string {
  if (home === "" || home === "/") return path;
  if (path === home) return "~";
  return path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}

/** The last part of a path with the slash before it, and the part before that slash. */
export function splitPath(path: string): { parent: string; name: string } {
  const cut = path.replace(/\/+$/, "").lastIndexOf("/");
  if (cut < 0 || path === "/") return { parent: "", name: path };
  return { parent: path.slice(0, cut), name: path.slice(cut).replace(/\/+$/, "") };
}

/** A path relative to a directory that contains it; any other path as it is. */
export function relativePath(path: string, directory: string): string {
  const inside = directory.endsWith("/") ? directory : `${directory}/`;
  return path.startsWith(inside) && path.length > inside.length ? path.slice(inside.length) : path;
}

/** Several of something: `1 session`, `3 sessions`. */
export function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${number} ${number === 1 ? noun : plural}`;
}
