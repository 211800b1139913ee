// A home of AreYouJ for one group of scenarios: the program `test-home` makes it, with the scripted Messages API and the
// real Claude CLI, and removes it; beside that the command line, as a person uses it.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { atEnd } from "./cleanup.mjs";

const execute = promisify(execFile);

/** How long something may take that is sure to happen, in seconds: ample on a busy machine, and a hang is noticed. */
export const PATIENCE_SECONDS = 60;

export class Home {
  #orders;
  #answers;

  /**
   * @param {string} programs the directory of `areyouj`, `areyouj-host`, `test-home` and `claude-stand-in`
   * @param {{projects?: string[], standIn?: string, claude?: string, config?: string}} options projects by name; a mode
   *   of the stand-in for Claude, or another program in its place; the text of `config.toml`
   */
  static async open(programs, { projects = [], standIn, claude, config } = {}) {
    const home = new Home();
    home.programs = programs;
    const child = spawn(path.join(programs, "test-home"), [...(standIn === undefined ? [] : ["--stand-in", standIn]), ...projects], {
      stdio: ["pipe", "pipe", "pipe"],
      // A group of its own: Ctrl-C is for this program, which then closes its input.
      detached: true,
      env: { ...process.env, AREYOUJ_BIN_DIR: programs },
    });
    let complaints = "";
    child.stderr.on("data", (chunk) => (complaints += chunk));
    // A write to a process that has died is reported by its exit.
    child.stdin.on("error", () => {});
    const ended = once(child, "exit");
    home.#orders = child.stdin;
    home.#answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    home.closing = false;
    home.close = atEnd(async () => {
      home.closing = true;
      child.stdin.end();
      // One that does not end is killed with everything it started; its exit code then says so.
      const deadline = setTimeout(() => process.kill(-child.pid, "SIGKILL"), PATIENCE_SECONDS * 1000);
      const [code] = await ended;
      clearTimeout(deadline);
      assert.equal(code, 0, `the home was not left clean: ${complaints}`);
    });
    const value = await home.#answer("test-home starts");
    if (value === undefined) throw new Error(`test-home: ${complaints}`);
    const { environment, home: directory, projects: places } = JSON.parse(value);
    home.directory = directory;
    home.projects = places;
    home.environment = claude === undefined ? environment : { ...environment, AREYOUJ_CLAUDE: claude };
    if (config !== undefined) {
      await mkdir(path.join(directory, "config"), { recursive: true });
      await writeFile(path.join(directory, "config/config.toml"), config);
    }
    return home;
  }

  /** Has a prompt answered by a script; see `tests/src/messages_api/script.rs`. */
  on(prompt, script) {
    return this.#order({ on: [prompt, script] });
  }

  /** Continues the turns that are held by this name. */
  release(name) {
    return this.#order({ release: name });
  }

  async #order(order) {
    this.#orders.write(`${JSON.stringify(order)}\n`);
    const value = await this.#answer(`test-home answers ${JSON.stringify(order)}`);
    assert.notEqual(value, undefined, "the home is closed");
    return JSON.parse(value);
  }

  /** The next line of test-home, undefined at its end; it fails when there is none in time. */
  async #answer(what) {
    let deadline;
    const late = new Promise((_, reject) => {
      deadline = setTimeout(() => reject(new Error(`not in time: ${what}`)), PATIENCE_SECONDS * 1000);
    });
    try {
      return (await Promise.race([this.#answers.next(), late])).value;
    } finally {
      clearTimeout(deadline);
    }
  }

  /** Runs a command that succeeds, and returns what it printed. */
  async run(...words) {
    return (await this.#execute(words)).stdout.trim();
  }

  /** The same with `--json`. */
  async json(...words) {
    return JSON.parse(await this.run(...words, "--json"));
  }

  #execute(words, environment = this.environment) {
    // An interrupted scenario can still run for a moment; nothing new starts in a home that is being removed.
    if (this.closing) throw new Error("the home is closed");
    const program = path.join(this.programs, "areyouj");
    return execute(program, words, { env: environment, cwd: this.directory, maxBuffer: 64 * 1024 * 1024 });
  }

  /** Creates a session and returns its id. `environment` is laid over that of the home. */
  async create(project, options = [], environment = {}) {
    const { stdout } = await this.#execute(["new", this.projects[project] ?? project, ...options], { ...this.environment, ...environment });
    return stdout.trim();
  }

  /** Creates a session and waits until it is idle. */
  async idle(project, name) {
    const id = await this.create(project, ["--name", name]);
    await this.wait(id, "idle");
    return id;
  }

  /** Waits for a status. */
  async wait(id, status) {
    await this.run("wait", id, "--for", status, "--timeout", String(PATIENCE_SECONDS));
  }

  /** Queues a message and waits until the session has nothing more to do. */
  async say(id, text) {
    await this.run("send", id, text);
    await this.wait(id, "idle");
  }

  /** The texts of messages that wait, in order. */
  async waiting(id) {
    return (await this.json("queue", id)).filter(({ state }) => state === "queued").map(({ text }) => text);
  }

  /** The process id of the daemon. */
  async daemon() {
    const { running, pid } = await this.json("daemon", "status");
    assert.ok(running, "no daemon runs");
    return pid;
  }

  /** Ends and removes all sessions. */
  async clear() {
    const sessions = await this.json("ls", "--all");
    await Promise.all(sessions.filter(({ status }) => status !== "terminated").map(({ id }) => this.run("terminate", id)));
    for (const { id } of sessions) await this.run("rm", id);
  }
}
