import { randomBytes } from "node:crypto";
import * as vscode from "vscode";
import { showMessage } from "../notify/window";
import type { ActionDone, FromPage, ToAutomation, ToOrchestration } from "../shared/bridge";
import { LocalCode, problem } from "../shared/problem";
import { parseFromPage } from "./validate";

/** Which of the two pages. */
export type PageName = "orchestration" | "automation";

/** Receives the messages of a page. */
export interface PageListener {
  /** The page can receive messages, for the first time or after a reload: it has no state. */
  ready(): void;
  /** Any other message, checked. */
  message(message: Exclude<FromPage, { type: "ready" }>): void;
}

/** One webview that shows one of the pages: its document, and the messages both ways. */
export class Page<Message extends ToOrchestration | ToAutomation> implements vscode.Disposable {
  #ready = false;
  readonly #subscription: vscode.Disposable;

  constructor(
    private readonly webview: vscode.Webview,
    extension: vscode.Uri,
    name: PageName,
    listener: PageListener,
  ) {
    const dist = vscode.Uri.joinPath(extension, "dist");
    webview.options = { enableScripts: true, enableForms: false, localResourceRoots: [dist] };
    this.#subscription = webview.onDidReceiveMessage((value: unknown) => {
      const message = parseFromPage(value);
      if (message === null) return this.#reject(value);
      if (message.type !== "ready") return listener.message(message);
      this.#ready = true;
      listener.ready();
    });
    webview.html = documentOf(webview, dist, name);
  }

  /** Posts a message. A page that is not ready gets none: it receives everything when it is. */
  post(message: Message): void {
    if (this.#ready) void this.webview.postMessage(message);
  }

  /** Reports that an action was rejected: only its size can be wrong in a message of our own pages. */
  #reject(value: unknown): void {
    if (typeof value !== "object" || value === null || !("type" in value) || value.type !== "action") return;
    const size = problem(
      LocalCode.NotPossible,
      "The text is too long: a message can have 1 MiB, copied or compared text 4 MiB.",
      "Save the text in a file, and mention the file.",
    );
    if ("id" in value && typeof value.id === "number")
      void this.webview.postMessage({ type: "done", id: value.id, problem: size } satisfies ActionDone);
    else void showMessage("warning", `${size.message} ${size.hint}`);
  }

  dispose(): void {
    this.#ready = false;
    this.#subscription.dispose();
  }
}

function documentOf(webview: vscode.Webview, dist: vscode.Uri, name: PageName): string {
  const nonce = randomBytes(18).toString("base64");
  const file = (path: string): string => webview.asWebviewUri(vscode.Uri.joinPath(dist, path)).toString();
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${webview.cspSource}`,
    `font-src ${webview.cspSource}`,
    `img-src ${webview.cspSource} data:`,
  ].join("; ");
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" id="vscode-codicon-stylesheet" href="${file("codicon.css")}">
<title>AreYouJ</title>
</head>
<body>
<areyouj-${name}></areyouj-${name}>
<script type="module" nonce="${nonce}" src="${file(`${name}.js`)}"></script>
</body>
</html>`;
}
