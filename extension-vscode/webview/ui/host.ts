/** The page's line to the extension host: one message out for `ready`, numbered actions, and what a reload gives back. */
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

/** A number that no other action or question of this page has. */
export function nextNumber(): number {
  lastNumber += 1;
  return lastNumber;
}

/** Sends a message to the host. */
export function post(message: FromPage): void {
  editor.postMessage(message);
}

/** Has the host do something, and show what goes wrong. */
export function act(action: Action): void {
  post({ type: "action", action });
}

/** Asks the host to do something. Ends when the host says `done`, however long that takes; null means it is done. */
export function ask(action: Action): Promise<Problem | null> {
  const id = nextNumber();
  return new Promise((resolve) => {
    pending.set(id, resolve);
    post({ type: "action", id, action });
  });
}

/** Takes every message of the host but the ends of actions, and tells the host that it may begin. */
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

/** What this page saved before it was reloaded, laid over `fallback`; only members that `fallback` has, of their type. */
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

/** Keeps what the next load of this page gets back. */
export function save(state: object): void {
  editor.setState(state);
}
