/** Completes `@` with file names. */

/** A file mention before the caret: `@` at the beginning or after white space, and the text after it. */
export interface FileMention {
  /** The position of the `@`. */
  at: number;
  /** The text after it. */
  prefix: string;
}

/** The mention at the caret, or null. */
export function mentionAt(text: string, caret: number): FileMention | null {
  const found = /(?:^|\s)@([^\s@]*)$/.exec(text.slice(0, caret));
  if (found === null) return null;
  const prefix = found[1] ?? "";
  return { at: caret - prefix.length - 1, prefix };
}

/** The text with the completed mention, and the new caret. The mention of a directory can be completed further. */
export function completed(text: string, mention: FileMention, path: string): { text: string; caret: number } {
  const end = mention.at + 1 + mention.prefix.length;
  const inserted = `@${path}${path.endsWith("/") || text.slice(end).startsWith(" ") ? "" : " "}`;
  return { text: text.slice(0, mention.at) + inserted + text.slice(end), caret: mention.at + inserted.length };
}
