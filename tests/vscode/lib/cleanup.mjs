// Whatever was started is ended, last first: at the end, after a failure, and when a person or a runner breaks off.

/** What is still to be ended. */
const open = [];

/** Has it ended at the latest when the program ends. The function returned does it now; it does it once. */
export function atEnd(end) {
  let ending = null;
  const once = () => {
    const place = open.indexOf(once);
    if (place >= 0) open.splice(place, 1);
    return (ending ??= end());
  };
  open.push(once);
  return once;
}

/** Ends everything that is still open, and says what would not end. */
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
