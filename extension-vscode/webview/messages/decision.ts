/** The card of a message that was interrupted or failed, and waits for a decision. */
import { type TemplateResult, css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { Message, RecoverChoice, Session } from "../../src/protocol.gen";
import { button } from "../ui/buttons";
import { PendingAction, OFFLINE } from "../ui/pendingAction";
import { PageElement, adopt } from "../ui/element";
import { problemBox } from "../ui/problem";
import { sessionLink } from "../sessions/sessionLink";
import { Settled } from "../ui/settled";
import { plainText } from "../../src/shared/text";

const CHOICES: Record<RecoverChoice, { label: string; title: string }> = {
  continue: { label: "Continue", title: "Ask Claude to continue where it was interrupted" },
  again: { label: "Send again", title: "Run the same message again" },
  skip: { label: "Skip", title: "Skip the message and continue with the queue" },
};

@customElement("areyouj-decision")
export class Decision extends PageElement {
  @property({ attribute: false }) message!: Message;
  @property({ attribute: false }) session: Session | null = null;
  @property({ attribute: false }) connected = true;
  private readonly pending = new PendingAction(this);
  private readonly settled = new Settled(this);

  protected override render(): TemplateResult {
    const { message } = this;
    const interrupted = message.state === "interrupted";
    const choices: RecoverChoice[] = interrupted ? ["continue", "again", "skip"] : ["again", "skip"];
    const title = interrupted ? "A message was interrupted" : "A message failed";
    return html`<article class="card" aria-label=${title}>
      <header class="row">
        <span class="codicon codicon-${interrupted ? "debug-disconnect" : "warning"} attention-icon" aria-hidden="true"></span>
        ${this.session ? sessionLink(this.session) : nothing}
        <span class="grow ellipsis ${this.session ? "muted" : ""}">${title}</span>
      </header>
      <div class="box message-text" tabindex="0" role="region" aria-label="Message">${plainText(message.text)}</div>
      ${message.error ? html`<p class="reason">${plainText(message.error)}</p>` : nothing}
      <div class="row wrap" role="group" aria-label="Decide">
        ${choices.map((choice, index) =>
          button(
            CHOICES[choice].label,
            () => void this.pending.run(choice, { kind: "recover", messageId: message.id, choice }),
            {
              secondary: index > 0,
              disabled: !this.connected || this.pending.running !== null || !this.settled.yes,
              running: this.pending.running === choice,
              title: this.connected ? CHOICES[choice].title : OFFLINE,
            },
          ),
        )}
      </div>
      ${problemBox(this.pending.problem, () => this.pending.dismiss())}
    </article>`;
  }
}

adopt(css`
  areyouj-decision {
    display: block;
    min-width: 0;
  }
  .message-text {
    max-height: 120px;
    font-family: inherit;
    font-size: inherit;
  }
  .reason {
    overflow-wrap: anywhere;
  }
`);
