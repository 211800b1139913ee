/**
 * Checks the messages of a page: a page shows text of others, and code that got into it must not be able to do more than
 * the page's buttons. Unknown kinds, wrong shapes and unknown fields are dropped.
 */
import type { Answer } from "../protocol.gen";
import { type Action, FIX_COMMANDS, type FromPage } from "../shared/bridge";

/** A message of the daemon is at most 1 MiB of UTF-8. */
export const MAX_TEXT = 1_048_576;
/** Both sides of a diff; Claude's tools write no larger files. */
const MAX_DIFF = 4_194_304;
/** The longest path that Linux knows. */
const MAX_PATH = 4_096;
/** Ids are 8 to 40 characters; the protocol allows 64. */
const MAX_ID = 64;
/** More sessions than one daemon holds in the worst case that is tested. */
const MAX_SESSIONS = 10_000;
const MAX_URL = 8_192;
/** Claude asks at most four questions with four choices each; this leaves room. */
const MAX_CHOICES = 64;

/** Returns a valid value with its known fields alone, or `undefined`. */
type Check<T> = (value: unknown) => T | undefined;
type Shape<T> = { [K in keyof T]-?: Check<Exclude<T[K], undefined>> };

const text =
  (max: number): Check<string> =>
  (value) =>
    typeof value === "string" && value.length <= max ? value : undefined;
const filled =
  (max: number): Check<string> =>
  (value) =>
    typeof value === "string" && value.length > 0 && value.length <= max ? value : undefined;
const id = filled(MAX_ID);
const path: Check<string> = (value) =>
  typeof value === "string" && value.length > 0 && value.length <= MAX_PATH && !value.includes("\0")
    ? value
    : undefined;
const flag: Check<boolean> = (value) => (typeof value === "boolean" ? value : undefined);
const whole: Check<number> = (value) =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
const oneOf =
  <T extends string>(...values: T[]): Check<T> =>
  (value) =>
    values.find((one) => one === value);
const list =
  <T>(check: Check<T>, max: number): Check<T[]> =>
  (value) => {
    if (!Array.isArray(value) || value.length > max) return undefined;
    const items: T[] = [];
    for (const item of value as unknown[]) {
      const checked = check(item);
      if (checked === undefined) return undefined;
      items.push(checked);
    }
    return items;
  };
const optional = <T>(check: Check<T>): Check<T> & { optional: true } =>
  Object.assign((value: unknown) => check(value), { optional: true as const });

function object<T extends object>(shape: Shape<T>): Check<T> {
  const fields = Object.entries(shape) as [string, Check<unknown> & { optional?: true }][];
  return (value) => {
    if (typeof value !== "object" || value === null) return undefined;
    const result: Record<string, unknown> = {};
    for (const [name, check] of fields) {
      const field: unknown = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
      if (field === undefined && check.optional === true) continue;
      const checked = check(field);
      if (checked === undefined) return undefined;
      result[name] = checked;
    }
    return result as T;
  };
}

type Of<U, Key extends string, K> = U extends { [P in Key]: infer Kinds }
  ? K extends Kinds
    ? Omit<U, Key>
    : never
  : never;
type Variants<U extends Record<Key, string>, Key extends string> = { [K in U[Key]]: Shape<Of<U, Key, K>> };

/** One of several shapes, which differ in a field. */
function variant<U extends Record<Key, string>, Key extends string>(key: Key, shapes: Variants<U, Key>): Check<U> {
  const checks = new Map(Object.entries(shapes).map(([kind, shape]) => [kind, object(shape as Shape<object>)]));
  return (value) => {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    const kind: unknown = (value as Record<string, unknown>)[key];
    const rest = typeof kind === "string" ? checks.get(kind)?.(value) : undefined;
    return rest === undefined ? undefined : ({ [key]: kind, ...rest } as unknown as U);
  };
}

const answer = variant<Answer, "decision">("decision", {
  allow: {},
  allowAlways: { suggestions: optional(list(whole, MAX_CHOICES)) },
  deny: { message: optional(text(MAX_TEXT)) },
  choose: { choices: list(list(text(MAX_TEXT), MAX_CHOICES), MAX_CHOICES) },
});

const session = { sessionId: id };
const action = variant<Action, "kind">("kind", {
  newSession: { directory: optional(path) },
  open: session,
  openOrchestration: {},
  terminate: { sessionIds: list(id, MAX_SESSIONS) },
  interrupt: session,
  restart: session,
  rename: session,
  delete: session,
  copyPath: session,
  copyId: session,
  openFolder: session,
  openTerminal: session,
  openScreen: session,
  switchDriver: { sessionId: id, driver: oneOf("stream", "terminal") },
  answer: { permissionId: id, digest: id, answer },
  recover: { messageId: id, choice: oneOf("continue", "again", "skip") },
  send: { sessionId: id, messageId: id, text: filled(MAX_TEXT), steer: flag },
  queueEdit: { messageId: id, text: filled(MAX_TEXT) },
  queueRemove: { messageId: id },
  queueMove: { messageId: id, position: whole },
  queueSteer: { sessionId: id, messageId: id },
  queuePause: session,
  queueResume: session,
  queueClear: session,
  attachSelection: session,
  openFile: { sessionId: id, path, line: optional(whole) },
  openDiff: { sessionId: id, title: text(MAX_PATH), path, before: text(MAX_DIFF), after: text(MAX_DIFF) },
  copyText: { text: text(MAX_DIFF) },
  openExternal: { url: filled(MAX_URL) },
  command: { command: oneOf(...FIX_COMMANDS), sessionId: optional(id) },
});

/** A message that a page can send, or null. */
export const parseFromPage = (() => {
  const check = variant<FromPage, "type">("type", {
    ready: {},
    action: { id: optional(whole), action },
    loadOlder: { before: whole },
    completeFile: { id: whole, prefix: text(MAX_PATH) },
    seen: {},
  });
  return (value: unknown): FromPage | null => check(value) ?? null;
})();
