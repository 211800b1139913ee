/**
 * What the extension host and its two pages say to each other. The pages hold no state of their own but what a person
 * sees of them (scroll position, drafts, sort order): after `ready` the host sends everything, then what changes.
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

/** How the extension is connected to the daemon. */
export type ConnectionState =
  /** Nothing was heard of the daemon yet. */
  | "connecting"
  | "connected"
  /** The daemon went away; the sidecar is getting it back. What was known stays on the screen, greyed. */
  | "reconnecting"
  /** The sidecar cannot be run or cannot get a daemon: see the problem. */
  | "failed";

/** The connection, and what is wrong with it. */
export interface Connection {
  state: ConnectionState;
  problem: Problem | null;
}

/** Something that went wrong: a stable code, what happened, what to do, and buttons that do it. */
export interface Problem {
  code: string;
  message: string;
  hint: string;
  /** More lines for those who want them. */
  log: string | null;
  fixes: Fix[];
}

/** A button that mends something. */
export interface Fix {
  label: string;
  action: Action;
}

/** What a person has set, as far as the pages need it. */
export interface PageSettings {
  /** The home directory, shown as `~`. */
  home: string;
  /** Folders of the window, for a session that is started with one click. */
  folders: { name: string; path: string }[];
}

/** From the host to the orchestration page. */
export type ToOrchestration =
  | {
      type: "state";
      connection: Connection;
      settings: PageSettings;
      /** All sessions, terminated ones too, newest first. */
      sessions: Session[];
      /** Open prompts of all sessions, oldest first. */
      permissions: Permission[];
      /** Messages that were cut off or failed and wait for a decision. */
      decisions: Message[];
    }
  | { type: "connection"; connection: Connection }
  | { type: "settings"; settings: PageSettings }
  /** New or changed. */
  | { type: "sessions"; changed: Session[]; removed: string[] }
  /** The open prompts, all of them, when they changed. */
  | { type: "permissions"; permissions: Permission[] }
  | { type: "decisions"; decisions: Message[] }
  | ActionDone;

/** From the host to the automation page of one session. */
export type ToAutomation =
  | {
      type: "state";
      connection: Connection;
      settings: PageSettings;
      /** The page keeps it in its own state, as `{ sessionId }`: by that the host restores the tab after a reload. */
      sessionId: string;
      /** Null: there is no such session (any more). */
      session: Session | null;
      queue: Queue | null;
      /** Open prompts of this session, oldest first. */
      permissions: Permission[];
      decisions: Message[];
      /** Live sessions, for the switcher. */
      sessions: Session[];
      transcript: Transcript;
    }
  | { type: "connection"; connection: Connection }
  | { type: "settings"; settings: PageSettings }
  | { type: "session"; session: Session | null }
  | { type: "queue"; queue: Queue }
  | { type: "permissions"; permissions: Permission[] }
  | { type: "decisions"; decisions: Message[] }
  /** For the switcher. */
  | { type: "sessions"; sessions: Session[] }
  /** New entries at the end; they replace all live text since the one before. */
  | { type: "entries"; entries: TranscriptEntry[] }
  /** All that Claude has said since the newest entry. */
  | { type: "said"; deltas: Delta[] }
  /** More of what Claude is saying right now. */
  | { type: "delta"; delta: Delta }
  /** The transcript anew, after a gap. */
  | { type: "transcript"; transcript: Transcript }
  /** What `loadOlder` asked for: entries before all that are there. */
  | { type: "older"; entries: TranscriptEntry[]; more: boolean }
  /** What `completeFile` asked for: paths relative to the session's directory. */
  | { type: "files"; id: number; paths: string[] }
  /** A piece of text for the composer: a selection, a file's name. */
  | { type: "insert"; text: string }
  /** Give the composer the keyboard. */
  | { type: "focusComposer" }
  | ActionDone;

/** The end of a transcript. */
export interface Transcript {
  entries: TranscriptEntry[];
  /** Whether older entries exist. */
  more: boolean;
}

/** An action came to its end. */
export interface ActionDone {
  type: "done";
  /** As the page numbered it. */
  id: number;
  problem: Problem | null;
}

/** From a page to the host. */
export type FromPage =
  /** The first message of a page, when it can listen. */
  | { type: "ready" }
  /** Answered by `done` with the same number; without one, the host itself shows what goes wrong. */
  | { type: "action"; id?: number; action: Action }
  /** Automation: older entries, answered by `older`. */
  | { type: "loadOlder"; before: number }
  /** Automation: completion of `@`, answered by `files`. */
  | { type: "completeFile"; id: number; prefix: string }
  /** Automation: whether everything up to the end is on the screen of a visible page; then the session counts as read. */
  | { type: "seen" };

/** What a person can do. The host confirms where harm can be done. */
export type Action =
  /** Without a directory the host asks for one. */
  | { kind: "newSession"; directory?: string }
  /** Open the automation page. */
  | { kind: "open"; sessionId: string }
  | { kind: "openOrchestration" }
  /** One or several; asks for confirmation. */
  | { kind: "terminate"; sessionIds: string[] }
  | { kind: "interrupt" | "restart" | "rename" | "delete" | "copyPath" | "copyId" | "openFolder"; sessionId: string }
  /** A shell in the session's directory. */
  | { kind: "openTerminal"; sessionId: string }
  /** Claude's own screen, of a session at a terminal. */
  | { kind: "openScreen"; sessionId: string }
  /** The conversation goes on in the other form; asks what is to become of a turn that runs. */
  | { kind: "move"; sessionId: string; driver: Driver }
  | { kind: "answer"; permissionId: string; answer: Answer }
  | { kind: "recover"; messageId: string; choice: RecoverChoice }
  | { kind: "send"; sessionId: string; messageId: string; text: string; steer: boolean }
  | { kind: "queueEdit"; messageId: string; text: string }
  | { kind: "queueRemove"; messageId: string }
  | { kind: "queueMove"; messageId: string; position: number }
  /** Send a waiting message into the running turn: it leaves the queue. */
  | { kind: "queueSteer"; sessionId: string; messageId: string }
  | { kind: "queuePause" | "queueResume" | "queueClear"; sessionId: string }
  | { kind: "attachSelection"; sessionId: string }
  /** A file of the session, from its transcript; relative to its directory or absolute. */
  | { kind: "openFile"; sessionId: string; path: string; line?: number }
  /** An edit as a diff: of a tool call in the transcript, or of an open prompt. */
  | { kind: "openDiff"; sessionId: string; title: string; path: string; before: string; after: string }
  | { kind: "copyText"; text: string }
  | { kind: "openExternal"; url: string }
  /** A command of the editor, of those that `Fix`es name: settings, log, login help, restart of the sidecar. */
  | {
      kind: "command";
      command:
        "areyouj.openSettings" | "areyouj.showLog" | "areyouj.restartSidecar" | "areyouj.logIn" | "areyouj.doctor";
    };
