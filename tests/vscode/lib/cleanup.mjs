// Ends everything that was started, last first: at the end, after a failure, and when a person or a runner interrupts.

/** The ends of everything that still runs. */
const open = [];

/** Registers an end for the exit of the program, at the latest. The returned function runs it now, and only once. */
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

/** Ends everything that still runs, and reports failures. */
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
