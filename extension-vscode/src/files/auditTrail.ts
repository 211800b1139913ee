import * as vscode from "vscode";
import type { Daemon } from "../ports";
import type { AuditEntry } from "../protocol.gen";
import { exactLine, plainLine } from "../shared/text";

const SCHEME = "areyouj-audit";
const PATH = "/AreYouJ audit trail";
/** Entries that are shown: the newest page. */
const ENTRIES = 1_000;

/** Shows the audit trail as a document that cannot be changed. */
export class AuditTrail implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.#changed.event;
  readonly #registered = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  #text = "";

  constructor(private readonly daemon: Pick<Daemon, "request">) {}

  /** Reads the trail and opens it. Rejects with a `ProblemError`. */
  async show(): Promise<void> {
    const { entries, more } = await this.daemon.request("areyouj/audit/list", { limit: ENTRIES });
    this.#text = auditText(entries, more);
    const uri = vscode.Uri.from({ scheme: SCHEME, path: PATH });
    this.#changed.fire(uri);
    await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri), { preview: true });
  }

  provideTextDocumentContent(): string {
    return this.#text;
  }

  dispose(): void {
    this.#registered.dispose();
    this.#changed.dispose();
  }
}

/** The trail as text, one line for each entry, newest first. */
export function auditText(entries: AuditEntry[], more: boolean): string {
  const lines = entries.map(auditLine);
  if (entries.length === 0) lines.push("The audit trail is empty.");
  if (more) lines.push("Older entries: run `areyouj audit --since 30d` in a terminal.");
  return `${lines.join("\n")}\n`;
}

function auditLine(entry: AuditEntry): string {
  const time = new Date(entry.last).toISOString().replace("T", " ").replace(/\..*/u, "Z");
  const terminal = entry.terminal === null ? "" : ` on ${plainLine(entry.terminal)}`;
  const process = entry.pid === null ? "" : `${exactLine(entry.program ?? "")} (${entry.pid})${terminal}`.trim();
  const parts = [
    time,
    who(entry),
    plainLine(entry.operation),
    plainLine(entry.sessionId ?? "-"),
    plainLine(entry.outcome),
    entry.count > 1 ? `${entry.count} times` : "",
    process,
    exactLine(entry.detail ?? ""),
  ];
  return parts.filter((part) => part !== "").join("  ");
}

/** Who acted: what the kernel says, then the name that the client gave itself. */
function who({ actor, actorSessionId, client }: AuditEntry): string {
  const claimed = `(${plainLine(client)})`;
  switch (actor) {
    case "person":
      return `you ${claimed}`;
    case "session":
      return actorSessionId === null ? `inside a session ${claimed}` : `inside ${plainLine(actorSessionId)} ${claimed}`;
    case "daemon":
      return "daemon";
    case "unknown":
      return `unknown ${claimed}`;
  }
}
