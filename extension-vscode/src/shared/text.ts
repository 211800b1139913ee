/** Text from elsewhere, made safe to show: names, paths, commands and output can contain what hides or reorders text. */
import { HARMFUL, HIDDEN } from "./hidden";

/** Terminal sequences: with parameters, with a string, or of two characters. */
const ESCAPES =
  // oxlint-disable-next-line no-control-regex -- the sequences begin with a control character
  /\u001b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\u0007\u001b]{0,4096}(?:\u0007|\u001b\\)|[ -/]?[0-~])/g;

/** Several lines, without terminal sequences and control characters. */
export function plainText(raw: string): string {
  return raw.replace(/\r\n/g, "\n").replace(ESCAPES, "").replace(HARMFUL, "");
}

/** One line: the same, with every run of white space replaced by a space. */
export function plainLine(raw: string): string {
  return plainText(raw.replace(/[\r\u2028\u2029]/g, " "))
    .replace(/\s+/g, " ")
    .trim();
}

/** One line of at most `max` characters for an editor message or a label, with every hidden character replaced by a space. */
export function clippedLine(text: string, max: number): string {
  // Cut first: a line never needs a search through a megabyte.
  const line = text
    .slice(0, max * 4)
    .replace(HIDDEN, " ")
    .replace(/\s+/gu, " ")
    .trim();
  const letters = [...line];
  return letters.length <= max && text.length <= max * 4 ? line : `${letters.slice(0, max - 1).join("")}…`;
}

/** Text whose every character matters, such as a path: nothing is removed, and hidden characters become visible. */
export function exactText(raw: string): string {
  return raw.replace(HIDDEN, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x20) return String.fromCodePoint(0x2400 + code);
    return code === 0x7f ? "\u2421" : `<U+${code.toString(16).toUpperCase().padStart(4, "0")}>`;
  });
}

/** The same on one line. */
export function exactLine(raw: string): string {
  return exactText(raw).replace(/\n/g, "\u240a").replace(/\t/g, "\u2409");
}

/** Text for a label, in which `$(name)` would become an icon. */
export function escapeIcons(text: string): string {
  return text.replaceAll("$(", "$\u200b(");
}

/** Text for an editor message, in which `[text](link)` would become a link. */
export function escapeLinks(text: string): string {
  return text.replaceAll("](", "] (");
}
