/** Chooses the rows of a long list to render, when all rows have the same height. */

/** Rows that are rendered beyond the visible part, so that scrolling meets existing rows. */
const OVERSCAN = 8;

/** The rows from `first` up to but not including `end`. `top` is the top of the list relative to the visible part. */
export function visibleRows(
  top: number,
  screen: number,
  rowHeight: number,
  total: number,
): { first: number; end: number } {
  const first = Math.max(0, Math.min(total, Math.floor(-top / rowHeight) - OVERSCAN));
  const end = Math.max(first, Math.min(total, Math.ceil((screen - top) / rowHeight) + OVERSCAN));
  return { first, end };
}
