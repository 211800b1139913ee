/** Two texts line by line. */
import { diffLines } from "diff";

/** Lines in a row that stayed, went or came. */
export interface Run {
  kind: "same" | "removed" | "added";
  lines: string[];
}

/** Beyond so many changed lines a comparison takes too long for a page; then all of it went and all of it came. */
const MAX_EDIT_LENGTH = 2000;
/** Beyond so much text likewise. */
const MAX_COMPARED = 400_000;

/** What changed from one text to another. */
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

/** How many lines came and went. */
export function lineCounts(runs: readonly Run[]): { added: number; removed: number } {
  const total = (kind: Run["kind"]): number =>
    runs.reduce((sum, one) => sum + (one.kind === kind ? one.lines.length : 0), 0);
  return { added: total("added"), removed: total("removed") };
}
