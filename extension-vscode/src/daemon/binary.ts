import { access, constants, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, isAbsolute, join } from "node:path";
import { LocalCode, problem } from "../shared/problem";
import { ProblemError } from "./problemError";

const PROGRAM = process.platform === "win32" ? "areyouj.exe" : "areyouj";

/** The places where an `areyouj` program can be. */
export interface BinaryPlaces {
  /** The setting `areyouj.path`; empty if there is none, or if the workspace is not trusted. */
  setting: string;
  /** The variable `PATH`. */
  path: string;
  /** The directory that this extension is installed in. */
  extension: string;
}

/**
 * The `areyouj` program to run: the one of the setting, else of `PATH`, else the one that is bundled with the extension.
 * Rejects with a `ProblemError` if there is none. A setting that does not name a program is an error, never ignored.
 */
export async function findBinary(
  places: BinaryPlaces,
  runs: (file: string) => Promise<boolean> = isProgram,
): Promise<string> {
  const setting = places.setting.trim();
  if (setting !== "") {
    const file = setting.startsWith("~/") ? join(homedir(), setting.slice(2)) : setting;
    if (isAbsolute(file) && (await runs(file))) return file;
    const hint = "Set “areyouj.path” to the absolute path of the program, or leave it empty.";
    throw new ProblemError(
      problem(LocalCode.SidecarNotFound, `${setting} (set by “areyouj.path”) is not an executable file.`, hint),
    );
  }
  // A relative or empty entry would mean the current directory, and its owner could put a program there.
  const directories = places.path.split(delimiter).filter((entry) => isAbsolute(entry));
  for (const file of [
    ...directories.map((directory) => join(directory, PROGRAM)),
    join(places.extension, "bin", PROGRAM),
  ]) {
    if (await runs(file)) return file;
  }
  const hint = "Install AreYouJ so that “areyouj” is on your PATH, or set “areyouj.path” to the program.";
  throw new ProblemError(problem(LocalCode.SidecarNotFound, "The areyouj program was not found.", hint));
}

/** Whether this is an executable file. */
async function isProgram(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}
