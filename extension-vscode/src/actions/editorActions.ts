import * as vscode from "vscode";
import { notPossible } from "../daemon/problemError";
import type { Diffs } from "../files/diffs";
import { openFile } from "../files/openFile";
import { composerText, type LastEditor, noEditor } from "../files/selection";
import { requireSession } from "../model/lookup";
import type { Model } from "../model/model";
import { showStatus } from "../notify/window";
import type { Pages } from "../ports";
import { folders } from "../settings";
import { webAddress } from "../shared/links";
import { clippedLine } from "../shared/text";
import { openDirectoryTerminal } from "../terminal/terminals";
import type { HandlersOf } from "./actions";

interface Parts {
  model: Pick<Model, "connection" | "session">;
  pages: Pick<Pages, "insert">;
  diffs: Pick<Diffs, "open">;
  lastEditor: Pick<LastEditor, "current">;
}

type Kind =
  | "copyPath"
  | "copyId"
  | "copyText"
  | "openFolder"
  | "openTerminal"
  | "attachSelection"
  | "openFile"
  | "openDiff"
  | "openExternal"
  | "command";

/** Actions that need only the editor: clipboard, files, folders, terminals, links. */
export function editorActions({ model, pages, diffs, lastEditor }: Parts): HandlersOf<Kind> {
  return {
    copyPath: ({ sessionId }) => copy(requireSession(model, sessionId).directory, "Path copied"),
    copyId: ({ sessionId }) => copy(requireSession(model, sessionId).id, "ID copied"),
    copyText: ({ text }) => copy(text, "Copied"),
    openFolder: ({ sessionId }) => openFolder(requireSession(model, sessionId).directory),
    openTerminal: ({ sessionId }) => openDirectoryTerminal(requireSession(model, sessionId)),
    attachSelection: ({ sessionId }) => {
      const text = composerText(lastEditor.current, requireSession(model, sessionId).directory);
      if (text === null) throw noEditor();
      pages.insert(sessionId, text);
    },
    openFile: ({ sessionId, path, line }) => openFile(requireSession(model, sessionId).directory, path, line),
    openDiff: ({ title, path, before, after }) => diffs.open(title, path, before, after),
    openExternal: ({ url }) => openExternal(url),
    command: async ({ command, sessionId }) => void (await vscode.commands.executeCommand(command, sessionId)),
  };
}

async function copy(text: string, done: string): Promise<void> {
  await vscode.env.clipboard.writeText(text);
  showStatus(done, 2_000);
}

async function openFolder(directory: string): Promise<void> {
  const uri = vscode.Uri.file(directory);
  const inside = folders().some(({ path }) => directory === path || directory.startsWith(`${path}/`));
  if (inside) await vscode.commands.executeCommand("revealInExplorer", uri);
  else await vscode.commands.executeCommand("vscode.openFolder", uri, { forceNewWindow: true });
}

async function openExternal(url: string): Promise<void> {
  const address = webAddress(url);
  if (address === null)
    throw notPossible(
      `The link cannot be opened: ${clippedLine(url, 200)}`,
      "Only http and https links can be opened.",
    );
  await vscode.env.openExternal(vscode.Uri.parse(address, true));
}
