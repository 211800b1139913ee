/** How a session appears everywhere: its name, and the icon and the word for its status. */
import type { Session, Status } from "../protocol.gen";
import { splitPath } from "./format";
import { clippedLine } from "./text";

/** The longest name that the daemon accepts, in characters. */
const MAX_NAME = 100;

/** Whether the daemon would reject a name as too long. */
export function isNameTooLong(name: string): boolean {
  return [...name].length > MAX_NAME;
}

export const NAME_TOO_LONG = `A name can have at most ${MAX_NAME} characters.`;

/** The name of a session, or else the name of its directory. */
export function displayName({ name, directory }: Pick<Session, "name" | "directory">): string {
  const own = clippedLine(name ?? "", MAX_NAME);
  return own === "" ? clippedLine(splitPath(directory).name.replace(/^\/(?=.)/u, ""), MAX_NAME) : own;
}

const STATUSES: Readonly<Partial<Record<string, { icon: string; word: string }>>> = {
  starting: { icon: "watch", word: "Starting" },
  active: { icon: "circle-filled", word: "Active" },
  waiting: { icon: "bell-dot", word: "Waiting" },
  idle: { icon: "circle-outline", word: "Idle" },
  error: { icon: "error", word: "Error" },
  terminated: { icon: "circle-slash", word: "Terminated" },
} satisfies Record<Status, { icon: string; word: string }>;

/** The word for a status. A status that this version does not know is its own word. */
export function statusWord(status: Status): string {
  return STATUSES[status]?.word ?? clippedLine(status, MAX_NAME);
}

/** The codicon of a status. */
export function statusCodicon(status: Status): string {
  return STATUSES[status]?.icon ?? "question";
}

/** Whether a session needs a person. */
export function needsPerson({ status, attention }: Pick<Session, "status" | "attention">): boolean {
  return status === "waiting" || status === "error" || attention !== null;
}

/** Whether a turn is running. */
export function isBusy({ status }: Pick<Session, "status">): boolean {
  return status === "active" || status === "waiting";
}
