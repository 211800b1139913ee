import { readdir, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import * as vscode from "vscode";
import { absolutePath, placesOf } from "./links";
import { Failure, LocalCode, problem } from "../shared/problem";
import { plain } from "../editorText";

/** As many as a list shows at a glance. */
const MAX_COMPLETIONS = 50;
/** A directory with more entries is only searched by name. */
const MAX_ENTRIES = 5_000;
/** Typing goes on meanwhile; a search that takes longer, in milliseconds, is of no use. */
const SEARCH_WITHIN_MS = 1_000;

/** Opens a file of a session beside its page. Rejects with a `Failure` if it is none. */
export async function openFile(directory: string, path: string, line?: number): Promise<void> {
  for (const place of placesOf(path)) {
    const file = absolutePath(directory, place.path, homedir());
    if (!(await isFile(file))) continue;
    const row = (line ?? place.line ?? 0) - 1;
    const position = row < 0 ? null : new vscode.Position(row, Math.max((place.column ?? 1) - 1, 0));
    const uri = vscode.Uri.file(file);
    const options = {
      viewColumn: beside(),
      ...(position === null ? {} : { selection: new vscode.Range(position, position) }),
    };
    // The general command rather than a text editor: it also shows images and notebooks.
    await vscode.commands.executeCommand("vscode.open", uri, options);
    return;
  }
  throw new Failure(
    problem(LocalCode.NotPossible, `There is no file ${plain(path, 200)}.`, "It may have been moved or deleted since."),
  );
}

/** Files and directories of a session whose names begin as typed after `@`, relative to its directory. */
export async function completeFiles(directory: string, prefix: string): Promise<string[]> {
  const typed = prefix.replace(/^\.\//u, "");
  const [listed, found] = await Promise.all([listDirectory(directory, typed), searchNames(directory, typed)]);
  return [...new Set([...listed, ...found])].slice(0, MAX_COMPLETIONS);
}

async function listDirectory(directory: string, typed: string): Promise<string[]> {
  const parent = typed === "" || typed.endsWith("/") ? typed : `${dirname(typed)}/`;
  const name = typed.endsWith("/") ? "" : basename(typed);
  try {
    const entries = await readdir(absolutePath(directory, parent === "" ? "." : parent, homedir()), {
      withFileTypes: true,
    });
    return entries
      .slice(0, MAX_ENTRIES)
      .filter(
        (entry) =>
          entry.name.toLowerCase().startsWith(name.toLowerCase()) &&
          (name.startsWith(".") || !entry.name.startsWith(".")),
      )
      .map((entry) => `${parent === "./" ? "" : parent}${entry.name}${entry.isDirectory() ? "/" : ""}`)
      .toSorted();
  } catch {
    // No such directory: nothing begins like this.
    return [];
  }
}

async function searchNames(directory: string, typed: string): Promise<string[]> {
  // What has a meaning in a pattern cannot be searched for with one.
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

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** The column for what is opened from a page: one that is there already, or else a new one beside. */
export function beside(): vscode.ViewColumn {
  const groups = vscode.window.tabGroups;
  const other = groups.all.find((group) => group !== groups.activeTabGroup);
  return other?.viewColumn ?? vscode.ViewColumn.Beside;
}

const DIFF_SCHEME = "areyouj-diff";
/** Texts kept for open diffs: two each. Older ones show as empty once the editor asks for them again. */
const MAX_DIFF_TEXTS = 64;

/** Shows edits as diffs: holds both texts for as long as they are shown. */
export class Diffs implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #texts = new Map<string, string>();
  #count = 0;
  readonly #disposable = vscode.Disposable.from(
    vscode.workspace.registerTextDocumentContentProvider(DIFF_SCHEME, this),
    vscode.workspace.onDidCloseTextDocument(({ uri }) => {
      if (uri.scheme === DIFF_SCHEME) this.#texts.delete(uri.path);
    }),
  );

  async open(title: string, path: string, before: string, after: string): Promise<void> {
    this.#count++;
    // The name at the end gives both sides the language of the file.
    const [left, right] = (["before", "after"] as const).map((side) =>
      vscode.Uri.from({ scheme: DIFF_SCHEME, path: join("/", String(this.#count), side, basename(path)) }),
    ) as [vscode.Uri, vscode.Uri];
    this.#texts.set(left.path, before).set(right.path, after);
    for (const oldest of this.#texts.keys()) {
      if (this.#texts.size <= MAX_DIFF_TEXTS) break;
      this.#texts.delete(oldest);
    }
    await vscode.commands.executeCommand("vscode.diff", left, right, plain(title, 200) || basename(path), {
      viewColumn: beside(),
      preview: true,
    });
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.#texts.get(uri.path) ?? "";
  }

  dispose(): void {
    this.#disposable.dispose();
  }
}
