/**
 * The messages between the extension host and its two pages. A page keeps no state but what a person sees of it (scroll
 * position, drafts, sort order): after `ready` the host sends everything, then every change.
 */
import type {
  Answer,
  Delta,
  Driver,
  Message,
  Permission,
  Queue,
  RecoverChoice,
  Session,
  TranscriptEntry,
} from "../protocol.gen";

/** The state of the connection between the extension and the daemon. */
export type ConnectionState =
  /** The first connection is not there yet. */
  | "connecting"
  | "connected"
  /** The daemon is away, and the sidecar reconnects. What was known stays on the screen, marked as such. */
  | "reconnecting"
  /** The sidecar cannot run or cannot connect to a daemon; the problem says why. */
  | "failed";

/** The connection, and the problem that it has. */
export interface Connection {
  state: ConnectionState;
  problem: Problem | null;
}

/** Something that went wrong: a stable code, what happened, what to do, and buttons that do it. */
export interface Problem {
  code: string;
  message: string;
  hint: string;
  /** More lines, shown on demand. */
  log: string | null;
  fixes: Fix[];
}

/** A button that fixes a problem. */
export interface Fix {
  label: string;
  command: FixCommand;
  /** The session that the command is about. */
  sessionId?: string;
}

/** Commands of the editor that fix problems. */
export const FIX_COMMANDS = [
  "areyouj.openSettings",
  "areyouj.showLog",
  "areyouj.restartSidecar",
  "areyouj.restartDaemon",
  "areyouj.logIn",
  "areyouj.doctor",
  "areyouj.newSession",
  "areyouj.openOrchestration",
  "areyouj.restart",
  "areyouj.terminate",
  "workbench.trust.manage",
] as const;
export type FixCommand = (typeof FIX_COMMANDS)[number];

/** The settings that the pages need. */
export interface PageSettings {
  /** The home directory, shown as `~`. */
  home: string;
  /** Folders of the window, each of which starts a session with one click. */
  folders: { name: string; path: string }[];
}

/** The part of its state that every page has. */
export interface PageState {
  connection: Connection;
  settings: PageSettings;
  /** Open permission requests, of all sessions or of the page's session, oldest first. */
  permissions: Permission[];
  /** Messages that were interrupted or failed and wait for a decision. */
  decisions: Message[];
}

/** From the host to every page. */
export type ToEveryPage =
  | { type: "connection"; connection: Connection }
  | { type: "settings"; settings: PageSettings }
  /** All open permission requests, after a change. */
  | { type: "permissions"; permissions: Permission[] }
  | { type: "decisions"; decisions: Message[] }
  /** Whether the page is visible. The editor keeps a hidden page with its layout, so the page itself cannot know. */
  | { type: "visible"; visible: boolean }
  | ActionDone;

/** From the host to the orchestration page. */
export type ToOrchestration =
  | (PageState & {
      type: "state";
      /** All sessions, terminated ones too, newest first. */
      sessions: Session[];
    })
  /** New or changed. */
  | { type: "sessions"; changed: Session[]; removed: string[] }
  | ToEveryPage;

/** From the host to the automation page of one session. */
export type ToAutomation =
  | (PageState & {
      type: "state";
      /** The page keeps it in its own state, as `{ sessionId }`: the host restores the tab by it after a reload. */
      sessionId: string;
      /** Null if there is no such session (any more). */
      session: Session | null;
      queue: Queue | null;
      /** Live sessions, for the switcher. */
      sessions: Session[];
      transcript: Transcript;
    })
  | { type: "session"; session: Session | null }
  | { type: "queue"; queue: Queue }
  /** For the switcher. */
  | { type: "sessions"; sessions: Session[] }
  /** New entries at the end; they replace all live text since the previous entry. */
  | { type: "entries"; entries: TranscriptEntry[] }
  /** The whole live text since the newest entry. */
  | { type: "liveText"; deltas: Delta[] }
  /** The next piece of live text. */
  | { type: "delta"; delta: Delta }
  /** The whole transcript again, after a gap. */
  | { type: "transcript"; transcript: Transcript }
  /** The answer to `loadOlder`: entries before all that the page has. */
  | { type: "older"; entries: TranscriptEntry[]; more: boolean }
  /** The answer to `completeFile`: paths relative to the session's directory. */
  | { type: "files"; id: number; paths: string[] }
  /** Text for the composer: a selection, a file name. */
  | { type: "insert"; text: string }
  | { type: "focusComposer" }
  | ToEveryPage;

/** The end of a transcript. */
export interface Transcript {
  entries: TranscriptEntry[];
  /** Whether older entries exist. */
  more: boolean;
}

/** An action has ended. */
export interface ActionDone {
  type: "done";
  /** The page's number of the action. */
  id: number;
  problem: Problem | null;
}

/** From a page to the host. */
export type FromPage =
  /** The first message of a page, when it can receive messages. */
  | { type: "ready" }
  | ActionRequest
  /** Automation: asks for older entries, answered by `older`. */
  | { type: "loadOlder"; before: number }
  /** Automation: completion of `@`, answered by `files`. */
  | { type: "completeFile"; id: number; prefix: string }
  /** Automation: the end of the transcript is on the screen of a visible page, so the session counts as read. */
  | { type: "seen" };

/** An action, answered by `done` with the same number; without a number the host itself shows the problem. */
export interface ActionRequest {
  type: "action";
  id?: number;
  action: Action;
}

/** Everything that a person can do. The host asks for confirmation where an action can do harm. */
export type Action =
  /** Without a directory the host asks for one. */
  | { kind: "newSession"; directory?: string }
  /** Opens the automation page. */
  | { kind: "open"; sessionId: string }
  | { kind: "openOrchestration" }
  /** One or several; asks for confirmation. */
  | { kind: "terminate"; sessionIds: string[] }
  | {
      kind: "interrupt" | "restart" | "rename" | "delete" | "copyPath" | "copyId" | "openFolder";
      sessionId: string;
    }
  /** Opens a shell in the session's directory. */
  | { kind: "openTerminal"; sessionId: string }
  /** Opens Claude's own screen, for a session with the terminal driver. */
  | { kind: "openScreen"; sessionId: string }
  /** Continues the conversation with the other driver; asks what to do with a running turn. */
  | { kind: "switchDriver"; sessionId: string; driver: Driver }
  | { kind: "answer"; permissionId: string; digest: string; answer: Answer }
  | { kind: "recover"; messageId: string; choice: RecoverChoice }
  | { kind: "send"; sessionId: string; messageId: string; text: string; steer: boolean }
  | { kind: "queueEdit"; messageId: string; text: string }
  | { kind: "queueRemove"; messageId: string }
  | { kind: "queueMove"; messageId: string; position: number }
  /** Sends a queued message into the running turn: it leaves the queue. */
  | { kind: "queueSteer"; sessionId: string; messageId: string }
  | { kind: "queuePause" | "queueResume" | "queueClear"; sessionId: string }
  | { kind: "attachSelection"; sessionId: string }
  /** Opens a file from the transcript of a session; the path is relative to its directory, or absolute. */
  | { kind: "openFile"; sessionId: string; path: string; line?: number }
  /** Shows an edit as a diff: of a tool call in the transcript, or of an open permission request. */
  | { kind: "openDiff"; sessionId: string; title: string; path: string; before: string; after: string }
  | { kind: "copyText"; text: string }
  | { kind: "openExternal"; url: string }
  | { kind: "command"; command: FixCommand; sessionId?: string };
