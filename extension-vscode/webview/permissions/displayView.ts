/**
 * What a permission request would run, as the daemon displays it: sections of exact text, with marks in place of what
 * hides. This page adds looks alone and decides nothing about the text.
 */
import { type TemplateResult, css, html, nothing } from "lit";
import type { DisplaySection, DisplaySegment, SegmentKind } from "../../src/protocol.gen";
import { adopt } from "../ui/element";
import { sizeText } from "./exact";
import { PlanColours } from "./planColours";

/** What the marks of each kind mean. */
const MEANINGS: Record<Exclude<SegmentKind, "plain">, string> = {
  blanks: "A long run of spaces or tabs",
  emptyLines: "A run of empty lines",
  control: "A control character",
  invisible: "A character that is not visible",
  reorders: "A character that changes the order of the text",
  blankLookalike: "A character that looks like a space",
  combining: "A combining mark without a letter",
  lookalike: "Looks like other letters or signs",
  dense: "Text with very many special characters",
};
/** Also for a kind of a later version. */
const OTHER_MEANING = "Displayed in place of other text";

/** Longer text of one line gets a block of its own, in characters. */
const MAX_ROW_CHARACTERS = 200;
/** Styles with a block of their own, however short the text is. */
const BLOCKS: ReadonlySet<string> = new Set(["command", "removed", "added", "plan"]);
/** Styles whose lines have the direction of their first letter, as in any prose. */
const PROSE: ReadonlySet<string> = new Set(["plan", "question", "choice"]);

/** A section with its label and size. `beside` is displayed next to the label. */
export function sectionView(section: DisplaySection, beside: unknown = nothing): TemplateResult {
  const { label, style, size } = section;
  const block = BLOCKS.has(style) || size.lines > 1 || size.characters > MAX_ROW_CHARACTERS;
  if (!block) {
    return html`<div class="section-row" role="group" aria-label=${label}>
      <span class="muted section-label">${label}</span>${exactView(section)}${beside}
    </div>`;
  }
  return html`<div class="section-block" role="group" aria-label=${label}>
    <div class="section-head muted"><span class="section-label">${label}</span> <span>${sizeText(size)}</span>${beside}</div>
    ${exactView(section, true)}
  </div>`;
}

/** The exact text of a section, with marks; a block has a box of its own. */
export function exactView({ style, segments }: DisplaySection, block = false): TemplateResult {
  const colours = style === "plan" ? new PlanColours() : null;
  const content = segments.map((segment) => segmentView(segment, colours));
  // No white space between the tags: it would be displayed as part of the text.
  return html`<div class="exact ${PROSE.has(style) ? "prose" : "mono"} ${block ? "box" : ""} section-${style}">${content}</div>`;
}

function segmentView(segment: DisplaySegment, colours: PlanColours | null): unknown {
  const { kind, text, shown } = segment;
  if (shown === undefined && kind === "plain") {
    if (colours === null) return text;
    return colours
      .of(text)
      .map(([piece, colour]) => (colour === null ? piece : html`<span class="md-${colour}">${piece}</span>`));
  }
  const displayed = shown ?? text;
  const meaning = (kind === "plain" ? undefined : MEANINGS[kind]) ?? OTHER_MEANING;
  const spoken = `${displayed.replace(/[\u27e8\u27e9]/g, " ").trim()}: ${meaning}`;
  // Long text must stay readable piece by piece, so it is no image.
  return kind === "dense"
    ? html`<span class="mark" role="group" aria-label=${meaning} title=${meaning} data-exact=${text}>${displayed}</span>`
    : html`<span class="mark" role="img" aria-label=${spoken} title=${meaning} data-exact=${text}>${displayed}</span>`;
}

adopt(css`
  .exact {
    min-width: 0;
    white-space: break-spaces;
    overflow-wrap: anywhere;
    tab-size: 8;
    direction: ltr;
    unicode-bidi: isolate;
    font-variant-ligatures: none;
    font-feature-settings: "liga" 0, "clig" 0, "calt" 0, "dlig" 0;
  }
  .exact.prose {
    unicode-bidi: plaintext;
  }
  .exact.box {
    max-height: none;
    overflow: visible;
    white-space: break-spaces;
  }
  .box.section-command::before {
    content: "$ " / "";
    color: var(--vscode-descriptionForeground);
  }
  .card .section-added {
    background: var(--vscode-diffEditor-insertedLineBackground, var(--vscode-diffEditor-insertedTextBackground));
    box-shadow: inset 2px 0 var(--vscode-editorGutter-addedBackground);
  }
  .card .section-removed {
    background: var(--vscode-diffEditor-removedLineBackground, var(--vscode-diffEditor-removedTextBackground));
    box-shadow: inset 2px 0 var(--vscode-editorGutter-deletedBackground);
  }
  .section-plan {
    font-family: inherit;
    font-size: inherit;
  }
  .section-row {
    display: flex;
    flex-wrap: wrap;
    align-items: baseline;
    gap: 0 8px;
  }
  .section-row > .exact {
    flex: 0 1 auto;
  }
  .section-label {
    overflow-wrap: anywhere;
  }
  .section-block {
    display: flex;
    flex-direction: column;
    gap: 3px;
  }
  .section-head {
    display: flex;
    flex-wrap: wrap;
    justify-content: space-between;
    gap: 0 12px;
  }
  .mark {
    padding: 0 2px;
    border: 1px solid var(--vscode-inputValidation-warningBorder);
    border-radius: 3px;
    color: var(--vscode-inputValidation-warningForeground, var(--vscode-foreground));
    background: var(--vscode-inputValidation-warningBackground);
    unicode-bidi: isolate;
    box-decoration-break: clone;
    -webkit-box-decoration-break: clone;
  }
  .md-heading,
  .md-strong {
    font-weight: 600;
  }
  .md-code {
    font-family: var(--vscode-editor-font-family, monospace);
    font-size: var(--vscode-editor-font-size, 12px);
    background: var(--vscode-textCodeBlock-background);
  }
  .md-link {
    color: var(--vscode-textLink-foreground);
  }
  .md-comment {
    color: var(--vscode-descriptionForeground);
  }
`);
