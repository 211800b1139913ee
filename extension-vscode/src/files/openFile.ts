import { stat } from "node:fs/promises";
import { homedir } from "node:os";
import * as vscode from "vscode";
import { notPossible } from "../daemon/problemError";
import { clippedLine } from "../shared/text";
import { absolutePath, placesOf } from "./places";

/** Opens a file of a session beside its page. Rejects with a `ProblemError` if there is no such file. */
export async function openFile(directory: string, path: string, line?: number): Promise<void> {
  for (const place of placesOf(path)) {
    const file = absolutePath(directory, place.path, homedir());
    if (!(await isFile(file))) continue;
    const row = (line ?? place.line ?? 0) - 1;
    const position = row < 0 ? null : new vscode.Position(row, Math.max((place.column ?? 1) - 1, 0));
    const uri = vscode.Uri.file(file);
    const options = {
      viewColumn: columnBeside(),
      ...(position === null ? {} : { selection: new vscode.Range(position, position) }),
    };
    // The general command instead of a text editor: it also shows images and notebooks.
    await vscode.commands.executeCommand("vscode.open", uri, options);
    return;
  }
  throw notPossible(`The file ${clippedLine(path, 200)} does not exist.`, "It may have been moved or deleted.");
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** The column for editors that a page opens: an existing other column, or else a new one. */
export function columnBeside(): vscode.ViewColumn {
  const groups = vscode.window.tabGroups;
  const other = groups.all.find((group) => group !== groups.activeTabGroup);
  return other?.viewColumn ?? vscode.ViewColumn.Beside;
}
