import { basename, join } from "node:path";
import * as vscode from "vscode";
import { clippedLine } from "../shared/text";
import { columnBeside } from "./openFile";

const DIFF_SCHEME = "areyouj-diff";
/** Texts kept for open diffs: two for each. A diff whose texts were dropped is empty when the editor reads it again. */
const MAX_DIFF_TEXTS = 64;

/** Shows edits as diffs, and holds both texts of each while it is open. */
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
    // The file name at the end gives both sides the language of the file.
    const uriOf = (side: "before" | "after"): vscode.Uri =>
      vscode.Uri.from({ scheme: DIFF_SCHEME, path: join("/", String(this.#count), side, basename(path)) });
    const [left, right] = [uriOf("before"), uriOf("after")];
    this.#texts.set(left.path, before).set(right.path, after);
    for (const oldest of this.#texts.keys()) {
      if (this.#texts.size <= MAX_DIFF_TEXTS) break;
      this.#texts.delete(oldest);
    }
    const name = clippedLine(title, 200) || basename(path);
    await vscode.commands.executeCommand("vscode.diff", left, right, name, {
      viewColumn: columnBeside(),
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
