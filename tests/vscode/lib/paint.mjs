// Measures when something was painted, with the machine's clock, which browser and tests share.

/** The time at which an element that matches the selector is first painted, in milliseconds since 1970. Watches from now on. */
export function watchFor(frame, selector) {
  return frame.evaluate(
    (selector) =>
      new Promise((resolve) => {
        const check = () => {
          if (document.querySelector(selector) === null) return;
          observer.disconnect();
          // A task that a frame's callback posts runs after that frame was drawn.
          requestAnimationFrame(() => {
            const { port1, port2 } = new MessageChannel();
            port1.onmessage = () => resolve(performance.timeOrigin + performance.now());
            port2.postMessage(null);
          });
        };
        const observer = new MutationObserver(check);
        observer.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
        check();
      }),
    selector,
  );
}

/** Measures the time from every click and key in a frame to the next drawn frame, for `reactions`. */
export async function timeReactions(frame) {
  await frame.evaluate(() => {
    globalThis.reactions = [];
    const time = (event) => {
      requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => globalThis.reactions.push(performance.now() - event.timeStamp);
        port2.postMessage(null);
      });
    };
    for (const type of ["click", "keydown"]) addEventListener(type, time, { capture: true });
  });
}

/** The measured times so far, in milliseconds. */
export function reactions(frame) {
  return frame.evaluate(() => globalThis.reactions);
}
