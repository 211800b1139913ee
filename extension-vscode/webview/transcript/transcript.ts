/** The transcript as rows: results beside their calls, ends beside their prompts, subagents under the call that began them. */
import type { EntryBody, EntryBodyPermissionEnd, EntryBodyToolResult, TranscriptEntry } from "../../src/protocol.gen";

/** One row of the page. The same entry with the same addition is the same object, so that nothing is drawn twice. */
export interface Row {
  seq: number;
  at: number;
  body: EntryBody;
  /** How deep in subagents, 0 for the session itself. */
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
/** Deeper than this is shown no deeper: the page is only so wide. */
const MAX_DEPTH = 4;

/** Makes rows of entries, and remembers them. */
export class Rows {
  private known = new Map<number, Row>();

  /** The rows of these entries, which are in order of `seq`. Kinds that are not known make none. */
  of(entries: readonly TranscriptEntry[]): Row[] {
    const results = new Map<string, EntryBodyToolResult>();
    const ends = new Map<string, EntryBodyPermissionEnd>();
    /** Where each call is: a subagent speaks only after the call that began it, so nothing is its own parent. */
    const calls = new Map<string, number>();
    const prompts = new Set<string>();
    for (const { seq, body } of entries) {
      if (body.kind === "toolResult") results.set(body.toolUseId, body);
      if (body.kind === "permissionEnd") ends.set(body.permissionId, body);
      if (body.kind === "toolCall") calls.set(body.toolUseId, seq);
      if (body.kind === "permission") prompts.add(body.permissionId);
    }
    const top: TranscriptEntry[] = [];
    const children = new Map<string, TranscriptEntry[]>();
    for (const entry of entries) {
      const { body } = entry;
      if (!KINDS.has(body.kind)) continue;
      if (body.kind === "toolResult" && calls.has(body.toolUseId)) continue;
      if (body.kind === "permissionEnd" && prompts.has(body.permissionId)) continue;
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

/** Entries and those that came after or before them, in order and each once. */
export function joined(older: readonly TranscriptEntry[], newer: readonly TranscriptEntry[]): TranscriptEntry[] {
  const last = older.at(-1)?.seq ?? 0;
  return [...older, ...newer.filter(({ seq }) => seq > last)];
}

/** A piece of what Claude is saying right now. */
export interface Saying {
  thinking: boolean;
  text: string;
}

/** So much live text is kept; the finished entry has all of it. */
const MAX_LIVE = 200_000;

/** What was said so far, and the next piece. */
export function said(before: readonly Saying[], next: Saying): Saying[] {
  const last = before.at(-1);
  if (last === undefined || last.thinking !== next.thinking) return [...before, next];
  return [...before.slice(0, -1), { thinking: last.thinking, text: (last.text + next.text).slice(-MAX_LIVE) }];
}
