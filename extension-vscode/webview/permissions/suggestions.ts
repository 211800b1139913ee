/** Describes the rules that Claude suggests for "always". */
import { listOf, textOf } from "../ui/json";
import { exactLine } from "../../src/shared/text";

const PLACES: Record<string, string> = {
  session: "for this session",
  localSettings: "for this project, only for you",
  projectSettings: "for this project, for everyone",
  userSettings: "for all your projects",
};

/** A suggestion as a phrase. An unknown suggestion is shown as Claude sent it. */
export function describeSuggestion(suggestion: unknown): string {
  const place = PLACES[textOf(suggestion, "destination") ?? ""];
  const words = describe(suggestion);
  if (words === null) return exactLine(JSON.stringify(suggestion) ?? "");
  return place === undefined ? words : `${words}, ${place}`;
}

function describe(suggestion: unknown): string | null {
  switch (textOf(suggestion, "type") ?? "") {
    case "addRules": {
      const verb = { allow: "Allow", deny: "Deny", ask: "Ask about" }[textOf(suggestion, "behavior") ?? ""];
      const rules = listOf(suggestion, "rules").map(rule);
      return verb === undefined || rules.length === 0 || rules.includes(null) ? null : `${verb} ${rules.join(", ")}`;
    }
    case "addDirectories": {
      const directories = listOf(suggestion, "directories").map((directory) => exactLine(String(directory)));
      return directories.length === 0 ? null : `Allow work in ${directories.join(", ")}`;
    }
    case "setMode": {
      const mode = textOf(suggestion, "mode");
      return mode === undefined
        ? null
        : mode === "acceptEdits"
          ? "Accept all file edits"
          : `Change the permission mode to ${exactLine(mode)}`;
    }
    default:
      return null;
  }
}

function rule(value: unknown): string | null {
  const tool = textOf(value, "toolName");
  const content = textOf(value, "ruleContent");
  if (tool === undefined) return null;
  return exactLine(content === undefined ? `every ${tool}` : `${tool}(${content})`);
}

/** The suggestions that are selected at first: rules that allow the tool, or else the first suggestion. */
export function sensibleSuggestions(suggestions: readonly unknown[]): number[] {
  const rules = suggestions.flatMap((suggestion, index) =>
    textOf(suggestion, "type") === "addRules" && textOf(suggestion, "behavior") === "allow" ? [index] : [],
  );
  return rules.length > 0 ? rules : suggestions.slice(0, 1).map(() => 0);
}
