import * as vscode from "vscode";

/** Asks a person to confirm an action by the button that names it. */
export async function confirmed(question: string, detail: string, button: string): Promise<boolean> {
  return (await vscode.window.showWarningMessage(question, { modal: true, detail }, button)) === button;
}
