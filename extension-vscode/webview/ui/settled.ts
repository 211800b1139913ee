/** Cards that have just come or moved take no answer: a second click that was meant for another card is not to answer this one. */
import type { ReactiveController, ReactiveControllerHost } from "lit";

/** Longer than the second click of a double-click may come after the first, and short for somebody who reads. */
const SETTLE_MS = 500;

const cards = new Set<Settled>();

/** Whether an element lies where it lay a moment ago. */
export class Settled implements ReactiveController {
  /** Its buttons may be used. */
  yes = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly element: ReactiveControllerHost) {
    element.addController(this);
  }

  hostConnected(): void {
    cards.add(this);
    this.moved();
  }

  /** What lies below a card that goes moves up. */
  hostDisconnected(): void {
    cards.delete(this);
    clearTimeout(this.#timer);
    for (const card of cards) card.moved();
  }

  /** It lies elsewhere now, or is about something else. */
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
