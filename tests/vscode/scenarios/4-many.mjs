// Two hundred sessions, ten of them streaming: measures the reaction of the pages and its costs, and compares them with goals.
import { readFile, readdir } from "node:fs/promises";
import path from "node:path";
import { note, noteTimes } from "../lib/measure.mjs";
import { reactions, timeReactions, watchFor } from "../lib/paint.mjs";
import { gone, shows } from "../lib/workbench.mjs";

const SESSIONS = 200;
const STREAMING = 10;
/** Sessions that are created at the same time: the daemon starts as many Claudes at once. */
const AT_ONCE = 4;
/** A stream that lasts longer than all measurements: words, twenty a second. */
const STREAM = "slow: 6000 over";
/** The number of opened session pages. */
const PAGES = 5;
/** The number of timed key presses and clicks. */
const REACTIONS = 40;
const CPU_OVER_MS = 10_000;
/** Clock ticks a second, as /proc counts processor time; fixed on Linux. */
const TICKS = 100;

/** The extension host of this server, and the sidecar that it runs. */
async function processes(server) {
  const all = await Promise.all((await readdir("/proc")).filter((name) => /^\d+$/u.test(name)).map(processOf));
  const below = (pid) => all.filter((one) => one?.parent === pid).flatMap((one) => [one, ...below(one.pid)]);
  const mine = below(server.pid);
  return {
    host: mine.find(({ command }) => command.includes("--type=extensionHost")),
    sidecar: mine.find(({ command }) => /areyouj\0lsp\0/u.test(command)),
  };
}

async function processOf(pid) {
  try {
    const [command, status] = await Promise.all(["cmdline", "stat"].map((file) => readFile(path.join("/proc", pid, file), "utf8")));
    // The name in parentheses can contain anything; only numbers follow it.
    const fields = status.slice(status.lastIndexOf(")") + 2).split(" ");
    return { pid: Number(pid), command, parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) };
  } catch {
    return null; // It has exited meanwhile.
  }
}

async function megabytes(pid) {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Math.round(Number(/VmRSS:\s+(\d+)/u.exec(status)[1]) / 1024);
}

async function createMany(t) {
  const standIn = { AREYOUJ_CLAUDE: path.join(t.programs, "claude-stand-in"), AREYOUJ_STANDIN: "obedient" };
  const names = Array.from({ length: SESSIONS - STREAMING }, (_, count) => `session ${count + 1}`);
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let name = names.pop(); name !== undefined; name = names.pop()) {
        await t.home.wait(await t.home.create("one", ["--name", name], standIn), "idle");
      }
    }),
  );
  const streaming = [];
  for (let count = 1; count <= STREAMING; count++) streaming.push(await t.home.idle("one", `stream ${count}`));
  return streaming;
}

/** The activation time of the extension, as the editor reports it. */
async function activation(window) {
  await window.run("Developer: Show Running Extensions");
  const row = window.page.locator(".monaco-list-row", { hasText: /AreYouJ.*Activation/su });
  await shows(row);
  const [, time] = /Activation: (\d+ ?ms)/u.exec(await row.innerText());
  await window.page.keyboard.press("Escape");
  await gone(row);
  return time;
}

export default {
  home: { projects: ["one"], config: `max_active_sessions = ${SESSIONS + 10}\n` },
  scenarios: {
    "two hundred sessions, ten of them streaming": async (t) => {
      const window = await t.window();
      note("activation of the extension", await activation(window), "< 50 ms");
      const { host, sidecar } = await processes(t.server);
      note("extension host without sessions", `${await megabytes(host.pid)} MB`);
      const streaming = await createMany(t);
      const page = await window.openOrchestration();
      await shows(page.frame.getByText(String(SESSIONS), { exact: true }));
      for (const id of streaming) await t.home.run("send", id, STREAM);
      await shows(page.session("stream 1").filter({ hasText: "Active" }));
      const frame = await page.handle();

      const ticks = async ({ pid }) => (await processOf(String(pid))).ticks;
      const before = [await ticks(host), await ticks(sidecar)];
      await new Promise((resolve) => setTimeout(resolve, CPU_OVER_MS));
      const share = (now, then) => `${Math.round(((now - then) / TICKS / (CPU_OVER_MS / 1000)) * 100)} % of a core`;
      note("extension host, 200 sessions", `${share(await ticks(host), before[0])}, ${await megabytes(host.pid)} MB`);
      note("sidecar, 200 sessions", `${share(await ticks(sidecar), before[1])}, ${await megabytes(sidecar.pid)} MB`);

      await timeReactions(frame);
      await page.session("stream").first().click({ position: { x: 4, y: 4 } });
      // One after the other, each after the reaction to the previous one.
      for (let count = 0; count < REACTIONS; count++) {
        await window.page.keyboard.press(count % 2 === 0 ? "ArrowDown" : "PageDown");
        await frame.waitForFunction((wanted) => globalThis.reactions.length >= wanted, count + 2);
      }
      const tiles = page.frame.locator(".tile");
      for (let count = 0; count < REACTIONS / 2; count++) await tiles.nth(count % 2).click();
      await page.frame.getByPlaceholder("Filter sessions").fill("");
      await page.frame.getByPlaceholder("Filter sessions").pressSequentially("stream 1");
      noteTimes("key or click → painted, 200 sessions", await reactions(frame), "p95 < 100 ms");

      await tiles.first().click();
      const opened = [];
      for (let count = 1; count <= PAGES; count++) {
        await window.openOrchestration();
        await page.frame.getByPlaceholder("Filter sessions").fill(`stream ${count}`);
        const name = page.session(`stream ${count}`).locator(".name", { hasText: new RegExp(`^stream ${count}$`, "u") });
        await shows(name);
        const began = Date.now();
        await name.click();
        const tab = await window.automation(`stream ${count}`);
        opened.push((await watchFor(await tab.handle(), ".tail")) - began);
      }
      noteTimes("click → page of a session painted, while ten stream", opened);
    },
  },
};
