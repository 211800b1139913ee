/** The input of a tool call: its most telling argument, and the file that it changes. */
import { listOf, readable, textOf } from "./json";
import { plainLine } from "../../src/shared/text";

/** A change of one place in a file. */
export interface Edit {
  before: string;
  after: string;
}

/** All changes that a call makes in a file. */
export interface FileChange {
  path: string;
  edits: Edit[];
}

/** Arguments that describe a call; the first existing one is shown. */
const TELLING = [
  "command",
  "file_path",
  "notebook_path",
  "pattern",
  "url",
  "query",
  "description",
  "prompt",
  "path",
  "skill",
  "subject",
];
/** Enough for the widest line, in characters; the call itself shows the rest. */
const MAX_LINE = 300;
/** The line that describes a call. */
export function tellingArgument(input: unknown): string {
  for (const name of TELLING) {
    const text = textOf(input, name);
    if (text) return plainLine(text.slice(0, MAX_LINE));
  }
  const first: unknown = typeof input === "object" && input !== null ? Object.values(input)[0] : input;
  return first === undefined ? "" : plainLine(readable(first).slice(0, MAX_LINE));
}

/** The file that a call names, if any. */
export function filePath(input: unknown): string | undefined {
  return textOf(input, "file_path") ?? textOf(input, "notebook_path");
}

/** The change that a call of an editing tool makes; null for other tools and for an unexpected input. */
export function fileChange(tool: string, input: unknown): FileChange | null {
  const path = filePath(input);
  if (path === undefined) return null;
  switch (tool) {
    case "Edit":
      return { path, edits: [edit(input)] };
    case "MultiEdit":
      return { path, edits: listOf(input, "edits").map(edit) };
    case "Write":
      return { path, edits: [{ before: "", after: textOf(input, "content") ?? "" }] };
    case "NotebookEdit":
      return { path, edits: [{ before: "", after: textOf(input, "new_source") ?? "" }] };
    default:
      return null;
  }
}

function edit(value: unknown): Edit {
  return { before: textOf(value, "old_string") ?? "", after: textOf(value, "new_string") ?? "" };
}

/** All members of an input, by name. */
export function members(input: unknown): [string, string][] {
  if (typeof input !== "object" || input === null) return input === undefined ? [] : [["input", readable(input)]];
  return Object.entries(input).map(([name, value]) => [name, readable(value)]);
}
