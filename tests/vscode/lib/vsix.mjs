// The extension as it is given to people: built, packaged with the programs, and installed where no other is.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { npm } from "../install.mjs";
import { atEnd } from "./cleanup.mjs";
import { directories } from "./server.mjs";

const execute = promisify(execFile);
const HERE = path.resolve(import.meta.dirname, "..");
const SOURCE = path.resolve(HERE, "../../extension-vscode");

/** Installs the modules that the tests and the extension need, unless the lock files say that they are there. */
export async function installModules() {
  for (const directory of [HERE, SOURCE]) {
    const lock = await readFile(path.join(directory, "package-lock.json"));
    const digest = createHash("sha256").update(lock).digest("hex");
    const mark = path.join(directory, "node_modules/.installed-lock");
    if ((await readFile(mark, "utf8").catch(() => "")) === digest) continue;
    // Not `ci`: it wants an entry for every platform that an optional module was ever built for, which not every registry has.
    await npm(directory, ["install", "--no-save"]);
    await writeFile(mark, digest);
  }
}

/**
 * Builds and packages the extension, and installs it where no other is.
 *
 * @returns {Promise<{directory: string, listing: string, bytes: number}>} the directory of installed extensions, what is
 *   in the package, and its size
 */
export async function installExtension({ node, entry }, programs) {
  // Only now: the modules that this needs may just have been installed.
  const { packageExtension } = await import(path.join(SOURCE, "package.mjs"));
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
