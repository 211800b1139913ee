/** What all rows of the transcript share. */
import { type TemplateResult, html } from "lit";
import type { Permission } from "../../src/protocol.gen";
import { size } from "../../src/shared/format";
import type { Folds } from "./folds";

/** What rows need to know of the page. */
export interface EntryContext {
  sessionId: string;
  /** The session's directory; paths in it are shown relative to it. */
  directory: string;
  connected: boolean;
  /** Whether a turn is running: then a call without a result is running too. */
  busy: boolean;
  folds: Folds;
  /** Open permission requests by id. */
  permissions: ReadonlyMap<string, Permission>;
  /** Opens or closes a fold and renders the page again. */
  fold(name: string, open: boolean, byDefault?: boolean): void;
}

/** Of longer texts only the beginning is shown at first, in characters. */
const LONG_TEXT = 20_000;

/** A text, or only its beginning if it is long and nobody has asked for all of it. */
export function bounded(
  text: string,
  name: string,
  context: EntryContext,
  view: (text: string) => TemplateResult,
): TemplateResult {
  const all = `${name}:all`;
  if (text.length <= LONG_TEXT || context.folds.isOpen(all)) return view(text);
  return html`${view(text.slice(0, LONG_TEXT))}
    <button type="button" class="link" @click=${() => context.fold(all, true)}>Show all (${size(text.length)})</button>`;
}
