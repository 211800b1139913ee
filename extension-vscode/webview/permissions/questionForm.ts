/** Claude's questions with their choices, and a field for the person's own words. */
import { type TemplateResult, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { PageElement, adopt } from "../ui/element";
import { type Choice, type Question, choicesOf } from "./questions";
import { exactText } from "../../src/shared/text";

/** The form. Fires `choices` with the answer: a list for each question, or null while a question has no answer. */
@customElement("areyouj-questions")
export class QuestionForm extends PageElement {
  @property({ attribute: false }) questions: Question[] = [];
  @property({ attribute: false }) name = "";
  @property({ attribute: false }) disabled = false;
  @state() private choices: Choice[] = [];

  protected override render(): TemplateResult[] {
    return this.questions.map((question, index) => this.question(question, index));
  }

  private question(question: Question, index: number): TemplateResult {
    const choice = this.choice(index);
    return html`<fieldset ?disabled=${this.disabled}>
      <legend>
        ${question.header ? html`<span class="question-header">${exactText(question.header)}</span>` : nothing}
        <span class="isolate question-words">${exactText(question.question)}</span>
        ${question.multiSelect ? html`<span class="muted">Select any number.</span>` : nothing}
      </legend>
      ${question.options.map(
        (option) =>
          html`<label class="option">
            <input
              type=${question.multiSelect ? "checkbox" : "radio"}
              name="${this.name}-${index}"
              .checked=${choice.labels.includes(option.label) && (question.multiSelect || choice.own === "")}
              @change=${(event: Event) => this.choose(index, question, option.label, (event.target as HTMLInputElement).checked)}
            />
            <span class="isolate"
              >${exactText(option.label)}${option.description ? html`<span class="muted option-description">${exactText(option.description)}</span>` : nothing}</span
            >
          </label>`,
      )}
      <input
        class="field own-words"
        type="text"
        placeholder="Something else"
        aria-label="Something else, in your own words: ${exactText(question.question)}"
        .value=${choice.own}
        @input=${(event: Event) => this.change(index, { ...choice, own: (event.target as HTMLInputElement).value })}
      />
    </fieldset>`;
  }

  private choice(index: number): Choice {
    return this.choices[index] ?? { labels: [], own: "" };
  }

  private choose(index: number, question: Question, label: string, checked: boolean): void {
    const { labels, own } = this.choice(index);
    if (!question.multiSelect) this.change(index, { labels: [label], own: "" });
    else this.change(index, { labels: checked ? [...labels, label] : labels.filter((other) => other !== label), own });
  }

  private change(index: number, choice: Choice): void {
    const choices = this.questions.map((_, other) => (other === index ? choice : this.choice(other)));
    this.choices = choices;
    this.dispatchEvent(new CustomEvent<string[][] | null>("choices", { detail: choicesOf(this.questions, choices) }));
  }
}

adopt(css`
  areyouj-questions {
    display: flex;
    flex-direction: column;
    gap: 10px;
  }
  areyouj-questions fieldset {
    display: flex;
    flex-direction: column;
    gap: 4px;
    min-width: 0;
    margin: 0;
    padding: 0;
    border: 0;
  }
  areyouj-questions legend {
    padding: 0 0 6px;
    overflow-wrap: anywhere;
  }
  .question-words {
    white-space: pre-wrap;
  }
  .question-header {
    margin-right: 6px;
    padding: 1px 5px;
    border: 1px solid var(--vscode-contrastBorder, transparent);
    border-radius: 3px;
    font-size: 11px;
    color: var(--vscode-badge-foreground);
    background: var(--vscode-badge-background);
  }
  .option {
    display: flex;
    align-items: flex-start;
    gap: 8px;
    padding: 3px 6px;
    border-radius: 4px;
    overflow-wrap: anywhere;
  }
  .option:hover {
    background: var(--vscode-list-hoverBackground);
  }
  .option input {
    margin-top: 2px;
  }
  .option-description {
    display: block;
  }
  .own-words {
    margin: 2px 6px 0;
  }
`);
