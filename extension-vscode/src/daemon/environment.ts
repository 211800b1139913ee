/** Variables that an editor sets for its own processes; they keep other programs of its kind from starting. */
const EDITOR_ONLY = /^(ELECTRON_|VSCODE_|CODE_SERVER_|CHROME_DESKTOP$|ORIGINAL_XDG_CURRENT_DESKTOP$|NODE_CHANNEL_FD$)/;

/**
 * The environment for programs outside of the editor: the sidecar, and through it the sessions that are created here. As
 * in the editor's own terminals, variables that concern only the editor are removed.
 */
export function outsideEnvironment(own: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(own).filter(([name]) => !EDITOR_ONLY.test(name)));
}
