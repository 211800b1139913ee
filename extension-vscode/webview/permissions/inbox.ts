/** Everything that needs a person: permission requests, questions in terminals, decisions, sessions in `error`. */
import { type TemplateResult, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { Message, Permission, Session } from "../../src/protocol.gen";
import { button } from "../ui/buttons";
import { PageElement, adopt } from "../ui/element";
import "./permissionRequest";
import "../messages/decision";
import "../sessions/sessionError";
import { asksInTerminal } from "../sessions/screen";

/** The number of cards at first; more would hide the table and slow down the page. */
const SHOWN_AT_FIRST = 12;

/** The inbox. It renders nothing while nothing needs a person. */
@customElement("areyouj-inbox")
export class Inbox extends PageElement {
  @property({ attribute: false }) sessions: ReadonlyMap<string, Session> = new Map();
  @property({ attribute: false }) permissions: Permission[] = [];
  @property({ attribute: false }) decisions: Message[] = [];
  @property({ attribute: false }) connected = true;
  @state() private shown = SHOWN_AT_FIRST;
  private hadFocus = false;

  protected override willUpdate(): void {
    this.hadFocus = this.contains(document.activeElement);
  }

  /** Moves the focus to the title when the focused card was answered and is removed. */
  protected override updated(): void {
    if (this.hadFocus && document.activeElement === document.body) this.querySelector<HTMLElement>("h2")?.focus();
  }

  protected override render(): TemplateResult | typeof nothing {
    const cards = this.cards();
    if (cards.length === 0) return nothing;
    return html`<section class="inbox" aria-labelledby="inbox-title">
      <h2 id="inbox-title" tabindex="-1">Needs you <vscode-badge variant="counter">${cards.length}</vscode-badge></h2>
      <div class="inbox-cards">
        ${repeat(
          cards.slice(0, this.shown),
          ({ key }) => key,
          ({ card }) => card,
        )}
      </div>
      ${
        cards.length > this.shown
          ? html`<div>${button(`Show ${Math.min(SHOWN_AT_FIRST, cards.length - this.shown)} more`, () => (this.shown += SHOWN_AT_FIRST), { secondary: true })}</div>`
          : nothing
      }
    </section>`;
  }

  private cards(): { key: string; card: TemplateResult }[] {
    const { connected } = this;
    const named = (sessionId: string): Session | null => this.sessions.get(sessionId) ?? null;
    return [
      ...this.permissions.map((permission) => ({
        key: permission.id,
        card: html`<areyouj-permission-request .permission=${permission} .session=${named(permission.sessionId)} .connected=${connected}></areyouj-permission-request>`,
      })),
      ...[...this.sessions.values()].filter(asksInTerminal).map((session) => ({
        key: `${session.id} screen`,
        card: html`<areyouj-screen-card .session=${session} .connected=${connected}></areyouj-screen-card>`,
      })),
      ...this.decisions.map((message) => ({
        key: message.id,
        card: html`<areyouj-decision .message=${message} .session=${named(message.sessionId)} .connected=${connected}></areyouj-decision>`,
      })),
      ...[...this.sessions.values()]
        .filter(({ status }) => status === "error")
        .map((session) => ({
          key: session.id,
          card: html`<areyouj-session-error .session=${session} .connected=${connected}></areyouj-session-error>`,
        })),
    ];
  }
}

adopt(css`
  areyouj-inbox {
    display: block;
    container: inbox / inline-size;
  }
  .inbox {
    display: flex;
    flex-direction: column;
    gap: 8px;
    padding: 4px 12px 12px;
  }
  h2 {
    display: flex;
    align-items: center;
    gap: 6px;
    font-size: 12px;
    font-weight: 600;
  }
  .inbox-cards {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 8px;
  }
  .inbox-cards .card {
    height: 100%;
  }
  @container inbox (min-width: 900px) {
    .inbox-cards {
      grid-template-columns: repeat(auto-fill, minmax(420px, 1fr));
    }
  }
`);
