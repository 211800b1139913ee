// Bundles the unit tests, because this Node does not strip types, and runs them with Node's runner.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const directory = mkdtempSync(join(tmpdir(), "areyouj-unit-"));
try {
  const outfile = join(directory, "webview.test.mjs");
  await build({
    entryPoints: [fileURLToPath(new URL("unit.test.ts", import.meta.url))],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    sourcemap: "inline",
    logLevel: "warning",
  });
  process.exitCode =
    spawnSync(process.execPath, ["--enable-source-maps", "--test", outfile], { stdio: "inherit" }).status ?? 1;
} finally {
  rmSync(directory, { recursive: true });
}
