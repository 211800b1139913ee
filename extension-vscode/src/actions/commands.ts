import { randomUUID } from "node:crypto";
import * as vscode from "vscode";
import { notPossible } from "../daemon/problemError";
import { composerText, type LastEditor, noEditor } from "../files/selection";
import { requireConnection } from "../model/lookup";
import type { Model } from "../model/model";
import { showMessage, showStatus } from "../notify/window";
import type { Daemon, Overview, Pages, Performer, ProblemReporter, Screens } from "../ports";
import type { Session } from "../protocol.gen";
import { nextWaiting, sessionRows } from "../sessions/picks";
import { folders } from "../settings";
import type { Action } from "../shared/bridge";
import { displayName, isBusy } from "../shared/session";
import { openDoctor, openLogIn } from "../terminal/terminals";

/** What commands need. */
export interface CommandParts {
  model: Pick<Model, "connection" | "sessions" | "live" | "session">;
  daemon: Pick<Daemon, "request">;
  performer: Pick<Performer, "perform">;
  problems: Pick<ProblemReporter, "report">;
  overview: Pick<Overview, "openTab">;
  pages: Pick<Pages, "front">;
  screens: Pick<Screens, "front">;
  lastEditor: Pick<LastEditor, "current">;
  findBinary(): Promise<string>;
  restartSidecar(): Promise<void>;
  /** Rejects with a `ProblemError`. */
  restartDaemon(): Promise<{ version: string }>;
  showLog(): void;
  /** Rejects with a `ProblemError`. */
  showAuditTrail(): Promise<void>;
}

type Test = (session: Session) => boolean;
const ANY: Test = () => true;
const LIVE: Test = ({ status }) => status !== "terminated";
const IN_TERMINAL: Test = (session) => LIVE(session) && session.driver === "terminal";
const IN_TRANSCRIPT: Test = (session) => LIVE(session) && session.driver === "stream";
const UNPAUSED: Test = (session) => LIVE(session) && session.queuePaused === null;
const PAUSED: Test = (session) => LIVE(session) && session.queuePaused !== null;

const NO_SESSION = "There are no sessions yet.";
const NO_LIVE = "There are no live sessions.";
const NO_TERMINAL = "No live session runs in a terminal.";

/** Registers all commands. Each works from the Command Palette: it asks for a missing session, and shows its problem. */
export function registerCommands(parts: CommandParts): vscode.Disposable {
  const { model, performer } = parts;

  const command = (name: string, run: (argument?: unknown) => Promise<void> | void): vscode.Disposable =>
    vscode.commands.registerCommand(`areyouj.${name}`, async (argument?: unknown) => {
      try {
        await run(argument);
      } catch (error) {
        // Not awaited: the command has ended, and its message can stay.
        void parts.problems.report(error);
      }
    });

  /** The session whose page or screen is the active editor. */
  const front = (): string | null => parts.pages.front ?? parts.screens.front;

  /** Asks for one of the sessions that pass the test. Null if nobody chose one. */
  const pick = async (title: string, test: Test, none: string): Promise<Session | null> => {
    requireConnection(model);
    const sessions = model.sessions.filter(test);
    if (sessions.length === 0) throw notPossible(none);
    const rows = sessionRows(sessions, front());
    const options = { title, placeHolder: "Select a session", matchOnDescription: true, matchOnDetail: true };
    const row = await vscode.window.showQuickPick(rows, options);
    return row === undefined ? null : model.session(row.sessionId);
  };

  /** The session of the argument, of the active page or screen, the only one that passes the test, or a picked one. */
  const session = async (argument: unknown, title: string, test: Test, none: string): Promise<Session | null> => {
    requireConnection(model);
    const named = typeof argument === "string" ? argument : front();
    const known = named === null ? null : model.session(named);
    if (known !== null && test(known)) return known;
    const fitting = model.sessions.filter(test);
    return fitting.length === 1 && fitting[0] !== undefined ? fitting[0] : await pick(title, test, none);
  };

  const onSession = (
    name: string,
    title: string,
    test: Test,
    none: string,
    action: (sessionId: string) => Action,
  ): vscode.Disposable =>
    command(name, async (argument) => {
      const chosen = await session(argument, title, test, none);
      if (chosen !== null) await performer.perform(action(chosen.id));
    });

  const open = (sessionId: string): Promise<void> => performer.perform({ kind: "open", sessionId });

  const send = async (to: Session, text: string): Promise<void> => {
    requireConnection(model);
    await parts.daemon.request("areyouj/queue/add", { sessionId: to.id, message: { id: randomUUID(), text } });
    showStatus(`Message queued for ${displayName(to)}`);
  };

  return vscode.Disposable.from(
    command("newSession", () => performer.perform({ kind: "newSession" })),
    command("newSessionHere", (argument) => {
      const isFile = argument instanceof vscode.Uri && argument.scheme === "file";
      const directory = isFile ? argument.fsPath : folders()[0]?.path;
      return performer.perform(directory === undefined ? { kind: "newSession" } : { kind: "newSession", directory });
    }),
    command("openOrchestration", () => parts.overview.openTab()),
    command("switchSession", async () => {
      const isEmpty = model.connection.state === "connected" && model.live.length === 0;
      if (isEmpty) return performer.perform({ kind: "newSession" });
      const chosen = await pick("Switch session", LIVE, NO_LIVE);
      if (chosen !== null) await open(chosen.id);
    }),
    command("openSession", async (argument) => {
      const named = typeof argument === "string";
      const chosen = named ? model.session(argument) : await pick("Open session", ANY, NO_SESSION);
      if (chosen !== null) await open(chosen.id);
    }),
    command("openSessionAt", async (argument) => {
      const chosen = typeof argument === "number" ? model.live[argument - 1] : undefined;
      if (chosen === undefined) showStatus(`There is no session ${String(argument)}`);
      else await open(chosen.id);
    }),
    command("nextWaitingSession", async () => {
      requireConnection(model);
      const next = nextWaiting(model.live, front());
      if (next === null) showStatus("No session is waiting for you");
      else await open(next.id);
    }),
    command("sendMessage", async (argument) => {
      const chosen = await session(argument, "Send message", LIVE, NO_LIVE);
      if (chosen === null) return;
      const text = await vscode.window.showInputBox({
        title: `Message to ${displayName(chosen)}`,
        placeHolder: "Message",
        prompt: "The message runs when the session is idle.",
        ignoreFocusOut: true,
      });
      if (text !== undefined && text.trim() !== "") await send(chosen, text);
    }),
    command("sendSelection", async (argument) => {
      const editor = vscode.window.activeTextEditor ?? parts.lastEditor.current;
      if (editor === undefined) throw noEditor();
      const chosen = await session(argument, "Send selection", LIVE, NO_LIVE);
      if (chosen === null) return;
      const excerpt = composerText(editor, chosen.directory) ?? "";
      const words = await vscode.window.showInputBox({
        title: `Selection to ${displayName(chosen)}`,
        placeHolder: "What should Claude do with it?",
        prompt: "Optional",
        ignoreFocusOut: true,
      });
      if (words !== undefined) await send(chosen, `${words.trim()}\n\n${excerpt}`.trim());
    }),
    onSession("openScreen", "Open Claude's terminal", IN_TERMINAL, NO_TERMINAL, (sessionId) => ({
      kind: "openScreen",
      sessionId,
    })),
    onSession("openDirectoryTerminal", "Open terminal in session's directory", ANY, NO_SESSION, (sessionId) => ({
      kind: "openTerminal",
      sessionId,
    })),
    onSession(
      "moveToTerminal",
      "Switch session to terminal",
      IN_TRANSCRIPT,
      "No live session runs as a transcript.",
      (sessionId) => ({ kind: "switchDriver", sessionId, driver: "terminal" }),
    ),
    onSession("moveToTranscript", "Switch session to transcript", IN_TERMINAL, NO_TERMINAL, (sessionId) => ({
      kind: "switchDriver",
      sessionId,
      driver: "stream",
    })),
    onSession("interrupt", "Interrupt session", isBusy, "No session is active.", (sessionId) => ({
      kind: "interrupt",
      sessionId,
    })),
    onSession("restart", "Restart session", ANY, NO_SESSION, (sessionId) => ({ kind: "restart", sessionId })),
    onSession("rename", "Rename session", ANY, NO_SESSION, (sessionId) => ({ kind: "rename", sessionId })),
    onSession("terminate", "Terminate session", LIVE, NO_LIVE, (sessionId) => ({
      kind: "terminate",
      sessionIds: [sessionId],
    })),
    onSession("pauseQueue", "Pause queue", UNPAUSED, "There is no queue to pause.", (sessionId) => ({
      kind: "queuePause",
      sessionId,
    })),
    onSession("resumeQueue", "Resume queue", PAUSED, "No queue is paused.", (sessionId) => ({
      kind: "queueResume",
      sessionId,
    })),
    onSession("copySessionPath", "Copy session path", ANY, NO_SESSION, (sessionId) => ({
      kind: "copyPath",
      sessionId,
    })),
    onSession("copySessionId", "Copy session ID", ANY, NO_SESSION, (sessionId) => ({ kind: "copyId", sessionId })),
    command(
      "openSettings",
      () => void vscode.commands.executeCommand("workbench.action.openSettings", "@ext:areyouj.areyouj"),
    ),
    command("showLog", () => parts.showLog()),
    command("showAuditTrail", () => parts.showAuditTrail()),
    command("restartSidecar", () => parts.restartSidecar()),
    command("restartDaemon", async () => {
      showStatus("Restarting the AreYouJ daemon…");
      const { version } = await parts.restartDaemon();
      // Not awaited: the command has ended, and its message can stay.
      void showMessage("information", `The AreYouJ daemon restarted (version ${version}). Sessions kept running.`);
    }),
    command("doctor", async () => openDoctor(await parts.findBinary())),
    command("logIn", () => {
      const shown = parts.pages.front;
      openLogIn((shown === null ? null : model.session(shown))?.directory ?? folders()[0]?.path);
    }),
  );
}
