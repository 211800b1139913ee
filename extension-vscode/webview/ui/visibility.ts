/** Whether a person can see this page. The editor keeps hidden pages with their layout, and only the host knows. */

let shown = true;
const listeners = new Set<() => void>();

/** Whether the page is visible in the editor, and the window is not minimized. */
export function isPageVisible(): boolean {
  return shown && document.visibilityState === "visible";
}

/** Takes over what the host says about the page. */
export function setPageShown(visible: boolean): void {
  shown = visible;
  notify();
}

/** Calls a listener when the page becomes visible. Returns a function that removes the listener. */
export function onPageVisible(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function notify(): void {
  if (isPageVisible()) for (const listener of listeners) listener();
}

document.addEventListener("visibilitychange", notify);
