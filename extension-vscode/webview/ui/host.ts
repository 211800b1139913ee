/** The page's connection to the extension host: messages, numbered actions, and the state that survives a reload. */
import type { Action, ActionDone, FromPage, Problem } from "../../src/shared/bridge";

interface EditorApi {
  postMessage(message: FromPage): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): EditorApi;

const editor = acquireVsCodeApi();
const pending = new Map<number, (problem: Problem | null) => void>();
let lastNumber = 0;

/** A number that is unique among the actions and requests of this page. */
export function nextNumber(): number {
  lastNumber += 1;
  return lastNumber;
}

/** Sends a message to the host. */
export function post(message: FromPage): void {
  editor.postMessage(message);
}

/** Asks the host to perform an action; the host shows its problem. */
export function act(action: Action): void {
  post({ type: "action", action });
}

/** Asks the host to perform an action. Resolves at the host's `done`, without a time limit, with the problem or null. */
export function ask(action: Action): Promise<Problem | null> {
  const id = nextNumber();
  return new Promise((resolve) => {
    pending.set(id, resolve);
    post({ type: "action", id, action });
  });
}

/** Passes on every message of the host except `done`, and tells the host that the page is ready. */
export function listen<Message extends { type: string }>(take: (message: Exclude<Message, ActionDone>) => void): void {
  window.addEventListener("message", (event: MessageEvent<Message | ActionDone>) => {
    const message = event.data;
    if (isDone(message)) {
      pending.get(message.id)?.(message.problem);
      pending.delete(message.id);
    } else take(message as Exclude<Message, ActionDone>);
  });
  post({ type: "ready" });
}

function isDone(message: { type: string }): message is ActionDone {
  return message.type === "done";
}

/** The state that this page saved before a reload. Members that are missing or have another type are those of `fallback`. */
export function restore<State extends object>(fallback: State): State {
  const saved = editor.getState();
  if (typeof saved !== "object" || saved === null) return fallback;
  const known = Object.entries(saved).filter(
    ([name, value]) => name in fallback && sameShape(value, Reflect.get(fallback, name)),
  );
  return { ...fallback, ...Object.fromEntries(known) };
}

function sameShape(value: unknown, like: unknown): boolean {
  return like === null || (typeof value === typeof like && Array.isArray(value) === Array.isArray(like));
}

/** Saves the state for the next load of this page. */
export function save(state: object): void {
  editor.setState(state);
}
