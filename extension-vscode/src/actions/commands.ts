import { randomUUID } from "node:crypto";
import * as vscode from "vscode";
import type { Action } from "../shared/bridge";
import type { Context } from "../app";
import { nextWaiting, sessionRows } from "../sessions/picks";
import { Failure, failureOf, LocalCode, notConnected, problem } from "../shared/problem";
import type { Session } from "../protocol.gen";
import { composerText } from "../files/selection";
import { folders } from "../settings";
import { openDoctor, openLogIn } from "../terminal/terminals";
import { displayName } from "../editorText";

type Test = (session: Session) => boolean;
const LIVE: Test = ({ status }) => status !== "terminated";
const AT_TERMINAL: Test = (session) => LIVE(session) && session.driver === "terminal";
const IN_STREAM: Test = (session) => LIVE(session) && session.driver === "stream";
const BUSY: Test = ({ status }) => status === "active" || status === "waiting";

/** Registers all commands. Each can be run from the palette: what it lacks, it asks for; what it cannot do, it says. */
export function registerCommands(context: Context): vscode.Disposable {
  const { model, actions, automations, screens, client } = context;

  const command = (name: string, run: (argument?: unknown) => Promise<void> | void): vscode.Disposable =>
    vscode.commands.registerCommand(`areyouj.${name}`, async (argument?: unknown) => {
      try {
        await run(argument);
      } catch (error) {
        if (!(error instanceof Failure)) context.log.error(error instanceof Error ? error : String(error));
        // Not waited for: the command is at its end, the message may stay.
        void actions.show(failureOf(error).problem);
      }
    });

  const connected = (): void => {
    if (model.connection.state !== "connected") throw new Failure(notConnected(model.connection.problem));
  };

  /** The session whose page or screen is the active editor. */
  const current = (): string | null => automations.active?.sessionId ?? screens.front;

  /** Asks for one of the sessions that fit. Null if nobody chose one. */
  const pick = async (title: string, test: Test, none: string): Promise<Session | null> => {
    connected();
    const sessions = model.sessions.filter(test);
    if (sessions.length === 0) throw new Failure(problem(LocalCode.NotPossible, none));
    const rows = sessionRows(sessions, current());
    const row = await vscode.window.showQuickPick(rows, {
      title,
      placeHolder: "Session",
      matchOnDescription: true,
      matchOnDetail: true,
    });
    return row === undefined ? null : model.session(row.sessionId);
  };

  /** The session meant: the one named, that of the active page or screen, the only one, or one that is asked for. */
  const session = async (argument: unknown, title: string, test: Test, none: string): Promise<Session | null> => {
    connected();
    const named = typeof argument === "string" ? argument : current();
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
    action: (session: Session) => Action,
  ): vscode.Disposable =>
    command(name, async (argument) => {
      const chosen = await session(argument, title, test, none);
      if (chosen !== null) await actions.perform(action(chosen));
    });

  const open = (sessionId: string): Promise<void> => actions.perform({ kind: "open", sessionId });
  const noLive = "There is no live session.";

  return vscode.Disposable.from(
    command("newSession", () => actions.perform({ kind: "newSession" })),
    command("newSessionHere", (argument) => {
      const directory =
        argument instanceof vscode.Uri && argument.scheme === "file" ? argument.fsPath : folders()[0]?.path;
      return actions.perform(directory === undefined ? { kind: "newSession" } : { kind: "newSession", directory });
    }),
    command("openOrchestration", () => actions.perform({ kind: "openOrchestration" })),
    command("switchSession", async () => {
      if (model.connection.state === "connected" && model.live.length === 0)
        return actions.perform({ kind: "newSession" });
      const chosen = await pick("Switch session", LIVE, noLive);
      if (chosen !== null) await open(chosen.id);
    }),
    command("openSession", async (argument) => {
      const chosen =
        typeof argument === "string"
          ? model.session(argument)
          : await pick("Open session", () => true, "There is no session yet.");
      if (chosen !== null) await open(chosen.id);
    }),
    command("openSessionAt", async (argument) => {
      const chosen = typeof argument === "number" ? model.live[argument - 1] : undefined;
      if (chosen === undefined) say(`There is no session ${String(argument)}`);
      else await open(chosen.id);
    }),
    command("nextWaitingSession", async () => {
      connected();
      const next = nextWaiting(model.live, current());
      if (next === null) say("No session waits for you");
      else await open(next.id);
    }),
    command("sendMessage", async (argument) => {
      const chosen = await session(argument, "Send message to", LIVE, noLive);
      if (chosen === null) return;
      const text = await vscode.window.showInputBox({
        title: `Message to ${displayName(chosen)}`,
        placeHolder: "Message",
        prompt: "It runs when the session is idle.",
        ignoreFocusOut: true,
      });
      if (text !== undefined && text.trim() !== "") await send(chosen, text);
    }),
    command("sendSelection", async (argument) => {
      const editor = vscode.window.activeTextEditor ?? context.lastEditor.current;
      if (editor === undefined)
        throw new Failure(problem(LocalCode.NotPossible, "There is no text editor to take a selection from."));
      const chosen = await session(argument, "Send selection to", LIVE, noLive);
      if (chosen === null) return;
      const excerpt = composerText(editor, chosen.directory) ?? "";
      const title = `Selection to ${displayName(chosen)}`;
      const words = await vscode.window.showInputBox({
        title,
        placeHolder: "What should Claude do with it?",
        prompt: "May stay empty.",
        ignoreFocusOut: true,
      });
      if (words !== undefined) await send(chosen, `${words.trim()}\n\n${excerpt}`.trim());
    }),
    onSession("openScreen", "Open the screen of", AT_TERMINAL, "No session is at a terminal.", ({ id }) => ({
      kind: "openScreen",
      sessionId: id,
    })),
    onSession(
      "openDirectoryTerminal",
      "Open a terminal in the directory of",
      () => true,
      "There is no session yet.",
      ({ id }) => ({ kind: "openTerminal", sessionId: id }),
    ),
    onSession(
      "moveToTerminal",
      "Move to a terminal",
      IN_STREAM,
      "No live session has the form of a transcript.",
      ({ id }) => ({ kind: "move", sessionId: id, driver: "terminal" }),
    ),
    onSession("moveToTranscript", "Move to the transcript", AT_TERMINAL, "No session is at a terminal.", ({ id }) => ({
      kind: "move",
      sessionId: id,
      driver: "stream",
    })),
    onSession("interrupt", "Interrupt", BUSY, "No session is working.", ({ id }) => ({
      kind: "interrupt",
      sessionId: id,
    })),
    onSession(
      "restart",
      "Restart",
      () => true,
      "There is no session yet.",
      ({ id }) => ({ kind: "restart", sessionId: id }),
    ),
    onSession(
      "rename",
      "Rename",
      () => true,
      "There is no session yet.",
      ({ id }) => ({ kind: "rename", sessionId: id }),
    ),
    onSession("terminate", "Terminate", LIVE, noLive, ({ id }) => ({ kind: "terminate", sessionIds: [id] })),
    onSession(
      "pauseQueue",
      "Pause the queue of",
      (one) => LIVE(one) && one.queuePaused === null,
      "No queue can be paused.",
      ({ id }) => ({ kind: "queuePause", sessionId: id }),
    ),
    onSession(
      "resumeQueue",
      "Resume the queue of",
      (one) => LIVE(one) && one.queuePaused !== null,
      "No queue is paused.",
      ({ id }) => ({ kind: "queueResume", sessionId: id }),
    ),
    onSession(
      "copySessionPath",
      "Copy the path of",
      () => true,
      "There is no session yet.",
      ({ id }) => ({ kind: "copyPath", sessionId: id }),
    ),
    onSession(
      "copySessionId",
      "Copy the id of",
      () => true,
      "There is no session yet.",
      ({ id }) => ({ kind: "copyId", sessionId: id }),
    ),
    command(
      "openSettings",
      () => void vscode.commands.executeCommand("workbench.action.openSettings", "@ext:areyouj.areyouj"),
    ),
    command("showLog", () => context.log.show()),
    command("restartSidecar", () => client.restart()),
    command("doctor", async () => openDoctor(await context.findBinary())),
    command("logIn", () => openLogIn(automations.active?.session?.directory ?? folders()[0]?.path)),
  );

  async function send(to: Session, text: string): Promise<void> {
    connected();
    await client.request("areyouj/queue/add", { sessionId: to.id, message: { id: randomUUID(), text } });
    say(`Queued for ${displayName(to)}`);
  }
}

/** Something small that worked, or had nothing to do. */
function say(text: string): void {
  vscode.window.setStatusBarMessage(text, 3_000);
}
