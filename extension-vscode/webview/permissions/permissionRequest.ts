/** The card of an open permission request: its whole content, and the answers. Inbox and transcript share it. */
import { type TemplateResult, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { guard } from "lit/directives/guard.js";
import { keyed } from "lit/directives/keyed.js";
import { type Answer, type DisplaySection, ErrorCode, type Permission, type Session } from "../../src/protocol.gen";
import { button, iconButton } from "../ui/buttons";
import { diffLinks } from "../ui/diffView";
import { PendingAction, OFFLINE } from "../ui/pendingAction";
import { Clock, PageElement, adopt } from "../ui/element";
import { ago, moment } from "../../src/shared/format";
import { DENY } from "../../src/shared/permission";
import { act } from "../ui/host";
import { problemBox } from "../ui/problem";
import { sectionView } from "./displayView";
import { EndSeen } from "./endSeen";
import "./questionForm";
import { questionsOf } from "./questions";
import { sessionLink } from "../sessions/sessionLink";
import { Settled } from "../ui/settled";
import { plainLine } from "../../src/shared/text";
import { fileChange, filePath } from "../ui/toolInput";

const ICONS = { tool: "shield", question: "question", plan: "checklist", trust: "workspace-untrusted" };
const ALLOW = { tool: "Allow", question: "Answer", plan: "Approve plan", trust: "Trust directory" };
/** The label of the buttons that allow something, before the end of the request was in view. */
const SHOW_REST = "Show the rest";

@customElement("areyouj-permission-request")
export class PermissionRequest extends PageElement {
  @property({ attribute: false }) permission!: Permission;
  /** The session to name and open; null on the session's own page. */
  @property({ attribute: false }) session: Session | null = null;
  @property({ attribute: false }) connected = true;
  @state() private open: "always" | "message" | null = null;
  @state() private chosen: number[] | null = null;
  @state() private choices: string[][] | null = null;
  @state() private message = "";
  private readonly pending = new PendingAction(this);
  private readonly settled = new Settled(this);
  private readonly end = new EndSeen(this, ".request", ".request-end");

  constructor() {
    super();
    new Clock(this);
  }

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    const before = changed.get("permission") as Permission | undefined;
    if (before === undefined) return;
    if (before.id === this.permission.id && before.digest === this.permission.digest) return;
    this.settled.moved();
    this.end.reset();
    this.chosen = null;
    this.choices = null;
    if (this.open === "always") this.open = null;
  }

  protected override render(): TemplateResult {
    const { permission } = this;
    return html`<article class="card" aria-label=${plainLine(permission.title)}>
      <header class="row">
        <span class="codicon codicon-${ICONS[permission.kind] ?? "shield"} attention-icon" aria-hidden="true"></span>
        ${this.session ? sessionLink(this.session) : nothing}
        <span class="grow ellipsis ${this.session ? "muted" : ""}" title=${plainLine(permission.title)}>${plainLine(permission.title)}</span>
        <time class="muted" title=${moment(permission.createdAt)}>${ago(Date.now(), permission.createdAt)}</time>
      </header>
      ${permission.controlsAreyouj ? controls() : nothing}
      <div class="request" tabindex="0" role="region" aria-label="Request">
        ${guard([permission.id, permission.digest, this.pending.running !== null], () => keyed(permission.digest, this.asked()))}
        <div class="request-end" aria-hidden="true"></div>
      </div>
      ${this.open === "always" ? this.alwaysForm() : nothing}
      ${this.open === "message" ? this.messageForm() : this.answers()} ${problemBox(this.pending.problem, () => this.pending.dismiss())}
    </article>`;
  }

  /** Everything that the request displays. */
  private asked(): TemplateResult {
    const { kind, input, display } = this.permission;
    const view = (section: DisplaySection): TemplateResult => sectionView(section, this.links(section));
    if (kind !== "question") return html`${display.map(view)}`;
    const { questions, before, after } = questionsOf(display, input);
    return html`${before.map(view)}
      <areyouj-questions
        .questions=${questions}
        .name=${this.permission.id}
        .disabled=${this.pending.running !== null}
        @choices=${(event: CustomEvent<string[][] | null>) => (this.choices = event.detail)}
      ></areyouj-questions>
      ${after.map(view)}`;
  }

  /** Links beside the path of a file: the file, and its change as a diff of the editor. */
  private links({ style, pointer }: DisplaySection): TemplateResult | typeof nothing {
    const { tool, input, sessionId, title } = this.permission;
    const path = filePath(input);
    if (style !== "path" || path === undefined || (pointer !== "/file_path" && pointer !== "/notebook_path"))
      return nothing;
    const change = fileChange(tool, input);
    return html`<span class="row wrap links"
      ><button type="button" class="link" @click=${() => act({ kind: "openFile", sessionId, path })}>Open file</button>${
        change === null ? nothing : diffLinks(change, sessionId, plainLine(title))
      }</span
    >`;
  }

  /** Buttons cannot be used while the card waits, or has just moved. */
  private get off(): { disabled: boolean; title?: string } {
    const busy = this.pending.running !== null || !this.settled.yes;
    return { disabled: !this.connected || busy, ...(this.connected ? {} : { title: OFFLINE }) };
  }

  /** A button that allows something. Before the end of the request was in view, it scrolls. */
  private allowButton(label: string, answer: Answer | null): TemplateResult {
    const { off } = this;
    // The same button, so that it keeps the focus: the key that scrolls is the one that allows in the end.
    const shows = !this.end.seen;
    const title = shows ? "The request can be allowed after its end was in view" : undefined;
    return button(
      shows ? SHOW_REST : label,
      () => {
        if (!this.end.seen) this.end.scroll();
        else if (answer !== null && this.end.settled) this.answer(answer);
      },
      {
        ...(title === undefined ? {} : { title }),
        ...off,
        disabled: off.disabled || (!shows && answer === null),
        waiting: !shows && !this.end.settled,
        running: answer !== null && this.pending.running === answer.decision,
      },
    );
  }

  private answers(): TemplateResult {
    const { kind, controlsAreyouj, always } = this.permission;
    const { off } = this;
    const offersAlways = kind === "tool" && !controlsAreyouj && always.some(({ byDefault }) => byDefault);
    const allow: Answer | null =
      kind !== "question" ? { decision: "allow" } : this.choices && { decision: "choose", choices: this.choices };
    // A key that is held down scrolls to the end; it must be pressed again to allow.
    const stopRepeated = {
      capture: true,
      handleEvent: (event: KeyboardEvent) => {
        if (event.repeat && this.end.seen) event.stopPropagation();
      },
    };
    return html`<div class="row wrap" role="group" aria-label="Answer" @keydown=${stopRepeated}>
      ${this.allowButton(ALLOW[kind] ?? "Allow", allow)}
      ${
        offersAlways
          ? button("Always…", () => (this.open = this.open === "always" ? null : "always"), {
              ...off,
              secondary: true,
              expanded: this.open === "always",
            })
          : nothing
      }
      ${button(DENY[kind] ?? "Deny", () => this.answer({ decision: "deny" }), {
        ...off,
        secondary: true,
        running: this.pending.running === "deny",
      })}
      ${
        kind === "trust"
          ? nothing
          : iconButton(
              "comment",
              kind === "plan" ? "Keep planning and say what to change" : "Deny and say what to do instead",
              () => this.say(),
              { disabled: off.disabled, reason: off.title },
            )
      }
    </div>`;
  }

  private alwaysForm(): TemplateResult {
    const { always } = this.permission;
    const all = always.map((_, index) => index);
    const chosen = this.chosen ?? all.filter((index) => always[index]?.byDefault === true);
    const toggle = (index: number, on: boolean): void => {
      this.chosen = all.filter((other) => (other === index ? on : chosen.includes(other)));
    };
    return html`<fieldset class="always">
      <legend>Allow now, and always:</legend>
      ${always.map(
        ({ text, stored }, index) =>
          html`<label class="option"
            ><input
              type="checkbox"
              .checked=${chosen.includes(index)}
              @change=${(event: Event) => toggle(index, (event.target as HTMLInputElement).checked)}
            /><span class="offer"><span class="mono exact">${text}</span>, <span class="muted">${stored}</span></span></label
          >`,
      )}
      ${this.allowButton("Always allow", chosen.length === 0 ? null : { decision: "allowAlways", suggestions: chosen })}
    </fieldset>`;
  }

  private messageForm(): TemplateResult {
    const deny = (): void =>
      this.answer(this.message.trim() ? { decision: "deny", message: this.message.trim() } : { decision: "deny" });
    return html`<div class="row wrap">
      <input
        class="field grow deny-message"
        type="text"
        placeholder="What should Claude do instead?"
        aria-label="What should Claude do instead?"
        .value=${this.message}
        ?disabled=${this.pending.running !== null}
        @input=${(event: Event) => (this.message = (event.target as HTMLInputElement).value)}
        @keydown=${(event: KeyboardEvent) => {
          if (event.key === "Enter" && !event.isComposing && this.connected) deny();
          if (event.key === "Escape") this.open = null;
        }}
      />
      ${button(this.permission.kind === "plan" ? "Keep planning" : "Deny", deny, {
        disabled: !this.connected,
        running: this.pending.running === "deny",
        ...(this.connected ? {} : { title: OFFLINE }),
      })}
      ${button("Cancel", () => (this.open = null), { secondary: true })}
    </div>`;
  }

  private say(): void {
    this.open = "message";
    void this.updateComplete.then(() => this.querySelector<HTMLInputElement>(".deny-message")?.focus());
  }

  private async send(answer: Answer): Promise<void> {
    const { id: permissionId, digest } = this.permission;
    await this.pending.run(answer.decision, { kind: "answer", permissionId, digest, answer });
    if (this.pending.problem?.code !== ErrorCode.DigestMismatch) return;
    // The host has fetched the request again.
    this.end.reset();
    this.pending.fail("The request has changed, so it was not answered.", "Read it again, then answer.");
    this.requestUpdate();
  }

  private answer(answer: Answer): void {
    void this.send(answer);
  }
}

function controls(): TemplateResult {
  return html`<p class="warning controls">
    <span class="codicon codicon-warning" aria-hidden="true"></span>
    <span
      ><strong>Would control AreYouJ.</strong> It could start, answer or terminate sessions. It cannot be allowed
      always.</span
    >
  </p>`;
}

adopt(css`
  areyouj-permission-request {
    display: block;
    min-width: 0;
  }
  .attention-icon {
    color: var(--vscode-editorWarning-foreground);
  }
  .request {
    display: flex;
    flex-direction: column;
    gap: 6px;
    min-width: 0;
    max-height: min(440px, 50vh);
    overflow: hidden auto;
  }
  /* It covers the last line: when it is in view, that line is. */
  .request-end {
    flex: none;
    height: 14px;
    margin-top: -20px;
    pointer-events: none;
  }
  .links {
    gap: 0 10px;
  }
  .warning {
    display: flex;
    gap: 6px;
    padding: 6px 8px;
    overflow-wrap: anywhere;
    color: var(--vscode-inputValidation-warningForeground, var(--vscode-foreground));
    background: var(--vscode-inputValidation-warningBackground);
    border: 1px solid var(--vscode-inputValidation-warningBorder);
    border-radius: 4px;
  }
  .warning > .codicon {
    margin-top: 1px;
  }
  .offer {
    min-width: 0;
    overflow-wrap: anywhere;
  }
  .offer > .exact {
    display: inline;
  }
  .always {
    margin: 0;
    padding: 6px 8px 8px;
    border: 1px solid var(--vscode-widget-border, var(--vscode-contrastBorder));
    border-radius: 4px;
  }
  .always vscode-button {
    margin-top: 6px;
  }
  .deny-message {
    flex-basis: 160px;
  }
`);
