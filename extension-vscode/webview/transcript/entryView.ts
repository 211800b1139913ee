/** Renders a row of the transcript. */
import { type TemplateResult, html, nothing } from "lit";
import type {
  EntryBodyPermission,
  EntryBodyPermissionEnd,
  EntryBodyTurnEnd,
  EntryBodyUser,
  NoticeLevel,
} from "../../src/protocol.gen";
import "./entryStyles";
import { cost, elapsed, moment } from "../../src/shared/format";
import { markdownView } from "../ui/markdown";
import "../permissions/permissionRequest";
import { plainLine, plainText } from "../../src/shared/text";
import { type EntryContext, bounded } from "./entryParts";
import { toolView } from "./toolView";
import type { Row } from "./transcript";

const NOTICE_ICONS: Record<NoticeLevel, string> = { info: "info", warning: "warning", error: "error" };
const OUTCOMES: Record<string, string> = {
  allowed: "Allowed",
  allowedAlways: "Always allowed",
  denied: "Denied",
  answered: "Answered",
  withdrawn: "Withdrawn",
};

/** The row. An unknown kind renders nothing. */
export function entryView(row: Row, context: EntryContext): TemplateResult | typeof nothing {
  const { body } = row;
  switch (body.kind) {
    case "user":
      return userView(row, body, context);
    case "text":
      return html`<div class="markdown-text">${bounded(body.text, `${row.seq}`, context, markdownView)}</div>`;
    case "thinking":
      return thinkingView(row.seq, body.text, context);
    case "toolCall":
    case "toolResult":
      return toolView(row, context);
    case "permission":
      return permissionView(body, row.end, context);
    case "permissionEnd":
      return endLine("", body);
    case "turnEnd":
      return turnEndView(body);
    case "notice":
      return html`<div class="line notice notice-${body.level}">
        <span class="codicon codicon-${NOTICE_ICONS[body.level] ?? "info"}" aria-hidden="true"></span>
        <span class="grow isolate">${body.level === "info" ? nothing : html`<span class="sr-only">${body.level}: </span>`}${plainText(body.text)}</span>
      </div>`;
    default:
      return nothing;
  }
}

function userView(row: Row, body: EntryBodyUser, context: EntryContext): TemplateResult {
  return html`<div class="user" title=${moment(row.at)}>
    <span class="sr-only">You: </span>
    <div class="user-text" dir="auto">${bounded(body.text, `${row.seq}`, context, (text) => html`${plainText(text)}`)}</div>
  </div>`;
}

function thinkingView(seq: number, text: string, context: EntryContext): TemplateResult {
  const name = `${seq}:thinking`;
  const open = context.folds.isOpen(name);
  return html`<details class="thinking" .open=${open} @toggle=${(event: Event) => context.fold(name, (event.target as HTMLDetailsElement).open)}>
    <summary class="muted"><span class="codicon codicon-lightbulb" aria-hidden="true"></span> Thinking</summary>
    ${open ? html`<div class="thoughts" dir="auto">${bounded(text, name, context, (part) => html`${plainText(part)}`)}</div>` : nothing}
  </details>`;
}

function permissionView(
  body: EntryBodyPermission,
  end: EntryBodyPermissionEnd | null,
  context: EntryContext,
): TemplateResult {
  const open = context.permissions.get(body.permissionId);
  if (open && end === null)
    return html`<areyouj-permission-request .permission=${open} .connected=${context.connected}></areyouj-permission-request>`;
  if (end !== null) return endLine(body.title, end);
  return html`<div class="line muted"><span class="codicon codicon-shield" aria-hidden="true"></span><span class="grow isolate">${plainLine(body.title)}</span></div>`;
}

function endLine(title: string, end: EntryBodyPermissionEnd): TemplateResult {
  const outcome = OUTCOMES[end.outcome] ?? plainLine(end.outcome);
  const good = end.outcome !== "denied" && end.outcome !== "withdrawn";
  const by = end.by ? ` in ${plainLine(end.by)}` : "";
  return html`<div class="line muted">
    <span class="codicon codicon-${good ? "pass" : "circle-slash"}" aria-hidden="true"></span>
    <span class="grow isolate"
      ><strong>${outcome}</strong>${by}${title ? html`: ${plainLine(title)}` : nothing}${end.message ? html` — ${plainLine(end.message)}` : nothing}</span
    >
  </div>`;
}

function turnEndView(body: EntryBodyTurnEnd): TemplateResult {
  const words = [
    body.ok ? "Done" : "Failed",
    elapsed(body.durationMs),
    ...(body.costUsd > 0 ? [cost(body.costUsd)] : []),
  ];
  return html`<div class="turn-end ${body.ok ? "" : "failed"}" title=${plainLine(body.outcome)}>
    ${body.ok ? nothing : html`<span class="codicon codicon-error" aria-hidden="true"></span>`}<span>${words.join(" · ")}</span>
    ${body.error ? html`<div class="turn-error isolate">${plainText(body.error)}</div>` : nothing}
  </div>`;
}
