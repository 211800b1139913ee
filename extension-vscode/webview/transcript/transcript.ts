/** The transcript as rows: results beside their calls, answers beside their requests, subagents below their call. */
import type { EntryBody, EntryBodyPermissionEnd, EntryBodyToolResult, TranscriptEntry } from "../../src/protocol.gen";

/** A row of the page. An unchanged row is the same object, so that it is not rendered again. */
export interface Row {
  seq: number;
  at: number;
  body: EntryBody;
  /** The depth in subagents; 0 is the session itself. */
  depth: number;
  result: EntryBodyToolResult | null;
  end: EntryBodyPermissionEnd | null;
}

const KINDS: ReadonlySet<string> = new Set<EntryBody["kind"]>([
  "user",
  "text",
  "thinking",
  "toolCall",
  "toolResult",
  "permission",
  "permissionEnd",
  "turnEnd",
  "notice",
]);
/** The page has no room to indent deeper rows further. */
const MAX_DEPTH = 4;

/** Turns entries into rows, and remembers the rows. */
export class Rows {
  private known = new Map<number, Row>();

  /** The rows of these entries, which must be in order of `seq`. Unknown kinds have no row. */
  of(entries: readonly TranscriptEntry[]): Row[] {
    const results = new Map<string, EntryBodyToolResult>();
    const ends = new Map<string, EntryBodyPermissionEnd>();
    /** The `seq` of each call. Entries of a subagent follow their call, so no call is its own parent. */
    const calls = new Map<string, number>();
    const requests = new Set<string>();
    for (const { seq, body } of entries) {
      if (body.kind === "toolResult") results.set(body.toolUseId, body);
      if (body.kind === "permissionEnd") ends.set(body.permissionId, body);
      if (body.kind === "toolCall") calls.set(body.toolUseId, seq);
      if (body.kind === "permission") requests.add(body.permissionId);
    }
    const top: TranscriptEntry[] = [];
    const children = new Map<string, TranscriptEntry[]>();
    for (const entry of entries) {
      const { body } = entry;
      if (!KINDS.has(body.kind)) continue;
      if (body.kind === "toolResult" && calls.has(body.toolUseId)) continue;
      if (body.kind === "permissionEnd" && requests.has(body.permissionId)) continue;
      const parent = parentOf(body);
      if (parent === null || (calls.get(parent) ?? entry.seq) >= entry.seq) top.push(entry);
      else children.set(parent, [...(children.get(parent) ?? []), entry]);
    }
    const known = new Map<number, Row>();
    const rows: Row[] = [];
    const add = (entry: TranscriptEntry, depth: number): void => {
      if (known.has(entry.seq)) return;
      const { body } = entry;
      const row = this.row(
        entry,
        Math.min(depth, MAX_DEPTH),
        body.kind === "toolCall" ? results.get(body.toolUseId) : undefined,
        body.kind === "permission" ? ends.get(body.permissionId) : undefined,
      );
      known.set(entry.seq, row);
      rows.push(row);
      if (body.kind === "toolCall") for (const child of children.get(body.toolUseId) ?? []) add(child, depth + 1);
    };
    for (const entry of top) add(entry, parentOf(entry.body) === null ? 0 : 1);
    this.known = known;
    return rows;
  }

  private row(
    { seq, at, body }: TranscriptEntry,
    depth: number,
    result: EntryBodyToolResult | null = null,
    end: EntryBodyPermissionEnd | null = null,
  ): Row {
    const before = this.known.get(seq);
    const same =
      before && before.body === body && before.depth === depth && before.result === result && before.end === end;
    return same ? before : { seq, at, body, depth, result, end };
  }
}

function parentOf(body: EntryBody): string | null {
  return body.kind === "text" || body.kind === "toolCall" ? body.parentToolUseId : null;
}

/** Older and newer entries together, in order and without duplicates. */
export function joined(older: readonly TranscriptEntry[], newer: readonly TranscriptEntry[]): TranscriptEntry[] {
  const last = older.at(-1)?.seq ?? 0;
  return [...older, ...newer.filter(({ seq }) => seq > last)];
}

/** A piece of live text. */
export interface LivePiece {
  thinking: boolean;
  text: string;
}

/** The live text that is kept, in characters; the finished entry has all of it. */
const MAX_LIVE = 200_000;

/** The live text with its next piece. */
export function withPiece(before: readonly LivePiece[], next: LivePiece): LivePiece[] {
  const last = before.at(-1);
  if (last === undefined || last.thinking !== next.thinking) return [...before, next];
  return [...before.slice(0, -1), { thinking: last.thinking, text: (last.text + next.text).slice(-MAX_LIVE) }];
}
