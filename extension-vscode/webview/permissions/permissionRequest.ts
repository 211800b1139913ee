/** The card of an open permission request: its whole content, and the answers. Inbox and transcript share it. */
import { type TemplateResult, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Answer, Permission, Session } from "../../src/protocol.gen";
import { button, iconButton } from "../ui/buttons";
import { diffView } from "../ui/diffView";
import { PendingAction, OFFLINE } from "../ui/pendingAction";
import { Clock, PageElement, adopt } from "../ui/element";
import { ago, moment, relativePath } from "../../src/shared/format";
import { textOf } from "../ui/json";
import { markdownView } from "../ui/markdown";
import { problemBox } from "../ui/problem";
import "./questionForm";
import { type Question, questionsOf } from "./questions";
import { sessionLink } from "../sessions/sessionLink";
import { Settled } from "../ui/settled";
import { describeSuggestion, sensibleSuggestions } from "./suggestions";
import { exactLine, exactText, plainLine } from "../../src/shared/text";
import { fileChange, members, otherMembers } from "../ui/toolInput";

const ICONS = { tool: "shield", question: "question", plan: "checklist" };

@customElement("areyouj-permission-request")
export class PermissionRequest extends PageElement {
  @property({ attribute: false }) permission!: Permission;
  /** The session to name and open; null on the session's own page. */
  @property({ attribute: false }) session: Session | null = null;
  /** The directory that paths are relative to; null where the session is named. */
  @property({ attribute: false }) directory: string | null = null;
  @property({ attribute: false }) connected = true;
  @state() private open: "always" | "message" | null = null;
  @state() private chosen: number[] | null = null;
  @state() private choices: string[][] | null = null;
  @state() private message = "";
  private readonly pending = new PendingAction(this);
  private readonly settled = new Settled(this);
  private questions: Question[] = [];

  constructor() {
    super();
    new Clock(this);
  }

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (!changed.has("permission")) return;
    this.questions = questionsOf(this.permission.input);
    const before = changed.get("permission") as Permission | undefined;
    if (before !== undefined && before.id !== this.permission.id) this.settled.moved();
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
      ${this.asked()} ${this.open === "always" ? this.alwaysForm() : nothing}
      ${this.open === "message" ? this.messageForm() : this.answers()} ${problemBox(this.pending.problem, () => this.pending.dismiss())}
    </article>`;
  }

  private asked(): TemplateResult {
    const { kind, tool, input, sessionId, title } = this.permission;
    if (kind === "question" && this.questions.length > 0) {
      return html`<areyouj-questions
        .questions=${this.questions}
        .name=${this.permission.id}
        .disabled=${this.pending.running !== null}
        @choices=${(event: CustomEvent<string[][] | null>) => (this.choices = event.detail)}
      ></areyouj-questions>`;
    }
    const plan = kind === "plan" ? textOf(input, "plan") : undefined;
    if (plan !== undefined) {
      const others = members(input).filter(([name]) => name !== "plan");
      return html`<div class="plan" tabindex="0" role="region" aria-label="Plan">${markdownView(plan)}</div>
        ${fields(others)}`;
    }
    const change = fileChange(tool, input);
    if (change !== null) {
      const directory = this.directory ?? this.session?.directory;
      const path = directory === undefined ? change.path : relativePath(change.path, directory);
      return html`${diffView(change, sessionId, plainLine(title), path)} ${fields(otherMembers(tool, input))}`;
    }
    const command = textOf(input, "command");
    return html`<div class="muted mono">${exactLine(tool)}</div>
      ${command === undefined ? nothing : whole(command, "Command")} ${fields(members(input).filter(([name]) => name !== "command" || command === undefined))}`;
  }

  private answers(): TemplateResult {
    const { kind, suggestions } = this.permission;
    const busy = this.pending.running !== null || !this.settled.yes;
    const off = { disabled: !this.connected || busy, ...(this.connected ? {} : { title: OFFLINE }) };
    const asksQuestions = kind === "question";
    return html`<div class="row wrap" role="group" aria-label="Answer">
      ${
        asksQuestions
          ? button("Answer", () => this.choices && this.answer({ decision: "choose", choices: this.choices }), {
              ...off,
              disabled: off.disabled || this.choices === null,
              running: this.pending.running === "choose",
            })
          : button(kind === "plan" ? "Approve plan" : "Allow", () => this.answer({ decision: "allow" }), {
              ...off,
              running: this.pending.running === "allow",
            })
      }
      ${
        !asksQuestions && suggestions.length > 0
          ? button("Always…", () => (this.open = this.open === "always" ? null : "always"), {
              ...off,
              secondary: true,
              expanded: this.open === "always",
            })
          : nothing
      }
      ${button(
        kind === "plan" ? "Keep planning" : asksQuestions ? "Don't answer" : "Deny",
        () => this.answer({ decision: "deny" }),
        {
          ...off,
          secondary: true,
          running: this.pending.running === "deny",
        },
      )}
      ${iconButton(
        "comment",
        kind === "plan" ? "Keep planning and say what to change" : "Deny and say what to do instead",
        () => this.say(),
        {
          disabled: off.disabled,
          reason: off.title,
        },
      )}
    </div>`;
  }

  private alwaysForm(): TemplateResult {
    const { suggestions } = this.permission;
    const chosen = this.chosen ?? sensibleSuggestions(suggestions);
    const toggle = (index: number, on: boolean): void => {
      this.chosen = suggestions
        .map((_, other) => other)
        .filter((other) => (other === index ? on : chosen.includes(other)));
    };
    const disabled = !this.connected || this.pending.running !== null || !this.settled.yes || chosen.length === 0;
    return html`<fieldset class="always">
      <legend>Allow now, and in the future</legend>
      ${suggestions.map(
        (suggestion, index) =>
          html`<label class="option"
            ><input
              type="checkbox"
              .checked=${chosen.includes(index)}
              @change=${(event: Event) => toggle(index, (event.target as HTMLInputElement).checked)}
            /><span class="isolate">${describeSuggestion(suggestion)}</span></label
          >`,
      )}
      ${button("Always allow", () => this.answer({ decision: "allowAlways", suggestions: chosen }), { disabled, running: this.pending.running === "allowAlways" })}
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

  private answer(answer: Answer): void {
    const { id: permissionId, digest } = this.permission;
    void this.pending.run(answer.decision, { kind: "answer", permissionId, digest, answer });
  }
}

/** The whole text in a box that scrolls, with hidden characters made visible. */
function whole(text: string, label: string): TemplateResult {
  return html`<pre class="box" tabindex="0" role="region" aria-label=${label}>${exactText(text)}</pre>`;
}

function fields(entries: [string, string][]): TemplateResult | typeof nothing {
  if (entries.length === 0) return nothing;
  return html`<dl class="fields">
    ${entries.map(
      ([name, value]) =>
        html`<div>
          <dt class="muted">${exactLine(name)}</dt>
          <dd>${value.includes("\n") || value.length > 200 ? whole(value, exactLine(name)) : html`<span class="mono isolate">${exactText(value)}</span>`}</dd>
        </div>`,
    )}
  </dl>`;
}

adopt(css`
  areyouj-permission-request {
    display: block;
    min-width: 0;
  }
  .attention-icon {
    color: var(--vscode-editorWarning-foreground);
  }
  .plan {
    max-height: 400px;
    overflow: auto;
    padding: 8px 10px;
    background: var(--vscode-editor-background);
    border: 1px solid var(--vscode-contrastBorder, transparent);
    border-radius: 4px;
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
  .fields {
    display: flex;
    flex-direction: column;
    gap: 2px;
  }
  .fields > div {
    display: flex;
    flex-wrap: wrap;
    gap: 0 8px;
  }
  .fields dd {
    min-width: 0;
    flex: 1 1 200px;
    overflow-wrap: anywhere;
  }
`);
