// When something was painted, in the clock of the machine, which browser and tests share.

/** When an element that fits the selector was first painted, in milliseconds since 1970. Watches from now on. */
export function watchFor(frame, selector) {
  return frame.evaluate(
    (wanted) =>
      new Promise((resolve) => {
        const look = () => {
          if (document.querySelector(wanted) === null) return;
          observer.disconnect();
          // A task that a frame's callback posts runs after that frame was drawn.
          requestAnimationFrame(() => {
            const { port1, port2 } = new MessageChannel();
            port1.onmessage = () => resolve(performance.timeOrigin + performance.now());
            port2.postMessage(null);
          });
        };
        const observer = new MutationObserver(look);
        observer.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
        look();
      }),
    selector,
  );
}

/** Times every click and key in a frame from the event to the frame drawn after it. Read by `reactions`. */
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

/** What was timed so far, in milliseconds. */
export function reactions(frame) {
  return frame.evaluate(() => globalThis.reactions);
}
