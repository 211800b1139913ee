// Sessions, permission requests and transcripts for the tests of the pages.

const NOW = Date.now();
const MINUTE = 60_000;

/** A realistic session; `part` replaces members. */
export function session(part = {}) {
  return {
    id: "K7M2Q9XD",
    directory: "/home/mira/work/shop/checkout-service",
    name: null,
    driver: "stream",
    status: "idle",
    statusSince: NOW - 5 * MINUTE,
    statusSource: "control",
    statusReason: null,
    error: null,
    attention: null,
    currentTask: "Make the retry of payments idempotent",
    createdAt: NOW - 62 * MINUTE,
    lastActivity: NOW,
    pid: 4711,
    hostPid: 4710,
    claudeSessionId: "2c530e8a-3ac1-42ee-8c22-9ae82b7d2dd7",
    model: "claude-opus-5-5",
    permissionMode: "default",
    costUsd: 1.284,
    contextUsed: 88_400,
    contextMax: 200_000,
    queued: 0,
    queuePaused: null,
    unread: 0,
    refusals: null,
    hostUnprotected: false,
    startupMs: 640,
    ...part,
  };
}

/** Sessions of every kind. */
export const SESSIONS = [
  session({
    id: "K7M2Q9XD",
    name: "Payments",
    status: "active",
    statusSince: NOW - 73_000,
    unread: 2,
    queued: 3,
    createdAt: NOW - 3 * MINUTE,
  }),
  session({
    id: "B4N8TRWC",
    directory: "/home/mira/work/shop/storefront",
    status: "waiting",
    attention: {
      kind: "permission",
      permissionId: "B4N8TRWC-3",
      messageId: null,
      title: "Run npm run migrate",
      open: 1,
    },
    currentTask: "Upgrade the database schema and run every migration against a copy of production",
    contextUsed: 171_000,
    createdAt: NOW - 12 * MINUTE,
  }),
  session({
    id: "H2VYQ3KM",
    directory: "/srv/repositories/a-very-long-organisation-name/and-a-long-repository-name/packages/search-indexer",
    name: "Search index rebuild for the spring release",
    model: "claude-sonnet-5",
    costUsd: 0.0412,
    contextUsed: 12_000,
    createdAt: NOW - 40 * MINUTE,
  }),
  session({
    id: "X9D5G7ZA",
    directory: "/home/mira/notes",
    status: "starting",
    currentTask: null,
    model: null,
    contextUsed: null,
    contextMax: null,
    costUsd: 0,
    createdAt: NOW - 2000,
    statusReason: "Claude is starting",
  }),
  session({
    id: "P3J6WE5R",
    directory: "/home/mira/work/infra",
    status: "error",
    error: {
      code: "login_needed",
      message: "Claude is not logged in.",
      hint: "Log in, then restart the session.",
      remedy: { kind: "logIn", sessionId: "P3J6WE5R" },
      log: "Invalid API key\nPlease run /login",
    },
    attention: { kind: "error", permissionId: null, messageId: null, title: "Claude is not logged in", open: 0 },
    createdAt: NOW - 26 * 60 * MINUTE,
  }),
  session({
    id: "T8C4MN2Q",
    directory: "/home/mira/work/docs",
    driver: "terminal",
    currentTask: null,
    createdAt: NOW - 50 * 60 * MINUTE,
  }),
  session({
    id: "A5R7V2BD",
    directory: "/home/mira/work/old",
    status: "terminated",
    createdAt: NOW - 90 * 60 * MINUTE,
    costUsd: 4.1,
  }),
];

/** A session whose Claude asks something in its terminal. */
export const TRUST = session({
  id: "T8C4MN2Q",
  name: "Handbook",
  directory: "/home/mira/work/docs",
  driver: "terminal",
  status: "waiting",
  statusReason: "Claude asks in its terminal whether to trust this directory",
  attention: {
    kind: "terminal",
    permissionId: null,
    messageId: null,
    title: "Claude asks in its terminal whether to trust this directory",
    open: 0,
  },
  currentTask: null,
});

/** Many sessions, some of them active. */
export function manySessions(total) {
  const statuses = ["active", "idle", "idle", "waiting", "idle"];
  return Array.from({ length: total }, (_, index) =>
    session({
      id: index.toString(36).toUpperCase().padStart(8, "0"),
      name: index % 3 === 0 ? `Session ${index}` : null,
      directory: `/home/mira/work/project-${index}`,
      status: statuses[index % statuses.length],
      createdAt: NOW - index * MINUTE,
      queued: index % 7,
      unread: index % 4 === 0 ? 1 : 0,
    }),
  );
}

/** A section of a display; texts are ordinary segments. */
export function section(label, style, pointer, ...parts) {
  const segments = parts.map((part) => (typeof part === "string" ? { kind: "plain", text: part } : part));
  const text = segments.map((segment) => segment.text).join("");
  const breaks = text.split("\n").length - 1;
  const size = { lines: breaks + (text === "" || text.endsWith("\n") ? 0 : 1), characters: [...text].length };
  return { label, style, ...(pointer === null ? {} : { pointer }), size, segments };
}

/** The sections of a request without anything hidden, as the daemon makes them. */
function sectionsOf(tool, { questions, ...input }) {
  const known = {
    Bash: { command: ["Command", "command"] },
    Edit: { file_path: ["File", "path"], old_string: ["Old text", "removed"], new_string: ["New text", "added"] },
    ExitPlanMode: { plan: ["Plan", "plan"] },
  };
  const members = Object.entries(input).map(([name, value]) => {
    const [label, style] = known[tool]?.[name] ?? [name, typeof value === "string" ? "text" : "json"];
    return section(label, style, `/${name}`, typeof value === "string" ? value : JSON.stringify(value, null, 2));
  });
  return [section("Tool", "tool", null, tool), ...(questions ?? []).flatMap(questionSections), ...members];
}

function questionSections({ question, header, options, multiSelect }, index) {
  const label = `Question ${index + 1}`;
  const at = `/questions/${index}`;
  return [
    section(multiSelect ? `${label} (one or more choices)` : label, "question", `${at}/question`, question),
    ...options.flatMap(({ label: choice, description }, number) => {
      const name = `Choice ${index + 1}.${number + 1}`;
      const details = description
        ? [section(`${name}, description`, "text", `${at}/options/${number}/description`, description)]
        : [];
      return [section(name, "choice", `${at}/options/${number}/label`, choice), ...details];
    }),
    ...(header ? [section(`${label}, header`, "text", `${at}/header`, header)] : []),
  ];
}

/** A permission request; `part` replaces members. Its display is made from its tool and its input. */
export function permission(part = {}) {
  const made = { ...plainPermission(), ...part };
  return { display: sectionsOf(made.tool, made.input), ...made };
}

function plainPermission() {
  return {
    id: "B4N8TRWC-3",
    sessionId: "B4N8TRWC",
    kind: "tool",
    tool: "Bash",
    input: { command: "npm run migrate -- --env staging", description: "Run the migrations against staging" },
    title: "Run npm run migrate -- --env staging",
    suggestions: [
      {
        type: "addRules",
        rules: [{ toolName: "Bash", ruleContent: "npm run migrate:*" }],
        behavior: "allow",
        destination: "localSettings",
      },
      { type: "addDirectories", directories: ["/home/mira/work/shop"], destination: "session" },
      { type: "setMode", mode: "acceptEdits", destination: "session" },
    ],
    createdAt: NOW - 90_000,
    state: "open",
    answeredBy: null,
    digest: "0f",
    controlsAreyouj: false,
    always: [
      {
        text: "Bash(npm run migrate:*)",
        stored: "stored in the local settings of this project (.claude/settings.local.json)",
        byDefault: true,
      },
      { text: "access to /home/mira/work/shop", stored: "for this session only", byDefault: false },
      { text: "the permission mode acceptEdits", stored: "for this session only", byDefault: false },
    ],
    granted: [],
  };
}

export const EDIT_REQUEST = permission({
  id: "K7M2Q9XD-4",
  sessionId: "K7M2Q9XD",
  tool: "Edit",
  title: "Edit src/retry.ts",
  suggestions: [],
  always: [],
  input: {
    file_path: "/home/mira/work/shop/checkout-service/src/retry.ts",
    old_string: "export function retry(times: number) {\n  return times;\n}\n",
    new_string: "export function retry(times: number, key: string) {\n  remember(key);\n  return times;\n}\n",
    replace_all: false,
  },
});

export const QUESTION = permission({
  id: "H2VYQ3KM-1",
  sessionId: "H2VYQ3KM",
  kind: "question",
  tool: "AskUserQuestion",
  title: "Which database should hold the keys?",
  suggestions: [],
  always: [],
  input: {
    questions: [
      {
        question: "Which database should hold the keys?",
        header: "Storage",
        options: [
          { label: "PostgreSQL", description: "One more table beside the orders" },
          { label: "Redis", description: "Fast, gone after a restart" },
        ],
        multiSelect: false,
      },
      {
        question: "Which environments?",
        header: "Rollout",
        options: [
          { label: "Staging", description: "" },
          { label: "Production", description: "" },
        ],
        multiSelect: true,
      },
    ],
  },
});

export const PLAN = permission({
  id: "T8C4MN2Q-2",
  sessionId: "T8C4MN2Q",
  kind: "plan",
  tool: "ExitPlanMode",
  title: "Claude presents a plan",
  suggestions: [],
  always: [],
  input: { plan: "## Plan\n\n1. Add a table of keys\n2. Check it before each charge\n3. Test with `retry.test.ts`" },
});

export const INTERRUPTED = {
  id: "5b0e1f2a-0000-4000-8000-000000000001",
  sessionId: "K7M2Q9XD",
  text: "Now write tests for the retry, and run them.",
  state: "interrupted",
  position: null,
  createdAt: NOW - 10 * MINUTE,
  startedAt: NOW - 9 * MINUTE,
  finishedAt: NOW - 8 * MINUTE,
  error: "Claude was killed in the middle of the turn.",
};

/** A message of the queue. */
export function queued(position, text, state = "queued") {
  return {
    ...INTERRUPTED,
    id: `5b0e1f2a-0000-4000-8000-1000000000${String(position + 10)}`,
    text,
    state,
    position: state === "queued" ? position : null,
    error: null,
  };
}

export const SETTINGS = {
  home: "/home/mira",
  folders: [
    { name: "checkout-service", path: "/home/mira/work/shop/checkout-service" },
    { name: "storefront", path: "/home/mira/work/shop/storefront" },
  ],
};

/** Entries with these bodies, in order. */
export function entries(bodies, first = 1) {
  return bodies.map((body, index) => ({ seq: first + index, at: NOW - (bodies.length - index) * 1000, body }));
}

const text = (words, parentToolUseId = null) => ({ kind: "text", text: words, parentToolUseId });
const call = (toolUseId, tool, input, parentToolUseId = null) => ({
  kind: "toolCall",
  toolUseId,
  tool,
  input,
  parentToolUseId,
});
const result = (toolUseId, words, isError = false) => ({
  kind: "toolResult",
  toolUseId,
  isError,
  text: words,
  truncated: false,
});

/** A conversation with every kind of entry. */
export const CONVERSATION = entries([
  { kind: "notice", level: "info", text: "Session started" },
  { kind: "user", messageId: null, text: "Make the retry of payments idempotent.\nKeep the public interface." },
  { kind: "thinking", text: "The retry charges twice when the answer is lost.\nA key per attempt is needed." },
  text(
    "I read how a retry works now. The important part is `retry()`:\n\n```ts\nexport function retry(times: number) {\n  return times;\n}\n```\n\n- It has **no key**\n- It charges [twice](https://example.com/why)\n\n| Case | Result |\n| --- | --- |\n| answer lost | charged twice |",
  ),
  call("t1", "Read", { file_path: "/home/mira/work/shop/checkout-service/src/retry.ts" }),
  result("t1", "export function retry(times: number) {\n  return times;\n}"),
  call("t2", "Grep", { pattern: "retry\\(", path: "src" }),
  result("t2", "src/charge.ts:12: retry(3)\nsrc/refund.ts:40: retry(5)"),
  call("t3", "Task", { description: "Find callers", prompt: "Find all callers of retry" }),
  call("t4", "Bash", { command: "rg -n 'retry\\(' --type ts" }, "t3"),
  result("t4", "src/charge.ts:12"),
  text("There are two callers.", "t3"),
  result("t3", "Two callers: charge.ts and refund.ts"),
  { kind: "permission", permissionId: "K7M2Q9XD-1", permissionKind: "tool", tool: "Edit", title: "Edit src/retry.ts" },
  { kind: "permissionEnd", permissionId: "K7M2Q9XD-1", outcome: "allowed", by: "Visual Studio Code", message: null },
  call("t5", "Edit", EDIT_REQUEST.input),
  result("t5", "The file was updated."),
  call("t6", "Bash", { command: "npm test -- retry" }),
  result("t6", "\u001b[31mFAIL\u001b[0m retry.test.ts\n  expected 1 charge, got 2\nnpm error code 1", true),
  { kind: "notice", level: "warning", text: "The service is overloaded, trying again in 4 s" },
  { kind: "turnEnd", messageId: null, ok: true, outcome: "success", error: null, costUsd: 0.212, durationMs: 48_200 },
  { kind: "user", messageId: null, text: "Now fix the test." },
  {
    kind: "turnEnd",
    messageId: null,
    ok: false,
    outcome: "error_during_execution",
    error: "The API answered 529 ten times.",
    costUsd: 0,
    durationMs: 91_000,
  },
  { kind: "fromTheFuture", text: "unknown kinds are nothing" },
]);

/** Many entries of different heights, numbered from `first`. */
export function manyEntries(total, first = 1) {
  return entries(
    Array.from({ length: total }, (_, index) => {
      const seq = first + index;
      if (seq % 5 === 0) return call(`m${seq}`, "Bash", { command: `echo ${seq}` });
      if (seq % 11 === 0) return { kind: "user", messageId: null, text: `Question ${seq}` };
      return text(`Entry ${seq}. ${"Some words of an answer. ".repeat(1 + (seq % 9) * 3)}`);
    }),
    first,
  );
}

/** Texts that try to act as code or to deceive. */
export const HOSTILE = {
  html: '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script><b id=hacked>bold</b>',
  link: "[click](javascript:window.hacked=1) [file](file:///etc/passwd) [data](data:text/html,hi) ![remote](https://example.com/x.png)",
  bidi: "safe\u202etxt.exe\u202c",
  command: "ls\u001b[8m; rm -rf ~\u200b\nsecond line",
};
