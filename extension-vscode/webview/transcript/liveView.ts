/** What Claude is saying right now. */
import { type TemplateResult, html, nothing } from "lit";
import { markdownView } from "../ui/markdown";
import { plainText } from "../../src/shared/text";
import type { Saying } from "./transcript";

/** Beyond so many characters, Markdown is drawn only when the entry is finished: drawing it for each piece is dear. */
const MAX_LIVE_MARKDOWN = 16_000;

/** Thoughts and words as they grow. */
export function liveView(saying: readonly Saying[]): TemplateResult[] {
  return saying.map(({ thinking, text }, index) =>
    thinking
      ? html`<div class="saying thinking thoughts" aria-label="Thinking">${index === saying.length - 1 ? plainText(text) : nothing}</div>`
      : html`<div class="saying" aria-busy="true">${text.length <= MAX_LIVE_MARKDOWN ? markdownView(text) : html`<div class="user-text">${plainText(text)}</div>`}</div>`,
  );
}
