/** The base of both pages: the connection, the settings, what needs a person, and announcements for screen readers. */
import { type TemplateResult, html } from "lit";
import { state } from "lit/decorators.js";
import type { Message, Permission } from "../../src/protocol.gen";
import type { ActionDone, Connection, PageSettings, PageState, ToEveryPage } from "../../src/shared/bridge";
import { PageElement } from "../ui/element";
import { setPageShown } from "../ui/visibility";

export abstract class Page extends PageElement {
  @state() protected connection: Connection = { state: "connecting", problem: null };
  @state() protected settings: PageSettings = { home: "", folders: [] };
  @state() protected permissions: Permission[] = [];
  @state() protected decisions: Message[] = [];
  /** The latest text that a screen reader announces. */
  @state() protected news = "";

  protected get connected(): boolean {
    return this.connection.state === "connected";
  }

  /** Applies the state that every page has. */
  protected applyPageState({ connection, settings, permissions, decisions }: PageState): void {
    this.connection = connection;
    this.settings = settings;
    this.permissions = permissions;
    this.decisions = decisions;
  }

  /** Applies a change of that state. */
  protected applyChange(message: Exclude<ToEveryPage, ActionDone>): void {
    switch (message.type) {
      case "connection":
        this.connection = message.connection;
        return;
      case "settings":
        this.settings = message.settings;
        return;
      case "permissions":
        this.permissions = message.permissions;
        return;
      case "decisions":
        this.decisions = message.decisions;
        return;
      case "visible":
        setPageShown(message.visible);
    }
  }

  protected announcement(): TemplateResult {
    return html`<div class="sr-only" role="status" aria-live="polite">${this.news}</div>`;
  }
}

/** Shown until the first state arrives. */
export function loading(text: string): TemplateResult {
  return html`<div class="loading" role="status">
    <span class="codicon codicon-loading spinner" aria-hidden="true"></span> ${text}
  </div>`;
}
