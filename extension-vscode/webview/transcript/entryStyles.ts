/** Styles of the transcript. */
import { css } from "lit";
import { adopt } from "../ui/element";

adopt(css`
  .entry {
    padding: 4px 0;
  }
  .entry.user-entry {
    padding: 14px 0 6px;
  }
  .entry[data-depth]:not([data-depth="0"]) {
    border-left: 1px solid var(--vscode-tree-indentGuidesStroke, var(--vscode-contrastBorder));
    padding-left: 12px;
  }
  .entry[data-depth="1"] {
    margin-left: 8px;
  }
  .entry[data-depth="2"] {
    margin-left: 24px;
  }
  .entry[data-depth="3"] {
    margin-left: 40px;
  }
  .entry[data-depth="4"] {
    margin-left: 56px;
  }
  .user {
    padding: 8px 12px;
    background: var(--vscode-input-background);
    border: 1px solid var(--vscode-widget-border, var(--vscode-input-border, var(--vscode-contrastBorder, transparent)));
    border-radius: 6px;
  }
  .user-text,
  .thoughts {
    white-space: pre-wrap;
    overflow-wrap: anywhere;
  }
  .thinking > summary,
  .tool summary {
    display: flex;
    align-items: center;
    gap: 6px;
    min-width: 0;
    min-height: 24px;
    list-style: none;
  }
  .thinking > summary::before,
  .tool summary::before {
    content: "\\eab6";
    flex: none;
    width: 16px;
    font: normal 16px/1 codicon;
    color: var(--vscode-icon-foreground);
  }
  .thinking[open] > summary::before,
  .tool details[open] > summary::before {
    content: "\\eab4";
  }
  .thinking .codicon,
  .tool summary > .codicon {
    font-size: 14px;
  }
  .thoughts {
    margin: 2px 0 2px 7px;
    padding-left: 14px;
    color: var(--vscode-descriptionForeground);
    border-left: 2px solid var(--vscode-textBlockQuote-border);
  }
  .tool {
    display: flex;
    align-items: flex-start;
    gap: 2px;
  }
  .tool details {
    flex: 1;
    min-width: 0;
  }
  .tool summary:hover {
    background: var(--vscode-list-hoverBackground);
  }
  .tool-name {
    flex: none;
    font-weight: 600;
  }
  .tool-about {
    flex: 1;
    color: var(--vscode-descriptionForeground);
  }
  .tool-counts {
    flex: none;
    font-size: 12px;
    font-variant-numeric: tabular-nums;
  }
  .tool-failed {
    display: inline-flex;
    flex: none;
    align-items: center;
    gap: 4px;
  }
  .tool-failed .codicon,
  .turn-end .codicon {
    color: var(--vscode-errorForeground);
    font-size: 14px;
  }
  .tool-body {
    display: flex;
    flex-direction: column;
    align-items: stretch;
    gap: 6px;
    padding: 4px 0 6px 22px;
  }
  .tool-body > .link,
  .tool-body > .muted {
    align-self: flex-start;
  }
  .result.failed .box {
    border-left: 2px solid var(--vscode-errorForeground);
  }
  .line {
    display: flex;
    gap: 6px;
    padding-left: 1px;
    overflow-wrap: anywhere;
  }
  .line .codicon {
    font-size: 14px;
    margin-top: 2px;
  }
  .line strong {
    font-weight: 600;
  }
  .notice {
    color: var(--vscode-descriptionForeground);
  }
  .notice-warning .codicon {
    color: var(--vscode-editorWarning-foreground);
  }
  .notice-error .codicon {
    color: var(--vscode-errorForeground);
  }
  .notice-error {
    color: var(--vscode-foreground);
  }
  .turn-end {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 2px 6px;
    padding-bottom: 8px;
    font-size: 12px;
    color: var(--vscode-descriptionForeground);
    border-bottom: 1px solid var(--vscode-panel-border, var(--vscode-contrastBorder));
  }
  .turn-end.failed {
    color: inherit;
  }
  .turn-error {
    flex-basis: 100%;
    overflow-wrap: anywhere;
    white-space: pre-wrap;
  }
  .live-text {
    overflow-wrap: anywhere;
  }
  .live-text.thinking {
    max-height: 160px;
    overflow: hidden;
    display: flex;
    flex-direction: column;
    justify-content: flex-end;
  }
  .fields {
    display: flex;
    flex-direction: column;
    gap: 2px;
  }
  .fields > div {
    display: flex;
    flex-wrap: wrap;
    gap: 0 8px;
  }
  .fields dd {
    min-width: 0;
    flex: 1 1 200px;
    overflow-wrap: anywhere;
  }
`);
