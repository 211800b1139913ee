/** Counts, filters and sorts sessions for the table. */
import type { Session, Status } from "../../src/protocol.gen";
import { contextPercent } from "../../src/shared/format";
import { displayName } from "../../src/shared/session";

/** The columns by which the table can be sorted. */
export const COLUMNS = ["status", "name", "project", "started", "task", "model", "context", "cost", "queued"] as const;
export type Column = (typeof COLUMNS)[number];

/** The order of the table. */
export interface Order {
  column: Column;
  descending: boolean;
}

/** Newest first. */
export const NEWEST_FIRST: Order = { column: "started", descending: true };

/** The tiles: all live sessions, or those of one status. */
export const TILES = ["total", "active", "waiting", "idle", "error"] as const;
export type Tile = (typeof TILES)[number];

/** The sessions to show. */
export interface Filter {
  tile: Tile;
  /** Words that must all occur in id, name, path, task or model. */
  text: string;
  /** Whether to show terminated sessions too. */
  terminated: boolean;
}

/** The number on each tile. Terminated sessions are not counted; starting ones count only in the total. */
export function counts(sessions: Iterable<Session>): Record<Tile, number> {
  const numbers: Record<Tile, number> = { total: 0, active: 0, waiting: 0, idle: 0, error: 0 };
  for (const { status } of sessions) {
    if (status === "terminated") continue;
    numbers.total += 1;
    if (status !== "starting" && status in numbers) numbers[status] += 1;
  }
  return numbers;
}

/** The sessions that pass a filter, in order. */
export function arrange(sessions: Iterable<Session>, filter: Filter, order: Order): Session[] {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = [...sessions].filter((session) => passes(session, filter, words));
  const sign = order.descending ? -1 : 1;
  return shown.toSorted(
    (one, other) =>
      sign * compare(one, other, order.column) || other.createdAt - one.createdAt || (one.id < other.id ? -1 : 1),
  );
}

function passes(session: Session, filter: Filter, words: string[]): boolean {
  if (filter.tile !== "total" && session.status !== filter.tile) return false;
  if (session.status === "terminated" && !filter.terminated) return false;
  if (words.length === 0) return true;
  const text = [session.name, session.directory, session.currentTask, session.model].join("\n").toLowerCase();
  // An id matches by its beginning, as everywhere; a match inside it would let almost every session pass.
  const id = session.id.toLowerCase();
  return words.every((word) => text.includes(word) || id.startsWith(word));
}

/** Sessions that need a person come first. */
const URGENCY: Record<Status, number> = { waiting: 0, error: 1, active: 2, starting: 3, idle: 4, terminated: 5 };

function compare(one: Session, other: Session, column: Column): number {
  const [left, right] = [sortKey(one, column), sortKey(other, column)];
  if (typeof left === "number" && typeof right === "number") return left - right;
  return String(left).localeCompare(String(right), undefined, { numeric: true, sensitivity: "base" });
}

function sortKey(session: Session, column: Column): string | number {
  switch (column) {
    case "status":
      return URGENCY[session.status] ?? Object.keys(URGENCY).length;
    case "name":
      return displayName(session);
    case "project":
      return session.directory;
    case "started":
      return session.createdAt;
    case "task":
      return session.currentTask ?? "";
    case "model":
      return session.model ?? "";
    case "context":
      return contextPercent(session.contextUsed, session.contextMax) ?? -1;
    case "cost":
      return session.costUsd;
    case "queued":
      return session.queued;
  }
}
