import { readdir } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, relative } from "node:path";
import * as vscode from "vscode";
import { absolutePath } from "./places";

/** As many as a list shows at a glance. */
const MAX_COMPLETIONS = 50;
/** Entries of a directory that are read; names beyond them are found only by the search. */
const MAX_ENTRIES = 5_000;
/** A person types on meanwhile, so the result of a longer search is useless, in milliseconds. */
const SEARCH_WITHIN_MS = 1_000;

/** The files and directories of a session that complete the text after `@`, relative to its directory. */
export async function completeFiles(directory: string, prefix: string): Promise<string[]> {
  const typed = prefix.replace(/^\.\//u, "");
  const [listed, found] = await Promise.all([listDirectory(directory, typed), searchNames(directory, typed)]);
  return [...new Set([...listed, ...found])].slice(0, MAX_COMPLETIONS);
}

async function listDirectory(directory: string, typed: string): Promise<string[]> {
  const parent = typed === "" || typed.endsWith("/") ? typed : `${dirname(typed)}/`;
  const name = typed.endsWith("/") ? "" : basename(typed);
  const matches = (entry: string): boolean =>
    entry.toLowerCase().startsWith(name.toLowerCase()) && (name.startsWith(".") || !entry.startsWith("."));
  try {
    const path = absolutePath(directory, parent === "" ? "." : parent, homedir());
    const entries = await readdir(path, { withFileTypes: true });
    return entries
      .slice(0, MAX_ENTRIES)
      .filter((entry) => matches(entry.name))
      .map((entry) => `${parent === "./" ? "" : parent}${entry.name}${entry.isDirectory() ? "/" : ""}`)
      .toSorted();
  } catch {
    // Without such a directory nothing completes the text.
    return [];
  }
}

async function searchNames(directory: string, typed: string): Promise<string[]> {
  // A pattern cannot contain characters with a meaning in patterns.
  if (typed.length < 2 || typed.endsWith("/") || /[[\]{}*?!,\\]/u.test(typed)) return [];
  const stop = new vscode.CancellationTokenSource();
  const timer = setTimeout(() => stop.cancel(), SEARCH_WITHIN_MS);
  try {
    const pattern = new vscode.RelativePattern(vscode.Uri.file(directory), `**/*${typed}*`);
    const files = await vscode.workspace.findFiles(pattern, undefined, MAX_COMPLETIONS, stop.token);
    return files
      .map(({ fsPath }) => relative(directory, fsPath))
      .toSorted((one, other) => one.length - other.length || one.localeCompare(other));
  } finally {
    clearTimeout(timer);
    stop.dispose();
  }
}
