import * as vscode from "vscode";
import { outsideEnvironment } from "../daemon/environment";
import type { Session } from "../protocol.gen";
import { displayName } from "../editorText";

/** A shell in a session's directory. */
export function openDirectoryTerminal(session: Session): void {
  vscode.window.createTerminal({ name: displayName(session), cwd: vscode.Uri.file(session.directory) }).show();
}

/** A terminal that checks the installation. It stays after the report was printed. */
export function openDoctor(areyouj: string): void {
  const terminal = vscode.window.createTerminal({
    name: "AreYouJ doctor",
    iconPath: new vscode.ThemeIcon("checklist"),
  });
  terminal.show();
  terminal.sendText(`${quoted(areyouj)} doctor`);
}

/** A terminal with Claude's own program, which asks to log in when nobody is. */
export function openLogIn(directory: string | undefined): void {
  const claude = outsideEnvironment(process.env)["AREYOUJ_CLAUDE"] ?? "claude";
  const terminal = vscode.window.createTerminal({
    name: "Claude",
    ...(directory === undefined ? {} : { cwd: directory }),
  });
  terminal.show();
  terminal.sendText(quoted(claude));
}

/** A word for a POSIX shell. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/u.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
