import * as vscode from "vscode";
import { outsideEnvironment } from "./environment";
import type { Session } from "./protocol.gen";
import { displayName } from "./text";

/** A terminal in a session's directory; for a session that Claude's own screen drives, that screen. */
export function openSessionTerminal(session: Session, areyouj: string): void {
  const name = displayName(session);
  const cwd = vscode.Uri.file(session.directory);
  const options: vscode.TerminalOptions =
    session.driver === "terminal" ? { name, cwd, shellPath: areyouj, shellArgs: ["attach", session.id], iconPath: new vscode.ThemeIcon("comment-discussion") } : { name, cwd };
  vscode.window.createTerminal(options).show();
}

/** A terminal that checks the installation. It stays after the report was printed. */
export function openDoctor(areyouj: string): void {
  const terminal = vscode.window.createTerminal({ name: "AreYouJ doctor", iconPath: new vscode.ThemeIcon("checklist") });
  terminal.show();
  terminal.sendText(`${quoted(areyouj)} doctor`);
}

/** A terminal with Claude's own program, which asks to log in when nobody is. */
export function openLogIn(directory: string | undefined): void {
  const claude = outsideEnvironment(process.env)["AREYOUJ_CLAUDE"] ?? "claude";
  const terminal = vscode.window.createTerminal({ name: "Claude", ...(directory === undefined ? {} : { cwd: directory }) });
  terminal.show();
  terminal.sendText(quoted(claude));
}

/** A word for a POSIX shell. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/u.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
