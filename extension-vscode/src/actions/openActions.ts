import { requireSession } from "../model/lookup";
import type { Model } from "../model/model";
import type { Overview, Pages, Screens } from "../ports";
import type { NewSession } from "../sessions/newSession";
import type { SwitchDriver } from "../sessions/switchDriver";
import type { HandlersOf } from "./actions";

interface Parts {
  model: Pick<Model, "connection" | "session">;
  newSession: Pick<NewSession, "run">;
  switchDriver: Pick<SwitchDriver, "switch">;
  overview: Pick<Overview, "openTab">;
  pages: Pick<Pages, "open">;
  screens: Pick<Screens, "open">;
}

type Kind = "newSession" | "open" | "openOrchestration" | "openScreen" | "switchDriver";

/** Actions that open pages and screens, or start and switch sessions and then open them. */
export function openActions(parts: Parts): HandlersOf<Kind> {
  const { model, newSession, switchDriver, overview, pages, screens } = parts;
  return {
    newSession: ({ directory }) => newSession.run(directory),
    open: ({ sessionId }) => pages.open(sessionId),
    openOrchestration: () => overview.openTab(),
    openScreen: ({ sessionId }) => screens.open(requireSession(model, sessionId)),
    switchDriver: ({ sessionId, driver }) => switchDriver.switch(requireSession(model, sessionId), driver),
  };
}
