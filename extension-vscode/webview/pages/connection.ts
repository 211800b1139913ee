/** Shows that there is no connection. */
import { type TemplateResult, css, html, nothing } from "lit";
import type { Connection } from "../../src/shared/bridge";
import { adopt } from "../ui/element";
import { fixButtons, logFold } from "../ui/problem";
import { plainText } from "../../src/shared/text";

/** The banner during a reconnection. */
export function reconnecting({ state, problem }: Connection): TemplateResult | typeof nothing {
  if (state !== "reconnecting") return nothing;
  return html`<div class="banner" role="status">
    <span class="codicon codicon-loading spinner" aria-hidden="true"></span>
    <span class="grow">Reconnecting to AreYouJ. Sessions continue.${problem ? html` <span>${plainText(problem.message)}</span>` : nothing}</span>
  </div>`;
}

/** The reason why there is no connection, and the buttons that fix it. */
export function connectionFailure({ problem }: Connection): TemplateResult {
  return html`<section class="failure" role="alert">
    <span class="codicon codicon-error status-icon status-error" aria-hidden="true"></span>
    <h1>${plainText(problem?.message ?? "Cannot connect to AreYouJ.")}</h1>
    ${problem?.hint ? html`<p class="muted">${plainText(problem.hint)}</p>` : nothing} ${problem ? fixButtons(problem) : nothing} ${logFold(problem?.log ?? null)}
  </section>`;
}

adopt(css`
  .failure {
    display: flex;
    flex-direction: column;
    align-items: center;
    gap: 10px;
    max-width: 560px;
    margin: 0 auto;
    padding: 40px 16px 24px;
    text-align: center;
    overflow-wrap: anywhere;
  }
  .failure > .codicon {
    font-size: 28px;
  }
  .failure h1 {
    font-size: 1.15em;
    font-weight: 600;
  }
  .failure .fixes {
    justify-content: center;
  }
  .failure details {
    width: 100%;
    text-align: left;
  }
`);
