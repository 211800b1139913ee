// Packages the extension with the programs for this platform: `node package.mjs PROGRAMS FILE`, where PROGRAMS is the
// directory of `areyouj` and `areyouj-host`. Prints the content of the package.
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const SOURCE = import.meta.dirname;
/** The parts of the sources to package; .vscodeignore selects single files. */
const PARTS = ["package.json", ".vscodeignore", "README.md", "CHANGELOG.md", "LICENSE", "media", "dist", "docs"];
/** The licences of the software of others in the package; the file is in the directory of the server. */
const NOTICES = "THIRD-PARTY-NOTICES.txt";
const PROGRAMS = ["areyouj", "areyouj-host"];

/**
 * Builds and packages the extension in a copy, so that only `dist` changes in the sources.
 *
 * @param {string} programs the directory of the programs
 * @param {string} file the package to write
 * @returns {{listing: string, bytes: number}} its content as vsce prints it, and its size
 * @throws {Error} if a program is missing, or if vsce warns of anything
 */
export function packageExtension(programs, file) {
  execFileSync(process.execPath, ["esbuild.mjs"], { cwd: SOURCE, stdio: ["ignore", "ignore", "inherit"] });
  const stage = mkdtempSync(path.join(tmpdir(), "areyouj-package-"));
  try {
    for (const part of PARTS.filter((name) => existsSync(path.join(SOURCE, name))))
      cpSync(path.join(SOURCE, part), path.join(stage, part), { recursive: true });
    copyFileSync(path.join(SOURCE, "../server", NOTICES), path.join(stage, NOTICES));
    mkdirSync(path.join(stage, "bin"));
    for (const program of PROGRAMS) {
      copyFileSync(path.join(programs, program), path.join(stage, "bin", program));
      chmodSync(path.join(stage, "bin", program), 0o755);
    }
    // Otherwise packaging would build again, without the sources.
    const description = JSON.parse(readFileSync(path.join(stage, "package.json"), "utf8"));
    delete description.scripts["vscode:prepublish"];
    writeFileSync(path.join(stage, "package.json"), JSON.stringify(description, null, 2));
    symlinkSync(path.join(SOURCE, "node_modules"), path.join(stage, "node_modules"));
    const vsce = path.join(SOURCE, "node_modules/@vscode/vsce/vsce");
    const arguments_ = [
      vsce,
      "package",
      "--no-dependencies",
      "--no-rewrite-relative-links",
      "--target",
      `linux-${process.arch}`,
      "-o",
      path.resolve(file),
    ];
    const { status, stdout, stderr } = spawnSync(process.execPath, arguments_, { cwd: stage, encoding: "utf8" });
    if (status !== 0) throw new Error(`vsce failed:\n${stdout}${stderr}`);
    const warnings = `${stdout}\n${stderr}`.split("\n").filter((line) => /warn/iu.test(line));
    if (warnings.length > 0) throw new Error(`vsce warns:\n${warnings.join("\n")}`);
    return {
      listing: stdout
        .split("\n")
        .filter((line) => /^[\s│├└─]/u.test(line))
        .join("\n"),
      bytes: statSync(file).size,
    };
  } finally {
    rmSync(stage, { recursive: true });
  }
}

if (process.argv[1] === import.meta.filename) {
  const [programs, file] = process.argv.slice(2);
  if (programs === undefined || file === undefined) {
    console.error("usage: node package.mjs PROGRAMS FILE");
    process.exitCode = 2;
  } else {
    const { listing, bytes } = packageExtension(programs, file);
    console.log(`${listing}\n${file}: ${(bytes / 1e6).toFixed(1)} MB`);
  }
}
