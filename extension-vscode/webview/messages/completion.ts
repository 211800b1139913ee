/** Completion of `@` with files. */

/** What stands before the caret and asks for files: `@` at the beginning or after white space, and what follows it. */
export interface FileMention {
  /** Where the `@` is. */
  at: number;
  /** What was typed after it. */
  prefix: string;
}

/** The mention that the caret is in, if it is in one. */
export function mentionAt(text: string, caret: number): FileMention | null {
  const found = /(?:^|\s)@([^\s@]*)$/.exec(text.slice(0, caret));
  if (found === null) return null;
  const prefix = found[1] ?? "";
  return { at: caret - prefix.length - 1, prefix };
}

/** The text with the mention completed, and where the caret is then. A directory is left open for more. */
export function completed(text: string, mention: FileMention, path: string): { text: string; caret: number } {
  const end = mention.at + 1 + mention.prefix.length;
  const inserted = `@${path}${path.endsWith("/") || text.slice(end).startsWith(" ") ? "" : " "}`;
  return { text: text.slice(0, mention.at) + inserted + text.slice(end), caret: mention.at + inserted.length };
}
