import * as vscode from "vscode";
import { Actions } from "./actions/actions";
import { findBinary } from "./daemon/binary";
import { Client } from "./daemon/client";
import { registerCommands } from "./actions/commands";
import { Diffs } from "./files/files";
import { sessionOfUri } from "./files/links";
import { Model } from "./model/model";
import { Moves } from "./sessions/switchDriver";
import { NewSession } from "./sessions/newSession";
import { Notifier } from "./notify/notifier";
import { SESSION_PROFILE, SessionProfile } from "./terminal/profile";
import { Screens } from "./terminal/screens";
import { SeenOnScreen } from "./terminal/seen";
import { LastEditor } from "./files/selection";
import { Settings } from "./settings";
import { StatusBar } from "./notify/statusBar";
import { AUTOMATION_TAB } from "./pages/automation";
import { Automations } from "./pages/automations";
import { Orchestration, ORCHESTRATION_TAB, ORCHESTRATION_VIEW } from "./pages/orchestration";

/** Everything the extension is made of, for as long as it is active. */
export class Context implements vscode.Disposable {
  readonly log = vscode.window.createOutputChannel("AreYouJ", { log: true });
  readonly settings = new Settings();
  readonly diffs = new Diffs();
  readonly lastEditor = new LastEditor();
  readonly client = new Client({
    findBinary: () => this.findBinary(),
    openLink: async (options) => (await import("./daemon/sidecarProcess.js")).openLink(options, this.log),
    log: this.log,
  });
  readonly model = new Model(this.client, (text) => this.log.warn(text));
  readonly automations = new Automations(this);
  readonly orchestration = new Orchestration(this);
  readonly newSession = new NewSession(this);
  readonly screens = new Screens(this);
  readonly actions = new Actions(this);
  readonly moves = new Moves(this);
  readonly #contextKeys = new Map<string, boolean>();
  readonly #disposable: vscode.Disposable;

  constructor(readonly extension: vscode.ExtensionContext) {
    const retained = { webviewOptions: { retainContextWhenHidden: true } };
    this.#disposable = vscode.Disposable.from(
      new Notifier(this),
      new SeenOnScreen(this),
      new StatusBar(this.model, this.settings),
      registerCommands(this),
      vscode.window.registerWebviewViewProvider(ORCHESTRATION_VIEW, this.orchestration, retained),
      vscode.window.registerWebviewPanelSerializer(ORCHESTRATION_TAB, this.orchestration),
      vscode.window.registerWebviewPanelSerializer(AUTOMATION_TAB, this.automations),
      vscode.window.registerTerminalProfileProvider(SESSION_PROFILE, new SessionProfile(this)),
      vscode.window.registerUriHandler({ handleUri: (uri) => this.#open(uri) }),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration("areyouj.path")) void this.client.restart();
      }),
      vscode.workspace.onDidGrantWorkspaceTrust(() => {
        if (this.client.connection.state === "failed") void this.client.restart();
      }),
      this.model.onConnection(() => this.#tellContextKeys()),
      this.model.onSessions(() => this.#tellContextKeys()),
      this.orchestration,
      this.automations,
      this.moves,
      this.screens,
      this.model,
      this.client,
      this.lastEditor,
      this.diffs,
      this.settings,
      this.log,
    );
    // After activation, which is not to wait for a process.
    setImmediate(() => void this.client.start());
  }

  /** The `areyouj` program. Rejects with a `Failure` when there is none. */
  findBinary(): Promise<string> {
    return findBinary({
      setting: this.settings.path,
      path: process.env["PATH"] ?? "",
      extension: this.extension.extensionPath,
    });
  }

  /** An icon for an editor tab, for light and dark themes. */
  media(name: string): { light: vscode.Uri; dark: vscode.Uri } {
    const file = (theme: string): vscode.Uri =>
      vscode.Uri.joinPath(this.extension.extensionUri, "media", theme, `${name}.svg`);
    return { light: file("light"), dark: file("dark") };
  }

  /** Ends the sidecar; sessions go on. */
  stop(): Promise<void> {
    return this.client.stop();
  }

  dispose(): void {
    this.#disposable.dispose();
  }

  /** What the walkthrough and the menus go by. */
  #tellContextKeys(): void {
    const { connection, live } = this.model;
    const keys = {
      connected: connection.state === "connected",
      hasSessions: live.length > 0,
      claudeAnswered: live.some(({ startupMs }) => startupMs !== null),
    };
    for (const [name, value] of Object.entries(keys)) {
      if (this.#contextKeys.get(name) === value) continue;
      this.#contextKeys.set(name, value);
      void vscode.commands.executeCommand("setContext", `areyouj.${name}`, value);
    }
  }

  #open(uri: vscode.Uri): void {
    const sessionId = sessionOfUri(uri.path);
    if (sessionId === null) void vscode.window.showErrorMessage("This address names no AreYouJ session.");
    else void this.actions.perform({ kind: "open", sessionId });
  }
}
