import * as vscode from "vscode";
import { ProblemError, toProblemError } from "../daemon/problemError";
import type { Log, ProblemReporter } from "../ports";
import type { Problem } from "../shared/bridge";
import { clippedLine } from "../shared/text";
import { showMessage } from "./window";

/** As much of a problem as a message of the editor shows, in characters. */
const MAX_TEXT = 1_000;

/** Shows problems as messages of the editor. */
export class Problems implements ProblemReporter {
  constructor(private readonly log: Log) {}

  async show({ message, hint, fixes }: Problem): Promise<void> {
    const text = clippedLine(`${message} ${hint}`, MAX_TEXT);
    const label = await showMessage("error", text, ...fixes.map((fix) => fix.label));
    const fix = fixes.find((one) => one.label === label);
    if (fix !== undefined) await vscode.commands.executeCommand(fix.command, fix.sessionId);
  }

  async report(error: unknown): Promise<void> {
    if (!(error instanceof ProblemError)) this.log.error(error instanceof Error ? error : String(error));
    await this.show(toProblemError(error).problem);
  }
}
