/** How one row of the transcript looks. */
import { type TemplateResult, html, nothing } from "lit";
import type {
  EntryBodyPermission,
  EntryBodyPermissionEnd,
  EntryBodyTurnEnd,
  EntryBodyUser,
  NoticeLevel,
  Permission,
} from "../../src/protocol.gen";
import "./entryStyles";
import type { Folds } from "./folds";
import { cost, elapsed, moment, size } from "../../src/shared/format";
import { markdownView } from "../ui/markdown";
import "../permissions/permissionRequest";
import { plainLine, plainText } from "../../src/shared/text";
import { toolView } from "./toolView";
import type { Row } from "./transcript";

/** What rows need to know of the page. */
export interface EntryContext {
  sessionId: string;
  /** The session's directory; paths in it are shown as seen from there. */
  directory: string;
  /** Whether there is a connection. */
  live: boolean;
  /** Whether Claude works: then a call without a result runs. */
  working: boolean;
  folds: Folds;
  /** Open prompts by id. */
  permissions: ReadonlyMap<string, Permission>;
  /** Opens or closes a fold and draws the page anew. */
  fold(name: string, open: boolean, atFirst?: boolean): void;
}

/** Longer texts are shown in part at first, in characters. */
export const LONG_TEXT = 20_000;

const NOTICE_ICONS: Record<NoticeLevel, string> = { info: "info", warning: "warning", error: "error" };
const OUTCOMES: Record<string, string> = {
  allowed: "Allowed",
  allowedAlways: "Always allowed",
  denied: "Denied",
  answered: "Answered",
  withdrawn: "Withdrawn",
};

/** The row. A kind that is not known is nothing. */
export function entryView(row: Row, context: EntryContext): TemplateResult | typeof nothing {
  const { body } = row;
  switch (body.kind) {
    case "user":
      return userView(row, body, context);
    case "text":
      return html`<div class="said">${bounded(body.text, `${row.seq}`, context, markdownView)}</div>`;
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

/** A text, its beginning only if it is long and nobody asked for all of it. */
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

function permissionView(
  body: EntryBodyPermission,
  end: EntryBodyPermissionEnd | null,
  context: EntryContext,
): TemplateResult {
  const open = context.permissions.get(body.permissionId);
  if (open && end === null)
    return html`<areyouj-prompt .permission=${open} .directory=${context.directory} .live=${context.live}></areyouj-prompt>`;
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
    body.ok ? "Done" : "Ended with an error",
    elapsed(body.durationMs),
    ...(body.costUsd > 0 ? [cost(body.costUsd)] : []),
  ];
  return html`<div class="turn-end ${body.ok ? "" : "failed"}" title=${plainLine(body.outcome)}>
    ${body.ok ? nothing : html`<span class="codicon codicon-error" aria-hidden="true"></span>`}<span>${words.join(" · ")}</span>
    ${body.error ? html`<div class="turn-error isolate">${plainText(body.error)}</div>` : nothing}
  </div>`;
}
