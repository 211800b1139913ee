/** A change of a file: its path, its lines with colours and signs, and a button for the editor's own diff. */
import { type TemplateResult, css, html, nothing } from "lit";
import { guard } from "lit/directives/guard.js";
import { lineCounts, lineRuns } from "./diff";
import { adopt } from "./element";
import { act } from "./host";
import { exactLine, exactText } from "../../src/shared/text";
import type { FileChange } from "./toolInput";

const SIGNS = { same: " ", removed: "-", added: "+" };

/** All edits of a change, whole, in boxes that scroll. */
export function diffView(change: FileChange, sessionId: string, title: string): TemplateResult {
  const path = exactLine(change.path);
  return html`<div class="diff-view">
    <div class="row wrap">${diffLinks(change, sessionId, title)}</div>
    ${guard([change.edits.length, ...change.edits.flatMap(({ before, after }) => [before, after])], () => change.edits.map(({ before, after }) => lines(before, after, path)))}
  </div>`;
}

/** Links that open each edit as a diff of the editor. */
export function diffLinks(change: FileChange, sessionId: string, title: string): TemplateResult[] {
  return change.edits.map(
    ({ before, after }, index) =>
      html`<button
        type="button"
        class="link"
        @click=${() => act({ kind: "openDiff", sessionId, title, path: change.path, before, after })}
      >
        ${change.edits.length > 1 ? `Open diff ${index + 1}` : "Open diff"}
      </button>`,
  );
}

function lines(before: string, after: string, path: string): TemplateResult {
  const runs = lineRuns(before, after);
  const { added, removed } = lineCounts(runs);
  return html`<div class="box diff" tabindex="0" role="region" aria-label="Change of ${path}: ${added} lines added, ${removed} removed">
    ${runs.length === 0 ? html`<span class="muted">Empty text</span>` : nothing}${runs.map(
      ({ kind, lines: content }) =>
        html`<div class="diff-${kind}">${content.map((line) => `${SIGNS[kind]} ${exactText(line)}`).join("\n")}</div>`,
    )}
  </div>`;
}

adopt(css`
  .diff-view {
    display: flex;
    flex-direction: column;
    gap: 4px;
    min-width: 0;
  }
  .diff {
    padding: 4px 0;
    white-space: normal;
  }
  .diff > * {
    padding: 0 8px;
    white-space: pre-wrap;
  }
  .diff-added {
    background: var(--vscode-diffEditor-insertedLineBackground, var(--vscode-diffEditor-insertedTextBackground));
    box-shadow: inset 2px 0 var(--vscode-editorGutter-addedBackground);
  }
  .diff-removed {
    background: var(--vscode-diffEditor-removedLineBackground, var(--vscode-diffEditor-removedTextBackground));
    box-shadow: inset 2px 0 var(--vscode-editorGutter-deletedBackground);
  }
`);
