/** A link to a session. */
import { type TemplateResult, html } from "lit";
import type { Session } from "../../src/protocol.gen";
import { act } from "../ui/host";
import { displayName } from "../../src/shared/session";
import { exactLine } from "../../src/shared/text";

/** A button with the session's name; its directory is in the title. */
export function sessionLink(session: Session): TemplateResult {
  return html`<button
    type="button"
    class="link ellipsis isolate session-link"
    title="Open ${displayName(session)} in ${exactLine(session.directory)}"
    @click=${() => act({ kind: "open", sessionId: session.id })}
  >
    ${displayName(session)}
  </button>`;
}
