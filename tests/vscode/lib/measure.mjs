// Figures: collected while scenarios run, and printed as one table at the end, with goals for comparison.

const rows = [];

/** Records a figure. */
export function note(what, figure, goal = "") {
  rows.push([what, figure, goal]);
}

/** Records the median and the 95th percentile of times in milliseconds. */
export function noteTimes(what, times, goal = "") {
  note(`${what} (${times.length})`, `p50 ${percentile(times, 50)} ms, p95 ${percentile(times, 95)} ms`, goal);
}

function percentile(values, percent) {
  const sorted = values.toSorted((one, other) => one - other);
  return Math.round(sorted[Math.ceil((percent / 100) * sorted.length) - 1]);
}

/** Prints all figures. */
export function printTable() {
  if (rows.length === 0) return;
  const all = [["measured", "figure", "goal"], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...all.map((row) => row[column].length)));
  console.log("");
  for (const row of all) console.log(row.map((cell, column) => cell.padEnd(widths[column])).join("  ").trimEnd());
}
