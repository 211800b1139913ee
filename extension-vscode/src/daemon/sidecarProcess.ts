/**
 * Starts the sidecar process. This file is loaded after activation, because the language client is the largest part of
 * the extension.
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
import type { SidecarOptions, SidecarProcess } from "./client";
import { outsideEnvironment } from "./environment";

/** The end of the sidecar's standard error that is kept to explain an exit, in characters. */
const STDERR_KEPT = 8_192;
/** The time in which a sidecar must exit when it is asked to, in milliseconds. */
const STOP_WITHIN_MS = 2_000;

/** A client without messages of its own: problems are shown in one place, with the buttons that fix them. */
class QuietClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

/** Announces that this client knows the `areyouj/…` methods: the sidecar then sends no plain messages for permission requests. */
const announceAreYouJ: StaticFeature = {
  fillClientCapabilities(capabilities: ClientCapabilities): void {
    capabilities.experimental = { ...(capabilities.experimental as object | undefined), areyouj: {} };
  },
  initialize(): void {},
  getState: () => ({ kind: "static" }),
  clear(): void {},
};

/** Starts the sidecar and initializes it. Rejects if it cannot start, or exits before it answers. */
export async function startSidecar(options: SidecarOptions, log: LogOutputChannel): Promise<SidecarProcess> {
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
      // A sidecar that dies during a write is reported by its exit.
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
      // The sidecar exits at the end of its input; one that does not is killed.
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
