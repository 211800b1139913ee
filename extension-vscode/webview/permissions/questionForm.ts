/** Claude's questions with their choices, and a field for the person's own words. */
import { type TemplateResult, css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { DisplaySection } from "../../src/protocol.gen";
import { PageElement, adopt } from "../ui/element";
import { exactView, sectionView } from "./displayView";
import { type Choice, type Part, type Question, choicesOf } from "./questions";

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
    return html`<fieldset ?disabled=${this.disabled} aria-label=${question.words || `Question ${index + 1}`}>
      ${question.parts.map((part) => (part.kind === "section" ? sectionView(part.section) : this.option(part, question, index)))}
      <input
        class="field own-words"
        type="text"
        placeholder="Something else"
        aria-label="Something else, in your own words: ${question.words}"
        .value=${choice.own}
        @input=${(event: Event) => this.change(index, { ...choice, own: (event.target as HTMLInputElement).value })}
      />
    </fieldset>`;
  }

  private option(part: Part & { kind: "choice" }, question: Question, index: number): TemplateResult {
    const choice = this.choice(index);
    return html`<div class="option-group">
      <label class="option">
        <input
          type=${question.multiSelect ? "checkbox" : "radio"}
          name="${this.name}-${index}"
          .checked=${choice.labels.includes(part.label) && (question.multiSelect || choice.own === "")}
          @change=${(event: Event) => this.choose(index, question, part.label, (event.target as HTMLInputElement).checked)}
        />
        ${exactView(part.section)}
      </label>
      ${part.details.map((section) => html`<div class="option-details">${optionDetail(section)}</div>`)}
    </div>`;
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

/** A description is displayed without its label, as everywhere in the editor; anything else with it. */
function optionDetail(section: DisplaySection): TemplateResult {
  const isDescription = section.pointer?.endsWith("/description") === true && section.style === "text";
  return isDescription ? html`<div class="muted">${exactView(section)}</div>` : sectionView(section);
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
  .option-details {
    padding: 0 6px 3px 28px;
  }
  areyouj-questions .exact.mono {
    font: inherit;
  }
  .own-words {
    margin: 2px 6px 0;
  }
`);
