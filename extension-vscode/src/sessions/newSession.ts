import { randomUUID } from "node:crypto";
import * as vscode from "vscode";
import type { Context } from "../app";
import { DirectoryPick } from "./directoryPick";
import type { Driver, Session, SessionCreateParams } from "../protocol.gen";
import { plain } from "../editorText";
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
/** The two forms of a session, in words for people. */
const FORMS: Readonly<Record<Driver, { label: string; description: string }>> = {
  stream: { label: "Transcript", description: "A page with what was said and done, prompts and the queue" },
  terminal: { label: "Terminal", description: "Claude's own screen; list, prompts and queue as well" },
};
/** A name that the daemon accepts, in characters. */
const MAX_NAME = 100;

/** What a new session is started with, beside its directory. */
type Options = Pick<SessionCreateParams, "name" | "driver" | "model" | "permissionMode" | "messages">;

/** What is known before anybody is asked. */
interface Given {
  directory?: string;
  driver?: Driver;
}

/** Starts a session: asks for its directory, then for what else is wanted, and opens its page or its screen. */
export class NewSession {
  constructor(private readonly context: Context) {}

  /** Without a directory, a person is asked for one. Rejects with a `Failure` when it cannot be started. */
  async run(directory?: string): Promise<void> {
    const { screens, automations } = this.context;
    const session = await this.create(directory === undefined ? {} : { directory });
    if (session === null) return;
    if (session.driver === "terminal") await screens.open(session);
    else automations.open(session.id);
  }

  /** The new session, which nothing shows yet; null if it was not wanted after all. Rejects with a `Failure`. */
  async create(given: Given): Promise<Session | null> {
    const { client, settings } = this.context;
    const directory =
      given.directory === undefined
        ? await new DirectoryPick(this.context).ask()
        : (await client.request("areyouj/directory/validate", { path: given.directory })).directory;
    if (directory === null) return null;
    const options = settings.askForOptions
      ? await this.#askOptions(directory, given.driver)
      : this.#defaults(given.driver);
    if (options === null) return null;
    const { session, warning } = await client.request("areyouj/session/create", {
      requestId: randomUUID(),
      directory,
      ...options,
    });
    if (warning !== undefined) void vscode.window.showWarningMessage(plain(warning, 500));
    return session;
  }

  #defaults(driver: Driver | undefined): Options {
    const { defaultDriver, defaultModel, defaultPermissionMode } = this.context.settings;
    return {
      driver: driver ?? defaultDriver,
      ...(defaultModel === "" ? {} : { model: defaultModel }),
      ...(defaultPermissionMode === "" ? {} : { permissionMode: defaultPermissionMode }),
    };
  }

  async #askOptions(directory: string, driver: Driver | undefined): Promise<Options | null> {
    const { defaultDriver, defaultModel, defaultPermissionMode } = this.context.settings;
    const forms: Driver[] = defaultDriver === "stream" ? ["stream", "terminal"] : ["terminal", "stream"];
    const form: Step = {
      kind: "choice",
      placeholder: "Form",
      choices: forms.map((value) => ({ value, ...FORMS[value] })),
      free: null,
    };
    const steps: Step[] = [
      {
        kind: "text",
        placeholder: "Name (optional)",
        prompt: "Enter through all steps for the defaults",
        check: (value) => ([...value].length > MAX_NAME ? `At most ${MAX_NAME} characters` : null),
      },
      ...(driver === undefined ? [form] : []),
      {
        kind: "choice",
        placeholder: "Model",
        choices: [
          {
            value: defaultModel,
            label: defaultModel === "" ? "Claude's default" : defaultModel,
            description: "default",
          },
          ...MODELS.filter((model) => model !== defaultModel).map((model) => ({
            value: model,
            label: model,
            description: "",
          })),
        ],
        free: (value) => `Use the model “${value}”`,
      },
      {
        kind: "choice",
        placeholder: "Permission mode",
        choices: [
          {
            value: defaultPermissionMode,
            label: defaultPermissionMode === "" ? "Claude's default" : defaultPermissionMode,
            description: "default",
          },
          ...Object.entries(MODES)
            .filter(([mode]) => mode !== defaultPermissionMode)
            .map(([mode, description]) => ({ value: mode, label: mode, description })),
        ],
        free: null,
      },
      {
        kind: "text",
        placeholder: "First message (optional)",
        prompt: "Claude begins with it as soon as it is ready",
        check: () => null,
      },
    ];
    const answers = await askInSteps(`New session in ${plain(directory, 80)}`, steps);
    if (answers === null) return null;
    const [name = "", ...others] = answers.map((answer) => answer.trim());
    const chosen = driver ?? forms.find((one) => one === others[0]) ?? defaultDriver;
    const [model = "", permissionMode = "", text = ""] = driver === undefined ? others.slice(1) : others;
    return {
      driver: chosen,
      ...(name === "" ? {} : { name }),
      ...(model === "" ? {} : { model }),
      ...(permissionMode === "" ? {} : { permissionMode }),
      ...(text === "" ? {} : { messages: [{ id: randomUUID(), text }] }),
    };
  }
}
