/** Which rows of a long list are drawn, when all are equally high. */

/** Rows drawn beyond what is on the screen, so that scrolling meets rows that are there. */
const OVERSCAN = 8;

/** The rows from `first` up to but not including `end`. `top` is where the list begins, relative to the screen. */
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
