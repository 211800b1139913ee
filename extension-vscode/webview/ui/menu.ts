/** A context menu for mouse and keyboard. */
import { type TemplateResult, css, html, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { PageElement, adopt, styled } from "./element";

/** An item of a menu; one that begins a group has a separator before it. */
export interface MenuItem {
  label: string;
  keys?: string;
  begins?: boolean;
  run: () => void;
}

/** The distance of the menu from the edge of the page, in pixels. */
const MARGIN = 4;

/** The menu; hidden until `openAt`. */
@customElement("areyouj-menu")
export class Menu extends PageElement {
  @state() private items: MenuItem[] | null = null;
  @state() private place = { x: 0, y: 0 };
  private back: HTMLElement | null = null;
  private readonly closeOutside = (event: Event): void => {
    const elsewhere =
      event.type === "blur" ? event.target === window : !(event.target instanceof Node && this.contains(event.target));
    if (elsewhere) this.close(false);
  };

  /** Opens the menu at a point of the page. Closing it restores the focus. */
  openAt(point: { x: number; y: number }, items: MenuItem[]): void {
    if (document.activeElement instanceof HTMLElement && !this.contains(document.activeElement))
      this.back = document.activeElement;
    this.items = items;
    this.place = point;
    for (const type of ["pointerdown", "wheel", "blur"]) window.addEventListener(type, this.closeOutside, true);
    void this.updateComplete.then(() => this.settle(point));
  }

  private settle({ x, y }: { x: number; y: number }): void {
    const menu = this.querySelector<HTMLElement>("[role=menu]");
    if (menu === null) return;
    const { width, height } = menu.getBoundingClientRect();
    this.place = {
      x: Math.max(MARGIN, Math.min(x, window.innerWidth - width - MARGIN)),
      y: Math.max(MARGIN, Math.min(y, window.innerHeight - height - MARGIN)),
    };
    menu.querySelector<HTMLElement>("[role=menuitem]")?.focus();
  }

  private close(refocus: boolean): void {
    for (const type of ["pointerdown", "wheel", "blur"]) window.removeEventListener(type, this.closeOutside, true);
    this.items = null;
    if (refocus) this.back?.focus();
    this.back = null;
  }

  protected override render(): TemplateResult | typeof nothing {
    if (this.items === null) return nothing;
    return html`<div role="menu" aria-label="Session" class="menu" ${styled({ left: `${this.place.x}px`, top: `${this.place.y}px` })} @keydown=${this.onKey}>
      ${this.items.map(
        (item) =>
          html`${item.begins ? html`<div role="separator"></div>` : nothing}
            <button type="button" role="menuitem" tabindex="-1" @click=${() => this.choose(item)} @pointermove=${(event: Event) => (event.currentTarget as HTMLElement).focus()}>
              <span class="grow">${item.label}</span>${item.keys ? html`<span class="keys">${item.keys}</span>` : nothing}
            </button>`,
      )}
    </div>`;
  }

  private choose(item: MenuItem): void {
    this.close(true);
    item.run();
  }

  private onKey(event: KeyboardEvent): void {
    const entries = [...this.querySelectorAll<HTMLElement>("[role=menuitem]")];
    const at = entries.indexOf(document.activeElement as HTMLElement);
    const letter = event.key.length === 1 ? event.key.toLowerCase() : null;
    const goes: Record<string, number> = {
      ArrowDown: (at + 1) % entries.length,
      ArrowUp: (at + entries.length - 1) % entries.length,
      Home: 0,
      End: entries.length - 1,
    };
    const byLetter = letter
      ? entries.findIndex((_, index) =>
          entries[(at + 1 + index) % entries.length]?.textContent?.trim().toLowerCase().startsWith(letter),
        )
      : -1;
    if (event.key === "Escape" || event.key === "Tab") this.close(true);
    else if (event.key in goes) entries[goes[event.key] ?? 0]?.focus();
    else if (byLetter >= 0 && letter !== " ") entries[(at + 1 + byLetter) % entries.length]?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

adopt(css`
  .menu {
    position: fixed;
    z-index: 10;
    width: max-content;
    min-width: 180px;
    max-width: calc(100vw - 8px);
    max-height: calc(100vh - 8px);
    overflow: auto;
    padding: 4px;
    color: var(--vscode-menu-foreground);
    background: var(--vscode-menu-background);
    border: 1px solid var(--vscode-menu-border, var(--vscode-contrastBorder, transparent));
    border-radius: 5px;
    box-shadow: 0 2px 8px var(--vscode-widget-shadow);
  }
  .menu button {
    display: flex;
    gap: 24px;
    width: 100%;
    padding: 3px 10px;
    border-radius: 3px;
  }
  .menu button:focus {
    color: var(--vscode-menu-selectionForeground);
    background: var(--vscode-menu-selectionBackground);
    outline: 1px solid var(--vscode-menu-selectionBorder, transparent);
    outline-offset: -1px;
  }
  .menu [role="separator"] {
    margin: 4px 0;
    border-top: 1px solid var(--vscode-menu-separatorBackground);
  }
  .menu .keys {
    opacity: 0.8;
  }
`);
