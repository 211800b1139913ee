// axe-core has no serious or critical findings on any page in any theme.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { THEMES, automationState, orchestrationState } from "./browser.mjs";
import {
  CONVERSATION,
  INTERRUPTED,
  EDIT_REQUEST,
  PLAN,
  QUESTION,
  SESSIONS,
  SETTINGS,
  TRUST,
  permission,
  queued,
} from "./fixtures.mjs";
import { harness } from "./shared.mjs";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const CROWDED = {
  sessions: SESSIONS,
  permissions: [permission(), EDIT_REQUEST, QUESTION, PLAN],
  decisions: [INTERRUPTED],
};
const CONVERSING = {
  transcript: { entries: CONVERSATION, more: false },
  sessions: SESSIONS,
  permissions: [EDIT_REQUEST],
  decisions: [INTERRUPTED],
  queue: {
    sessionId: "K7M2Q9XD",
    paused: "a person paused it",
    messages: [queued(0, "Now", "running"), queued(0, "Then")],
  },
};
const RECONNECTING = { connection: { state: "reconnecting", problem: null } };
const FAILED = {
  connection: {
    state: "failed",
    problem: { code: "x", message: "No daemon.", hint: "Start it.", log: "log", fixes: [] },
  },
};

const STATES = [
  ["orchestration", "crowded", orchestrationState(SETTINGS, CROWDED), {}],
  ["orchestration", "cards", orchestrationState(SETTINGS, CROWDED), { width: 320 }],
  ["orchestration", "empty", orchestrationState(SETTINGS), {}],
  ["orchestration", "failed", orchestrationState(SETTINGS, FAILED), {}],
  ["orchestration", "reconnecting", orchestrationState(SETTINGS, { ...CROWDED, ...RECONNECTING }), {}],
  ["automation", "conversing", automationState(SETTINGS, SESSIONS[0], CONVERSING), { height: 3000 }],
  ["automation", "narrow", automationState(SETTINGS, SESSIONS[0], CONVERSING), { width: 320, height: 3000 }],
  ["automation", "ended", automationState(SETTINGS, SESSIONS.at(-1), { transcript: CONVERSING.transcript }), {}],
  ["automation", "gone", automationState(SETTINGS, null), {}],
  ["orchestration", "a screen to answer", orchestrationState(SETTINGS, { sessions: [TRUST] }), {}],
  ["automation", "a screen to answer", automationState(SETTINGS, TRUST), {}],
  ["automation", "in error", automationState(SETTINGS, SESSIONS[4]), {}],
];

for (const theme of THEMES) {
  for (const [name, state, message, options] of STATES) {
    test(`axe: ${name}, ${state}, ${theme}`, async () => {
      const open = await harness.open(name, { ...options, theme });
      try {
        await open.say(message);
        await open.page.evaluate(AXE);
        const findings = await open.page.evaluate(async () => (await window.axe.run()).violations);
        const grave = findings.filter(({ impact }) => impact === "serious" || impact === "critical");
        assert.deepEqual(
          grave.map(
            ({ id, nodes }) =>
              `${id}: ${nodes
                .slice(0, 3)
                .map(({ html, failureSummary }) => `${html.slice(0, 160)} ${failureSummary}`)
                .join(" | ")}`,
          ),
          [],
        );
      } finally {
        await open.close();
      }
    });
  }
}
