/** The input of a tool call: its most telling argument, and the file that it changes. */
import { listOf, member, readable, textOf } from "./json";
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
/** Members of the input that a diff can show. */
const CHANGE_MEMBERS = new Set([
  "file_path",
  "notebook_path",
  "old_string",
  "new_string",
  "replace_all",
  "content",
  "new_source",
  "edits",
]);

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

/** The members of a file change that its diff does not show. */
export function otherMembers(tool: string, input: unknown): [string, string][] {
  return members(input).filter(([name]) => !shownByDiff(tool, name, input));
}

function shownByDiff(tool: string, name: string, input: unknown): boolean {
  if (!CHANGE_MEMBERS.has(name)) return false;
  switch (name) {
    case "file_path":
    case "notebook_path":
      return member(input, name) === filePath(input);
    case "content":
      return tool === "Write" && textOf(input, name) !== undefined;
    case "new_source":
      return tool === "NotebookEdit" && textOf(input, name) !== undefined;
    case "replace_all":
      // The diff of one place already means this.
      return tool === "Edit" && member(input, name) === false;
    case "edits":
      return tool === "MultiEdit" && listOf(input, name).every(isPlainEdit);
    default:
      return tool === "Edit" && textOf(input, name) !== undefined;
  }
}

function isPlainEdit(value: unknown): boolean {
  return (
    members(value).every(([name]) => name === "old_string" || name === "new_string") &&
    textOf(value, "new_string") !== undefined
  );
}

/** All members of an input, by name. */
export function members(input: unknown): [string, string][] {
  if (typeof input !== "object" || input === null) return input === undefined ? [] : [["input", readable(input)]];
  return Object.entries(input).map(([name, value]) => [name, readable(value)]);
}
