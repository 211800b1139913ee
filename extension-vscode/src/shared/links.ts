/** Ids and addresses that come from elsewhere. */

const SESSION_ID = /^[A-HJ-NP-TV-Z2-9]{8}$/;

/** Whether a text has the form of a session id. */
export function isSessionId(text: string): boolean {
  return SESSION_ID.test(text);
}

/** The session id in the path of `vscode://areyouj.areyouj/automation/<id>`, or null. */
export function sessionOfUri(path: string): string | null {
  const [, page, id, ...rest] = path.split("/");
  return page === "automation" && id !== undefined && rest.every((part) => part === "") && isSessionId(id) ? id : null;
}

/** An address that can be opened outside of the editor: `http` or `https` with a host. Null for every other one. */
export function webAddress(text: string): string | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url !== null && (url.protocol === "http:" || url.protocol === "https:") && url.hostname !== ""
    ? url.href
    : null;
}
