/** Renders the live text, before its entry arrives. */
import { type TemplateResult, html, nothing } from "lit";
import { markdownView } from "../ui/markdown";
import { plainText } from "../../src/shared/text";
import type { LivePiece } from "./transcript";

/** Longer live text is not rendered as Markdown, in characters: that is too slow for each new piece. */
const MAX_LIVE_MARKDOWN = 16_000;

export function liveView(liveText: readonly LivePiece[]): TemplateResult[] {
  return liveText.map(({ thinking, text }, index) =>
    thinking
      ? html`<div class="live-text thinking thoughts" aria-label="Thinking">${index === liveText.length - 1 ? plainText(text) : nothing}</div>`
      : html`<div class="live-text" aria-busy="true">${text.length <= MAX_LIVE_MARKDOWN ? markdownView(text) : html`<div class="user-text">${plainText(text)}</div>`}</div>`,
  );
}
