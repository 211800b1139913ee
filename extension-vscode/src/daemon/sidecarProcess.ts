/**
 * One run of the sidecar. This file is loaded after activation, because the language client behind it is most of
 * what the extension consists of.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { homedir } from "node:os";
import type { LogOutputChannel } from "vscode";
import {
  type ClientCapabilities,
  CloseAction,
  ErrorAction,
  LanguageClient,
  RevealOutputChannelOn,
  type StaticFeature,
} from "vscode-languageclient/node";
import { outsideEnvironment } from "./environment";
import type { Link, LinkOptions } from "./client";

/** How much of what the sidecar wrote to standard error is kept to explain its end, in characters. */
const STDERR_KEPT = 8_192;
/** How long a sidecar may take to end after it was asked to, in milliseconds. */
const STOP_WITHIN_MS = 2_000;

/** The client, without messages of its own: what is wrong is said in one place, with what mends it. */
class QuietClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

/** Tells the server that this client knows the `areyouj/…` methods, so that prompts are not asked as plain messages too. */
const announceAreYouJ: StaticFeature = {
  fillClientCapabilities(capabilities: ClientCapabilities): void {
    capabilities.experimental = { ...(capabilities.experimental as object | undefined), areyouj: {} };
  },
  initialize(): void {},
  getState: () => ({ kind: "static" }),
  clear(): void {},
};

/** Starts the sidecar and initializes it. Rejects when it cannot be started or ends before it answers. */
export async function openLink(options: LinkOptions, log: LogOutputChannel): Promise<Link> {
  let child: ChildProcess | undefined;
  let stderr = "";
  let stopping = false;
  const client = new QuietClient(
    "areyouj",
    "AreYouJ",
    async () => {
      child = spawn(options.command, ["lsp"], { cwd: homedir(), env: outsideEnvironment(process.env), stdio: "pipe" });
      child.stderr?.on("data", (chunk: Buffer) => {
        stderr = (stderr + chunk.toString()).slice(-STDERR_KEPT);
      });
      // A sidecar that dies while it is written to is reported by its end.
      child.stdin?.on("error", () => {});
      await once(child, "spawn");
      child.on("error", (error) => log.error(error));
      return child;
    },
    {
      documentSelector: [{ scheme: "file" }, { scheme: "untitled" }],
      outputChannel: log,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      initializationFailedHandler: () => false,
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: () => {
          if (!stopping) options.onClosed(stderr.trim());
          return { action: CloseAction.DoNotRestart, handled: true };
        },
      },
    },
  );
  client.registerFeature(announceAreYouJ);
  for (const name of options.notifications)
    client.onNotification(name, (params: unknown) => options.onNotification(name, params));

  const stop = async (): Promise<void> => {
    stopping = true;
    try {
      if (client.isRunning()) await client.stop(STOP_WITHIN_MS);
    } finally {
      // The end of its input is its sign to go; what does not go then is ended.
      child?.stdin?.end();
      if (child !== undefined && child.exitCode === null) {
        const last = child;
        setTimeout(() => last.kill(), STOP_WITHIN_MS).unref();
      }
    }
  };
  try {
    await client.start();
  } catch (error) {
    await stop();
    throw Object.assign(error instanceof Error ? error : new Error(String(error)), { stderr: stderr.trim() });
  }
  return { request: (method, params) => client.sendRequest(method, params), stop };
}
