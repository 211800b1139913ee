import { ProblemError, toProblemError } from "../daemon/problemError";
import type { Log, Performer, ProblemReporter } from "../ports";
import type { Action, ActionDone, ActionRequest, Problem } from "../shared/bridge";

type Kind = Action["kind"];
/** The members of an action of this kind, but its kind. */
type ActionOf<K extends Kind, A = Action> = A extends { kind: infer Kinds }
  ? K extends Kinds
    ? Omit<A, "kind">
    : never
  : never;

/** Handlers of some kinds of actions: a feature exports one such slice, and `app.ts` merges them. Each may throw. */
export type HandlersOf<K extends Kind> = { [Each in K]: (action: ActionOf<Each>) => Promise<void> | void };

/** Performs everything that a person can do, for pages, commands, alerts and addresses alike. */
export class Actions implements Performer {
  constructor(
    /** Read at each action, so that handlers can be created later than what performs actions. */
    private readonly handlers: () => HandlersOf<Kind>,
    private readonly problems: ProblemReporter,
    private readonly log: Log,
  ) {}

  /** Performs an action and returns its problem. Never rejects. */
  async run(action: Action): Promise<Problem | null> {
    try {
      await (this.handlers()[action.kind] as (action: Action) => Promise<void> | void)(action);
      return null;
    } catch (error) {
      if (!(error instanceof ProblemError)) this.log.error(error instanceof Error ? error : String(error));
      return toProblemError(error).problem;
    }
  }

  async perform(action: Action): Promise<void> {
    const problem = await this.run(action);
    if (problem !== null) await this.problems.show(problem);
  }

  async performForPage({ id, action }: ActionRequest, post: (done: ActionDone) => void): Promise<void> {
    if (id === undefined) await this.perform(action);
    else post({ type: "done", id, problem: await this.run(action) });
  }
}
