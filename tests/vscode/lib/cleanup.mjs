// Stops everything that was started, in reverse order: at the end, after a failure, and on a signal.

/** The clean-up functions that have not run yet. */
const open = [];

/** Registers a clean-up function for the exit of the program. The returned function runs it earlier, and only once. */
export function atEnd(end) {
  let ending = null;
  const once = () => {
    const index = open.indexOf(once);
    if (index >= 0) open.splice(index, 1);
    return (ending ??= end());
  };
  open.push(once);
  return once;
}

/** Runs all pending clean-up functions, and reports errors. */
export async function endAll() {
  for (const end of open.toReversed()) {
    await end().catch((error) => {
      process.exitCode = 1;
      console.error(error);
    });
  }
}

for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]]) {
  process.once(signal, () => void endAll().finally(() => process.exit(code)));
}
