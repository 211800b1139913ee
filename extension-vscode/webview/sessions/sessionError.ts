/** The card of a session in `error`. */
import { type TemplateResult, css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { Session } from "../../src/protocol.gen";
import { fixesOf } from "../../src/shared/problem";
import { plainText } from "../../src/shared/text";
import { button } from "../ui/buttons";
import { PageElement, adopt } from "../ui/element";
import { act } from "../ui/host";
import { OFFLINE, PendingAction } from "../ui/pendingAction";
import { logFold, problemBox } from "../ui/problem";
import { Settled } from "../ui/settled";
import { sessionLink } from "./sessionLink";

@customElement("areyouj-session-error")
export class SessionErrorCard extends PageElement {
  @property({ attribute: false }) session!: Session;
  /** Whether to name the session. */
  @property({ attribute: false }) named = true;
  @property({ attribute: false }) connected = true;
  private readonly pending = new PendingAction(this);
  private readonly settled = new Settled(this);

  protected override render(): TemplateResult {
    const { error, id } = this.session;
    // The card has a button of its own for a restart.
    const fixes = fixesOf(error?.remedy).filter(({ command }) => command !== "areyouj.restart");
    return html`<article class="card" aria-label="Session in error">
      <header class="row">
        <span class="codicon codicon-error status-icon status-error" aria-hidden="true"></span>
        ${this.named ? sessionLink(this.session) : nothing}
        <span class="grow ellipsis ${this.named ? "muted" : ""}">Stopped with an error</span>
      </header>
      <div class="error-words">
        <p>${plainText(error?.message ?? "The session needs you.")}</p>
        ${error?.hint ? html`<p class="muted">${plainText(error.hint)}</p>` : nothing}
      </div>
      ${logFold(error?.log ?? null)}
      <div class="row wrap">
        ${fixes.map(({ label, ...fix }, index) => button(label, () => act({ kind: "command", ...fix }), { secondary: index > 0 }))}
        ${button("Restart session", () => void this.pending.run("restart", { kind: "restart", sessionId: id }), {
          secondary: fixes.length > 0,
          disabled: !this.connected || !this.settled.yes,
          running: this.pending.running !== null,
          ...(this.connected ? {} : { title: OFFLINE }),
        })}
      </div>
      ${problemBox(this.pending.problem, () => this.pending.dismiss())}
    </article>`;
  }
}

adopt(css`
  areyouj-session-error {
    display: block;
    min-width: 0;
  }
  .error-words {
    overflow-wrap: anywhere;
  }
`);
