/** Text from elsewhere, made harmless for a screen: names, paths, commands and output may hold what hides or reorders. */

import { HARMFUL, HIDDEN } from "../src/hidden";

/** Sequences of a terminal: with parameters, with a string, or of two characters. */
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\u0007\u001b]{0,4096}(?:\u0007|\u001b\\)|[ -/]?[0-~])/g;

/** Several lines without terminal sequences and control characters. */
export function plainText(raw: string): string {
  return raw.replace(/\r\n/g, "\n").replace(ESCAPES, "").replace(HARMFUL, "");
}

/** One line: the same with every run of white space made a space. */
export function plainLine(raw: string): string {
  return plainText(raw.replace(/[\r\u2028\u2029]/g, " ")).replace(/\s+/g, " ").trim();
}

/** What a person decides about: nothing is taken out, what cannot be seen is shown as something that can. */
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
