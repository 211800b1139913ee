/** A session in the table: a row, or a card in a narrow table. */
import "@vscode-elements/elements/dist/vscode-badge/index.js";
import { type TemplateResult, html, nothing } from "lit";
import type { Session } from "../../src/protocol.gen";
import { iconButton } from "../ui/buttons";
import { OFFLINE } from "../ui/pendingAction";
import { styled } from "../ui/element";
import { ago, contextPercent, costOf, count, homePath, moment, splitPath, tokens } from "../../src/shared/format";
import { screenIcon } from "./screen";
import { displayName, statusWord } from "../../src/shared/session";
import { REFUSED, refusedIcon, statusLabel } from "./status";
import { exactLine, plainLine } from "../../src/shared/text";

/** What a row needs besides its session. */
export interface RowContext {
  index: number;
  height: number;
  home: string;
  now: number;
  connected: boolean;
  /** Whether the row has the focus, or gets it when the table is focused. */
  current: boolean;
  selected: boolean;
}

/** The actions on a row. */
export interface RowActions {
  open(session: Session): void;
  terminate(session: Session): void;
  toggle(session: Session): void;
  menu(session: Session, point: { x: number; y: number }): void;
}

/** The row. Its cells are in the order of the header. */
export function sessionRow(session: Session, row: RowContext, actions: RowActions): TemplateResult {
  const title = displayName(session);
  const tabindex = row.current ? 0 : -1;
  const context = contextPercent(session.contextUsed, session.contextMax);
  const path = splitPath(exactLine(homePath(session.directory, row.home)));
  const task = plainLine(session.currentTask ?? "");
  const ended = session.status === "terminated";
  return html`<div
    role="row"
    class="session-row ${ended ? "ended" : ""}"
    data-id=${session.id}
    tabindex=${tabindex}
    aria-rowindex=${row.index + 2}
    aria-selected=${row.selected}
    aria-label=${rowName(session, row.now)}
    ${styled({ transform: `translateY(${row.index * row.height}px)`, height: `${row.height}px` })}
  >
    <div role="gridcell" class="cell c-select" aria-colindex="1">
      <input type="checkbox" tabindex=${tabindex} aria-label="Select ${title}" .checked=${row.selected} @click=${(event: Event) => (event.stopPropagation(), actions.toggle(session))} />
    </div>
    <div role="gridcell" class="cell c-status" aria-colindex="2">${statusLabel(session)}</div>
    <div role="gridcell" class="cell c-name" aria-colindex="3">
      <button type="button" class="name ellipsis isolate" tabindex=${tabindex} title="Open ${title} (${session.id})" @click=${() => actions.open(session)}>${title}</button>
      ${screenIcon(session, title, row.connected, tabindex)}
      <span class="muted id">${session.id}</span>
      ${session.unread > 0 ? html`<span class="unread" title="${session.unread} unread"><span class="sr-only">${session.unread} unread</span></span>` : nothing}
      ${refusedIcon(session)}
    </div>
    <div role="gridcell" class="cell c-project" aria-colindex="4" title=${exactLine(session.directory)}>
      <span class="parent ellipsis isolate">${path.parent}</span><span class="last ellipsis isolate">${path.name}</span>
    </div>
    <div role="gridcell" class="cell c-started muted" aria-colindex="5" title=${moment(session.createdAt)}>${ago(row.now, session.createdAt)}</div>
    <div role="gridcell" class="cell c-task ellipsis isolate ${task ? "" : "muted"}" aria-colindex="6" title=${task}>${task || "No current task"}</div>
    <div role="gridcell" class="cell c-model ellipsis muted" aria-colindex="7" title=${plainLine(session.model ?? "")}>${plainLine(session.model ?? "") || "–"}</div>
    <div role="gridcell" class="cell c-context number" aria-colindex="8" title=${contextTitle(session)}>${context === null ? "–" : `${context}%`}</div>
    <div role="gridcell" class="cell c-cost number" aria-colindex="9">${costOf(session) ?? "–"}</div>
    <div role="gridcell" class="cell c-queued number" aria-colindex="10" title=${count(session.queued, "queued message")}>
      ${session.queued > 0 ? html`<vscode-badge variant="counter">${session.queued}</vscode-badge>` : nothing}
    </div>
    <div role="gridcell" class="cell c-actions" aria-colindex="11">
      ${iconButton("go-to-file", `View details of ${title}`, () => actions.open(session), { tabindex })}
      ${
        ended
          ? nothing
          : iconButton("stop-circle", `Terminate ${title}`, () => actions.terminate(session), {
              tabindex,
              disabled: !row.connected,
              reason: OFFLINE,
            })
      }
      ${iconButton(
        "ellipsis",
        `More actions for ${title}`,
        (event) => {
          const { left, bottom } = (event.currentTarget as HTMLElement).getBoundingClientRect();
          actions.menu(session, { x: left, y: bottom });
        },
        { tabindex },
      )}
    </div>
  </div>`;
}

function rowName(session: Session, now: number): string {
  const parts = [
    displayName(session),
    statusWord(session.status),
    exactLine(session.directory),
    plainLine(session.currentTask ?? "") || "No current task",
  ];
  if (session.driver === "terminal") parts.push("in a terminal");
  if (session.unread > 0) parts.push(`${session.unread} unread`);
  if (session.refusals?.unread) parts.push(REFUSED);
  return `${parts.join(", ")}, started ${ago(now, session.createdAt)}`;
}

function contextTitle(session: Session): string {
  if (session.contextUsed === null || session.contextMax === null) return "";
  return `${tokens(session.contextUsed)} of ${tokens(session.contextMax)} tokens`;
}
