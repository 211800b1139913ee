// Takes the pictures for the README of the extension, with realistic sessions: `run.mjs --screenshots`.
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { shows } from "../lib/workbench.mjs";

const DOCS = path.resolve(import.meta.dirname, "../../../extension-vscode/docs");

/** The files of the projects. */
const FILES = {
  bakery: { "hours.md": "# Hours\n\nMonday to Friday, 6 to 18\n", "README.md": "# Bakery\n" },
  library: { "README.md": "# Library\n" },
  harbour: { "README.md": "# Harbour\n" },
};

const REVIEW = `The three queries of the catalogue ask for the same rows. One of them is enough:

1. **Load** the shelf with its books.
2. **Group** them by author in memory.

\`\`\`sql
SELECT author, title FROM books WHERE shelf = ?1 ORDER BY author;
\`\`\`

That takes one round trip instead of three. Shall I change it?`;

/** Three projects with five sessions: one active, two waiting, one failed, one idle. */
async function people(t) {
  const { projects } = t.home;
  for (const [project, files] of Object.entries(FILES)) {
    for (const [name, text] of Object.entries(files)) await writeFile(path.join(projects[project], name), text);
  }
  const start = (project, name) => t.home.idle(project, name);
  const says = async (id, prompt, script) => {
    await t.home.setScript(prompt, script);
    await t.home.run("send", id, prompt);
  };
  const tides = await start("harbour", "Tide tables");
  await says(tides, "Which port is the reference?", "error: 400");
  await t.home.run("wait", tides, "--timeout", "60").catch(() => {});
  const moorings = await start("harbour", "Moorings");
  await t.home.setScript("How many boats fit at the north pier?", "think: the length of the pier");
  await t.home.sendAndWait(moorings, "How many boats fit at the north pier?");
  const catalogue = await start("library", "Catalogue");
  await t.home.setScript("Why is the catalogue slow?", REVIEW);
  await t.home.sendAndWait(catalogue, "Why is the catalogue slow?");
  await t.home.setScript("Count the books on each shelf.", "run: ls -l README.md");
  await t.home.sendAndWait(catalogue, "Count the books on each shelf.");
  await says(catalogue, "Write the report about lent books.", "hold: report");
  for (const text of ["Then check the spelling.", "Add a summary of at most five lines."]) await t.home.run("send", catalogue, text);
  const shop = await start("bakery", "Shop page");
  await says(shop, "We are open on Saturdays, too.", `edit: ${projects.bakery}/hours.md | Monday to Friday, 6 to 18 | Monday to Saturday, 6 to 16`);
  const bread = await start("bakery", "Bread list");
  await says(bread, "Add the new bread.", "ask: Which bread is new? | Rye with caraway | Spelt | Both");
  for (const id of [shop, bread]) await t.home.wait(id, "waiting");
  return { tides, moorings, catalogue, shop, bread };
}

async function theme(window, name) {
  await window.run("Preferences: Color Theme");
  await window.input.fill(name);
  await window.row(name).click();
  await window.run("Notifications: Clear All Notifications");
}

async function picture(window, name) {
  // Moves the mouse away, so that no hover is visible.
  await window.page.mouse.move(640, window.page.viewportSize().height - 8);
  // New cards are disabled for a moment, which is visible.
  await window.page.waitForTimeout(SETTLED_MS);
  await window.page.screenshot({ path: path.join(DOCS, `${name}.png`), caret: "hide", animations: "disabled" });
}

/** A new window in a theme. */
async function windowOf(t, size, name) {
  const window = await t.openIn(await t.profile(size));
  await theme(window, name);
  return window;
}

const SETTLED_MS = 800;
const WIDE = { width: 1280, height: 800 };
const NARROW = { width: 1000, height: 800 };

export default {
  home: { projects: Object.keys(FILES) },
  scenarios: {
    "without sessions": async (t) => {
      await mkdir(DOCS, { recursive: true });
      const window = await windowOf(t, WIDE, "Light Modern");
      const page = await window.openOrchestration();
      await shows(page.frame.getByText("No sessions yet"));
      await picture(window, "empty");
    },

    "in use": async (t) => {
      await mkdir(DOCS, { recursive: true });
      await people(t);
      const window = await windowOf(t, WIDE, "Dark Modern");
      await window.run("View: Toggle Primary Side Bar Visibility");
      await shows((await window.openOrchestration()).session("Bread list"));
      await picture(window, "orchestration");
      await window.switchTo("Catalogue");
      await picture(window, "automation");
      await window.switchTo("Shop page");
      await picture(window, "permission");
      await window.switchTo("Tide tables");
      await picture(window, "error");
      await theme(window, "Light Modern");
      await window.switchTo("Catalogue");
      await picture(window, "automation-light");
      await window.openOrchestration();
      await picture(window, "orchestration-light");
      await theme(window, "Dark High Contrast");
      await picture(window, "orchestration-high-contrast");
      const narrow = await windowOf(t, NARROW, "Dark Modern");
      await shows((await narrow.showView()).session("Bread list"));
      await picture(narrow, "inbox");
    },

    "Claude's own terminal, and the list beside it": async (t) => {
      await mkdir(DOCS, { recursive: true });
      const { bakery } = t.home.projects;
      await writeFile(path.join(bakery, "prices.md"), "# Prices\n\nRye bread 4.20\n");
      await t.home.idle("library", "Catalogue");
      const id = await t.home.create("bakery", ["--name", "Price list", "--driver", "terminal", "--permission-mode", "default"]);
      await t.home.wait(id, "idle");
      const prompt = "The rye bread is 4.50 from now on.";
      await t.home.setScript(prompt, `edit: ${bakery}/prices.md | Rye bread 4.20 | Rye bread 4.50`);
      const window = await windowOf(t, WIDE, "Dark Modern");
      await (await window.showView()).icon("Open Claude's terminal of Price list").click();
      const screen = await window.screen("Price list");
      await screen.submit(prompt);
      await screen.shows("Do you want to make this edit");
      await shows(window.view().card("Price list"));
      await picture(window, "screen");
    },
  },
};
