/** Markdown without raw HTML and external resources; only the host opens its links. */
import DOMPurify from "dompurify";
import MarkdownIt from "markdown-it";
import { type TemplateResult, css, html } from "lit";
import { guard } from "lit/directives/guard.js";
import { adopt } from "./element";
import { act } from "./host";
import { webAddress } from "../../src/shared/links";
import { plainText } from "../../src/shared/text";

const markdown = new MarkdownIt({ html: false, linkify: false, breaks: false });
markdown.validateLink = (url) => webAddress(url) !== null;
markdown.disable("image");
markdown.renderer.rules["fence"] = (tokens, index) =>
  codeBlock(tokens[index]?.content ?? "", tokens[index]?.info ?? "");
markdown.renderer.rules["code_block"] = (tokens, index) => codeBlock(tokens[index]?.content ?? "", "");

function codeBlock(code: string, info: string): string {
  const escape = markdown.utils.escapeHtml;
  const language = escape(info.trim().split(/\s+/)[0] ?? "");
  return `<div class="code"><div class="code-head"><span>${language}</span><button type="button" class="icon-button copy" aria-label="Copy code" title="Copy code"><span class="codicon codicon-copy"></span></button></div><pre tabindex="0" role="region" aria-label="Code${language ? ` in ${language}` : ""}"><code>${escape(code)}</code></pre></div>`;
}

const CLEAN = {
  ALLOWED_TAGS: [
    "p",
    "br",
    "hr",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "li",
    "blockquote",
    "em",
    "strong",
    "s",
    "code",
    "pre",
    "a",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "div",
    "span",
    "button",
  ],
  ALLOWED_ATTR: ["href", "title", "class", "type", "aria-label", "tabindex", "role", "start"],
  ALLOW_DATA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
} as const;

/** Renders text as Markdown. */
export function markdownView(text: string): TemplateResult {
  return html`<div class="markdown" dir="auto" @click=${onClick}>${guard([text], () => fragment(text))}</div>`;
}

function fragment(text: string): DocumentFragment {
  const clean = DOMPurify.sanitize(markdown.render(plainText(text)), {
    ...CLEAN,
    ALLOWED_TAGS: [...CLEAN.ALLOWED_TAGS],
    ALLOWED_ATTR: [...CLEAN.ALLOWED_ATTR],
  });
  for (const table of clean.querySelectorAll("table")) {
    const scroller = document.createElement("div");
    scroller.className = "table-scroller";
    scroller.tabIndex = 0;
    scroller.setAttribute("role", "region");
    scroller.setAttribute("aria-label", "Table");
    table.replaceWith(scroller);
    scroller.append(table);
  }
  return clean;
}

function onClick(event: MouseEvent): void {
  if (!(event.target instanceof Element)) return;
  const link = event.target.closest("a");
  if (link !== null) {
    event.preventDefault();
    // The editor's own listener on an outer element would open the link a second time.
    event.stopPropagation();
    const url = link.getAttribute("href") ?? "";
    if (webAddress(url) !== null) act({ kind: "openExternal", url });
    return;
  }
  const code = event.target.closest(".copy")?.closest(".code")?.querySelector("code");
  if (code) act({ kind: "copyText", text: code.textContent ?? "" });
}

adopt(css`
  .markdown {
    overflow-wrap: anywhere;
    line-height: 1.5;
  }
  .markdown > :first-child {
    margin-top: 0;
  }
  .markdown > :last-child {
    margin-bottom: 0;
  }
  .markdown :is(p, ul, ol, blockquote, .code, .table-scroller) {
    margin: 0 0 8px;
  }
  .markdown :is(h1, h2, h3, h4, h5, h6) {
    margin: 14px 0 6px;
    font-size: 1.1em;
    font-weight: 600;
  }
  .markdown h1 {
    font-size: 1.3em;
  }
  .markdown h2 {
    font-size: 1.2em;
  }
  .markdown :is(ul, ol) {
    padding-left: 22px;
  }
  .markdown li > :is(ul, ol) {
    margin-bottom: 0;
  }
  .markdown a {
    color: var(--vscode-textLink-foreground);
  }
  .markdown :not(pre) > code {
    padding: 1px 4px;
    border-radius: 3px;
    color: var(--vscode-textPreformat-foreground);
    background: var(--vscode-textPreformat-background);
    font-family: var(--vscode-editor-font-family, monospace);
    font-size: 0.92em;
  }
  .markdown blockquote {
    padding: 2px 10px;
    background: var(--vscode-textBlockQuote-background);
    border-left: 3px solid var(--vscode-textBlockQuote-border);
  }
  .markdown hr {
    border: 0;
    border-top: 1px solid var(--vscode-textSeparator-foreground);
  }
  .code {
    background: var(--vscode-textCodeBlock-background);
    border: 1px solid var(--vscode-contrastBorder, transparent);
    border-radius: 4px;
    overflow: hidden;
  }
  .code-head {
    display: flex;
    align-items: center;
    justify-content: space-between;
    height: 24px;
    padding: 0 2px 0 10px;
    color: var(--vscode-descriptionForeground);
    font-size: 11px;
  }
  .code pre {
    margin: 0;
    padding: 0 10px 8px;
    max-height: 480px;
    overflow: auto;
    overflow-wrap: normal;
    tab-size: 4;
    font-family: var(--vscode-editor-font-family, monospace);
    font-size: var(--vscode-editor-font-size, 12px);
    line-height: 1.45;
  }
  .code code {
    font: inherit;
  }
  .table-scroller {
    overflow-x: auto;
    overflow-wrap: normal;
  }
  .markdown table {
    border-collapse: collapse;
  }
  .markdown :is(th, td) {
    padding: 3px 8px;
    text-align: left;
    border: 1px solid var(--vscode-editorWidget-border, var(--vscode-contrastBorder));
  }
`);
