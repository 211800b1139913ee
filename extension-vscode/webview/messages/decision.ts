/** Cards for what went wrong and waits for a decision: messages that were cut off or failed, sessions in `error`. */
import { type TemplateResult, css, html, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import type { Action } from "../../src/shared/bridge";
import type { Message, RecoverChoice, Session } from "../../src/protocol.gen";
import { button } from "../ui/buttons";
import { Doing, OFFLINE } from "../ui/doing";
import { PageElement, adopt } from "../ui/element";
import { logFold, problemBox } from "../ui/problem";
import { sessionLink } from "../sessions/sessionLink";
import { act } from "../ui/host";
import { Settled } from "../ui/settled";
import { plainText } from "../../src/shared/text";

const CHOICES: Record<RecoverChoice, { label: string; title: string }> = {
  continue: { label: "Continue", title: "Ask Claude to go on where it was cut off" },
  again: { label: "Send again", title: "Run the same message once more" },
  skip: { label: "Skip", title: "Leave it and go on with the queue" },
};

/** A message that was cut off or failed. */
@customElement("areyouj-decision")
export class Decision extends PageElement {
  @property({ attribute: false }) message!: Message;
  @property({ attribute: false }) session: Session | null = null;
  @property({ attribute: false }) live = true;
  private readonly doing = new Doing(this);
  private readonly settled = new Settled(this);

  protected override render(): TemplateResult {
    const { message } = this;
    const cutOff = message.state === "interrupted";
    const choices: RecoverChoice[] = cutOff ? ["continue", "again", "skip"] : ["again", "skip"];
    const title = cutOff ? "A message was cut off" : "A message failed";
    return html`<article class="card" aria-label=${title}>
      <header class="row">
        <span class="codicon codicon-${cutOff ? "debug-disconnect" : "warning"} attention-icon" aria-hidden="true"></span>
        ${this.session ? sessionLink(this.session) : nothing}
        <span class="grow ellipsis ${this.session ? "muted" : ""}">${title}</span>
      </header>
      <div class="box message-text" tabindex="0" role="region" aria-label="Message">${plainText(message.text)}</div>
      ${message.error ? html`<p class="reason">${plainText(message.error)}</p>` : nothing}
      <div class="row wrap" role="group" aria-label="Decide">
        ${choices.map((choice, index) =>
          button(
            CHOICES[choice].label,
            () => void this.doing.run(choice, { kind: "recover", messageId: message.id, choice }),
            {
              secondary: index > 0,
              disabled: !this.live || this.doing.running !== null || !this.settled.yes,
              running: this.doing.running === choice,
              title: this.live ? CHOICES[choice].title : OFFLINE,
            },
          ),
        )}
      </div>
      ${problemBox(this.doing.problem, () => this.doing.dismiss())}
    </article>`;
  }
}

/** A session in `error`. */
@customElement("areyouj-session-error")
export class SessionErrorCard extends PageElement {
  @property({ attribute: false }) session!: Session;
  /** Whether to name the session. */
  @property({ attribute: false }) named = true;
  @property({ attribute: false }) live = true;
  private readonly doing = new Doing(this);
  private readonly settled = new Settled(this);

  protected override render(): TemplateResult {
    const { error, id } = this.session;
    const fix = FIXES[error?.code ?? ""];
    return html`<article class="card" aria-label="Session in error">
      <header class="row">
        <span class="codicon codicon-error status-icon status-error" aria-hidden="true"></span>
        ${this.named ? sessionLink(this.session) : nothing}
        <span class="grow ellipsis ${this.named ? "muted" : ""}">Stopped by an error</span>
      </header>
      <div class="error-words">
        <p>${plainText(error?.message ?? "The session needs you.")}</p>
        ${error?.hint ? html`<p class="muted">${plainText(error.hint)}</p>` : nothing}
      </div>
      ${logFold(error?.log ?? null)}
      <div class="row wrap">
        ${fix ? button(fix.label, () => act(fix.action)) : nothing}
        ${button("Restart", () => void this.doing.run("restart", { kind: "restart", sessionId: id }), {
          secondary: fix !== undefined,
          disabled: !this.live || !this.settled.yes,
          running: this.doing.running !== null,
          ...(this.live ? {} : { title: OFFLINE }),
        })}
      </div>
      ${problemBox(this.doing.problem, () => this.doing.dismiss())}
    </article>`;
  }
}

/** What mends an error before a restart does. */
const FIXES: Record<string, { label: string; action: Action }> = {
  login_needed: { label: "Log in", action: { kind: "command", command: "areyouj.logIn" } },
  claude_not_found: { label: "Run doctor", action: { kind: "command", command: "areyouj.doctor" } },
  claude_not_executable: { label: "Run doctor", action: { kind: "command", command: "areyouj.doctor" } },
};

adopt(css`
  areyouj-decision,
  areyouj-session-error {
    display: block;
    min-width: 0;
  }
  .message-text {
    max-height: 120px;
    font-family: inherit;
    font-size: inherit;
  }
  .reason,
  .error-words {
    overflow-wrap: anywhere;
  }
`);
