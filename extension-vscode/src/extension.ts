import type { ExtensionContext } from "vscode";
import { App } from "./app";

let app: App | undefined;

/** Registers everything; the sidecar starts right after. */
export function activate(context: ExtensionContext): void {
  app = new App(context);
  context.subscriptions.push(app);
}

/** Stops the sidecar. Sessions continue. */
export async function deactivate(): Promise<void> {
  await app?.stop();
}
