// The texts of the user interface, in one file: a change of a text is seen, and reviewed, in `strings.snapshot.txt`.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { collect } from "./collect.mjs";

const SNAPSHOT = path.join(import.meta.dirname, "strings.snapshot.txt");

test("the texts of the user interface are those of the snapshot; UPDATE_SNAPSHOT=1 writes it anew", () => {
  const texts = collect();
  if (process.env.UPDATE_SNAPSHOT === "1") writeFileSync(SNAPSHOT, texts);
  assert.equal(texts, readFileSync(SNAPSHOT, "utf8"));
});
