/** The narrow interfaces by which the parts of the extension use one another. `app.ts` connects them. */
import type { LogOutputChannel, Uri } from "vscode";
import type { Requests, Session } from "./protocol.gen";
import type { Action, ActionDone, ActionRequest, Problem } from "./shared/bridge";

export type Log = Pick<LogOutputChannel, "info" | "warn" | "error">;

/** An icon for light and dark themes. */
export interface Icon {
  light: Uri;
  dark: Uri;
}

/** Sends requests to the daemon. Rejects with a `ProblemError`. */
export interface Daemon {
  request<M extends keyof Requests>(method: M, params: Requests[M]["params"]): Promise<Requests[M]["result"]>;
  /** The same without a retry: for what a new connection makes unnecessary. */
  requestOnce<M extends keyof Requests>(method: M, params: Requests[M]["params"]): Promise<Requests[M]["result"]>;
}

/** Performs what a person asks for. */
export interface Performer {
  /** Performs an action and shows its problem. Never rejects. */
  perform(action: Action): Promise<void>;
  /** Performs an action for a page. A numbered one is answered by `done` with its problem. Never rejects. */
  performForPage(request: ActionRequest, post: (done: ActionDone) => void): Promise<void>;
}

/** Shows problems as messages of the editor, with the buttons that fix them. Never rejects. */
export interface ProblemReporter {
  show(problem: Problem): Promise<void>;
  /** Shows a thrown value as a problem; logs it if it is not a `ProblemError`. */
  report(error: unknown): Promise<void>;
}

/** The automation pages of this window. */
export interface Pages {
  open(sessionId: string): void;
  /** Opens the page and inserts text into its composer. */
  insert(sessionId: string, text: string): void;
  close(sessionId: string): void;
  isVisible(sessionId: string): boolean;
  /** The session of the page that is the active editor. */
  readonly front: string | null;
}

/** The orchestration page of this window. */
export interface Overview {
  openTab(): void;
  /** Whether the page is visible somewhere in this window. */
  readonly visible: boolean;
}

/** The terminals of this window that show Claude's own screen. */
export interface Screens {
  /** Shows the screen in its terminal, or in a new one. Rejects with a `ProblemError`. */
  open(session: Session): Promise<void>;
  close(sessionId: string): void;
  has(sessionId: string): boolean;
  isVisible(sessionId: string): boolean;
  /** The session of the screen that is the active editor. */
  readonly front: string | null;
}

/** Opens a session where its driver shows it: the page, or Claude's screen. Rejects with a `ProblemError`. */
export type OpenSession = (session: Session) => Promise<void>;
