import { randomUUID } from "node:crypto";
import * as vscode from "vscode";
import type { Context } from "./context";
import { DirectoryPick } from "./directoryPick";
import type { SessionCreateParams } from "./protocol.gen";
import { plain } from "./text";
import { askInSteps, type Step } from "./wizard";

/** The models that Claude's program knows by an alias. */
const MODELS = ["opus", "sonnet", "haiku"];
/** What Claude's program takes as a permission mode, in its words. */
const MODES: Readonly<Record<string, string>> = {
  default: "Ask before tools change or run something",
  acceptEdits: "Edit files without asking",
  plan: "Make a plan, change nothing",
  dontAsk: "Deny what is not allowed by a rule",
  bypassPermissions: "Never ask; only for a sandbox",
};
/** A name that the daemon accepts, in characters. */
const MAX_NAME = 100;

/** What a new session is started with, beside its directory. */
type Options = Pick<SessionCreateParams, "name" | "model" | "permissionMode" | "messages">;

/** Starts a session: asks for its directory, then for what else is wanted, and opens its page. */
export class NewSession {
  constructor(private readonly context: Context) {}

  /** Without a directory, a person is asked for one. Rejects with a `Failure` when it cannot be started. */
  async run(given?: string): Promise<void> {
    const { client, settings } = this.context;
    const directory = given === undefined ? await new DirectoryPick(this.context).ask() : (await client.request("areyouj/directory/validate", { path: given })).directory;
    if (directory === null) return;
    const options = settings.askForOptions ? await this.#askOptions(directory) : this.#defaults();
    if (options === null) return;
    const { session, warning } = await client.request("areyouj/session/create", { requestId: randomUUID(), directory, ...options });
    this.context.automations.open(session.id);
    if (warning !== undefined) void vscode.window.showWarningMessage(plain(warning, 500));
  }

  #defaults(): Options {
    const { defaultModel, defaultPermissionMode } = this.context.settings;
    return {
      ...(defaultModel === "" ? {} : { model: defaultModel }),
      ...(defaultPermissionMode === "" ? {} : { permissionMode: defaultPermissionMode }),
    };
  }

  async #askOptions(directory: string): Promise<Options | null> {
    const { defaultModel, defaultPermissionMode } = this.context.settings;
    const steps: Step[] = [
      {
        kind: "text",
        placeholder: "Name (optional)",
        prompt: "Enter through all steps for the defaults",
        check: (value) => ([...value].length > MAX_NAME ? `At most ${MAX_NAME} characters` : null),
      },
      {
        kind: "choice",
        placeholder: "Model",
        choices: [
          { value: defaultModel, label: defaultModel === "" ? "Claude's default" : defaultModel, description: "default" },
          ...MODELS.filter((model) => model !== defaultModel).map((model) => ({ value: model, label: model, description: "" })),
        ],
        free: (value) => `Use the model “${value}”`,
      },
      {
        kind: "choice",
        placeholder: "Permission mode",
        choices: [
          { value: defaultPermissionMode, label: defaultPermissionMode === "" ? "Claude's default" : defaultPermissionMode, description: "default" },
          ...Object.entries(MODES)
            .filter(([mode]) => mode !== defaultPermissionMode)
            .map(([mode, description]) => ({ value: mode, label: mode, description })),
        ],
        free: null,
      },
      { kind: "text", placeholder: "First message (optional)", prompt: "Claude begins with it as soon as it is ready", check: () => null },
    ];
    const answers = await askInSteps(`New session in ${plain(directory, 80)}`, steps);
    if (answers === null) return null;
    const [name = "", model = "", permissionMode = "", text = ""] = answers.map((answer) => answer.trim());
    return {
      ...(name === "" ? {} : { name }),
      ...(model === "" ? {} : { model }),
      ...(permissionMode === "" ? {} : { permissionMode }),
      ...(text === "" ? {} : { messages: [{ id: randomUUID(), text }] }),
    };
  }
}
