import * as vscode from "vscode";
import { outsideEnvironment } from "../daemon/environment";
import type { Session } from "../protocol.gen";
import { displayName } from "../shared/session";

/** Opens a shell in a session's directory. */
export function openDirectoryTerminal(session: Session): void {
  vscode.window.createTerminal({ name: displayName(session), cwd: vscode.Uri.file(session.directory) }).show();
}

/** Opens a terminal that checks the installation. It stays open with the results. */
export function openDoctor(areyouj: string): void {
  openChecks("AreYouJ doctor", `${quoted(areyouj)} doctor`);
}

/** Opens a terminal with a report for others, which has no texts, names or paths of the person. */
export function openReport(areyouj: string): void {
  openChecks("AreYouJ report", `${quoted(areyouj)} doctor --report`);
}

function openChecks(name: string, line: string): void {
  const terminal = vscode.window.createTerminal({ name, iconPath: new vscode.ThemeIcon("checklist") });
  terminal.show();
  terminal.sendText(line);
}

/** Opens a terminal with the `claude` program, which asks for a login if there is none. */
export function openLogIn(directory: string | undefined): void {
  const claude = outsideEnvironment(process.env)["AREYOUJ_CLAUDE"] ?? "claude";
  const terminal = vscode.window.createTerminal({
    name: "Claude",
    ...(directory === undefined ? {} : { cwd: directory }),
  });
  terminal.show();
  terminal.sendText(quoted(claude));
}

/** Quotes a word for a POSIX shell. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/u.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
