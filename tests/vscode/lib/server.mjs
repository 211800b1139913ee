// A separate code-server on loopback: the editor's server and its extension host, in the environment of a test home.
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { atEnd } from "./cleanup.mjs";

/** The timeouts for the server's start and exit, in milliseconds. */
const START_WITHIN_MS = 60_000;
const END_WITHIN_MS = 5_000;

/** No animations, no questions, no network requests. */
const SETTINGS = {
  "workbench.startupEditor": "none",
  "workbench.reduceMotion": "on",
  "workbench.tips.enabled": false,
  "workbench.enableExperiments": false,
  "workbench.welcomePage.walkthroughs.openOnInstall": false,
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "workbench.settings.enableNaturalLanguageSearch": false,
  "security.workspace.trust.enabled": false,
  "telemetry.telemetryLevel": "off",
  "update.mode": "none",
  "extensions.autoUpdate": false,
  "extensions.autoCheckUpdates": false,
  "extensions.ignoreRecommendations": true,
  "chat.disableAIFeatures": true,
  "git.enabled": false,
  "npm.fetchOnlinePackageInfo": false,
  "terminal.integrated.gpuAcceleration": "off",
  "window.dialogStyle": "custom",
  "window.menuBarVisibility": "classic",
};

export class Server {
  /**
   * @param {{node: string, entry: string}} programs as returned by `install`
   * @param {{extensions: string, environment: object, folders: string[], settings?: object, workspaceSettings?: object}} options
   *   the directory of installed extensions; the environment of the extension host; folders of the window, in one
   *   workspace; settings of the user, and of the workspace
   */
  static async start({ node, entry }, { extensions, environment, folders, settings = {}, workspaceSettings = {} }) {
    const server = new Server();
    server.root = await mkdtemp(path.join(tmpdir(), "areyouj-code-"));
    server.output = "";
    const removed = atEnd(() => rm(server.root, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }));
    server.close = removed;
    const [user, port] = [path.join(server.root, "user"), await freePort()];
    await mkdir(path.join(user, "User"), { recursive: true });
    await writeFile(path.join(user, "User/settings.json"), JSON.stringify({ ...SETTINGS, ...settings }, null, 2));
    const workspace = path.join(server.root, "projects.code-workspace");
    await writeFile(workspace, JSON.stringify({ folders: folders.map((folder) => ({ path: folder })), settings: workspaceSettings }));
    // Without this file, code-server would create one with a password in the home.
    await writeFile(path.join(server.root, "code-server.yaml"), "cert: false\n");
    const child = spawn(node, [entry, ...argumentsFor(server.root, port, user, extensions)], {
      // A separate process group, so that all its processes can be killed.
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      // An empty gallery URL prevents requests to the public gallery.
      env: { ...environment, EXTENSIONS_GALLERY: '{"serviceUrl":""}', ...directories(server.root) },
    });
    const ended = new Promise((resolve) => child.once("exit", resolve));
    server.close = atEnd(async () => {
      await endGroup(child, ended);
      await removed();
    });
    server.ended = ended;
    server.pid = child.pid;
    server.logs = path.join(user, "logs");
    server.url = `http://127.0.0.1:${port}/?workspace=${encodeURIComponent(workspace)}`;
    await listening(server, child, ended);
    return server;
  }

}

function argumentsFor(root, port, user, extensions) {
  return [
    ["--config", path.join(root, "code-server.yaml"), "--bind-addr", `127.0.0.1:${port}`, "--auth", "none"],
    ["--user-data-dir", user, "--extensions-dir", extensions, "--ignore-last-opened", "--disable-telemetry"],
    ["--disable-update-check", "--disable-workspace-trust", "--disable-getting-started-override", "--disable-proxy"],
    // Otherwise the extension host of every closed window stays for three hours, with its sidecar.
    ["--reconnection-grace-time", "1"],
  ].flat();
}

/** The directories of code-server; `HOME` remains that of the sessions. */
export function directories(root) {
  return Object.fromEntries(["DATA", "CONFIG", "CACHE"].map((kind) => [`XDG_${kind}_HOME`, path.join(root, kind.toLowerCase())]));
}

async function listening(server, child, ended) {
  await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`code-server does not listen: ${server.output}`)), START_WITHIN_MS);
    void ended.then((code) => reject(new Error(`code-server exited with ${code}: ${server.output}`)));
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk) => {
        server.output += chunk;
        if (!server.output.includes("HTTP server listening on")) return;
        clearTimeout(timer);
        resolve();
      });
    }
  });
}

async function endGroup(child, ended) {
  const signal = (name) => {
    try {
      process.kill(-child.pid, name);
    } catch (error) {
      if (error.code !== "ESRCH") throw error;
    }
  };
  signal("SIGTERM");
  const timer = setTimeout(() => signal("SIGKILL"), END_WITHIN_MS);
  await ended;
  clearTimeout(timer);
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
