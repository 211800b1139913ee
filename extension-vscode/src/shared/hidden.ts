import { HIDDEN as RANGES, type HiddenKind } from "./hidden.gen";

/** Control characters but line breaks and tabs. */
const CONTROLS = "\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f";

/** A character of an expression. */
function point(code: number): string {
  return `\\u{${code.toString(16)}}`;
}

/** An expression for control characters and these kinds of hidden ones, each by itself. */
function expression(...kinds: HiddenKind[]): RegExp {
  const ranges = RANGES.filter(([, , kind]) => kinds.includes(kind)).map(
    ([first, last]) => `${point(first)}-${point(last)}`,
  );
  return new RegExp(`[${CONTROLS}${ranges.join("")}]`, "gu");
}

/** Characters in which something can hide: controls, and everything that reorders, has no look of its own or only looks like a space. */
export const HIDDEN = expression("reorders", "invisible", "blank");

/** Characters that do harm in any text: controls, and everything that reorders. */
export const HARMFUL = expression("reorders");
