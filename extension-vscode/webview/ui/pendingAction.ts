/** The action that an element is waiting for. */
import type { ReactiveControllerHost } from "lit";
import type { Action, Problem } from "../../src/shared/bridge";
import { ask } from "./host";

/** The reason why buttons are disabled without a connection. */
export const OFFLINE = "AreYouJ is reconnecting. Try again in a moment.";

/** Runs the actions of one element, one at a time. */
export class PendingAction {
  /** The name of the running action. */
  running: string | null = null;
  /** The problem of the last action. */
  problem: Problem | null = null;

  constructor(private readonly element: ReactiveControllerHost) {}

  /** Runs an action under a name, unless another one is running. Returns true if it succeeded. */
  async run(name: string, action: Action): Promise<boolean> {
    if (this.running !== null) return false;
    this.running = name;
    this.problem = null;
    this.element.requestUpdate();
    const problem = await ask(action);
    this.running = null;
    this.problem = problem;
    this.element.requestUpdate();
    return problem === null;
  }

  /** Shows a problem that did not come from an action. */
  fail(message: string, hint: string): void {
    this.problem = { code: "late", message, hint, log: null, fixes: [] };
  }

  /** Removes the problem. */
  dismiss(): void {
    this.problem = null;
    this.element.requestUpdate();
  }
}
