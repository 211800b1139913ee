/** Styles of the session table, as rows and as cards. */
import { css } from "lit";
import { adopt } from "../ui/element";

adopt(css`
  areyouj-session-table {
    display: block;
    container: table / inline-size;
    min-width: 0;
  }
  .toolbar {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 6px;
    padding: 4px 12px 8px;
  }
  .filter {
    flex: 1 1 80px;
    max-width: 420px;
  }
  .sort-box {
    flex: 0 1 92px;
  }
  .nothing-found {
    display: flex;
    flex-direction: column;
    align-items: center;
    gap: 10px;
    padding: 32px 12px;
    color: var(--vscode-descriptionForeground);
  }
  .rows {
    position: relative;
  }
  .grid.wide :is(.head, .session-row) {
    display: grid;
    grid-template-columns:
      16px 92px minmax(120px, 1.3fr) minmax(110px, 1.5fr) 68px minmax(120px, 2.2fr) minmax(84px, 0.8fr)
      58px 58px 62px 78px;
    gap: 0 10px;
    align-items: center;
    padding: 0 12px;
  }
  .grid.wide .head {
    position: sticky;
    top: 0;
    z-index: 2;
    height: 28px;
    background: var(--page-background);
    border-bottom: 1px solid var(--vscode-panel-border, var(--vscode-contrastBorder));
    font-size: 12px;
  }
  .sort {
    display: inline-flex;
    align-items: center;
    gap: 2px;
    max-width: 100%;
    color: var(--vscode-descriptionForeground);
    border-radius: 2px;
  }
  .sort:hover,
  [aria-sort] .sort {
    color: var(--vscode-foreground);
  }
  .sort .codicon {
    font-size: 12px;
  }
  .session-row {
    position: absolute;
    inset: 0 0 auto;
    cursor: default;
  }
  .session-row:hover {
    background: var(--vscode-list-hoverBackground);
    outline: 1px dashed var(--vscode-contrastActiveBorder, transparent);
    outline-offset: -1px;
  }
  .session-row[aria-selected="true"] {
    background: var(--vscode-list-inactiveSelectionBackground);
    color: var(--vscode-list-inactiveSelectionForeground, inherit);
    outline: 1px dotted var(--vscode-contrastActiveBorder, transparent);
    outline-offset: -1px;
  }
  .session-row:focus-visible {
    outline: 1px solid var(--vscode-focusBorder);
    outline-offset: -1px;
  }
  .session-row.ended :is(.name, .c-project, .c-task, .status) {
    color: var(--vscode-descriptionForeground);
  }
  .cell {
    min-width: 0;
  }
  .c-select {
    display: flex;
  }
  .c-name,
  .c-project {
    display: flex;
    align-items: center;
    gap: 6px;
  }
  .c-project {
    gap: 0;
    white-space: nowrap;
  }
  .c-project .parent {
    flex: 0 1 auto;
    color: var(--vscode-descriptionForeground);
  }
  .c-project .last {
    flex: 0 0 auto;
    max-width: 100%;
  }
  .name {
    border-radius: 2px;
    font-weight: 600;
    flex: 0 1 auto;
  }
  .name:hover {
    text-decoration: underline;
  }
  /* The name comes first: the id gives way to it, and is in the hover too. */
  .id {
    flex: 0 1000 auto;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
    font-family: var(--vscode-editor-font-family, monospace);
    font-size: 11px;
  }
  .unread {
    flex: none;
    width: 8px;
    height: 8px;
    border-radius: 50%;
    background: var(--vscode-activityBarBadge-background, var(--vscode-badge-background));
    border: 1px solid var(--vscode-contrastBorder, transparent);
  }
  .number,
  .grid.wide :is(.h-7, .h-8, .h-9) {
    text-align: right;
    font-variant-numeric: tabular-nums;
  }
  .c-actions {
    display: flex;
    justify-content: flex-end;
    gap: 1px;
  }
  .c-started {
    white-space: nowrap;
  }
  @container table (max-width: 1080px) {
    .grid.wide :is(.head, .session-row) {
      grid-template-columns: 16px 92px minmax(110px, 1.3fr) minmax(110px, 1.5fr) 68px minmax(110px, 2.2fr) 58px 58px 78px;
    }
    .grid.wide :is(.c-model, .h-6, .c-queued, .h-9, .id) {
      display: none;
    }
  }
  @container table (max-width: 860px) {
    .grid.wide :is(.head, .session-row) {
      grid-template-columns: 16px 88px minmax(84px, 1.3fr) minmax(76px, 1.2fr) 64px minmax(80px, 1.8fr) 78px;
      gap: 0 8px;
    }
    .grid.wide :is(.c-context, .h-7, .c-cost, .h-8) {
      display: none;
    }
  }
  .grid.cards .session-row {
    display: grid;
    grid-template:
      "select name name name started actions" 24px
      "select status task task task task" 20px
      "select project project context cost queued" 20px
      / 16px auto minmax(0, 1fr) auto auto auto;
    gap: 0 8px;
    align-content: center;
    align-items: center;
    padding: 0 8px 0 12px;
    border-bottom: 1px solid var(--vscode-panel-border, var(--vscode-contrastBorder));
  }
  .grid.cards .c-select {
    grid-area: select;
    align-self: start;
    padding-top: 5px;
  }
  .grid.cards .c-status {
    grid-area: status;
  }
  .grid.cards .c-name {
    grid-area: name;
  }
  .grid.cards .c-project {
    grid-area: project;
    font-size: 12px;
  }
  .grid.cards .c-started {
    grid-area: started;
    font-size: 12px;
  }
  .grid.cards .c-task {
    grid-area: task;
  }
  .grid.cards .c-context {
    grid-area: context;
    font-size: 12px;
  }
  .grid.cards .c-cost {
    grid-area: cost;
    font-size: 12px;
  }
  .grid.cards .c-queued {
    grid-area: queued;
    justify-self: center;
  }
  .grid.cards .c-actions {
    grid-area: actions;
  }
  .grid.cards :is(.c-model, .id),
  .grid.cards .c-actions .icon-button:not(:last-child) {
    display: none;
  }
  @media (pointer: coarse) {
    .c-actions .icon-button {
      width: 28px;
      height: 28px;
    }
  }
`);
