/** The positions of rows with different heights in a long list: measured for rendered rows, estimated for others. */
import type { Row } from "./transcript";

/** A position in the list: a row, and the distance of its top below the top of the visible part, in pixels. */
export interface Place {
  seq: number;
  offset: number;
}

const LINE = 20;
const GUESSED_LINE_CHARACTERS = 90;
/** Folds keep rows below about this many lines. */
const MAX_GUESSED_LINES = 60;
/** Rendered beyond the visible part, in pixels, so that scrolling meets existing rows. */
const OVERSCAN = 800;

/** The heights of a list of rows. */
export class Heights {
  private readonly measured = new Map<number, number>();
  private rows: readonly Row[] = [];
  private tops = new Float64Array(1);
  private indexes = new Map<number, number>();

  /** Applies the current list. */
  lay(rows: readonly Row[]): void {
    if (rows !== this.rows) {
      this.rows = rows;
      this.tops = new Float64Array(rows.length + 1);
      this.indexes = new Map(rows.map(({ seq }, index) => [seq, index]));
    }
    rows.forEach((row, index) => {
      this.tops[index + 1] = (this.tops[index] ?? 0) + (this.measured.get(row.seq) ?? guess(row));
    });
  }

  /** Applies a measured height, and returns true if it is new. Call `lay` after the last of several. */
  measure(seq: number, height: number): boolean {
    if (this.measured.get(seq) === height) return false;
    this.measured.set(seq, height);
    return true;
  }

  /** The height of all rows. */
  get total(): number {
    return this.top(this.rows.length);
  }

  /** The top of a row. */
  top(index: number): number {
    return this.tops[index] ?? 0;
  }

  /** The rows to render, from `first` up to but not including `end`. */
  range(scrolled: number, screen: number): { first: number; end: number } {
    const first = this.indexAt(scrolled - OVERSCAN);
    return { first, end: Math.min(this.rows.length, this.indexAt(scrolled + screen + OVERSCAN) + 1) };
  }

  /** The position at the top of the visible part. */
  placeAt(scrolled: number): Place | null {
    const index = this.indexAt(scrolled);
    const row = this.rows[index];
    return row ? { seq: row.seq, offset: this.top(index) - scrolled } : null;
  }

  /** The scroll offset of a position: of its row, or of the nearest one. Null if there are no rows. */
  scrollTo({ seq, offset }: Place): number | null {
    const exact = this.indexes.get(seq);
    if (exact !== undefined) return this.top(exact) - offset;
    const nearest = this.rows.findIndex((row) => row.seq > seq);
    if (this.rows.length === 0) return null;
    return this.top(nearest < 0 ? this.rows.length - 1 : nearest);
  }

  private indexAt(y: number): number {
    let [low, high] = [0, Math.max(0, this.rows.length - 1)];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.top(middle + 1) <= y) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function guess({ body }: Row): number {
  if (body.kind !== "text" && body.kind !== "user") return LINE + 8;
  return LINE * (1 + Math.min(MAX_GUESSED_LINES, body.text.length / GUESSED_LINE_CHARACTERS)) + 16;
}
