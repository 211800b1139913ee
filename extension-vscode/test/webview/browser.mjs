// Opens the built pages in a real browser, with the editor's side of the line played by the test.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const DIST = fileURLToPath(new URL("../../dist/", import.meta.url));
const NONCE = "test-nonce";
/** How long the browser may take to start, in milliseconds. */
const LAUNCH_WITHIN_MS = 60_000;
const TYPES = { js: "text/javascript", css: "text/css", ttf: "font/ttf" };
const BODY_CLASSES = { dark: "vscode-dark", light: "vscode-light", contrast: "vscode-high-contrast" };
export const THEMES = Object.keys(BODY_CLASSES);

/** Serves the pages on loopback, with the policy that the extension gives them, and opens a browser. */
export async function start() {
  const template = await readFile(`${HERE}harness.html`, "utf8");
  // Before the server: a server that listens would keep the tests from ending when there is no browser.
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
    timeout: LAUNCH_WITHIN_MS,
  });
  const server = createServer(
    (request, response) => void answer(request, response, template).catch(() => response.writeHead(404).end()),
  );
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  return {
    open: (page, options) => open(browser, origin, page, options),
    stop: async () => {
      await browser.close();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(request, response, template) {
  const url = new URL(request.url, "http://localhost");
  if (url.pathname === "/page") {
    const theme = url.searchParams.get("theme");
    const origin = `http://${request.headers.host}`;
    const policy = `default-src 'none'; style-src ${origin} 'nonce-${NONCE}'; script-src 'nonce-${NONCE}'; img-src ${origin}; font-src ${origin}`;
    const values = { theme, page: url.searchParams.get("page"), policy, nonce: NONCE, body: BODY_CLASSES[theme] };
    response
      .writeHead(200, { "Content-Type": "text/html" })
      .end(template.replace(/%(\w+)%/g, (_, name) => values[name]));
    return;
  }
  if (url.pathname === "/favicon.ico") {
    response.writeHead(204).end();
    return;
  }
  const name = url.pathname.split("/").at(-1);
  const file = await readFile(url.pathname.startsWith("/dist/") ? `${DIST}${name}` : `${HERE}${name}`);
  response.writeHead(200, { "Content-Type": TYPES[name.split(".").at(-1)] ?? "text/plain" }).end(file);
}

/** A page and the host's side of it. */
async function open(browser, origin, name, { width = 1000, height = 800, theme = "dark", saved = null, ...more } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, ...more });
  const page = await context.newPage();
  const problems = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  await page.addInitScript(playEditor, saved);
  await page.goto(`${origin}/page?page=${name}&theme=${theme}`);
  await page.waitForFunction(() => window.editor.posted.some(({ type }) => type === "ready"));
  return {
    page,
    problems,
    /** Sends messages as the host, and waits until they are drawn. */
    say: async (...messages) => {
      await page.evaluate(async (all) => {
        for (const data of all) window.dispatchEvent(new MessageEvent("message", { data }));
        await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      }, messages);
    },
    /** What the page asked for, by kind or type, without its number. */
    asked: (kind) =>
      page.evaluate(
        (wanted) =>
          window.editor.posted
            .map((message) => message.action ?? message)
            .filter((message) => (message.kind ?? message.type) === wanted),
        kind,
      ),
    forget: () => page.evaluate(() => void (window.editor.posted.length = 0)),
    /** How the host answers actions from now on: "hold" for not at all. */
    answering: (answer) => page.evaluate((value) => void (window.editor.answer = value), answer),
    saved: () => page.evaluate(() => window.editor.state),
    close: () => context.close(),
  };
}

function playEditor(saved) {
  const editor = { posted: [], state: saved, answer: null };
  window.editor = editor;
  window.acquireVsCodeApi = () => ({
    postMessage: (message) => {
      editor.posted.push(structuredClone(message));
      if (message.type !== "action" || message.id === undefined || editor.answer === "hold") return;
      const data = { type: "done", id: message.id, problem: editor.answer };
      setTimeout(() => window.dispatchEvent(new MessageEvent("message", { data })), 0);
    },
    getState: () => structuredClone(editor.state),
    setState: (state) => void (editor.state = structuredClone(state)),
  });
  document.addEventListener("securitypolicyviolation", (event) =>
    console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`),
  );
}

/** The opening message of the orchestration page. */
export function orchestrationState(settings, part = {}) {
  return {
    type: "state",
    connection: { state: "connected", problem: null },
    settings,
    sessions: [],
    permissions: [],
    decisions: [],
    ...part,
  };
}

/** The opening message of the automation page. */
export function automationState(settings, session, part = {}) {
  return {
    type: "state",
    connection: { state: "connected", problem: null },
    settings,
    sessionId: session?.id ?? "K7M2Q9XD",
    session,
    queue: session ? { sessionId: session.id, paused: null, messages: [] } : null,
    permissions: [],
    decisions: [],
    sessions: session ? [session] : [],
    transcript: { entries: [], more: false },
    ...part,
  };
}
