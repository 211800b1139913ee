/** Claude's own terminal: the buttons that open it, and the card for a question in it. */
import { type TemplateResult, css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { Session } from "../../src/protocol.gen";
import { button, iconButton } from "../ui/buttons";
import { OFFLINE } from "../ui/pendingAction";
import { PageElement, adopt } from "../ui/element";
import { act } from "../ui/host";
import { sessionLink } from "./sessionLink";
import { plainText } from "../../src/shared/text";

export const OPEN_SCREEN = "Open Claude's terminal";

/** Whether Claude runs in a terminal now. */
export function hasScreen({ driver, status }: Session): boolean {
  return driver === "terminal" && status !== "terminated" && status !== "error";
}

/** Whether Claude asks something that only its terminal can answer. */
export function asksInTerminal({ attention }: Session): boolean {
  return attention?.kind === "terminal";
}

/** A button that opens Claude's terminal. */
export function screenButton(
  session: Session,
  connected: boolean,
  label = OPEN_SCREEN,
  secondary = false,
): TemplateResult {
  const open = (): void => act({ kind: "openScreen", sessionId: session.id });
  return button(label, open, {
    secondary,
    disabled: !connected,
    title: connected ? `${OPEN_SCREEN} in this window` : OFFLINE,
  });
}

/** The same as an icon; nothing for a session without a terminal. */
export function screenIcon(
  session: Session,
  title: string,
  connected: boolean,
  tabindex: number,
): TemplateResult | typeof nothing {
  if (!hasScreen(session)) return nothing;
  return iconButton(
    "terminal",
    `${OPEN_SCREEN} of ${title}`,
    () => act({ kind: "openScreen", sessionId: session.id }),
    { tabindex, disabled: !connected, reason: OFFLINE },
  );
}

/** A session whose terminal needs an answer. */
@customElement("areyouj-screen-card")
export class ScreenCard extends PageElement {
  @property({ attribute: false }) session!: Session;
  /** Whether to name the session. */
  @property({ attribute: false }) named = true;
  @property({ attribute: false }) connected = true;

  protected override render(): TemplateResult {
    const { session } = this;
    const title = "Needs an answer in its terminal";
    return html`<article class="card" aria-label=${title}>
      <header class="row">
        <span class="codicon codicon-terminal attention-icon" aria-hidden="true"></span>
        ${this.named ? sessionLink(session) : nothing}
        <span class="grow ellipsis ${this.named ? "muted" : ""}">${title}</span>
      </header>
      <p class="screen-words">${plainText(session.attention?.title ?? "")}</p>
      <div class="row wrap">${screenButton(session, this.connected)}</div>
    </article>`;
  }
}

adopt(css`
  areyouj-screen-card {
    display: block;
    min-width: 0;
  }
  .screen-words {
    overflow-wrap: anywhere;
  }
`);
