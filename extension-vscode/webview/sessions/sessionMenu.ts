/** The context menu of a session. */
import type { Session } from "../../src/protocol.gen";
import type { Action } from "../../src/shared/bridge";
import { isBusy } from "../../src/shared/session";
import { act } from "../ui/host";
import type { MenuItem } from "../ui/menu";
import { OPEN_SCREEN, hasScreen } from "./screen";

const item = (label: string, action: Action, more: Partial<MenuItem> = {}): MenuItem => ({
  label,
  run: () => act(action),
  ...more,
});

/** The items of the menu. Without a connection it has only items that need none; on the session's own page it does not open that page. */
export function sessionMenu(session: Session, connected: boolean, terminate: () => void, onPage = false): MenuItem[] {
  const sessionId = session.id;
  const ended = session.status === "terminated";
  const running = isBusy(session);
  const atTerminal = session.driver === "terminal";
  const items: (MenuItem | false)[] = [
    !onPage && item("View details", { kind: "open", sessionId }, { keys: "Enter" }),
    connected && hasScreen(session) && item(OPEN_SCREEN, { kind: "openScreen", sessionId }),
    connected && running && item("Interrupt", { kind: "interrupt", sessionId }, { begins: true }),
    connected && item("Restart", { kind: "restart", sessionId }, { begins: !running }),
    connected && item("Rename…", { kind: "rename", sessionId }),
    connected &&
      !ended &&
      item(atTerminal ? "Switch to transcript" : "Switch to terminal", {
        kind: "switchDriver",
        sessionId,
        driver: atTerminal ? "stream" : "terminal",
      }),
    connected && !ended && { label: "Terminate…", keys: onPage ? "" : "Del", run: terminate },
    connected && ended && item("Delete…", { kind: "delete", sessionId }),
    item("Copy path", { kind: "copyPath", sessionId }, { begins: true }),
    item("Copy ID", { kind: "copyId", sessionId }),
    item("Open folder", { kind: "openFolder", sessionId }, { begins: true }),
    item("Open terminal in directory", { kind: "openTerminal", sessionId }),
  ];
  const [first, ...others] = items.filter((entry) => entry !== false);
  return first === undefined ? [] : [{ ...first, begins: false }, ...others];
}
