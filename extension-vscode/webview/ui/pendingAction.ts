/** One action at a time of an element: what runs, and what went wrong. */
import type { ReactiveControllerHost } from "lit";
import type { Action, Problem } from "../../src/shared/bridge";
import { ask } from "./host";

/** Why nothing can be done while there is no connection. */
export const OFFLINE = "AreYouJ is reconnecting. Try again in a moment.";

/** Runs the actions of one element. */
export class PendingAction {
  /** The name of what runs. */
  running: string | null = null;
  /** What the last action ended with. */
  problem: Problem | null = null;

  constructor(private readonly element: ReactiveControllerHost) {}

  /** Runs an action under a name. Nothing happens while another runs. True: it is done. */
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

  /** Says that something went wrong. */
  tell(message: string, hint: string): void {
    this.problem = { code: "late", message, hint, log: null, fixes: [] };
  }

  /** Takes the problem off the screen. */
  dismiss(): void {
    this.problem = null;
    this.element.requestUpdate();
  }
}
