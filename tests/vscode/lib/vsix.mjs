// The extension as released: built, packaged with the programs, and installed in an empty directory.
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { packageExtension } from "../../../extension-vscode/package.mjs";
import { atEnd } from "./cleanup.mjs";
import { directories } from "./server.mjs";

const execute = promisify(execFile);

/**
 * Builds and packages the extension, and installs it in an empty directory.
 *
 * @returns {Promise<{directory: string, listing: string, bytes: number}>} the directory of installed extensions, the
 *   contents of the package, and its size
 */
export async function installExtension({ node, entry }, programs) {
  const root = await mkdtemp(path.join(tmpdir(), "areyouj-vsix-"));
  atEnd(() => rm(root, { recursive: true, force: true }));
  const [file, configuration, user, directory] = ["areyouj.vsix", "code-server.yaml", "user", "extensions"].map((name) => path.join(root, name));
  const made = packageExtension(programs, file);
  await writeFile(configuration, "cert: false\n");
  await execute(node, [entry, "--config", configuration, "--user-data-dir", user, "--extensions-dir", directory, "--install-extension", file], {
    env: { PATH: process.env.PATH, HOME: root, EXTENSIONS_GALLERY: '{"serviceUrl":""}', ...directories(root) },
  });
  return { directory, ...made };
}
