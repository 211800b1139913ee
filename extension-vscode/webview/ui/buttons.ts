/** Buttons that name their action, and the reason when they are disabled. */
import "@vscode-elements/elements/dist/vscode-button/index.js";
import { type TemplateResult, html, nothing } from "lit";

/** The state of a button. */
export interface ButtonState {
  disabled?: boolean;
  /** Its action is running. */
  running?: boolean;
  /** The reason why it is disabled, or details of its action. */
  title?: string;
  /** It does nothing yet, for a moment, and keeps the focus. */
  waiting?: boolean;
  secondary?: boolean;
  expanded?: boolean;
}

/** A button with a label. */
export function button(label: string, click: () => void, state: ButtonState = {}): TemplateResult {
  const { disabled = false, running = false, title, waiting = false, secondary = false, expanded } = state;
  return html`<vscode-button
    ?secondary=${secondary}
    ?disabled=${disabled || running}
    aria-disabled=${disabled || running || waiting}
    aria-expanded=${expanded ?? nothing}
    title=${title ?? nothing}
    @click=${() => (disabled || running || waiting ? undefined : click())}
    >${running ? html`<span slot="content-before" class="codicon codicon-loading spinner" aria-hidden="true"></span>` : nothing}${label}</vscode-button
  >`;
}

/** A button with an icon; the label is its accessible name and its title. */
export function iconButton(
  icon: string,
  label: string,
  click: (event: MouseEvent) => void,
  state: {
    disabled?: boolean;
    reason?: string | undefined;
    pressed?: boolean;
    tabindex?: number;
    running?: boolean;
  } = {},
): TemplateResult {
  const running = state.running ?? false;
  return html`<button
    type="button"
    class="icon-button"
    aria-label=${label}
    title=${state.disabled && state.reason ? `${label}: ${state.reason}` : label}
    aria-pressed=${state.pressed ?? nothing}
    tabindex=${state.tabindex ?? nothing}
    ?disabled=${(state.disabled ?? false) || running}
    @click=${click}
  >
    <span class="codicon codicon-${running ? "loading" : icon} ${running ? "spinner" : ""}" aria-hidden="true"></span>
  </button>`;
}
