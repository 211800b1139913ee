import { relative } from "node:path";
import * as vscode from "vscode";
import { notPossible, type ProblemError } from "../daemon/problemError";

/** The last focused text editor: a page takes the focus, and a person then means the selection before. */
export class LastEditor implements vscode.Disposable {
  #editor = vscode.window.activeTextEditor;
  readonly #subscription = vscode.window.onDidChangeActiveTextEditor((editor) => {
    if (editor !== undefined) this.#editor = editor;
  });

  /** That editor, if it is still open. */
  get current(): vscode.TextEditor | undefined {
    const editor = this.#editor;
    return editor === undefined || editor.document.isClosed ? undefined : editor;
  }

  dispose(): void {
    this.#subscription.dispose();
  }
}

/** A selection and its place. */
export interface Excerpt {
  /** Relative to the session's directory, or absolute outside of it; null for a text without a file. */
  path: string | null;
  /** First and last line, from 1. */
  lines: [number, number];
  language: string;
  /** Empty if nothing is selected. */
  text: string;
}

/** An excerpt as text for Claude: a mention of the file, and the selected text as a code block. */
export function excerptText({ path, lines: [first, last], language, text }: Excerpt): string {
  if (text === "") return path === null ? "" : `@${path} `;
  const place = path === null ? "" : `@${path}${first === last ? `#L${first}` : `#L${first}-${last}`}\n`;
  const fence = longestFence(text);
  return `${place}${fence}${language}\n${text.replace(/\n$/u, "")}\n${fence}\n`;
}

/** The selection of an editor as text for the composer, or its file if nothing is selected; null without an editor. */
export function composerText(editor: vscode.TextEditor | undefined, directory: string): string | null {
  if (editor === undefined) return null;
  const { document, selection } = editor;
  const path = document.uri.scheme === "file" ? relative(directory, document.uri.fsPath) : null;
  const lines: [number, number] = [
    selection.start.line + 1,
    Math.max(selection.start.line, selection.end.line - (selection.end.character === 0 ? 1 : 0)) + 1,
  ];
  const outside = path?.startsWith("..") === true ? document.uri.fsPath : path;
  return excerptText({ path: outside, lines, language: document.languageId, text: document.getText(selection) });
}

/** The error for a selection without an editor. */
export function noEditor(): ProblemError {
  return notPossible("No text editor is open.", "Open a file, select text, and try again.");
}

/** A fence that is longer than any run of backticks inside, so that the text cannot end its own block. */
function longestFence(text: string): string {
  const runs = text.match(/`+/gu)?.map((run) => run.length) ?? [];
  return "`".repeat(Math.max(3, ...runs.map((length) => length + 1)));
}
