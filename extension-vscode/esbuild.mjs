// Bundles the extension for the editor's Node, and its pages for the editor's browser. With --modules it writes nothing
// and prints the directories of the npm modules in the bundles, one on a line.
import { copyFileSync, mkdirSync } from "node:fs";
import { build, context } from "esbuild";

const watch = process.argv.includes("--watch");
const common = { bundle: true, minify: !watch, sourcemap: watch, logLevel: "warning", legalComments: "none" };
const bundles = [
  {
    ...common,
    // The language client is a separate file, so that activation does not read it.
    entryPoints: ["src/extension.ts", "src/daemon/sidecarProcess.ts"],
    outdir: "dist",
    platform: "node",
    format: "cjs",
    target: "node20",
    external: ["vscode", "./daemon/sidecarProcess.js"],
    supported: { "dynamic-import": false },
  },
  {
    ...common,
    entryPoints: ["webview/pages/orchestration.ts", "webview/pages/automation.ts"],
    outdir: "dist",
    platform: "browser",
    format: "esm",
    target: "es2022",
  },
];

const icons = "node_modules/@vscode/codicons";

if (process.argv.includes("--modules")) {
  const modules = new Set([icons]);
  for (const options of bundles) {
    const { metafile } = await build({ ...options, metafile: true, write: false });
    for (const input of Object.keys(metafile.inputs)) {
      const [module] = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input) ?? [];
      if (module !== undefined) modules.add(module);
    }
  }
  console.log([...modules].toSorted().join("\n"));
} else {
  mkdirSync("dist", { recursive: true });
  for (const file of ["codicon.css", "codicon.ttf"]) copyFileSync(`${icons}/dist/${file}`, `dist/${file}`);
  for (const options of bundles) await (watch ? (await context(options)).watch() : build(options));
}
