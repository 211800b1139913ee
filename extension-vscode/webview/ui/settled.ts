/** Disables cards that have just appeared or moved: a second click that was meant for another card must not answer them. */
import type { ReactiveController, ReactiveControllerHost } from "lit";

/** Longer than the pause within a double-click, and short for a person who reads. */
export const SETTLE_MS = 500;

const cards = new Set<Settled>();

/** Whether an element has kept its place for a moment. */
export class Settled implements ReactiveController {
  /** The buttons of the element are enabled. */
  yes = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly element: ReactiveControllerHost) {
    element.addController(this);
  }

  hostConnected(): void {
    cards.add(this);
    this.moved();
  }

  /** A removed card moves the cards below it. */
  hostDisconnected(): void {
    cards.delete(this);
    clearTimeout(this.#timer);
    for (const card of cards) card.moved();
  }

  /** The element has moved, or shows something else. */
  moved(): void {
    clearTimeout(this.#timer);
    this.yes = false;
    this.element.requestUpdate();
    this.#timer = setTimeout(() => {
      this.yes = true;
      this.element.requestUpdate();
    }, SETTLE_MS);
  }
}
