import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { findBinary } from "../../src/daemon/binary";

const search = (there: string[], setting = "", path = "/usr/bin:/opt/bin"): Promise<string> =>
  findBinary({ setting, path, extension: "/ext" }, (file) => Promise.resolve(there.includes(file)));

void test("the setting has priority over PATH, and PATH over the bundled program", async () => {
  const all = ["/mine/areyouj", "/opt/bin/areyouj", "/ext/bin/areyouj"];
  assert.equal(await search(all, "/mine/areyouj"), "/mine/areyouj");
  assert.equal(await search(all), "/opt/bin/areyouj");
  assert.equal(await search(["/ext/bin/areyouj"]), "/ext/bin/areyouj");
});

void test("an invalid setting is an error, not ignored", async () => {
  await assert.rejects(search(["/opt/bin/areyouj"], "/gone/areyouj"), { message: /\/gone\/areyouj .*areyouj\.path/ });
  await assert.rejects(search(["bin/areyouj"], "bin/areyouj"), { message: /areyouj\.path/ });
});

void test("never runs a program from a relative entry of PATH", async () => {
  await assert.rejects(search(["areyouj", "./areyouj", "bin/areyouj"], "", ".::bin"), {
    message: "The areyouj program was not found.",
  });
});

void test("skips directories and files that are not executable", async () => {
  const root = await mkdtemp(join(tmpdir(), "areyouj-binary-"));
  try {
    await mkdir(join(root, "a", "areyouj"), { recursive: true });
    await mkdir(join(root, "b"));
    await writeFile(join(root, "b", "areyouj"), "", { mode: 0o644 });
    const places = { setting: "", path: `${root}/a:${root}/b`, extension: root };
    await assert.rejects(findBinary(places), { message: "The areyouj program was not found." });
    await chmod(join(root, "b", "areyouj"), 0o755);
    assert.equal(await findBinary(places), join(root, "b", "areyouj"));
  } finally {
    await rm(root, { recursive: true });
  }
});
