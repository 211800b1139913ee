import * as vscode from "vscode";
import type { Model } from "./model/model";

/** Sets the context keys that are conditions of the walkthrough and of menus. */
export class ContextKeys implements vscode.Disposable {
  readonly #values = new Map<string, boolean>();
  readonly #disposable: vscode.Disposable;

  constructor(private readonly model: Pick<Model, "connection" | "live" | "onConnection" | "onSessions">) {
    this.#disposable = vscode.Disposable.from(
      model.onConnection(() => this.#update()),
      model.onSessions(() => this.#update()),
    );
  }

  dispose(): void {
    this.#disposable.dispose();
  }

  #update(): void {
    const { connection, live } = this.model;
    this.#set("connected", connection.state === "connected");
    this.#set("hasSessions", live.length > 0);
    this.#set(
      "claudeAnswered",
      live.some(({ startupMs }) => startupMs !== null),
    );
  }

  #set(name: string, value: boolean): void {
    if (this.#values.get(name) === value) return;
    this.#values.set(name, value);
    void vscode.commands.executeCommand("setContext", `areyouj.${name}`, value);
  }
}
