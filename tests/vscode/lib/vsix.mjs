// The extension as it is given to people: built, packaged with the programs, and installed where no other is.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, copyFile, cp, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { npm } from "../install.mjs";
import { atEnd } from "./cleanup.mjs";
import { directories } from "./server.mjs";

const execute = promisify(execFile);
const HERE = path.resolve(import.meta.dirname, "..");
const SOURCE = path.resolve(HERE, "../../extension-vscode");

/** What of the sources a package is made of. */
const PARTS = ["package.json", ".vscodeignore", "README.md", "CHANGELOG.md", "LICENSE", "media", "dist", "docs"];
/** The programs that an extension for one platform brings along. */
const PROGRAMS = ["areyouj", "areyouj-host"];

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
 * Builds and packages the extension, and installs it.
 *
 * @returns {Promise<{extensions: string, files: string, bytes: number}>} the directory of installed
 *   extensions, the list of files as vsce prints it, the size of the package
 */
export async function installExtension({ node, entry }, programs) {
  const root = await mkdtemp(path.join(tmpdir(), "areyouj-vsix-"));
  atEnd(() => rm(root, { recursive: true, force: true }));
  const [stage, file, extensions] = ["stage", "areyouj.vsix", "extensions"].map((name) => path.join(root, name));
  await execute(process.execPath, ["esbuild.mjs"], { cwd: SOURCE });
  await mkdir(path.join(stage, "bin"), { recursive: true });
  for (const part of PARTS) await cp(path.join(SOURCE, part), path.join(stage, part), { recursive: true }).catch(absent);
  for (const program of PROGRAMS) {
    await copyFile(path.join(programs, program), path.join(stage, "bin", program));
    await chmod(path.join(stage, "bin", program), 0o755);
  }
  // Packaging would build again, from sources that are not here.
  const description = JSON.parse(await readFile(path.join(stage, "package.json"), "utf8"));
  delete description.scripts["vscode:prepublish"];
  await writeFile(path.join(stage, "package.json"), JSON.stringify(description, null, 2));
  await symlink(path.join(SOURCE, "node_modules"), path.join(stage, "node_modules"));
  const vsce = path.join(SOURCE, "node_modules/.bin/vsce");
  const printed = await execute(vsce, ["package", "--no-dependencies", "--target", "linux-x64", "-o", file], { cwd: stage });
  const warnings = `${printed.stdout}${printed.stderr}`.split("\n").filter((line) => /warn/iu.test(line));
  if (warnings.length > 0) throw new Error(`vsce package warns: ${warnings.join("\n")}`);
  await writeFile(path.join(root, "code-server.yaml"), "cert: false\n");
  await execute(node, [entry, "--config", path.join(root, "code-server.yaml"), "--user-data-dir", path.join(root, "user"), "--extensions-dir", extensions, "--install-extension", file], {
    env: { PATH: process.env.PATH, HOME: root, EXTENSIONS_GALLERY: '{"serviceUrl":""}', ...directories(root) },
  });
  const files = printed.stdout.split("\n").filter((line) => /^[\s│├└─]/u.test(line)).join("\n");
  const { size } = await stat(file);
  return { extensions, files, bytes: size };
}

function absent(error) {
  if (error.code !== "ENOENT") throw error;
}
