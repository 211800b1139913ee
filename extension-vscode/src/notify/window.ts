/**
 * Shows texts in the window of the editor: the only callers of its functions that turn `[label](link)` into a link or
 * `$(name)` into an icon. A link can run a command, and a text can hold what a person or a program elsewhere chose.
 */
import * as vscode from "vscode";
import { escapeIcons, escapeLinks } from "../shared/text";

const SHOW = {
  information: vscode.window.showInformationMessage,
  warning: vscode.window.showWarningMessage,
  error: vscode.window.showErrorMessage,
} as const;

/** Shows a message, and returns the button that the person chose. */
export function showMessage(
  severity: keyof typeof SHOW,
  text: string,
  ...buttons: string[]
): Thenable<string | undefined> {
  return SHOW[severity](escapeLinks(text), ...buttons);
}

/** Asks a question in a dialog, and returns the button that the person chose. */
export function ask(question: string, detail: string, ...buttons: string[]): Thenable<string | undefined> {
  const options = { modal: true, detail: escapeLinks(detail) };
  return SHOW.warning(escapeLinks(question), options, ...buttons);
}

/** Shows in the status bar that something small succeeded, or had nothing to do. */
export function showStatus(text: string, forMs = 3_000): void {
  vscode.window.setStatusBarMessage(escapeIcons(text), forMs);
}
