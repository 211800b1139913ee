// Collects every text that a person reads: titles and descriptions in package.json, and prose in the sources of the
// extension and of its pages.
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { parsers } from "prettier/plugins/typescript";

const ROOT = path.resolve(import.meta.dirname, "../..");
/** Members of package.json whose values are shown. */
const SHOWN = new Set([
  "displayName",
  "description",
  "title",
  "name",
  "contextualTitle",
  "enumDescriptions",
  "enumItemLabels",
]);
/** Attributes whose values are shown or read aloud. */
const ATTRIBUTE = /\b(?:title|aria-label|placeholder)="([^"]*)"/gu;
/** The text in place of an expression in a template. */
const HOLE = "{…}";

/** All texts, one a line and each once for a file, in the order of the sources. */
export function collect() {
  const parts = [["package.json", [...manifest()]]];
  for (const file of sources()) parts.push([file, prose(file)]);
  return parts
    .filter(([, texts]) => texts.length > 0)
    .map(([file, texts]) => `# ${file}\n${texts.map((text) => `${text.replaceAll("\n", "\\n")}\n`).join("")}`)
    .join("\n");
}

function* manifest() {
  const { displayName, description, capabilities, contributes } = JSON.parse(
    readFileSync(path.join(ROOT, "package.json"), "utf8"),
  );
  yield* shown({ displayName, description, capabilities, contributes }, "");
}

function* shown(value, place) {
  if (typeof value !== "object" || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    const here = Array.isArray(value)
      ? `${place}[${member.command ?? member.id ?? member.title ?? name}]`
      : `${place}.${name}`;
    if (SHOWN.has(name)) {
      for (const text of [member].flat()) yield `${here.slice(1)}: ${text}`;
    } else yield* shown(member, here);
  }
}

function sources() {
  return ["src", "webview"]
    .flatMap((directory) =>
      readdirSync(path.join(ROOT, directory), { recursive: true }).map((file) => path.join(directory, file)),
    )
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".gen.ts"))
    .toSorted();
}

function prose(file) {
  const source = readFileSync(path.join(ROOT, file), "utf8");
  const texts = [];
  walk(parsers.typescript.parse(source, { filepath: file }), null, texts);
  return [...new Set(texts)];
}

function walk(node, parent, texts) {
  if (node.type === "TaggedTemplateExpression") {
    if (node.tag.name === "html") texts.push(...htmlTexts(joined(node.quasi)));
  } else if (node.type === "TemplateLiteral" && parent?.type !== "TaggedTemplateExpression") add(joined(node), texts);
  else if (node.type === "Literal" && typeof node.value === "string" && !isCode(node, parent)) add(node.value, texts);
  for (const [name, child] of Object.entries(node)) {
    if (name === "parent" || name === "loc" || name === "range") continue;
    for (const one of [child].flat()) if (typeof one?.type === "string") walk(one, node, texts);
  }
}

const joined = ({ quasis }) => quasis.map(({ value }) => value.cooked).join(HOLE);

/** Whether a string is a name for the program: of a module, a type, a member, or a value that is compared. */
function isCode(node, parent) {
  switch (parent?.type) {
    case "ImportDeclaration":
    case "ImportExpression":
    case "ExportNamedDeclaration":
    case "TSLiteralType":
    case "MemberExpression":
    case "SwitchCase":
    case "BinaryExpression":
      return true;
    case "Property":
      return parent.key === node;
    default:
      return false;
  }
}

function add(text, texts) {
  const isProse =
    /\p{L}\p{L}/u.test(text) && (/^\p{Lu}\p{Ll}/u.test(text) || /[\p{L}\p{N},.:;…}”’] [\p{L}\p{N}“{]/u.test(text));
  if (isProse && !/^<|^[a-z]+-src /u.test(text)) texts.push(text);
}

function htmlTexts(template) {
  const attributes = [...template.matchAll(ATTRIBUTE)].map(([, value]) => value);
  const contents = template.split(/<[^>]*>/u);
  return [...attributes, ...contents]
    .map((text) => text.replace(/\s+/gu, " ").trim())
    .filter((text) => /\p{L}/u.test(text.replaceAll(HOLE, "")));
}
