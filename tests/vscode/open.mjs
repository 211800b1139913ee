// Opens the real workbench with the extension for manual tests: `node open.mjs`, on loopback, in a separate home with
// two sample projects and a scripted Claude API, until Ctrl-C. `AREYOUJ_BIN_DIR` is the directory of the programs,
// `AREYOUJ_CODE_SERVER` the directory in which `cargo xtask` installed code-server.
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { endAll } from "./lib/cleanup.mjs";
import { codeServer } from "./lib/codeServer.mjs";
import { Home } from "./lib/home.mjs";
import { Server } from "./lib/server.mjs";
import { installExtension } from "./lib/vsix.mjs";

/** Projects with a file each, so that there is something to mention. */
const PROJECTS = { bakery: "# Bakery\n\nBread, rolls and cakes.\n", library: "# Library\n\nBooks, journals and maps.\n" };

/** Prompts in the language of the scripted API. */
const PROMPTS = `Claude is the real one, its API is scripted: nothing leaves this machine. Messages to try:
  run: touch a-file          asks for permission
  ask: Which? | This | That  asks a question
  plan: Paint the door       presents a plan
  slow: 200 that was long    prints many words
  think: about it            thinks first
  error: 529                 fails`;

const programs = process.env.AREYOUJ_BIN_DIR;
const editor = codeServer();
if (programs === undefined || editor === null) {
  console.error("usage: AREYOUJ_BIN_DIR=DIRECTORY AREYOUJ_CODE_SERVER=DIRECTORY node open.mjs");
  process.exitCode = 2;
} else {
  try {
    await open();
  } catch (error) {
    await endAll();
    throw error;
  }
}

async function open() {
  const extension = await installExtension(editor, programs);
  const home = await Home.open(programs, { projects: Object.keys(PROJECTS) });
  for (const [name, text] of Object.entries(PROJECTS)) await writeFile(path.join(home.projects[name], "README.md"), text);
  const server = await Server.start(editor, { extensions: extension.directory, environment: home.environment, folders: Object.values(home.projects) });
  console.log(`\n${PROMPTS}\n\nOpen ${server.url}\nCtrl-C stops it and removes everything.`);
  // The server keeps this program running; if the server exits, this program exits, too.
  await server.ended;
  await endAll();
}
