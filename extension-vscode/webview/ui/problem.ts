/** A problem: what happened, what to do, and the buttons that do it. */
import { type TemplateResult, css, html, nothing } from "lit";
import type { Problem } from "../../src/shared/bridge";
import { button } from "./buttons";
import { adopt } from "./element";
import { act } from "./host";
import { plainText } from "../../src/shared/text";

/** A problem in a box; `dismiss` adds a button that removes it. */
export function problemBox(problem: Problem | null, dismiss?: () => void): TemplateResult | typeof nothing {
  if (problem === null) return nothing;
  return html`<div class="problem" role="alert">
    <span class="codicon codicon-error" aria-hidden="true"></span>
    <div class="grow">
      <p>${plainText(problem.message)}</p>
      ${problem.hint ? html`<p class="muted">${plainText(problem.hint)}</p>` : nothing} ${logFold(problem.log)} ${fixButtons(problem)}
    </div>
    ${
      dismiss
        ? html`<button type="button" class="icon-button" aria-label="Dismiss" title="Dismiss" @click=${dismiss}><span class="codicon codicon-close"></span></button>`
        : nothing
    }
  </div>`;
}

/** The buttons that fix a problem. */
export function fixButtons(problem: Problem): TemplateResult | typeof nothing {
  if (problem.fixes.length === 0) return nothing;
  return html`<div class="row wrap fixes">
    ${problem.fixes.map(({ label, ...fix }, index) => button(plainText(label), () => act({ kind: "command", ...fix }), { secondary: index > 0 }))}
  </div>`;
}

/** More lines, shown on demand. */
export function logFold(log: string | null): TemplateResult | typeof nothing {
  if (!log) return nothing;
  return html`<details>
    <summary class="link">Show details</summary>
    <pre class="box" tabindex="0" role="region" aria-label="Details">${plainText(log)}</pre>
  </details>`;
}

adopt(css`
  .problem {
    display: flex;
    gap: 8px;
    padding: 6px 8px;
    overflow-wrap: anywhere;
    background: var(--vscode-inputValidation-errorBackground);
    color: var(--vscode-inputValidation-errorForeground, var(--vscode-foreground));
    border: 1px solid var(--vscode-inputValidation-errorBorder);
    border-radius: 4px;
  }
  .problem > .codicon {
    color: var(--vscode-errorForeground);
    margin-top: 1px;
  }
  .problem .muted {
    color: inherit;
    opacity: 0.9;
  }
  .fixes {
    margin-top: 6px;
  }
`);
