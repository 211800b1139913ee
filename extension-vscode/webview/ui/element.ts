/** The base of all elements of the pages. */
import { type CSSResult, LitElement, type ReactiveController, type ReactiveControllerHost } from "lit";
import { Directive, directive } from "lit/directive.js";
import type { ElementPart } from "lit/directive.js";
import { noChange } from "lit";

/**
 * An element without a shadow root: selection and copying across a transcript, references between elements for screen
 * readers, and the editor's icon font all need one document.
 */
export class PageElement extends LitElement {
  protected override createRenderRoot(): this {
    return this;
  }
}

/** Adds styles to the document, as a constructed style sheet: the page's content security policy allows it. */
export function adopt(styles: CSSResult): void {
  if (styles.styleSheet) document.adoptedStyleSheets.push(styles.styleSheet);
}

class Styled extends Directive {
  render(_properties: Record<string, string>): unknown {
    return noChange;
  }

  override update(part: ElementPart, [properties]: [Record<string, string>]): unknown {
    const { style } = part.element as HTMLElement;
    for (const [name, value] of Object.entries(properties)) style.setProperty(name, value);
    return noChange;
  }
}

/** Sets style properties of an element by script, because the policy forbids `style` attributes. */
export const styled = directive(Styled);

/** The period in which relative times are updated. */
const TICK_MS = 1000;

/** Renders its element once a second while the page is visible. */
export class Clock implements ReactiveController {
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly element: ReactiveControllerHost) {
    element.addController(this);
  }

  hostConnected(): void {
    this.timer = setInterval(() => {
      if (document.visibilityState === "visible") this.element.requestUpdate();
    }, TICK_MS);
  }

  hostDisconnected(): void {
    clearInterval(this.timer);
  }
}
