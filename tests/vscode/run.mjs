// Tests of the extension in the real workbench: `node run.mjs [--screenshots] [FILTER…]` runs the scenarios whose group
// or name contains a FILTER, or all. `AREYOUJ_BIN_DIR` is the directory of `areyouj`, `areyouj-host`, `test-home` and
// `claude-stand-in`, `AREYOUJ_CODE_SERVER` the directory in which `cargo xtask` installed code-server. With
// --screenshots, it takes pictures for the README of the extension instead.
import { cp, mkdir, mkdtemp, readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { endAll } from "./lib/cleanup.mjs";
import { codeServer } from "./lib/codeServer.mjs";
import { Group } from "./lib/group.mjs";
import { printTable } from "./lib/measure.mjs";
import { installExtension } from "./lib/vsix.mjs";

const SCENARIOS = path.join(import.meta.dirname, "scenarios");
/** The number of attempts of a scenario: a busy machine can occasionally be too slow. A second attempt is reported. */
const ATTEMPTS = 2;

const [flags, filters] = [true, false].map((isFlag) => process.argv.slice(2).filter((word) => word.startsWith("--") === isFlag));
const screenshots = flags.includes("--screenshots");

try {
  process.exitCode = (await main()) ? 0 : 1;
} finally {
  await endAll();
}

async function main() {
  const programs = process.env.AREYOUJ_BIN_DIR;
  const editor = codeServer();
  if (programs === undefined || editor === null || flags.some((flag) => flag !== "--screenshots")) {
    console.error("usage: AREYOUJ_BIN_DIR=DIRECTORY AREYOUJ_CODE_SERVER=DIRECTORY node run.mjs [--screenshots] [FILTER…]");
    return false;
  }
  const extension = await installExtension(editor, programs);
  console.log(`${extension.listing}\nthe package has ${(extension.bytes / 1e6).toFixed(1)} MB\n`);
  const run = { passed: 0, failed: 0, kept: null };
  for (const [name, group] of await groups()) {
    const chosen = Object.entries(group.scenarios).filter(([title]) => filters.length === 0 || filters.some((filter) => `${name} ${title}`.includes(filter)));
    if (chosen.length > 0) await runGroup(new Group(group, { editor, programs, extension }), name, chosen, run);
  }
  printTable();
  console.log(`\n${run.passed} passed, ${run.failed} failed`);
  return run.failed === 0 && run.passed > 0;
}

async function groups() {
  const files = (await readdir(SCENARIOS)).filter((file) => file.endsWith(".mjs") && file.startsWith("pictures") === screenshots).toSorted();
  return Promise.all(files.map(async (file) => [path.basename(file, ".mjs"), (await import(path.join(SCENARIOS, file))).default]));
}

async function runGroup(group, name, scenarios, run) {
  try {
    await group.open();
    for (const [title, scenario] of scenarios) {
      if (await passes(group, `${name}: ${title}`, scenario, run)) run.passed++;
      else run.failed++;
    }
  } catch (error) {
    run.failed++;
    console.log(`FAIL ${name}: the group could not be started\n${error.stack}`);
  } finally {
    await group.close().catch((error) => {
      run.failed++;
      console.log(`FAIL ${name}: the group could not be closed\n${error.stack}`);
    });
  }
}

async function passes(group, title, scenario, run) {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const began = performance.now();
    let passed = false;
    const seconds = () => `${((performance.now() - began) / 1000).toFixed(1)} s`;
    try {
      await group.begin();
      await scenario(group);
      passed = true;
      console.log(`ok   ${title} (${seconds()}${attempt > 1 ? `, at attempt ${attempt}` : ""})`);
      return true;
    } catch (error) {
      const again = attempt < ATTEMPTS ? ", retried" : "";
      console.log(`FAIL ${title} (${seconds()}${again})\n${error.stack}${error.cause === undefined ? "" : `\n${error.cause.stack}`}`);
      console.log(`     kept: ${await keep(group, title, attempt, run)}`);
    } finally {
      await group.end(passed);
    }
  }
  return false;
}

/** Saves pictures and logs of a failure, and returns their directory. */
async function keep(group, title, attempt, run) {
  run.kept ??= await mkdtemp(path.join(tmpdir(), "areyouj-vscode-failed-"));
  const directory = path.join(run.kept, `${title.replace(/[^\w]+/gu, "-").slice(0, 80)}-${attempt}`);
  await mkdir(directory);
  await group.picture(directory);
  await writeFile(path.join(directory, "server.log"), group.server.output);
  await cp(group.server.logs, path.join(directory, "logs"), { recursive: true });
  return directory;
}
