/** Compares two texts line by line. */
import { diffLines } from "diff";

/** Successive lines that are unchanged, removed or added. */
export interface Run {
  kind: "same" | "removed" | "added";
  lines: string[];
}

/** With more changed lines a comparison is too slow for a page; then all lines count as removed and added. */
const MAX_EDIT_LENGTH = 2000;
/** The same for longer texts, in characters. */
const MAX_COMPARED = 400_000;

/** The changes from one text to another. */
export function lineRuns(before: string, after: string): Run[] {
  const small = before.length + after.length <= MAX_COMPARED;
  const changes = small ? diffLines(before, after, { maxEditLength: MAX_EDIT_LENGTH }) : undefined;
  if (changes === undefined)
    return [run("removed", before), run("added", after)].filter(({ lines }) => lines.length > 0);
  return changes.map(({ added, removed, value }) => run(added ? "added" : removed ? "removed" : "same", value));
}

function run(kind: Run["kind"], text: string): Run {
  if (text === "") return { kind, lines: [] };
  return { kind, lines: (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n") };
}

/** The number of added and removed lines. */
export function lineCounts(runs: readonly Run[]): { added: number; removed: number } {
  const total = (kind: Run["kind"]): number =>
    runs.reduce((sum, one) => sum + (one.kind === kind ? one.lines.length : 0), 0);
  return { added: total("added"), removed: total("removed") };
}
