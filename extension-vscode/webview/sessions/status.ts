/** The status of a session: an icon, a colour and a word, never a colour alone. */
import { type TemplateResult, css, html, nothing } from "lit";
import type { Session, Status } from "../../src/protocol.gen";
import { adopt } from "../ui/element";
import { statusCodicon, statusWord } from "../../src/shared/session";
import { plainLine } from "../../src/shared/text";

/** The icon of a status, without its word. */
export function statusIcon(status: Status): TemplateResult {
  return html`<span class="codicon codicon-${statusCodicon(status)} status-icon status-${status}" aria-hidden="true"></span>`;
}

/** The status with its word, and the reason in the title. */
export function statusLabel(session: Session): TemplateResult {
  return html`<span class="status" title=${plainLine(session.statusReason ?? session.attention?.title ?? "")}
    >${statusIcon(session.status)}<span class="status-word">${statusWord(session.status)}</span></span
  >`;
}

export const REFUSED = "refused a request from inside";

/** That AreYouJ refused something to a process inside the session, which no person has read; otherwise nothing. */
export function refusedIcon({ refusals }: Session): TemplateResult | typeof nothing {
  if (!refusals?.unread) return nothing;
  const title = plainLine(refusals.title);
  return html`<span class="codicon codicon-shield refused-icon" role="img" aria-label=${title} title=${title}></span>`;
}

adopt(css`
  .refused-icon {
    color: var(--vscode-errorForeground);
  }
  .status {
    display: flex;
    align-items: center;
    gap: 6px;
    white-space: nowrap;
  }
  .status-icon {
    font-size: 14px;
    color: var(--vscode-descriptionForeground);
  }
  .status-icon.status-active {
    color: var(--vscode-charts-blue);
  }
  .status-icon.status-waiting {
    color: var(--vscode-editorWarning-foreground);
  }
  .status-icon.status-idle {
    color: var(--vscode-charts-green);
  }
  .status-icon.status-error {
    color: var(--vscode-errorForeground);
  }
  @keyframes pulse {
    50% {
      opacity: 0.35;
    }
  }
  .status-icon.status-active {
    animation: pulse 1.6s ease-in-out infinite;
  }
  body.vscode-reduce-motion .status-icon.status-active {
    animation: none;
  }
  @media (prefers-reduced-motion: reduce) {
    .status-icon.status-active {
      animation: none;
    }
  }
`);
