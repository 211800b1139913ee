/** The header of the automation page: breadcrumb, session switcher, status, and actions. */
import { type TemplateResult, css, html, nothing } from "lit";
import { customElement, property, query } from "lit/decorators.js";
import type { PageSettings } from "../../src/shared/bridge";
import type { Session } from "../../src/protocol.gen";
import { iconButton } from "../ui/buttons";
import { PendingAction, OFFLINE } from "../ui/pendingAction";
import { Clock, PageElement, adopt, styled } from "../ui/element";
import { contextPercent, costOf, count, homePath, moment, since, splitPath, tokens } from "../../src/shared/format";
import { act } from "../ui/host";
import type { Menu } from "../ui/menu";
import "../ui/menu";
import { problemBox } from "../ui/problem";
import { hasScreen, screenButton } from "./screen";
import { sessionMenu } from "./sessionMenu";
import { displayName, isBusy, statusWord } from "../../src/shared/session";
import { statusLabel } from "./status";
import { exactLine, plainLine } from "../../src/shared/text";

/** The context window is nearly full from here on, in percent: Claude will soon compact the conversation. */
const NEARLY_FULL = 80;

/** What AreYouJ refused to processes inside the session; nothing if it refused nothing. */
function refusalFact({ refusals }: Session): TemplateResult | typeof nothing {
  if (refusals === null || refusals.count === 0) return nothing;
  const title = `${plainLine(refusals.title)} ${moment(refusals.last)}`;
  return html`<span class="fact refused-fact" title=${title}
    ><span class="codicon codicon-shield refused-icon" aria-hidden="true"></span>${count(refusals.count, "refused request")}</span
  >`;
}

@customElement("areyouj-session-header")
export class SessionHeader extends PageElement {
  @property({ attribute: false }) session!: Session;
  @property({ attribute: false }) sessions: Session[] = [];
  @property({ attribute: false }) settings!: PageSettings;
  @property({ attribute: false }) connected = true;
  @query("areyouj-menu") private menu!: Menu;
  private readonly pending = new PendingAction(this);

  constructor() {
    super();
    new Clock(this);
  }

  protected override render(): TemplateResult {
    return html`<header class="session-header">
      <div class="row wrap">${this.breadcrumb()} ${this.screen()} ${this.switcher()}</div>
      <div class="row wrap facts">${this.facts()} ${this.buttons()}</div>
      ${problemBox(this.pending.problem, () => this.pending.dismiss())}
      <areyouj-menu></areyouj-menu>
    </header>`;
  }

  private breadcrumb(): TemplateResult {
    const path = exactLine(homePath(this.session.directory, this.settings.home));
    return html`<nav class="grow" aria-label="Breadcrumb">
      <ol class="bare breadcrumb">
        <li><button type="button" class="link" @click=${() => act({ kind: "openOrchestration" })}>Orchestration</button></li>
        <li class="ellipsis isolate" title=${path}>${splitPath(path).name.replace(/^\//, "")}</li>
        <li aria-current="page">Automation</li>
      </ol>
    </nav>`;
  }

  private screen(): TemplateResult | typeof nothing {
    return hasScreen(this.session)
      ? html`<span class="to-screen">${screenButton(this.session, this.connected, "Open terminal", true)}</span>`
      : nothing;
  }

  private switcher(): TemplateResult {
    const { session } = this;
    const others = this.sessions.filter(({ id }) => id !== session.id);
    const change = (event: Event): void => {
      const select = event.target as HTMLSelectElement;
      const sessionId = select.value;
      select.value = session.id;
      if (sessionId !== session.id) act({ kind: "open", sessionId });
    };
    return html`<select class="dropdown switcher" aria-label="Switch session" title="Switch session" .value=${session.id} @change=${change}>
      ${[session, ...others].map(
        (each) =>
          html`<option value=${each.id} ?selected=${each.id === session.id}>${displayName(each)}${each.name ? "" : ` (${each.id})`} · ${statusWord(each.status)}</option>`,
      )}
    </select>`;
  }

  private facts(): TemplateResult {
    const { session } = this;
    const model = plainLine(session.model ?? "");
    const mode = plainLine(session.permissionMode ?? "");
    return html`<span class="fact state" title="Since ${moment(session.statusSince)}"
        >${statusLabel(session)}<span class="muted since">${since(Date.now() - session.statusSince)}</span></span
      >
      ${refusalFact(session)}
      ${session.statusReason ? html`<span class="fact muted ellipsis isolate reason-fact" title=${plainLine(session.statusReason)}>${plainLine(session.statusReason)}</span>` : nothing}
      ${model ? html`<span class="fact" title="Model"><span class="sr-only">Model </span>${model}</span>` : nothing}
      ${mode ? html`<span class="fact" title="Permission mode"><span class="codicon codicon-shield muted" aria-hidden="true"></span><span class="sr-only">Permission mode </span>${mode}</span>` : nothing}
      ${costOf(session) === null ? nothing : html`<span class="fact number" title="Cost of the conversation"><span class="sr-only">Cost </span>${costOf(session)}</span>`}
      ${this.contextBar()}`;
  }

  private contextBar(): TemplateResult | typeof nothing {
    const { contextUsed, contextMax } = this.session;
    const percent = contextPercent(contextUsed, contextMax);
    if (percent === null) return nothing;
    return html`<span class="fact context" title="${tokens(contextUsed ?? 0)} of ${tokens(contextMax ?? 0)} tokens of context">
      <span class="context-bar" role="meter" aria-label="Context used" aria-valuemin="0" aria-valuemax="100" aria-valuenow=${percent}
        ><span class="context-fill ${percent >= NEARLY_FULL ? "nearly-full" : ""}" ${styled({ width: `${percent}%` })}></span
      ></span>
      <span class="number">${percent}%</span>
    </span>`;
  }

  private buttons(): TemplateResult {
    const { status, id: sessionId } = this.session;
    const off = {
      disabled: !this.connected || this.pending.running !== null,
      reason: this.connected ? undefined : OFFLINE,
    };
    const one = (kind: "interrupt" | "restart" | "delete", icon: string, label: string): TemplateResult =>
      iconButton(icon, label, () => void this.pending.run(kind, { kind, sessionId }), {
        ...off,
        running: this.pending.running === kind,
      });
    const ended = status === "terminated";
    const terminate = (): void => void this.pending.run("terminate", { kind: "terminate", sessionIds: [sessionId] });
    const more = (event: MouseEvent): void => {
      const { left, bottom } = (event.currentTarget as HTMLElement).getBoundingClientRect();
      this.menu.openAt({ x: left, y: bottom }, sessionMenu(this.session, this.connected, terminate, true));
    };
    return html`<span class="row header-actions" role="group" aria-label="Session actions">
      ${isBusy(this.session) ? one("interrupt", "debug-pause", "Interrupt") : nothing} ${one("restart", "debug-restart", "Restart")}
      ${
        ended
          ? one("delete", "trash", "Delete…")
          : iconButton("stop-circle", "Terminate…", terminate, {
              ...off,
              running: this.pending.running === "terminate",
            })
      }
      ${iconButton("ellipsis", "More actions", more)}
    </span>`;
  }
}

adopt(css`
  .session-header {
    display: flex;
    flex-direction: column;
    gap: 2px;
    padding: 6px 12px 6px 16px;
    border-bottom: 1px solid var(--vscode-panel-border, var(--vscode-contrastBorder));
  }
  .breadcrumb {
    display: flex;
    align-items: center;
    min-width: 0;
    color: var(--vscode-descriptionForeground);
  }
  .breadcrumb li {
    white-space: nowrap;
  }
  .breadcrumb li + li::before {
    content: "\\eab6";
    padding: 0 2px;
    font: normal 14px/1 codicon;
    vertical-align: -2px;
  }
  .breadcrumb li[aria-current] {
    color: var(--vscode-foreground);
  }
  .switcher {
    flex: 0 1 260px;
    text-overflow: ellipsis;
  }
  .to-screen {
    display: flex;
    flex: none;
  }
  @container page (max-width: 480px) {
    .session-header :is(nav, .switcher) {
      flex: 1 1 100%;
    }
    .session-header nav:has(+ .to-screen) {
      flex: 1 1 0;
    }
    /* The directory says more than the name of this page. */
    nav:has(+ .to-screen) li[aria-current] {
      display: none;
    }
  }
  .facts {
    gap: 2px 14px;
    min-height: 28px;
  }
  .fact {
    display: inline-flex;
    align-items: center;
    gap: 6px;
    white-space: nowrap;
    font-size: 12px;
  }
  .fact .codicon-shield {
    font-size: 14px;
    margin-right: -2px;
  }
  .reason-fact {
    display: block;
    flex: 0 1 auto;
  }
  .since {
    font-variant-numeric: tabular-nums;
  }
  .context-bar {
    width: 64px;
    height: 6px;
    overflow: hidden;
    background: var(--vscode-scrollbarSlider-background);
    border: 1px solid var(--vscode-contrastBorder, transparent);
    border-radius: 3px;
  }
  .context-fill {
    display: block;
    height: 100%;
    background: var(--vscode-progressBar-background);
  }
  .context-fill.nearly-full {
    background: var(--vscode-editorWarning-foreground);
  }
  .header-actions {
    gap: 2px;
    margin-left: auto;
  }
`);
