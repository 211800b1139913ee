/** The queue of a session: the running message, and the queued ones in their order. */
import { type TemplateResult, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import type { Action } from "../../src/shared/bridge";
import type { Message, Queue } from "../../src/protocol.gen";
import { button, iconButton } from "../ui/buttons";
import { PendingAction, OFFLINE } from "../ui/pendingAction";
import { PageElement, adopt } from "../ui/element";
import { problemBox } from "../ui/problem";
import { plainLine, plainText } from "../../src/shared/text";

/** The part of a message on one line, in characters; its editor has all of it. */
const MAX_LINE = 400;

@customElement("areyouj-queue")
export class QueueEditor extends PageElement {
  @property({ attribute: false }) queue: Queue | null = null;
  /** Whether a message can be sent into the running turn. */
  @property({ attribute: false }) busy = false;
  @property({ attribute: false }) connected = true;
  @state() private editing: { id: string; text: string } | null = null;
  @state() private dragged: string | null = null;
  @state() private over: number | null = null;
  @state() private announced = "";
  private readonly pending = new PendingAction(this);

  /** A message that starts while a person edits it runs unchanged; the new text moves to the composer. */
  protected override willUpdate(): void {
    const { editing } = this;
    const message = this.queue?.messages.find(({ id }) => id === editing?.id);
    if (editing === null || message?.state === "queued") return;
    this.editing = null;
    if (message === undefined || editing.text === message.text) return;
    this.dispatchEvent(new CustomEvent("late", { detail: editing.text }));
    this.pending.fail("The message started before your change was saved.", "Your text is in the message box below.");
  }

  protected override render(): TemplateResult | typeof nothing {
    const { queue } = this;
    const running = queue?.messages.filter(({ state }) => state === "running") ?? [];
    const waiting = queue?.messages.filter(({ state }) => state === "queued") ?? [];
    if (queue === null || (running.length + waiting.length === 0 && queue.paused === null)) return nothing;
    return html`<section class="queue" aria-label="Queue">
      <div class="row queue-head">
        <strong>Queue</strong>
        <span class="muted">${waiting.length} waiting</span>
        ${queue.paused === null ? nothing : html`<span class="paused ellipsis isolate" title=${plainLine(queue.paused)}>Paused: ${plainLine(queue.paused)}</span>`}
        <span class="grow"></span>
        ${
          queue.paused === null
            ? this.act("debug-pause", "Pause queue after the running message", {
                kind: "queuePause",
                sessionId: queue.sessionId,
              })
            : this.act("play", "Resume queue", { kind: "queueResume", sessionId: queue.sessionId })
        }
        ${waiting.length > 0 ? this.act("clear-all", "Clear queue", { kind: "queueClear", sessionId: queue.sessionId }) : nothing}
      </div>
      <ul class="bare queue-list" aria-label="Messages">
        ${running.map((message) => html`<li class="queue-item">${runningIcon()} <span class="grow ellipsis isolate" title=${plainText(message.text.slice(0, MAX_LINE))}>${line(message)}</span></li>`)}
        ${repeat(
          waiting,
          ({ id }) => id,
          (message, index) => this.waiting(message, index, waiting.length),
        )}
      </ul>
      ${problemBox(this.pending.problem, () => this.pending.dismiss())}
      <span class="sr-only" role="status">${this.announced}</span>
    </section>`;
  }

  private waiting(message: Message, index: number, total: number): TemplateResult {
    if (this.editing?.id === message.id) return html`<li>${this.editor(message)}</li>`;
    const { sessionId, id: messageId } = message;
    return html`<li
      class="queue-item ${this.over === index ? "drop-here" : ""} ${this.dragged === messageId ? "dragged" : ""}"
      tabindex="0"
      data-message=${messageId}
      draggable=${this.connected ? "true" : "false"}
      title="${plainText(message.text.slice(0, MAX_LINE))}"
      aria-label="Message ${index + 1} of ${total}: ${line(message)}. Press Alt+Up or Alt+Down to move it."
      @keydown=${(event: KeyboardEvent) => this.onKey(event, message, index, total)}
      @dblclick=${() => this.edit(message)}
      @dragstart=${(event: DragEvent) => this.drag(event, messageId)}
      @dragover=${(event: DragEvent) => this.dragOver(event, index)}
      @dragend=${() => this.endDrag()}
      @drop=${(event: DragEvent) => this.drop(event, index)}
    >
      <span class="codicon codicon-gripper muted" aria-hidden="true"></span>
      <span class="grow ellipsis isolate">${line(message)}</span>
      ${this.busy ? this.act("send", "Send now into the running turn", { kind: "queueSteer", sessionId, messageId }) : nothing}
      ${iconButton("edit", "Edit", () => this.edit(message), { disabled: !this.connected, reason: OFFLINE })} ${this.act("trash", "Remove", { kind: "queueRemove", messageId })}
    </li>`;
  }

  private editor(message: Message): TemplateResult {
    const save = (): void => {
      const text = this.editing?.text ?? "";
      if (text.trim() === "" || !this.connected) return;
      void this.saveEdit(message.id, text);
    };
    return html`<div class="queue-editor">
      <textarea
        class="field"
        rows="4"
        aria-label="Edit message"
        .value=${this.editing?.text ?? ""}
        @input=${(event: Event) => (this.editing = { id: message.id, text: (event.target as HTMLTextAreaElement).value })}
        @keydown=${(event: KeyboardEvent) => {
          if (event.key === "Escape") this.endEdit(message.id);
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) save();
        }}
      ></textarea>
      <div class="row">
        ${button("Save", save, { disabled: !this.connected || (this.editing?.text ?? "").trim() === "", running: this.pending.running !== null, ...(this.connected ? {} : { title: OFFLINE }) })}
        ${button("Cancel", () => this.endEdit(message.id), { secondary: true })}
      </div>
    </div>`;
  }

  private edit(message: Message): void {
    if (!this.connected) return;
    this.editing = { id: message.id, text: message.text };
    void this.updateComplete.then(() => this.querySelector<HTMLTextAreaElement>(".queue-editor textarea")?.focus());
  }

  private async saveEdit(messageId: string, text: string): Promise<void> {
    if (await this.pending.run(messageId, { kind: "queueEdit", messageId, text })) this.endEdit(messageId);
  }

  private endEdit(messageId: string): void {
    this.editing = null;
    void this.updateComplete.then(() => this.itemOf(messageId)?.focus());
  }

  private itemOf(messageId: string): HTMLElement | null {
    return this.querySelector<HTMLElement>(`[data-message="${CSS.escape(messageId)}"]`);
  }

  private act(icon: string, label: string, action: Action): TemplateResult {
    const name = JSON.stringify(action);
    return iconButton(icon, label, () => void this.pending.run(name, action), {
      disabled: !this.connected || this.pending.running !== null,
      reason: this.connected ? undefined : OFFLINE,
      running: this.pending.running === name,
    });
  }

  private onKey(event: KeyboardEvent, message: Message, index: number, total: number): void {
    if (event.target !== event.currentTarget) return;
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (step !== undefined && event.altKey)
      void this.move(message.id, Math.max(0, Math.min(total - 1, index + step)), index);
    else if (step !== undefined) this.neighbour(event.currentTarget as HTMLElement, step)?.focus();
    else if (event.key === "Enter" || event.key === "F2") this.edit(message);
    else if (event.key === "Delete" && this.connected)
      void this.pending.run("remove", { kind: "queueRemove", messageId: message.id });
    else return;
    event.preventDefault();
  }

  private neighbour(item: HTMLElement, step: number): HTMLElement | null {
    const other = step < 0 ? item.previousElementSibling : item.nextElementSibling;
    return other instanceof HTMLElement && other.tabIndex === 0 ? other : null;
  }

  private async move(messageId: string, position: number, from: number): Promise<void> {
    if (!this.connected || position === from) return;
    if (await this.pending.run("move", { kind: "queueMove", messageId, position }))
      this.announced = `Moved to position ${position + 1}`;
    await this.updateComplete;
    this.itemOf(messageId)?.focus();
  }

  private drag(event: DragEvent, messageId: string): void {
    this.dragged = messageId;
    event.dataTransfer?.setData("text/plain", messageId);
    if (event.dataTransfer) event.dataTransfer.effectAllowed = "move";
  }

  private dragOver(event: DragEvent, index: number): void {
    if (this.dragged === null) return;
    event.preventDefault();
    this.over = index;
  }

  private drop(event: DragEvent, index: number): void {
    event.preventDefault();
    const from =
      this.queue?.messages.filter(({ state }) => state === "queued").findIndex(({ id }) => id === this.dragged) ?? -1;
    if (this.dragged !== null) void this.move(this.dragged, index, from);
    this.endDrag();
  }

  private endDrag(): void {
    this.dragged = null;
    this.over = null;
  }
}

function line(message: Message): string {
  return plainLine(message.text.slice(0, MAX_LINE));
}

function runningIcon(): TemplateResult {
  return html`<span class="codicon codicon-loading spinner" role="img" aria-label="Running"></span>`;
}

adopt(css`
  areyouj-queue {
    display: block;
    min-width: 0;
  }
  .queue {
    padding: 4px 0 6px;
  }
  .queue-head {
    font-size: 12px;
    white-space: nowrap;
  }
  .queue-head strong {
    font-weight: 600;
  }
  .paused {
    flex: 0 1 auto;
  }
  .queue-list {
    max-height: 180px;
    overflow: auto;
  }
  .queue-item {
    display: flex;
    align-items: center;
    gap: 6px;
    min-height: 26px;
    padding: 0 2px 0 4px;
    border-radius: 4px;
    border-top: 1px solid transparent;
  }
  .queue-item[draggable="true"] {
    cursor: grab;
  }
  .queue-item:hover {
    background: var(--vscode-list-hoverBackground);
  }
  .queue-item.drop-here {
    border-top-color: var(--vscode-focusBorder);
  }
  .queue-item.dragged {
    opacity: 0.6;
  }
  .queue-editor {
    display: flex;
    flex-direction: column;
    gap: 6px;
    padding: 4px;
  }
  .queue-editor textarea {
    width: 100%;
    height: auto;
    resize: vertical;
  }
`);
