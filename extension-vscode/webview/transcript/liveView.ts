/** Renders the live text, before its entry arrives. */
import { type TemplateResult, html, nothing } from "lit";
import { markdownView } from "../ui/markdown";
import { plainText } from "../../src/shared/text";
import type { Saying } from "./transcript";

/** Longer live text is not rendered as Markdown, in characters: that is too slow for each new piece. */
const MAX_LIVE_MARKDOWN = 16_000;

export function liveView(saying: readonly Saying[]): TemplateResult[] {
  return saying.map(({ thinking, text }, index) =>
    thinking
      ? html`<div class="saying thinking thoughts" aria-label="Thinking">${index === saying.length - 1 ? plainText(text) : nothing}</div>`
      : html`<div class="saying" aria-busy="true">${text.length <= MAX_LIVE_MARKDOWN ? markdownView(text) : html`<div class="user-text">${plainText(text)}</div>`}</div>`,
  );
}
