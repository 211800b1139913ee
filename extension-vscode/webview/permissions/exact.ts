/** Exact texts of permission requests, and their sizes. */
import type { DisplaySection, DisplaySize } from "../../src/protocol.gen";

/** The exact text of a section. */
export function exactTextOf({ segments }: DisplaySection): string {
  return segments.map(({ text }) => text).join("");
}

/** The size of a text: `1 line, 3,024 characters`. */
export function sizeText({ lines, characters }: DisplaySize): string {
  return `${counted(lines, "line")}, ${counted(characters, "character")}`;
}

function counted(count: number, word: string): string {
  return `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
}
