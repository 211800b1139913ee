/** A tool call: one line, which unfolds to its input and its result. */
import { type TemplateResult, html, nothing } from "lit";
import { guard } from "lit/directives/guard.js";
import type { EntryBodyToolResult } from "../../src/protocol.gen";
import { iconButton } from "../ui/buttons";
import { lineCounts, lineRuns } from "../ui/diff";
import { diffView } from "../ui/diffView";
import { type EntryContext, bounded } from "./entryParts";
import { relativePath } from "../../src/shared/format";
import { act } from "../ui/host";
import { textOf } from "../ui/json";
import { exactLine, plainLine, plainText } from "../../src/shared/text";
import { type FileChange, fileChange, filePath, members, tellingArgument } from "../ui/toolInput";
import type { Row } from "./transcript";

/** Changes of at most so many lines are unfolded by default. */
const SMALL_CHANGE_LINES = 40;

const ICONS: Record<string, string> = {
  Bash: "terminal",
  Edit: "edit",
  MultiEdit: "edit",
  Write: "new-file",
  NotebookEdit: "edit",
  Read: "file",
  Grep: "search",
  Glob: "search",
  WebFetch: "globe",
  WebSearch: "globe",
  Task: "hubot",
  Agent: "hubot",
  TodoWrite: "checklist",
};

/** A call, or the result of a call whose entry is not loaded. */
export function toolView(row: Row, context: EntryContext): TemplateResult | typeof nothing {
  const { body } = row;
  if (body.kind === "toolResult")
    return fold(row, context, { icon: "output", tool: "Result", about: "of an earlier call" }, null, undefined, body);
  if (body.kind !== "toolCall") return nothing;
  const change = fileChange(body.tool, body.input);
  const line = {
    icon: ICONS[body.tool] ?? "tools",
    tool: plainLine(body.tool),
    about: about(change, body.input, context),
  };
  return fold(row, context, line, change, body.input, row.result);
}

function fold(
  row: Row,
  context: EntryContext,
  line: { icon: string; tool: string; about: string },
  change: FileChange | null,
  input: unknown,
  result: EntryBodyToolResult | null,
): TemplateResult {
  const name = `${row.seq}:tool`;
  const counts = change ? changeCounts(row.body, change) : null;
  const byDefault = counts !== null && counts.added + counts.removed <= SMALL_CHANGE_LINES;
  const open = context.folds.isOpen(name, byDefault);
  const path = filePath(input);
  const failed = result?.isError ?? false;
  return html`<div class="tool ${failed ? "failed" : ""}">
    <details .open=${open} @toggle=${(event: Event) => context.fold(name, (event.target as HTMLDetailsElement).open, byDefault)}>
      <summary>
        <span class="codicon codicon-${line.icon}" aria-hidden="true"></span><span class="tool-name">${line.tool}</span>
        <span class="tool-about mono ellipsis isolate">${line.about}</span>
        ${counts ? html`<span class="tool-counts muted">+${counts.added} −${counts.removed}</span>` : nothing}
        ${outcome(result, context.busy)}
      </summary>
      ${open ? html`<div class="tool-body">${called(row, change, input, context)} ${result ? resultView(row, result, change !== null, context) : nothing}</div>` : nothing}
    </details>
    ${
      path === undefined
        ? nothing
        : iconButton("go-to-file", `Open ${exactLine(path)}`, () =>
            act({ kind: "openFile", sessionId: context.sessionId, path }),
          )
    }
  </div>`;
}

function outcome(result: EntryBodyToolResult | null, busy: boolean): TemplateResult | typeof nothing {
  if (result?.isError)
    return html`<span class="tool-failed"><span class="codicon codicon-error" aria-hidden="true"></span>Failed</span>`;
  if (result === null && busy)
    return html`<span class="codicon codicon-loading spinner" role="img" aria-label="Running"></span>`;
  return nothing;
}

/** Rows are rendered often, and comparing texts is slow. */
const countsOf = new WeakMap<object, { added: number; removed: number }>();

function changeCounts(body: object, change: FileChange): { added: number; removed: number } {
  const known = countsOf.get(body);
  if (known) return known;
  const counts = lineCounts(change.edits.flatMap(({ before, after }) => lineRuns(before, after)));
  countsOf.set(body, counts);
  return counts;
}

function about(change: FileChange | null, input: unknown, { directory }: EntryContext): string {
  const path = change?.path ?? (textOf(input, "command") === undefined ? filePath(input) : undefined);
  return path === undefined ? tellingArgument(input) : exactLine(relativePath(path, directory));
}

function called(
  row: Row,
  change: FileChange | null,
  input: unknown,
  context: EntryContext,
): TemplateResult | typeof nothing {
  if (input === undefined) return nothing;
  if (change)
    return diffView(
      change,
      context.sessionId,
      `${row.body.kind === "toolCall" ? plainLine(row.body.tool) : ""} ${plainLine(change.path)}`.trim(),
    );
  const command = textOf(input, "command");
  if (command !== undefined) return pre(command, "Command", `${row.seq}:command`, context);
  const shown = members(input);
  if (shown.length === 0) return nothing;
  return html`<dl class="fields">
    ${shown.map(([name, value]) => html`<div><dt class="muted">${plainLine(name)}</dt><dd>${pre(value, plainLine(name), `${row.seq}:${name}`, context, value.length < 200)}</dd></div>`)}
  </dl>`;
}

function resultView(
  row: Row,
  result: EntryBodyToolResult,
  changed: boolean,
  context: EntryContext,
): TemplateResult | typeof nothing {
  if (changed && !result.isError) return nothing;
  const text = plainText(result.text).replace(/\n+$/, "");
  if (text === "") return html`<span class="muted">No output</span>`;
  return html`<div class=${result.isError ? "result failed" : "result"}>${guard([result, context.folds.isOpen(`${row.seq}:result:all`)], () => pre(text, result.isError ? "Error" : "Result", `${row.seq}:result`, context))}</div>
    ${result.truncated ? html`<span class="muted">The output is truncated.</span>` : nothing}`;
}

function pre(text: string, label: string, name: string, context: EntryContext, small = false): TemplateResult {
  if (small) return html`<span class="mono isolate">${plainText(text)}</span>`;
  return bounded(
    text,
    name,
    context,
    (part) => html`<pre class="box" tabindex="0" role="region" aria-label=${label}>${plainText(part)}</pre>`,
  );
}
