/** Whether the end of what a permission request displays was in view. Only then can it be allowed. */
import type { ReactiveController, ReactiveControllerHost } from "lit";
import { SETTLE_MS } from "../ui/settled";
import { isPageVisible, onPageVisible } from "../ui/visibility";

/** The part of the last line that must be in view: fractions of a pixel can be missing when the page is zoomed. */
const IN_VIEW = 0.9;
/** The part of the height that one page scrolls: some lines stay, to read on from. */
const PAGE = 0.9;

/** Observes the end of the display in its scroll container, in the page and in the window. */
export class EndSeen implements ReactiveController {
  /** The end was in view. */
  seen = false;
  /** The end was in view for a moment: a click that was meant to scroll must not answer. */
  settled = false;
  #end: Element | null = null;
  #observer: IntersectionObserver | null = null;
  #forget: (() => void) | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Selectors of the scroll container and of the mark at its end. */
  constructor(
    private readonly element: ReactiveControllerHost & Element,
    private readonly container: string,
    private readonly mark: string,
  ) {
    element.addController(this);
  }

  hostConnected(): void {
    // A hidden page can have a layout too, in which the end is in view of nobody.
    this.#forget = onPageVisible(() => this.#observe());
  }

  hostDisconnected(): void {
    this.#forget?.();
    this.reset();
    this.#end = null;
  }

  hostUpdated(): void {
    const end = this.element.querySelector(this.mark);
    if (end === this.#end) return;
    this.#end = end;
    this.#observe();
  }

  /** Something else is displayed, from its beginning. */
  reset(): void {
    clearTimeout(this.#timer);
    this.#observer?.disconnect();
    this.#observer = null;
    this.seen = false;
    this.settled = false;
    this.element.querySelector(this.container)?.scrollTo({ top: 0, behavior: "instant" });
    this.#end = null;
    this.element.requestUpdate();
  }

  /** Scrolls one page towards the end. */
  scroll(): void {
    const container = this.element.querySelector(this.container);
    if (container === null) return;
    const before = container.getBoundingClientRect().top;
    container.scrollIntoView({ block: "nearest", behavior: "instant" });
    // A person reads what came into view first.
    if (Math.abs(container.getBoundingClientRect().top - before) > 1) return;
    const rest = container.scrollHeight - container.clientHeight - container.scrollTop;
    if (rest > 1) container.scrollBy({ top: container.clientHeight * PAGE, behavior: "instant" });
    else this.element.querySelector(this.mark)?.scrollIntoView({ block: "nearest", behavior: "instant" });
  }

  #observe(): void {
    this.#observer?.disconnect();
    this.#observer = null;
    if (this.seen || this.#end === null || !isPageVisible()) return;
    // Without a root it takes every scroll container around the mark, and the window, into account.
    this.#observer = new IntersectionObserver((entries) => this.#moved(entries.at(-1)), { threshold: [IN_VIEW, 1] });
    this.#observer.observe(this.#end);
  }

  #moved(entry: IntersectionObserverEntry | undefined): void {
    if (entry === undefined || entry.target !== this.#end || !isPageVisible()) return;
    if (!entry.isIntersecting || entry.intersectionRatio < IN_VIEW) return;
    this.#observer?.disconnect();
    this.#observer = null;
    this.seen = true;
    this.element.requestUpdate();
    this.#timer = setTimeout(() => {
      this.settled = true;
      this.element.requestUpdate();
    }, SETTLE_MS);
  }
}
