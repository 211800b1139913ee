/** Colours for Markdown that stays as it is: every character of a plan is displayed, in its place. */

/** The colour of a piece; null for ordinary text. */
export type Colour = "heading" | "code" | "link" | "comment" | "strong" | null;

/** Longer constructs have no colour, so that hostile text cannot slow down the search. */
const INLINE = /`[^`\n]{1,300}`|!?\[[^[\]\n]{0,300}\]\([^)\n]{0,300}\)|<!--[^\n]{0,300}?-->|\*\*[^*\n]{1,300}\*\*/g;
const FENCE = /^ {0,3}(?:```|~~~)/;
const HEADING = /^ {0,3}#{1,6}(?: |$)/;
const DEFINITION = /^ {0,3}\[[^\]\n]{1,300}\]:/;

/** Splits successive parts of one Markdown text into pieces with a colour. Joined, the pieces are the text. */
export class PlanColours {
  #fenced = false;
  #beginsLine = true;

  of(text: string): [piece: string, colour: Colour][] {
    return text.split(/(?<=\n)/).flatMap((line) => this.#line(line));
  }

  #line(line: string): [string, Colour][] {
    const begins = this.#beginsLine;
    this.#beginsLine = line.endsWith("\n");
    if (line === "") return [];
    if (begins && FENCE.test(line)) {
      this.#fenced = !this.#fenced;
      return [[line, "code"]];
    }
    if (this.#fenced) return [[line, "code"]];
    if (begins && HEADING.test(line)) return [[line, "heading"]];
    if (begins && DEFINITION.test(line)) return [[line, "link"]];
    const pieces: [string, Colour][] = [];
    let at = 0;
    for (const found of line.matchAll(INLINE)) {
      if (found.index > at) pieces.push([line.slice(at, found.index), null]);
      pieces.push([found[0], colourOf(found[0])]);
      at = found.index + found[0].length;
    }
    if (at < line.length) pieces.push([line.slice(at), null]);
    return pieces;
  }
}

function colourOf(piece: string): Colour {
  if (piece.startsWith("`")) return "code";
  if (piece.startsWith("<")) return "comment";
  return piece.startsWith("*") ? "strong" : "link";
}
