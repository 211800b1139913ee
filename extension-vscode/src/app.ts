/** Creates the parts of the extension and connects them: the only file that knows all of them. */
import * as vscode from "vscode";
import { Actions } from "./actions/actions";
import { registerCommands } from "./actions/commands";
import { editorActions } from "./actions/editorActions";
import { openActions } from "./actions/openActions";
import { queueActions } from "./actions/queueActions";
import { sessionActions } from "./actions/sessionActions";
import { ContextKeys } from "./contextKeys";
import { findBinary } from "./daemon/binary";
import { Client } from "./daemon/client";
import { restartDaemon } from "./daemon/restart";
import { AuditTrail } from "./files/auditTrail";
import { Diffs } from "./files/diffs";
import { LastEditor } from "./files/selection";
import { Model } from "./model/model";
import { Notifier } from "./notify/notifier";
import { Problems } from "./notify/problems";
import { StatusBar } from "./notify/statusBar";
import { showMessage } from "./notify/window";
import { AUTOMATION_TAB } from "./pages/automation";
import { Automations } from "./pages/automations";
import { Orchestration, ORCHESTRATION_TAB, ORCHESTRATION_VIEW } from "./pages/orchestration";
import type { Icon, OpenSession } from "./ports";
import { NewSession } from "./sessions/newSession";
import { SwitchDriver } from "./sessions/switchDriver";
import { Settings } from "./settings";
import { sessionOfUri } from "./shared/links";
import { SESSION_PROFILE, SessionProfile } from "./terminal/profile";
import { TerminalScreens } from "./terminal/screens";
import { SeenOnScreen } from "./terminal/seen";

/** Everything that the extension consists of, from its activation on. */
export class App implements vscode.Disposable {
  readonly #client: Client;
  readonly #disposable: vscode.Disposable;

  constructor({ extensionUri, extensionPath }: vscode.ExtensionContext) {
    const log = vscode.window.createOutputChannel("AreYouJ", { log: true });
    const settings = new Settings();
    const diffs = new Diffs();
    const lastEditor = new LastEditor();
    const problems = new Problems(log);
    const findProgram = (): Promise<string> =>
      findBinary({ setting: settings.path, path: process.env["PATH"] ?? "", extension: extensionPath });
    const icon = (name: string): Icon => {
      const file = (theme: string): vscode.Uri => vscode.Uri.joinPath(extensionUri, "media", theme, `${name}.svg`);
      return { light: file("light"), dark: file("dark") };
    };

    const client = new Client({
      findBinary: findProgram,
      startSidecar: async (options) => (await import("./daemon/sidecarProcess.js")).startSidecar(options, log),
      log,
    });
    this.#client = client;
    const model = new Model(client, (text) => log.warn(text));
    const daemon = client;
    const auditTrail = new AuditTrail(daemon);

    const performer = new Actions(() => handlers, problems, log);
    const page = { extension: extensionUri, model, settings, performer };
    const pages = new Automations({ ...page, client, icon });
    const overview = new Orchestration({ ...page, icon: icon("orchestration") });
    const screens = new TerminalScreens({ findBinary: findProgram, icon: icon("orchestration") });
    const openSession: OpenSession = async (session) => {
      if (session.driver === "terminal") await screens.open(session);
      else pages.open(session.id);
    };
    const newSession = new NewSession({
      daemon,
      model,
      settings,
      openSession,
      isTrusted: () => vscode.workspace.isTrusted,
    });
    const switchDriver = new SwitchDriver({ daemon, model, screens, openSession, problems });
    const handlers = {
      ...sessionActions({ daemon, model, pages }),
      ...queueActions({ daemon, model }),
      ...editorActions({ model, pages, diffs, lastEditor }),
      ...openActions({ model, newSession, switchDriver, overview, pages, screens }),
    };

    const retained = { webviewOptions: { retainContextWhenHidden: true } };
    this.#disposable = vscode.Disposable.from(
      new Notifier({ daemon, model, settings, overview, pages, screens, performer, problems }),
      new SeenOnScreen({ daemon, model, screens }),
      new StatusBar({ model, settings }),
      new ContextKeys(model),
      registerCommands({
        daemon,
        model,
        performer,
        problems,
        overview,
        pages,
        screens,
        lastEditor,
        findBinary: findProgram,
        restartSidecar: () => client.restart(),
        restartDaemon: () => restartDaemon(client),
        showLog: () => log.show(),
        showAuditTrail: () => auditTrail.show(),
      }),
      vscode.window.registerWebviewViewProvider(ORCHESTRATION_VIEW, overview, retained),
      vscode.window.registerWebviewPanelSerializer(ORCHESTRATION_TAB, overview),
      vscode.window.registerWebviewPanelSerializer(AUTOMATION_TAB, pages),
      vscode.window.registerTerminalProfileProvider(
        SESSION_PROFILE,
        new SessionProfile({ model, screens, newSession }),
      ),
      vscode.window.registerUriHandler({
        handleUri: ({ path }) => {
          const sessionId = sessionOfUri(path);
          if (sessionId !== null) void performer.perform({ kind: "open", sessionId });
          else void showMessage("error", "The address is not a link to an AreYouJ session.");
        },
      }),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration("areyouj.path")) void client.restart();
      }),
      vscode.workspace.onDidGrantWorkspaceTrust(() => {
        if (client.connection.state === "failed") void client.restart();
      }),
      overview,
      pages,
      switchDriver,
      screens,
      model,
      client,
      lastEditor,
      diffs,
      auditTrail,
      settings,
      log,
    );
    // After activation, which must not wait for a process.
    setImmediate(() => void client.start());
  }

  /** Stops the sidecar. Sessions continue. */
  stop(): Promise<void> {
    return this.#client.stop();
  }

  dispose(): void {
    this.#disposable.dispose();
  }
}
