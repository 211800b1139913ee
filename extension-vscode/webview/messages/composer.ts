/** The message box: grows with its text, completes files, and keeps the text until the daemon accepts it. */
import { type TemplateResult, css, html, nothing } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { button, iconButton } from "../ui/buttons";
import { type FileMention, completed, mentionAt } from "./completion";
import { PendingAction, OFFLINE } from "../ui/pendingAction";
import { PageElement, adopt } from "../ui/element";
import { count } from "../../src/shared/format";
import { act, nextNumber, post } from "../ui/host";
import { problemBox } from "../ui/problem";
import { exactLine } from "../../src/shared/text";

/** A message that the daemon has not accepted yet. */
export interface Draft {
  text: string;
  /** The id with which this text was sent, or null. Sending the same text again reuses it, so that it runs once. */
  messageId: string | null;
}

/** The number of files in the list. */
const MAX_OFFERED = 12;

/** The composer. Fires `draft` with a changed [`Draft`]. */
@customElement("areyouj-composer")
export class Composer extends PageElement {
  @property({ attribute: false }) sessionId = "";
  @property({ attribute: false }) draft: Draft = { text: "", messageId: null };
  /** Whether a turn is running: then a new message is queued. */
  @property({ attribute: false }) busy = false;
  /** Whether a message can be sent into that turn. */
  @property({ attribute: false }) steerable = false;
  @property({ attribute: false }) connected = true;
  @state() private mention: FileMention | null = null;
  @state() private paths: string[] = [];
  @state() private chosen = 0;
  @query("textarea") private area!: HTMLTextAreaElement;
  private asked = 0;
  private readonly pending = new PendingAction(this);

  /** Shows the files that were requested. */
  files(id: number, paths: string[]): void {
    if (id !== this.asked || this.mention === null) return;
    this.paths = paths.slice(0, MAX_OFFERED);
    this.chosen = 0;
  }

  /** Inserts text at the caret. */
  insert(text: string): void {
    const { selectionStart, selectionEnd, value } = this.area;
    const before = value.slice(0, selectionStart);
    const spaced =
      before === "" || /\s$/.test(before)
        ? text
        : `${before.includes("\n") || text.includes("\n") ? "\n" : " "}${text}`;
    this.write(before + spaced + value.slice(selectionEnd), selectionStart + spaced.length);
    this.area.focus();
  }

  override focus(): void {
    this.area.focus();
  }

  protected override render(): TemplateResult {
    const sending = this.pending.running !== null;
    const empty = this.draft.text.trim() === "";
    const off = { disabled: !this.connected || empty, ...(this.connected ? {} : { title: OFFLINE }) };
    const open = this.mention !== null && this.paths.length > 0;
    return html`<div class="composer">
      ${problemBox(this.pending.problem, () => this.pending.dismiss())}
      ${open ? this.listbox() : nothing}
      <div class="composer-box">
        <textarea
          rows="2"
          aria-label="Message to Claude"
          aria-haspopup="listbox"
          aria-autocomplete="list"
          aria-controls=${open ? "files" : nothing}
          aria-activedescendant=${open ? `file-${this.chosen}` : nothing}
          placeholder=${this.busy ? "Queue a message (@ to mention a file)" : "Message Claude (@ to mention a file)"}
          .value=${this.draft.text}
          ?readonly=${sending}
          aria-busy=${sending}
          @input=${() => this.onInput()}
          @keydown=${this.onKey}
          @click=${() => this.findMention()}
          @blur=${() => (this.mention = null)}
        ></textarea>
        <span class="sr-only" role="status">${open ? count(this.paths.length, "file") : ""}</span>
        <div class="row composer-actions">
          ${iconButton("mention", "Mention file", () => this.insert("@"))}
          ${iconButton("list-selection", "Insert the editor's selection", () => act({ kind: "attachSelection", sessionId: this.sessionId }))}
          <span class="grow muted composer-hint ellipsis">${this.connected ? "" : "Not connected. Your text is kept."}</span>
          ${
            this.steerable
              ? button("Steer", () => void this.send(true), {
                  ...off,
                  secondary: true,
                  running: this.pending.running === "steer",
                  title: off.title ?? "Send into the running turn now (Ctrl+Shift+Enter)",
                })
              : nothing
          }
          ${button(this.busy ? "Queue" : "Send", () => void this.send(false), { ...off, running: this.pending.running === "send", title: off.title ?? "Ctrl+Enter" })}
        </div>
      </div>
    </div>`;
  }

  private listbox(): TemplateResult {
    return html`<ul id="files" class="bare files" role="listbox" aria-label="Files">
      ${this.paths.map(
        (path, index) =>
          html`<li
            id="file-${index}"
            role="option"
            class="mono ellipsis isolate"
            aria-selected=${index === this.chosen}
            @pointerdown=${(event: Event) => (event.preventDefault(), this.complete(path))}
          >
            ${exactLine(path)}
          </li>`,
      )}
    </ul>`;
  }

  protected override updated(): void {
    this.area.style.height = "auto";
    this.area.style.height = `${this.area.scrollHeight}px`;
  }

  private write(text: string, caret: number): void {
    this.change({ text, messageId: null });
    this.area.value = text;
    this.area.setSelectionRange(caret, caret);
    this.findMention();
  }

  private change(draft: Draft): void {
    this.draft = draft;
    this.dispatchEvent(new CustomEvent<Draft>("draft", { detail: draft }));
  }

  private onInput(): void {
    this.change({ text: this.area.value, messageId: null });
    this.findMention();
  }

  private findMention(): void {
    const mention = mentionAt(this.area.value, this.area.selectionStart);
    if (mention === null || mention.prefix !== this.mention?.prefix) this.paths = mention === null ? [] : this.paths;
    const asks =
      mention !== null &&
      (this.mention === null || this.mention.prefix !== mention.prefix || this.mention.at !== mention.at);
    this.mention = mention;
    if (!asks || mention === null || !this.connected) return;
    this.asked = nextNumber();
    post({ type: "completeFile", id: this.asked, prefix: mention.prefix });
  }

  private complete(path: string): void {
    if (this.mention === null) return;
    const { text, caret } = completed(this.area.value, this.mention, path);
    this.paths = [];
    this.mention = null;
    this.write(text, caret);
  }

  private onKey(event: KeyboardEvent): void {
    if (event.isComposing) return;
    const path = this.paths[this.chosen];
    const open = this.mention !== null && path !== undefined;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void this.send(event.shiftKey && this.steerable);
    else if (open && step !== undefined) this.chosen = (this.chosen + step + this.paths.length) % this.paths.length;
    else if (open && (event.key === "Enter" || event.key === "Tab")) this.complete(path);
    else if (open && event.key === "Escape") this.mention = null;
    else return;
    event.preventDefault();
  }

  private async send(steer: boolean): Promise<void> {
    const { text } = this.draft;
    if (!this.connected || text.trim() === "" || this.pending.running !== null) return;
    const messageId = this.draft.messageId ?? crypto.randomUUID();
    this.change({ text, messageId });
    if (
      await this.pending.run(steer ? "steer" : "send", {
        kind: "send",
        sessionId: this.sessionId,
        messageId,
        text,
        steer,
      })
    )
      this.change({ text: "", messageId: null });
  }
}

adopt(css`
  .composer {
    position: relative;
    display: flex;
    flex-direction: column;
    gap: 6px;
  }
  .composer-box {
    display: flex;
    flex-direction: column;
    background: var(--vscode-input-background);
    border: 1px solid var(--vscode-input-border, var(--vscode-contrastBorder, transparent));
    border-radius: 6px;
  }
  .composer-box:focus-within {
    border-color: var(--vscode-focusBorder);
  }
  .composer textarea {
    width: 100%;
    max-height: 40vh;
    padding: 8px 10px 4px;
    color: var(--vscode-input-foreground);
    background: none;
    border: 0;
    resize: none;
    outline: none;
  }
  .composer textarea::placeholder {
    color: var(--vscode-input-placeholderForeground);
    opacity: 1;
  }
  .composer-actions {
    padding: 2px 5px 5px;
  }
  .composer-hint {
    font-size: 12px;
  }
  .files {
    position: absolute;
    z-index: 5;
    bottom: calc(100% + 4px);
    inset-inline: 0;
    max-height: 240px;
    overflow: auto;
    padding: 4px;
    color: var(--vscode-editorSuggestWidget-foreground);
    background: var(--vscode-editorSuggestWidget-background);
    border: 1px solid var(--vscode-editorSuggestWidget-border, var(--vscode-contrastBorder));
    border-radius: 4px;
  }
  .files li {
    padding: 2px 8px;
    border-radius: 3px;
    cursor: pointer;
  }
  .files li[aria-selected="true"] {
    color: var(--vscode-editorSuggestWidget-selectedForeground, inherit);
    background: var(--vscode-editorSuggestWidget-selectedBackground);
    outline: 1px solid var(--vscode-contrastActiveBorder, transparent);
    outline-offset: -1px;
  }
`);
