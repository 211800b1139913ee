import { randomUUID } from "node:crypto";
import { ask, showMessage } from "../notify/window";
import type { OpenSession } from "../ports";
import type { Driver, Session, SessionCreateParams } from "../protocol.gen";
import type { Settings } from "../settings";
import { isNameTooLong, NAME_TOO_LONG } from "../shared/session";
import { clippedLine } from "../shared/text";
import { DirectoryPick, type DirectoryParts } from "./directoryPick";
import { askInSteps, type Step } from "./wizard";

/** Models for which the `claude` program has an alias. */
const MODELS = ["opus", "sonnet", "haiku"];
/** The permission modes of the `claude` program. */
const MODES: Readonly<Record<string, string>> = {
  default: "Ask before a tool changes or runs something",
  acceptEdits: "Edit files without asking",
  plan: "Make a plan without changing anything",
  dontAsk: "Deny everything that no rule allows",
  bypassPermissions: "Never ask. Use it only in a sandbox",
};
/** The permission mode in which Claude does everything without asking. */
const NEVER_ASKS = "bypassPermissions";
/** The drivers of a session, for people. */
const DRIVERS: Readonly<Record<Driver, { label: string; description: string }>> = {
  stream: { label: "Transcript", description: "A page with the transcript, permission requests and the queue" },
  terminal: { label: "Terminal", description: "Claude's own interface in a terminal, with the same page beside it" },
};

/** The options of a new session, beside its directory. */
type Options = Pick<SessionCreateParams, "name" | "driver" | "model" | "permissionMode" | "messages">;

/** Options that are already chosen. */
interface Given {
  directory?: string;
  driver?: Driver;
}

interface Parts extends DirectoryParts {
  settings: Pick<Settings, "askForOptions" | "defaultDriver" | "defaultModel" | "defaultPermissionMode">;
  openSession: OpenSession;
}

/** Starts a session: asks for its directory, then for its options, and opens its page or its screen. */
export class NewSession {
  constructor(private readonly parts: Parts) {}

  /** Starts a session and opens it. Asks for a directory if none is given. Rejects with a `ProblemError`. */
  async run(directory?: string): Promise<void> {
    const session = await this.create(directory === undefined ? {} : { directory });
    if (session !== null) await this.parts.openSession(session);
  }

  /** Starts a session without opening it; null if the person cancelled. Rejects with a `ProblemError`. */
  async create(given: Given): Promise<Session | null> {
    const { daemon, settings } = this.parts;
    const directory =
      given.directory === undefined
        ? await new DirectoryPick(this.parts).ask()
        : (await daemon.request("areyouj/directory/validate", { path: given.directory })).directory;
    if (directory === null) return null;
    const options = settings.askForOptions
      ? await this.#askOptions(directory, given.driver)
      : this.#defaults(given.driver);
    if (options === null) return null;
    if (options.permissionMode === NEVER_ASKS && !(await confirmedNeverAsks(directory))) return null;
    const { session, warning } = await daemon.request("areyouj/session/create", {
      requestId: randomUUID(),
      directory,
      ...options,
    });
    if (warning !== undefined) void showMessage("warning", clippedLine(warning, 500));
    return session;
  }

  #defaults(driver: Driver | undefined): Options {
    const { defaultDriver, defaultModel, defaultPermissionMode } = this.parts.settings;
    return {
      driver: driver ?? defaultDriver,
      ...(defaultModel === "" ? {} : { model: defaultModel }),
      ...(defaultPermissionMode === "" ? {} : { permissionMode: defaultPermissionMode }),
    };
  }

  async #askOptions(directory: string, driver: Driver | undefined): Promise<Options | null> {
    const { defaultDriver, defaultModel, defaultPermissionMode } = this.parts.settings;
    const drivers: Driver[] = defaultDriver === "stream" ? ["stream", "terminal"] : ["terminal", "stream"];
    const driverStep: Step = {
      kind: "choice",
      placeholder: "Transcript or terminal",
      choices: drivers.map((value) => ({ value, ...DRIVERS[value] })),
      free: null,
    };
    const steps: Step[] = [
      {
        kind: "text",
        placeholder: "Name (optional)",
        prompt: "Press Enter in every step to use the defaults",
        check: (value) => (isNameTooLong(value) ? NAME_TOO_LONG : null),
      },
      ...(driver === undefined ? [driverStep] : []),
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
        prompt: "Claude runs it as soon as the session has started",
        check: () => null,
      },
    ];
    const answers = await askInSteps(`New session in ${clippedLine(directory, 80)}`, steps);
    if (answers === null) return null;
    const [name = "", ...others] = answers.map((answer) => answer.trim());
    const chosen = driver ?? drivers.find((one) => one === others[0]) ?? defaultDriver;
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

/** Whether the person confirms a session that never asks, however the permission mode was chosen. */
async function confirmedNeverAsks(directory: string): Promise<boolean> {
  const question = "Start a session that never asks for permission?";
  const detail = `Claude runs every command and changes every file in ${clippedLine(directory, 200)} and elsewhere without asking. Use it only in a sandbox.`;
  const button = "Start Without Permissions";
  return (await ask(question, detail, button)) === button;
}
