import type { ExtensionContext } from "vscode";
import { Context } from "./app";

let context: Context | undefined;

/** Registers everything; the sidecar is started right after. */
export function activate(extension: ExtensionContext): void {
  context = new Context(extension);
  extension.subscriptions.push(context);
}

/** Ends the sidecar. Sessions go on. */
export async function deactivate(): Promise<void> {
  await context?.stop();
}
