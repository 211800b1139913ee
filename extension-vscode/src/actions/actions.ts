import { randomUUID } from "node:crypto";
import { homedir } from "node:os";
import * as vscode from "vscode";
import type { Action, ActionDone, FromPage, Problem } from "../shared/bridge";
import type { Context } from "../app";
import { openFile } from "../files/files";
import { webAddress } from "../files/links";
import { Failure, failureOf, LocalCode, notConnected, problem } from "../shared/problem";
import type { Message, Session, SessionActionParams } from "../protocol.gen";
import { composerText } from "../files/selection";
import { folders } from "../settings";
import { openDirectoryTerminal } from "../terminal/terminals";
import { displayName, plain, shortPath } from "../editorText";

type Kind = Action["kind"];
type ActionOf<K extends Kind, A = Action> = A extends { kind: infer Kinds }
  ? K extends Kinds
    ? Omit<A, "kind">
    : never
  : never;
type Handlers = { [K in Kind]: (action: ActionOf<K>) => Promise<void> | void };

/** As many sessions as a question names one by one. */
const MAX_NAMED = 8;
/** A name that the daemon accepts, in characters. */
const MAX_NAME = 100;

/** Everything that a person can do, for the pages, the commands and the buttons of messages alike. */
export class Actions {
  readonly #handlers: Handlers;

  constructor(private readonly context: Context) {
    const { client, automations, orchestration } = context;
    this.#handlers = {
      newSession: ({ directory }) => context.newSession.run(directory),
      open: ({ sessionId }) => void automations.open(sessionId),
      openOrchestration: () => orchestration.openTab(),
      terminate: ({ sessionIds }) => this.#terminate(sessionIds),
      interrupt: async ({ sessionId }) => void (await client.request("areyouj/session/interrupt", change(sessionId))),
      restart: async ({ sessionId }) => void (await client.request("areyouj/session/restart", change(sessionId))),
      rename: ({ sessionId }) => this.#rename(this.#session(sessionId)),
      delete: ({ sessionId }) => this.#delete(this.#session(sessionId)),
      copyPath: ({ sessionId }) => copy(this.#session(sessionId).directory, "Path copied"),
      copyId: ({ sessionId }) => copy(this.#session(sessionId).id, "Id copied"),
      copyText: ({ text }) => copy(text, "Copied"),
      openFolder: ({ sessionId }) => openFolder(this.#session(sessionId).directory),
      openTerminal: ({ sessionId }) => openDirectoryTerminal(this.#session(sessionId)),
      openScreen: ({ sessionId }) => context.screens.open(this.#session(sessionId)),
      move: ({ sessionId, driver }) => context.moves.move(this.#session(sessionId), driver),
      answer: async ({ permissionId, answer }) => {
        await client.request("areyouj/permission/answer", { requestId: randomUUID(), permissionId, answer });
      },
      recover: async ({ messageId, choice }) => {
        await client.request("areyouj/queue/recover", { requestId: randomUUID(), messageId, choice });
      },
      send: async ({ sessionId, messageId, text, steer }) => {
        await client.request(steer ? "areyouj/queue/steer" : "areyouj/queue/add", {
          sessionId,
          message: { id: messageId, text },
        });
      },
      queueEdit: async ({ messageId, text }) =>
        void (await client.request("areyouj/queue/edit", { requestId: randomUUID(), messageId, text })),
      queueRemove: async ({ messageId }) => void (await this.#remove(messageId)),
      queueMove: async ({ messageId, position }) => {
        await client.request("areyouj/queue/move", { requestId: randomUUID(), messageId, position });
      },
      queueSteer: ({ sessionId, messageId }) => this.#steer(sessionId, messageId),
      queuePause: async ({ sessionId }) => void (await client.request("areyouj/queue/pause", change(sessionId))),
      queueResume: async ({ sessionId }) => void (await client.request("areyouj/queue/resume", change(sessionId))),
      queueClear: async ({ sessionId }) => this.#clear(this.#session(sessionId)),
      attachSelection: ({ sessionId }) => this.#attachSelection(this.#session(sessionId)),
      openFile: ({ sessionId, path, line }) => openFile(this.#session(sessionId).directory, path, line),
      openDiff: ({ title, path, before, after }) => context.diffs.open(title, path, before, after),
      openExternal: ({ url }) => openExternal(url),
      command: async ({ command }) => void (await vscode.commands.executeCommand(command)),
    };
  }

  /** Does it, and says what went wrong if it did not work. Never rejects. */
  async run(action: Action): Promise<Problem | null> {
    try {
      await (this.#handlers[action.kind] as (action: Action) => Promise<void> | void)(action);
      return null;
    } catch (error) {
      const failure = failureOf(error);
      if (!(error instanceof Failure)) this.context.log.error(error instanceof Error ? error : String(error));
      return failure.problem;
    }
  }

  /** Does what a page asks for. What goes wrong is told to a page that waits for it, and shown otherwise. */
  async forPage(
    { id, action }: Extract<FromPage, { type: "action" }>,
    post: (done: ActionDone) => void,
  ): Promise<void> {
    if (id === undefined) await this.perform(action);
    else post({ type: "done", id, problem: await this.run(action) });
  }

  /** Does it, and shows what went wrong, with the buttons that mend it. */
  async perform(action: Action): Promise<void> {
    const failed = await this.run(action);
    if (failed !== null) await this.show(failed);
  }

  /** Shows a problem as a message of the editor. */
  async show(failed: Problem): Promise<void> {
    const text = plain(`${failed.message} ${failed.hint}`, 1_000);
    const label = await vscode.window.showErrorMessage(text, ...failed.fixes.map((fix) => fix.label));
    const fix = failed.fixes.find((one) => one.label === label);
    if (fix !== undefined) await this.perform(fix.action);
  }

  #session(id: string): Session {
    const { model } = this.context;
    const session = model.session(id);
    if (session !== null) return session;
    if (model.connection.state !== "connected") throw new Failure(notConnected(model.connection.problem));
    throw new Failure(problem(LocalCode.NotPossible, `There is no session ${plain(id, 64)} any more.`));
  }

  async #terminate(ids: string[]): Promise<void> {
    const sessions = [...new Set(ids)].map((id) => this.#session(id)).filter(({ status }) => status !== "terminated");
    const [first] = sessions;
    if (first === undefined) return;
    const named = sessions
      .slice(0, MAX_NAMED)
      .map((session) => `${displayName(session)} (${session.id})${session.status === "active" ? ", active" : ""}`);
    if (sessions.length > MAX_NAMED) named.push(`and ${sessions.length - MAX_NAMED} more`);
    const question =
      sessions.length === 1
        ? `Terminate ${displayName(first)} (${first.id})?`
        : `Terminate ${sessions.length} sessions?`;
    const detail = [
      ...(sessions.length === 1 ? [] : [named.join("\n"), ""]),
      "Claude and everything it started are ended. The transcript stays in the list.",
    ].join("\n");
    if (!(await confirmed(question, detail, "Terminate"))) return;
    const { client } = this.context;
    const results = await Promise.allSettled(
      sessions.map(({ id }) => client.request("areyouj/session/terminate", change(id))),
    );
    const failed = results.find((result) => result.status === "rejected");
    if (failed !== undefined) throw failureOf(failed.reason);
  }

  async #rename(session: Session): Promise<void> {
    const name = await vscode.window.showInputBox({
      title: `Rename ${displayName(session)}`,
      value: session.name ?? "",
      prompt: "An empty name takes the name away.",
      validateInput: (value) => ([...value].length > MAX_NAME ? `At most ${MAX_NAME} characters.` : undefined),
    });
    if (name !== undefined)
      await this.context.client.request("areyouj/session/rename", { ...change(session.id), name: name.trim() });
  }

  async #delete(session: Session): Promise<void> {
    if (session.status !== "terminated") {
      throw new Failure(
        problem(LocalCode.NotPossible, `${displayName(session)} is not terminated.`, "Terminate it first."),
      );
    }
    const detail = "Its transcript and journal are removed for good. Files in its directory stay as they are.";
    if (!(await confirmed(`Delete ${displayName(session)} (${session.id})?`, detail, "Delete"))) return;
    await this.context.client.request("areyouj/session/delete", change(session.id));
    this.context.automations.close(session.id);
  }

  async #clear(session: Session): Promise<void> {
    const count = session.queued;
    if (
      count > 1 &&
      !(await confirmed(
        `Clear the queue of ${displayName(session)}?`,
        `${count} waiting messages are removed.`,
        "Clear queue",
      ))
    )
      return;
    await this.context.client.request("areyouj/queue/clear", change(session.id));
  }

  #remove(messageId: string): Promise<Message> {
    return this.context.client.request("areyouj/queue/remove", { requestId: randomUUID(), messageId });
  }

  async #steer(sessionId: string, messageId: string): Promise<void> {
    const message = this.context.model.queue(sessionId)?.messages.find(({ id }) => id === messageId);
    if (message === undefined)
      throw new Failure(
        problem(
          LocalCode.NotPossible,
          "The message does not wait any more.",
          "The transcript shows what became of it.",
        ),
      );
    await this.context.client.request("areyouj/queue/steer", {
      sessionId,
      message: { id: messageId, text: message.text },
    });
  }

  #attachSelection(session: Session): void {
    const text = composerText(this.context.lastEditor.current, session.directory);
    if (text === null) {
      throw new Failure(
        problem(
          LocalCode.NotPossible,
          "There is no text editor to take a selection from.",
          "Open a file, select something, and try again.",
        ),
      );
    }
    this.context.automations.open(session.id).insert(text);
  }
}

/** The parameters of a request that changes a session. */
function change(sessionId: string): SessionActionParams {
  return { requestId: randomUUID(), sessionId };
}

async function confirmed(question: string, detail: string, button: string): Promise<boolean> {
  return (await vscode.window.showWarningMessage(question, { modal: true, detail }, button)) === button;
}

async function copy(text: string, said: string): Promise<void> {
  await vscode.env.clipboard.writeText(text);
  vscode.window.setStatusBarMessage(said, 2_000);
}

async function openFolder(directory: string): Promise<void> {
  const uri = vscode.Uri.file(directory);
  const inside = folders().some(({ path }) => directory === path || directory.startsWith(`${path}/`));
  if (inside) await vscode.commands.executeCommand("revealInExplorer", uri);
  else await vscode.commands.executeCommand("vscode.openFolder", uri, { forceNewWindow: true });
}

async function openExternal(url: string): Promise<void> {
  const address = webAddress(url);
  if (address === null)
    throw new Failure(
      problem(
        LocalCode.NotPossible,
        `This link is not opened: ${shortPath(plain(url, 200), homedir())}`,
        "Only http and https links are.",
      ),
    );
  await vscode.env.openExternal(vscode.Uri.parse(address, true));
}
