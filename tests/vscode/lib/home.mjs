// An AreYouJ home for one group of scenarios. The program `test-home` creates and removes it, with the scripted Messages API
// and the real Claude CLI. Also runs the command line.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { atEnd } from "./cleanup.mjs";

const execute = promisify(execFile);

/** The timeout for events that must happen, in seconds: enough on a busy machine, and short enough to detect a hang. */
export const TIMEOUT_SECONDS = 60;

export class Home {
  #commands;
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
      // A separate process group: only this program handles Ctrl-C, and then closes the input.
      detached: true,
      env: { ...process.env, AREYOUJ_BIN_DIR: programs },
    });
    let stderr = "";
    child.stderr.on("data", (chunk) => (stderr += chunk));
    // The exit of the process reports failed writes.
    child.stdin.on("error", () => {});
    const ended = once(child, "exit");
    home.#commands = child.stdin;
    home.#answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    home.closing = false;
    home.close = atEnd(async () => {
      home.closing = true;
      child.stdin.end();
      // If it does not exit, it is killed with all its processes, and its exit code is not 0.
      const deadline = setTimeout(() => process.kill(-child.pid, "SIGKILL"), TIMEOUT_SECONDS * 1000);
      const [code] = await ended;
      clearTimeout(deadline);
      assert.equal(code, 0, `the home was not cleaned up: ${stderr}`);
    });
    const value = await home.#answer("test-home starts");
    if (value === undefined) throw new Error(`test-home: ${stderr}`);
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

  /** Answers a prompt with a script; see `tests/src/messages_api/script.rs`. */
  setScript(prompt, script) {
    return this.#command({ on: [prompt, script] });
  }

  /** Releases the turns that are held with this name. */
  release(name) {
    return this.#command({ release: name });
  }

  async #command(command) {
    this.#commands.write(`${JSON.stringify(command)}\n`);
    const value = await this.#answer(`test-home answers ${JSON.stringify(command)}`);
    assert.notEqual(value, undefined, "the home is closed");
    return JSON.parse(value);
  }

  /** The next line of test-home, or undefined at the end; fails if no line arrives in time. */
  async #answer(what) {
    let deadline;
    const late = new Promise((_, reject) => {
      deadline = setTimeout(() => reject(new Error(`not in time: ${what}`)), TIMEOUT_SECONDS * 1000);
    });
    try {
      return (await Promise.race([this.#answers.next(), late])).value;
    } finally {
      clearTimeout(deadline);
    }
  }

  /** Runs a command that must succeed, and returns its output. */
  async run(...words) {
    return (await this.#execute(words)).stdout.trim();
  }

  /** Runs a command with `--json` that must succeed, and returns the parsed output. */
  async json(...words) {
    return JSON.parse(await this.run(...words, "--json"));
  }

  #execute(words, environment = this.environment) {
    // An interrupted scenario can still run for a moment; nothing new starts in a home that is being removed.
    if (this.closing) throw new Error("the home is closed");
    const program = path.join(this.programs, "areyouj");
    return execute(program, words, { env: environment, cwd: this.directory, maxBuffer: 64 * 1024 * 1024 });
  }

  /** Creates a session and returns its id. `environment` overrides variables of the home. */
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
    await this.run("wait", id, "--for", status, "--timeout", String(TIMEOUT_SECONDS));
  }

  /** Queues a message and waits until the session is idle. */
  async sendAndWait(id, text) {
    await this.run("send", id, text);
    await this.wait(id, "idle");
  }

  /** The texts of queued messages, in order. */
  async queuedTexts(id) {
    return (await this.json("queue", id)).filter(({ state }) => state === "queued").map(({ text }) => text);
  }

  /** The process id of the daemon. */
  async daemon() {
    const { running, pid } = await this.json("daemon", "status");
    assert.ok(running, "no daemon is running");
    return pid;
  }

  /** Terminates and deletes all sessions. */
  async clear() {
    const sessions = await this.json("ls", "--all");
    await Promise.all(sessions.filter(({ status }) => status !== "terminated").map(({ id }) => this.run("terminate", id)));
    for (const { id } of sessions) await this.run("rm", id);
  }
}
