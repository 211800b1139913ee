/** Styles of both pages: the editor's own colours, sizes and focus rings. */
import { css } from "lit";
import { adopt } from "./element";

adopt(css`
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  html,
  body {
    height: 100%;
  }
  /* Bars of a known width, so that what scrolls and what does not have the same edges. */
  html {
    scrollbar-color: auto;
  }
  ::-webkit-scrollbar {
    width: 10px;
    height: 10px;
  }
  ::-webkit-scrollbar-thumb {
    background: var(--vscode-scrollbarSlider-background);
  }
  ::-webkit-scrollbar-thumb:hover {
    background: var(--vscode-scrollbarSlider-hoverBackground);
  }
  ::-webkit-scrollbar-corner {
    background: none;
  }
  body {
    --page-background: var(--vscode-editor-background);
    --scrollbar: 10px;
    margin: 0;
    padding: 0;
    overflow: hidden;
    color: var(--vscode-foreground);
    font: var(--vscode-font-weight, normal) var(--vscode-font-size, 13px) / 1.4 var(--vscode-font-family);
  }
  button,
  input,
  select,
  textarea {
    font: inherit;
    color: inherit;
  }
  button {
    border: 0;
    padding: 0;
    background: none;
    text-align: inherit;
    cursor: pointer;
  }
  button:disabled {
    cursor: default;
    opacity: 0.5;
  }
  :focus-visible {
    outline: 1px solid var(--vscode-focusBorder);
    outline-offset: -1px;
  }
  h1,
  h2,
  h3,
  p,
  ul,
  ol,
  dl,
  dd {
    margin: 0;
    padding: 0;
  }
  ul.bare,
  ol.bare {
    list-style: none;
  }
  .sr-only {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  time {
    flex: none;
    white-space: nowrap;
  }
  .muted {
    color: var(--vscode-descriptionForeground);
  }
  .mono {
    font-family: var(--vscode-editor-font-family, monospace);
    font-size: var(--vscode-editor-font-size, 12px);
  }
  .ellipsis {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
    min-width: 0;
  }
  .isolate {
    unicode-bidi: isolate;
  }
  .link {
    color: var(--vscode-textLink-foreground);
    border-radius: 2px;
  }
  .link:hover {
    color: var(--vscode-textLink-activeForeground);
    text-decoration: underline;
  }
  .icon-button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    flex: none;
    width: 24px;
    height: 24px;
    border-radius: 5px;
    color: var(--vscode-icon-foreground);
  }
  .icon-button:hover:not(:disabled) {
    background: var(--vscode-toolbar-hoverBackground);
    outline: 1px dashed var(--vscode-contrastActiveBorder, transparent);
    outline-offset: -1px;
  }
  .icon-button[aria-pressed="true"] {
    background: var(--vscode-inputOption-activeBackground);
    color: var(--vscode-inputOption-activeForeground);
    box-shadow: inset 0 0 0 1px var(--vscode-inputOption-activeBorder);
  }
  .icon-button:focus-visible {
    outline: 1px solid var(--vscode-focusBorder);
  }
  .field,
  .dropdown {
    min-width: 0;
    height: 26px;
    padding: 2px 6px;
    color: var(--vscode-input-foreground);
    background: var(--vscode-input-background);
    border: 1px solid var(--vscode-input-border, var(--vscode-contrastBorder, transparent));
    border-radius: 4px;
  }
  .dropdown {
    color: var(--vscode-dropdown-foreground);
    background: var(--vscode-dropdown-background);
    border-color: var(--vscode-dropdown-border, var(--vscode-contrastBorder, transparent));
  }
  .field::placeholder {
    color: var(--vscode-input-placeholderForeground);
    opacity: 1;
  }
  input[type="checkbox"],
  input[type="radio"] {
    flex: none;
    margin: 0;
    width: 14px;
    height: 14px;
    accent-color: var(--vscode-button-background);
  }
  .box {
    margin: 0;
    padding: 6px 8px;
    max-height: 320px;
    overflow: auto;
    color: var(--vscode-editor-foreground);
    background: var(--vscode-textCodeBlock-background);
    border: 1px solid var(--vscode-contrastBorder, transparent);
    border-radius: 4px;
    font-family: var(--vscode-editor-font-family, monospace);
    font-size: var(--vscode-editor-font-size, 12px);
    line-height: 1.45;
    white-space: pre-wrap;
    overflow-wrap: anywhere;
    tab-size: 4;
  }
  .card {
    display: flex;
    flex-direction: column;
    gap: 8px;
    min-width: 0;
    padding: 10px 12px;
    background: var(--vscode-editorWidget-background);
    border: 1px solid var(--vscode-widget-border, var(--vscode-contrastBorder, transparent));
    border-radius: 6px;
  }
  .card .box {
    background: var(--vscode-editor-background);
    border-color: var(--vscode-widget-border, var(--vscode-contrastBorder, transparent));
  }
  .row {
    display: flex;
    align-items: center;
    gap: 6px;
    min-width: 0;
  }
  .row.wrap {
    flex-wrap: wrap;
  }
  .grow {
    flex: 1;
    min-width: 0;
  }
  .banner {
    display: flex;
    align-items: center;
    gap: 8px;
    padding: 6px 12px;
    background: var(--vscode-inputValidation-warningBackground);
    color: var(--vscode-inputValidation-warningForeground, var(--vscode-foreground));
    border-block: 1px solid var(--vscode-inputValidation-warningBorder);
  }
  .spinner {
    animation: codicon-spin 1.5s steps(30) infinite;
  }
  body.vscode-reduce-motion .spinner {
    animation: none;
  }
  @media (prefers-reduced-motion: reduce) {
    .spinner {
      animation: none;
    }
  }
  [aria-busy="true"].stale {
    opacity: 0.9;
    filter: grayscale(1);
  }
  body.vscode-high-contrast [aria-busy="true"].stale,
  body.vscode-high-contrast-light [aria-busy="true"].stale {
    opacity: 1;
  }
  vscode-button {
    flex: none;
    height: 26px;
  }
  vscode-button[aria-disabled="true"] {
    opacity: 0.5;
  }
  vscode-button .codicon {
    margin-right: 6px;
    font-size: 14px;
  }
  .loading {
    display: flex;
    align-items: center;
    justify-content: center;
    gap: 8px;
    padding: 48px 12px;
    color: var(--vscode-descriptionForeground);
  }
  .empty {
    display: flex;
    flex-direction: column;
    align-items: center;
    gap: 10px;
    max-width: 460px;
    margin: 0 auto;
    padding: 48px 16px;
    text-align: center;
  }
  .empty > .codicon {
    font-size: 32px;
    color: var(--vscode-descriptionForeground);
  }
  .empty h1 {
    font-size: 1.3em;
    font-weight: 600;
  }
  details > summary {
    cursor: pointer;
    border-radius: 2px;
  }
`);
